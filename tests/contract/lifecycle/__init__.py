"""Create, update, roll back and delete, one situation a test."""
