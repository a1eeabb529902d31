"""The HTTP server: listening, answering, and being controlled from elsewhere."""
