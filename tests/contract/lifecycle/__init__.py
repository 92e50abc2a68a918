"""Create, update, roll back and delete. Each test is one situation."""
