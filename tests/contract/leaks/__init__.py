"""No output has key material or a ResponseURL in it."""
