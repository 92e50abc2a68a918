"""The chaos director: its parts, and one small run."""
