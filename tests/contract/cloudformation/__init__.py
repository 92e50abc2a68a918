"""Requests and answers: one answer for each request; unwanted requests; hand over; what Lambda gives up."""
