"""The ceremony's page, and its play."""
