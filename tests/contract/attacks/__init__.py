"""Anyone who may invoke the function, write a secret or tag a key may be hostile."""
