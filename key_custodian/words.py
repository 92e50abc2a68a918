"""The words that the function's checks use for this tool's user: options and files, not properties and secrets."""

from typing import Final

from imported_key_material.material.words import Words

OPTIONS: Final = Words(
    material="FILE",
    holder="file",
    binary="raw bytes",
    text="text",
    encoding="--encoding",
    json_key="--json-key",
    check_value="--expected-check-value",
    the_check_value="--expected-check-value",
    check_value_place="--expected-check-value",
    store="Give",
    store_or_wrap="Give",
    store_raw="give the bytes themselves",
    store_json="Give the JSON as text",
    decode="decode it first",
    another_key="another --key-spec",
    fitting_key="the fitting --key-spec",
    name_the_key="Name the file that holds the right key",
    random_bytes="Give {size_bytes} bytes of a random number generator, for example of openssl rand {size_bytes}.",
    if_wrapped="Is it wrapped? Then only KMS opens it, and it can't be checked here: key-custodian put stores it.",
    if_encrypted=(
        "Decrypt it first (openssl pkey -in encrypted.pem -out key.pem), and then wrap it: key-custodian wrap."
    ),
)


def of_component(number: int) -> Words:
    """One component of a split key: its holder can only make a new one, and it has its own check value."""
    option = "--component-check-value"
    return OPTIONS._replace(
        check_value=option,
        the_check_value=option,
        check_value_place=f"{option} {number}",
        name_the_key="Give the right component",
        random_bytes="Make the component with a random number generator, as long as the key.",
    )
