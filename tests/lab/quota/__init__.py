"""The quota program."""
