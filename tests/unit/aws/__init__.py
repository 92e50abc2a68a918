"""Calls, their errors, and what AWS shows."""
