"""From the value of a wrapped secret to its ciphertext, which kms:Decrypt gets. Pure."""

from typing import Final

from imported_key_material.errors import Fault, Refused
from imported_key_material.material import encoding as codec
from imported_key_material.material import wrong_container
from imported_key_material.material.encoding import BASE64, HEX
from imported_key_material.material.words import PROPERTIES

CIPHERTEXT_MAX_BYTES: Final = 6144  # of kms:Decrypt


def ciphertext_of(value: bytes | str, *, encoding: str | None, json_key: str | None) -> bytes:
    """Returns the ciphertext. Text is decoded; SecretBinary (bytes) only if MaterialEncoding says how.

    `encoding`: MaterialEncoding; `json_key`: SecretJsonKey. Refused (those two, and SecretId).
    """
    if json_key is not None:
        value = codec.json_field(value, json_key, words=PROPERTIES)
    is_encoded = encoding in (BASE64, HEX)
    wrong_container.refuse_in_place_of_wrapped(
        value,
        is_field=json_key is not None,
        is_encoded=is_encoded,
    )
    if isinstance(value, bytes) and is_encoded:
        value = value.decode("latin-1")  # never fails; the decoders below refuse the rest
    found = value if isinstance(value, bytes) else bytes(codec.decode_text(value, encoding, words=PROPERTIES))
    if len(found) > CIPHERTEXT_MAX_BYTES:
        raise Refused(
            Fault(
                "SecretId",
                f"The secret holds {len(found)} bytes, and wrapped material has at most {CIPHERTEXT_MAX_BYTES}.",
                "Store only the wrapped material.",
            )
        )
    return found
