"""The function's checks speak of properties and of a secret; here the same sentences speak of options and of a file."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from imported_key_material.errors import Fault, Refused

# In this order: a phrase before the words in it.
_WORDS = (
    ("Name the secret and version that hold the key", "Name the file that holds the key"),
    ("and wrap it with a KMS key instead: SecretWrapping.", "and then wrap it: custodian wrap."),
    ("before it is stored (openssl", "first (openssl"),
    (
        "Is it wrapped? Then declare SecretWrapping, which says how and under which key.",
        "Is it wrapped? Then only KMS opens it, and it can't be checked here: custodian put stores it.",
    ),
    ("or store the decoded bytes", "or decode it first"),
    ("a SecretBinary", "raw bytes"),
    ("as a SecretString", "as text"),
    ("in a SecretString", "in a text"),
    ("store the bytes as raw bytes", "give the bytes themselves"),
    ("another KMS key", "another --key-spec"),
    ("a KMS key of the fitting key spec", "the fitting --key-spec"),
    ("MaterialEncoding", "--encoding"),
    ("SecretJsonKey", "--json-key"),
    ("ExpectedCheckValue", "--expected-check-value"),
    ("WrappingAlgorithm", "--algorithm"),
    ("WrappingKeySpec", "--wrapping-key"),
    ("the --expected-check-value", "--expected-check-value"),
    ("an --expected-check-value", "--expected-check-value"),
    ("secret", "file"),
    ("Store or wrap", "Give"),
    ("Store", "Give"),
)


def in_options(text: str) -> str:
    for property_word, option_word in _WORDS:
        text = re.sub(rf"\b{re.escape(property_word)}", option_word, text)
    return text


@contextmanager
def as_options() -> Iterator[None]:
    """What a check of the function refuses within, in this tool's words. A file's name (`where`) stays as it is."""
    found: tuple[Fault, ...] = ()
    try:
        yield
    except Refused as refused:
        found = refused.faults
    if found:
        raise Refused(*(_reworded(fault) for fault in found))


def _reworded(fault: Fault) -> Fault:
    where = dict(_WORDS).get(fault.where, fault.where)
    return Fault(where, in_options(fault.problem), in_options(fault.remedy))
