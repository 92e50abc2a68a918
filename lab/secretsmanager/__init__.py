"""Secrets Manager, as far as this project calls it: reading (`reads.py`) and writing (`writes.py`) secrets. No rotation."""
