"""Takes the one private key out of a PEM, and refuses blocks that a library would silently ignore.

Libraries take the first of two private keys, and ignore certificates and junk. Here a PEM holds exactly one private key block;
EC PARAMETERS may stand before it, as OpenSSL writes them; text outside of blocks (Bag Attributes) is ignored; any other block
is refused. `private_key.py` checks the key.

Sources: RFC 7468 (sections 2, 3, 10, 11); RFC 1421, section 4.6.1.1 (Proc-Type of an encrypted key).
"""

import re
from dataclasses import dataclass

from imported_key_material.errors import Faults
from imported_key_material.material.encoding import base64_bytes
from imported_key_material.material.words import Words

HEADER = "-----BEGIN "
_BOUNDARY = re.compile(r"-----(?P<side>BEGIN|END) (?P<label>[A-Z0-9][A-Z0-9 #-]{0,62}?[A-Z0-9])-----")
_PROC_TYPE = re.compile(r"Proc-Type:\s*4,\s*ENCRYPTED")
_EC_PARAMETERS = "EC PARAMETERS"
_ENCRYPTED = "ENCRYPTED PRIVATE KEY"
_PRIVATE_KEYS = ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", _ENCRYPTED)

# label: its name in a sentence, and the remedy; "": store only the private key's block.
_OTHERS = {
    "CERTIFICATE": ("a certificate", ""),
    "TRUSTED CERTIFICATE": ("a certificate", ""),
    "CERTIFICATE REQUEST": ("a certificate request", ""),
    "PUBLIC KEY": ("a public key", ""),
    "RSA PUBLIC KEY": ("a public key", ""),
    "DH PARAMETERS": ("Diffie-Hellman parameters", ""),
    "OPENSSH PRIVATE KEY": ("an OpenSSH private key", "Convert it first, for example: ssh-keygen -p -m PKCS8 -f key."),
    "DSA PRIVATE KEY": ("a DSA private key, and KMS has no DSA keys", ""),
    "RSA-PSS PRIVATE KEY": ("an RSA-PSS private key", "Export it as an ordinary RSA key, if it may be used as one."),
    _EC_PARAMETERS: (
        "EC PARAMETERS behind the private key, or twice",
        "Leave them out: the key names its curve itself.",
    ),
}
_UNKNOWN = ("a block of another kind", "")


@dataclass(frozen=True, slots=True, repr=False)
class Block:
    """The text between BEGIN and END."""

    label: str
    body: str


@dataclass(frozen=True, slots=True, repr=False)
class PemKey:
    """The private key in DER, and the DER of the EC PARAMETERS that stood before it."""

    der: bytearray
    ec_parameters: bytes | None


def is_in(value: bytes | bytearray | str, label: str = "") -> bool:
    """Whether it holds the header of a PEM block whose label begins with `label`."""
    header = f"{HEADER}{label}"
    return header in value if isinstance(value, str) else header.encode() in value


def is_encrypted_in(text: str) -> bool:
    """Whether it holds an encrypted private key, even in a damaged PEM."""
    return is_in(text, _ENCRYPTED) or _PROC_TYPE.search(text) is not None


def private_key(text: str, *, words: Words) -> PemKey:
    """Returns the one private key. Refused (material) with everything that is wrong with the blocks."""
    faults, where = Faults(), words.material
    blocks, whole = _blocks(text)
    if not whole:
        remedy = f"{words.store} the whole PEM, with each BEGIN line and its END line."
        faults.add(where, "The PEM is damaged: a BEGIN line has no matching END line.", remedy)
        faults.raise_if_any()
    keys = [block for block in blocks if block.label in _PRIVATE_KEYS]
    parameters = blocks[:1] if blocks[0].label == _EC_PARAMETERS else []
    if len(keys) > 1:
        remedy = f"{words.store} only the right one."
        faults.add(where, f"The PEM holds {len(keys)} private keys, and a KMS key takes one.", remedy)
    if any(_is_encrypted(key) for key in keys):
        faults.add(where, "The private key in the PEM is encrypted.", words.if_encrypted)
    for block in blocks[len(parameters) :]:
        if block not in keys:
            what, remedy = _OTHERS.get(block.label, _UNKNOWN)
            faults.add(where, f"The PEM holds {what}.", remedy or f"{words.store} only the block of the private key.")
    if not keys and not faults:
        faults.add(where, "The PEM holds no private key.", f"{words.store} the private key in PKCS#8, PKCS#1 or SEC1.")
    faults.raise_if_any()
    ec_parameters = bytes(_body(parameters[0], words)) if parameters else None
    return PemKey(_body(keys[0], words), ec_parameters)


def _body(block: Block, words: Words) -> bytearray:
    remedy = f"{words.store} the PEM as it was written, with its line breaks."
    return base64_bytes(block.body, words=words, what=f"The PEM's block {block.label}", remedy=remedy)


def _is_encrypted(key: Block) -> bool:
    return key.label == _ENCRYPTED or _PROC_TYPE.search(key.body) is not None


def _blocks(text: str) -> tuple[list[Block], bool]:
    """Returns the blocks, and whether there is at least one and every BEGIN and END match."""
    boundaries = list(_BOUNDARY.finditer(text))
    pairs = list(zip(boundaries[0::2], boundaries[1::2], strict=False))
    sides = [boundary["side"] for boundary in boundaries]
    whole = bool(pairs) and sides == ["BEGIN", "END"] * len(pairs)
    same_labels = all(begin["label"] == end["label"] for begin, end in pairs)
    return [Block(begin["label"], text[begin.end() : end.start()]) for begin, end in pairs], whole and same_labels
