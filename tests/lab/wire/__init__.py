"""How the stand-ins speak."""
