"""A secret's value -> the ciphertext in it: what kms:Decrypt gets of a wrapped secret. Pure."""

from typing import Final

from imported_key_material.errors import Fault, Refused
from imported_key_material.material import encoding as codec
from imported_key_material.material import wrong_container
from imported_key_material.material.encoding import BASE64, HEX
from imported_key_material.material.words import PROPERTIES

CIPHERTEXT_MAX_BYTES: Final = 6144  # of kms:Decrypt


def ciphertext_of(value: bytes | str, *, encoding: str | None, json_key: str | None) -> bytes:
    """Returns the ciphertext: SecretBinary (bytes) as it is unless MaterialEncoding tells how to decode it, text decoded.

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
        value = value.decode("latin-1")  # never fails; what is no base64 and no hex is refused below
    found = value if isinstance(value, bytes) else bytes(codec.decode_text(value, encoding, words=PROPERTIES))
    if len(found) > CIPHERTEXT_MAX_BYTES:
        raise Refused(
            Fault(
                "SecretId",
                f"The secret holds {len(found)} bytes, and wrapped material has at most {CIPHERTEXT_MAX_BYTES}.",
                "Store the wrapped material alone.",
            )
        )
    return found
