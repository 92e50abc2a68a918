"""`make release`: what is refused, and what its files consist of. tests/e2e/test_release.py runs it."""
