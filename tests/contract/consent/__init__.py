"""All three owners have agreed, at the moment of the import."""
