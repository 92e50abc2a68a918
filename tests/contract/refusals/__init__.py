"""What is refused, with the whole sentence; nothing is imported."""
