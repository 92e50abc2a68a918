"""The words that a check uses for its reader.

The checks of material serve two programs. The function's user writes properties and stores secrets. The custodian's user
gives options and files. Each sentence is written once, where the fault is found, with these words in it. Nothing changes
it afterwards, and no code reads its text to find out what is wrong.
"""

from typing import Final, NamedTuple


class Words(NamedTuple):
    """The names and phrases of one reader. The comments show how a sentence uses them."""

    material: str  # `where` of a fault: the property or option that names the material
    holder: str  # "The secret holds a PEM."
    binary: str  # "RAW is for a SecretBinary."
    text: str  # "Store the JSON as a SecretString."
    encoding: str  # "Set MaterialEncoding to HEX."
    json_key: str  # "Correct SecretJsonKey."
    check_value: str  # "Leave ExpectedCheckValue out."
    the_check_value: str  # "Declare the ExpectedCheckValue."
    check_value_place: str  # `where` of a fault: for a component's check value also the component
    store: str  # "Store the whole PEM."
    store_or_wrap: str  # "Store or wrap the key itself."
    store_raw: str  # "Set it to HEX, or store the bytes as a SecretBinary."
    store_json: str  # "Store the JSON as a SecretString (--secret-string file://...), or take SecretJsonKey out."
    decode: str  # "Set it to HEX, or store the decoded bytes."
    another_key: str  # "Name another secret or another KMS key."
    fitting_key: str  # "Name another secret, or a KMS key of the fitting key spec."
    name_the_key: str  # "Name the secret and version that hold the right key, or correct ExpectedCheckValue."
    random_bytes: str  # a sentence, with {size_bytes} in it: what to do instead of bytes that are not random
    if_wrapped: str  # a sentence: what to do if bytes of a wrong length are wrapped material
    if_encrypted: str  # a sentence: what to do with a private key under a password

    def at(self, material: str) -> "Words":
        """The same words, for material from another place."""
        return self._replace(material=material)

    def instead(self, size_bytes: int) -> str:
        """What to do instead of bytes that are not random."""
        return self.random_bytes.format(size_bytes=size_bytes)


PROPERTIES: Final = Words(
    material="SecretId",
    holder="secret",
    binary="a SecretBinary",
    text="a SecretString",
    encoding="MaterialEncoding",
    json_key="SecretJsonKey",
    check_value="ExpectedCheckValue",
    the_check_value="the ExpectedCheckValue",
    check_value_place="ExpectedCheckValue",
    store="Store",
    store_or_wrap="Store or wrap",
    store_raw="store the bytes as a SecretBinary",
    store_json="Store the JSON as a SecretString (--secret-string file://...)",
    decode="store the decoded bytes",
    another_key="another KMS key",
    fitting_key="a KMS key of the fitting key spec",
    name_the_key="Name the secret and version that hold the right key",
    random_bytes="Store {size_bytes} bytes of a random number generator, for example of openssl rand {size_bytes}.",
    if_wrapped="Is it wrapped? Then declare SecretWrapping, which says how and under which key.",
    if_encrypted=(
        "Decrypt it before it is stored (openssl pkey -in encrypted.pem -out key.pem), and wrap it with a KMS key instead: "
        "SecretWrapping."
    ),
)
