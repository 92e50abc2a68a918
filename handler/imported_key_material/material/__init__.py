"""A secret's bytes become checked material. Pure: nothing here calls AWS, reads a clock or a file; Python 3.11 suffices.

material_check.py    makes CheckedMaterial, the one thing that may be imported
secret_value.py      what the secret's value is: JSON field, encoding, PEM header; wrapped_value.py: a wrapped one
encoding.py          base64, hex, JSON
wrong_container.py   TR-31, JSON, encrypted PEM: what no decoder can say anything useful about
secret_key_rules.py  symmetric and HMAC keys: length, text, other keys' containers
pem.py               blocks of a PEM
der.py               shapes of containers
private_key.py       loads PKCS#8, PKCS#1, SEC1; the reason in words
private_key_rules.py type, curve, size, weak keys; encodes for KMS
not_random.py        constants, counters, repetitions
looks_like_text.py   passphrases, and text that was not decoded
key_specs.py         one row for each key spec: all that depends on it
check_value.py       check values, computed and expected
proof.py             what is kept of material once it is wiped
wrapping.py          wraps for the way to KMS, and opens the AES block of a wrapped secret
words.py             what the reader of an error calls properties, secrets and files
"""
