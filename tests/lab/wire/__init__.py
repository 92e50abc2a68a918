"""The stand-ins' protocols: HTTP, and calls within the process."""
