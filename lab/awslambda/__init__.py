"""Lambda, as far as the functions see it: the context of an invocation, Invoke, and the record of an abandoned event."""
