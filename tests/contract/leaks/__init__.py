"""No key material and no ResponseURL anywhere."""
