"""Requests, answers and what the stack says."""
