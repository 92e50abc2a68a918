"""The stand-in for Secrets Manager."""
