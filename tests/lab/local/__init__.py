"""The local AWS, its corrections, and the programs that show it."""
