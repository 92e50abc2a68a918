"""Keys that an HSM wrapped."""
