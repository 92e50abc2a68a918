"""Refusals: the whole sentence of each, and that nothing was imported."""
