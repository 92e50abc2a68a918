"""`key-custodian wrap`: checks material from a file, a pipe or a prompt, and wraps it into a new file."""

import click

from imported_key_material.material.key_specs import KEY_SPECS
from key_custodian import argument_types, key_wrap, options, sources
from key_custodian.key_wrap import WrapOptions


@click.command(
    "wrap",
    short_help="Check key material, and wrap it.",
    epilog="""\b
Examples:
  key-custodian wrap key.bin --key-spec HMAC_256 --wrapping-key transport.pem --out wrapped.bin
  key-custodian wrap signing.pem --key-spec RSA_3072 --wrapping-key alias/transport-rsa --out wrapped.bin
  key-custodian wrap key.bin --key-spec SYMMETRIC_DEFAULT --wrapping-key alias/transport \\
      --secret orders/master-key --out wrapped.bin

\b
The public key of an RSA key in KMS, for an offline machine:
  aws kms get-public-key --key-id alias/transport-rsa --query PublicKey --output text > transport.b64 \\
      && base64 --decode < transport.b64 > transport.der
""",
)
@click.argument("file", metavar="FILE", type=argument_types.file)
@options.key_spec()
@options.encoding
@options.json_key
@options.expected_check_value
@key_wrap.add_options
@options.as_json
def command(  # noqa: PLR0913, PLR0917  # one argument for each option
    file: str,
    key_spec: str,
    encoding: str | None,
    json_key: str | None,
    expected_check_value: str | None,
    as_json: bool,  # noqa: FBT001  # click passes it by name
    wrapping: WrapOptions,
) -> None:
    """Check key material, and wrap it for the secret that the function reads.

    FILE holds the plaintext material; - is a pipe, or at a terminal a prompt that does not echo. Only the holder of the
    wrapping key can open the result. The plaintext file stays where it is: destroy it when the import is confirmed.
    """
    wrap = key_wrap.prepare(wrapping)
    source = sources.read(file, encoding=encoding, json_key=json_key)
    checked = sources.check(
        source, KEY_SPECS[key_spec], encoding=encoding, json_key=json_key, expected_check_value=expected_check_value
    )
    wrap.write(checked, as_json=as_json)
