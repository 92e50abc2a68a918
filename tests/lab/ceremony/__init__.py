"""The ceremony's page, and the program that plays it."""
