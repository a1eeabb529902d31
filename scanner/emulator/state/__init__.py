"""What the services answer from: the fleet indexed, credentials, page markers, token buckets."""
