"""What of the SDK and of aiohttp is private and used here all the same, each with a test that names it."""
