"""Consent: at the moment of the import, all three owners have agreed."""
