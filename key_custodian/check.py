"""`key-custodian check`: makes all checks of the function before an import, offline, and shows the check values."""

import click

from imported_key_material.errors import Refused
from imported_key_material.material.key_specs import KEY_SPECS
from key_custodian import argument_types, options, output, sources
from key_custodian.errors import REFUSED
from key_custodian.report import MaterialReport


@click.command(
    "check",
    short_help="Check key material, and show its check values.",
    epilog="""\b
Examples:
  key-custodian check key.bin --key-spec HMAC_256
  key-custodian check key.txt --key-spec SYMMETRIC_DEFAULT --encoding HEX
  key-custodian check signing.pem --key-spec ECC_NIST_P256
  key-custodian check key.bin --key-spec HMAC_256 --expected-check-value HMAC:D38B42096D
  age --decrypt key.age | key-custodian check - --key-spec SYMMETRIC_DEFAULT --json
""",
)
@click.argument("file", metavar="FILE", type=argument_types.file)
@options.key_spec()
@options.encoding
@options.json_key
@options.expected_check_value
@options.as_json
def command(
    file: str,
    key_spec: str,
    encoding: str | None,
    json_key: str | None,
    expected_check_value: str | None,
    as_json: bool,  # noqa: FBT001  # click passes it by name
) -> None:
    """Check key material as the function will, and show its check values.

    FILE holds the plaintext material; - is a pipe, or at a terminal a prompt that does not echo. All faults are
    reported at once. Exit code 0: valid; 1: refused; 2: a wrong call.
    """
    source = sources.read(file, encoding=encoding, json_key=json_key)
    try:
        checked = sources.check(
            source,
            KEY_SPECS[key_spec],
            encoding=encoding,
            json_key=json_key,
            expected_check_value=expected_check_value,
        )
    except Refused as refused:
        if not as_json:
            raise
        faults = [{"where": one.where, "problem": one.problem, "remedy": one.remedy} for one in refused.faults]
        output.say_json({"in_order": False, "key_spec": key_spec, "faults": faults})
        raise SystemExit(REFUSED) from None
    try:
        result = MaterialReport.of(checked)
    finally:
        checked.wipe()
    if as_json:
        output.say_json({"in_order": True, **result.to_json()})
    else:
        output.say(*result.lines())
