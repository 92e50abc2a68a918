"""Who else may hold a transport key: what its Origin in KMS says of that. Told, never refused.

A key that KMS or CloudHSM made has never been outside. Of imported material somebody has, or had, a copy: with an RSA key that
is the private key, which opens every secret that was wrapped under it. Source: KMS API Reference, KeyMetadata, Origin.
"""

from collections.abc import Mapping
from typing import Any, Final

_NOBODY_ELSE: Final = frozenset({"AWS_KMS", "AWS_CLOUDHSM"})
_WORDS: Final[Mapping[str, str]] = {
    "EXTERNAL": "its material was imported, and whoever has a copy of that may open what is wrapped under the key, without KMS "
    "and its policy. Use a key that KMS made (Origin AWS_KMS).",
    "EXTERNAL_KEY_STORE": "it is kept outside of AWS, by whoever runs that key store, and opens nothing while the store can't "
    "be reached.",
}
_UNKNOWN: Final = "this tool does not know it, nor who else may hold the key."


def mind(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """`metadata`: KeyMetadata of kms:DescribeKey. One sentence or two, () where nobody else can hold the key."""
    origin = metadata.get("Origin", "")
    if origin in _NOBODY_ELSE:
        return ()
    return (f"The wrapping key's Origin is {origin or 'not told'}: {_WORDS.get(origin, _UNKNOWN)}",)
