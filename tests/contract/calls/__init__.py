"""What the function calls, waits for, and writes to its log."""
