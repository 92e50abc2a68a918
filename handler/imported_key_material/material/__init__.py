"""Turns a secret's bytes into checked material. Pure: nothing here calls AWS or reads a clock or a file. Runs on Python 3.11.

material_check.py    makes CheckedMaterial: nothing else may be imported
secret_value.py      what the secret's value is: JSON field, encoding, PEM header
wrapped_value.py     the ciphertext in a wrapped secret
encoding.py          base64, hex, JSON
wrong_container.py   TR-31, JSON, encrypted PEM: a decoder's error would not help the reader
secret_key_rules.py  symmetric and HMAC keys: length, text, other keys' containers
pem.py               blocks of a PEM
der.py               shapes of containers
private_key.py       loads PKCS#8, PKCS#1, SEC1; the reason in words
private_key_rules.py type, curve, size, weak keys; encodes for KMS
not_random.py        constants, counters, repetitions
looks_like_text.py   passphrases, and text that was not decoded
key_specs.py         one row for each key spec: everything that depends on it
check_value.py       check values, computed and expected
proof.py             what is kept after the material is wiped
wrapping.py          wraps material for KMS, and opens the AES block of a wrapped secret
words.py             what the reader of an error calls properties, secrets and files
"""
