"""Lambda, as far as the functions see it: the context of an invocation, Invoke, and the record of what was given up."""
