"""The wire: requests parsed, signatures verified, results and errors serialized."""
