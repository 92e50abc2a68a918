"""Names the content of a secret that is neither a key nor wrapped in a way that KMS can open.

Such a secret can't be opened, and the decoders' errors ("not base64", "144 bytes long") would not help. This module looks only
at its form: it decrypts nothing, and no error quotes the content. The decoders handle everything without these forms.

    TR-31 key block     ANSI X9.143: a version A to D, and its own length in four digits, before anything else
    PEM                 where SecretWrapping declares wrapped material; encrypted or not
    JSON object         where SecretJsonKey is missing, as for the .byok files of Azure's tools
    text in binary      where SecretWrapping declares wrapped material: base64 that nobody decoded
"""

import re

from imported_key_material.errors import Fault, Refused
from imported_key_material.material import encoding, pem
from imported_key_material.material.looks_like_text import text_in
from imported_key_material.material.words import PROPERTIES, Words

# Version, length, key usage, algorithm, mode of use, key version, exportability, number of optional blocks, reserved. The
# pattern is narrow: 64 random hex digits match it once in 10^11.
_TR_31 = re.compile(
    r"[A-D](?P<length>\d{4})[A-Z]\d[ADEHRST][BCDEGNSTVXY][0-9A-Za-z]{2}[ENS]\d{2}0\d[\x20-\x7e]*", re.ASCII
)


def refuse_in_place_of_material(value: bytes | bytearray | str, *, is_field: bool, words: Words) -> None:
    """For material that is not wrapped. `is_field`: it comes out of a JSON object. Refused (material, JSON key)."""
    text = _as_text(value)
    _refuse_tr_31(text, words)
    if isinstance(value, str) and not is_field:
        _refuse_json(text, "the material", words)


def refuse_in_place_of_wrapped(value: bytes | str, *, is_field: bool, is_encoded: bool) -> None:
    """For a secret with SecretWrapping. `is_encoded`: MaterialEncoding says BASE64 or HEX. Refused (as above).

    Only the function reads such a secret, so the errors name properties.
    """
    text = _as_text(value)
    _refuse_tr_31(text, PROPERTIES)
    if not is_field:
        _refuse_json(text, "the wrapped material", PROPERTIES, of_binary=isinstance(value, bytes))
    _refuse_pem(text)
    if isinstance(value, bytes) and not is_encoded and text_in(value):
        problem = (
            "The SecretBinary reads as text, and wrapped material does not: it was encoded, and not decoded again."
        )
        raise Refused(Fault("SecretId", problem, "Set MaterialEncoding to BASE64 or HEX, or store the decoded bytes."))


def _as_text(value: bytes | bytearray | str) -> str:
    """Latin-1 never fails; the forms are ASCII."""
    return (value if isinstance(value, str) else value.decode("latin-1")).strip()


def _refuse_tr_31(text: str, words: Words) -> None:
    block = _TR_31.fullmatch(text)
    if block is None or int(block["length"]) != len(text):
        return
    problem = f"The {words.holder} holds a TR-31 key block, and KMS can't unwrap those."
    remedy = "Have the HSM wrap the key with CKM_RSA_AES_KEY_WRAP, under the public key of an RSA key in KMS."
    raise Refused(Fault(words.material, problem, remedy))


def _refuse_pem(text: str) -> None:
    if not pem.is_in(text):
        return
    problem = "The secret holds a PEM that is not wrapped, and SecretWrapping says that it is."
    remedy = "Wrap the key under the key of SecretWrapping.KeyId, or leave SecretWrapping out."
    if pem.is_encrypted_in(text):
        problem = "The secret holds an encrypted PEM, whose password would be one more secret beside it."
        remedy = "Decrypt it (openssl pkey -in encrypted.pem -out key.pem), and wrap it under the key of SecretWrapping.KeyId."
    raise Refused(Fault("SecretId", problem, remedy))


def _refuse_json(text: str, what: str, words: Words, *, of_binary: bool = False) -> None:
    if not (text.startswith("{") and encoding.is_json_object(text)):
        return
    problem = f"It is missing: the {words.holder} holds a JSON object, and nothing says which of its fields is {what}."
    remedy = "Name the field (in Azure's .byok files: ciphertext)."
    if of_binary:
        remedy += " Store the JSON as a SecretString, too: --secret-string file://, not --secret-binary."
    raise Refused(Fault(words.json_key, problem, remedy))
