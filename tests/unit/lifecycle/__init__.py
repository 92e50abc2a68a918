"""The life cycle, one module at a time."""
