"""A secret's value -> the ciphertext in it: what kms:Decrypt gets of a wrapped secret. Pure."""

from typing import Final

from imported_key_material import encoding, wrong_container
from imported_key_material.errors import Fault, Refused
from imported_key_material.properties import Properties
from imported_key_material.words import PROPERTIES

CIPHERTEXT_MAX_BYTES: Final = 6144  # of kms:Decrypt


def ciphertext_of(value: bytes | str, properties: Properties) -> bytes:
    """What kms:Decrypt gets: SecretBinary as it is, text decoded."""
    encoded = properties.material_encoding
    if properties.secret_json_key is not None:
        if isinstance(value, bytes):
            raise Refused(
                Fault(
                    "SecretJsonKey",
                    "The secret is a SecretBinary, and a JSON field is one of a SecretString.",
                    "Store the JSON as a SecretString (--secret-string file://...), or take SecretJsonKey out.",
                )
            )
        value = encoding.json_field(value, properties.secret_json_key, words=PROPERTIES)
    wrong_container.refuse_in_place_of_wrapped(
        value,
        is_field=properties.secret_json_key is not None,
        is_encoded=encoded in ("BASE64", "HEX"),
    )
    if isinstance(value, bytes) and encoded in ("BASE64", "HEX"):
        value = value.decode("latin-1")  # never fails; what is no base64 and no hex is refused below
    if isinstance(value, bytes):
        found = value
    else:
        found = bytes(encoding.decode_text(value, encoded or "BASE64", words=PROPERTIES))
    if len(found) > CIPHERTEXT_MAX_BYTES:
        raise Refused(
            Fault(
                "SecretId",
                f"The secret holds {len(found)} bytes, and wrapped material has at most {CIPHERTEXT_MAX_BYTES}.",
                "Store the wrapped material alone.",
            )
        )
    return found
