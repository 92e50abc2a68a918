"""Lambda, as far as the functions see it: the context of an invocation, and Invoke."""
