"""Requests and answers: one answer, wanted or not, handed over, given up."""
