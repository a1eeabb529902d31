"""The real service: the only room that knows an AWS SDK."""
