"""`key-custodian generate`: makes new material with the operating system's generator, and wraps it at once.

With --component it makes one component of a new key instead, which its holder copies from the screen.
"""

import os

import click
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from imported_key_material.material import material_check
from imported_key_material.material.key_specs import KEY_SPECS, CipherKey, EcKey, KeySpec, MacKey, RsaKey
from imported_key_material.material.material_check import CheckedMaterial
from key_custodian import argument_types, components, key_wrap, new_components, new_file, options, output, report
from key_custodian.components import SECRET_KEYS
from key_custodian.key_wrap import WrapOptions
from key_custodian.new_components import ComponentReport
from key_custodian.report import MaterialReport
from key_custodian.words import OPTIONS

PUBLIC_EXPONENT = 65537  # FIPS 186-5, A.1.1; every program accepts this exponent
GENERATED = "the new material"
COMPONENT = "component"


@click.command(
    "generate",
    short_help="Make new key material, and wrap it.",
    epilog="""\b
Examples:
  key-custodian generate --key-spec SYMMETRIC_DEFAULT --wrapping-key transport.pem --out wrapped.bin
  key-custodian generate --key-spec RSA_3072 --wrapping-key alias/transport-rsa --out wrapped.bin --json
  key-custodian generate --key-spec HMAC_256 --wrapping-key alias/transport --secret orders/mac-key --out wrapped.bin
  key-custodian generate --key-spec HMAC_256 --plaintext-out key.bin
  key-custodian generate --key-spec HMAC_256 --component --out component.bin

\b
  A component on its holder's screen, which is erased; then `combine` takes it:
  key-custodian generate --key-spec SYMMETRIC_DEFAULT --component
""",
)
@options.key_spec()
@key_wrap.add_options
@click.option(
    "--plaintext-out",
    metavar="FILE",
    type=argument_types.new_file,
    help="Write PLAINTEXT material to a new file (mode 0600) instead of wrapping it: raw bytes, or PKCS#8 PEM. - is a pipe.",
)
@click.option(
    "--component",
    "is_component",
    is_flag=True,
    help="Make one component of a new key (SYMMETRIC_DEFAULT, HMAC). It is shown in hex on a screen that is erased, or "
    "written to --out in raw bytes. No wrapping key is needed.",
)
@options.as_json
def command(
    key_spec: str,
    plaintext_out: str | None,
    is_component: bool,  # noqa: FBT001  # click passes it by name
    as_json: bool,  # noqa: FBT001  # click passes it by name
    wrapping: WrapOptions,
) -> None:
    """Make new key material that nobody ever sees, and wrap it.

    The bytes come from the operating system's generator and are never written unwrapped, unless --plaintext-out asks for it.
    The wrapped file is then the only copy: keep it, since KMS never returns material.

    With --component each holder makes one component on a machine of their own, and `combine` joins them.
    """
    spec = KEY_SPECS[key_spec]
    if is_component:
        _require_component_only(key_spec, plaintext_out, wrapping)
        _make_component(spec, wrapping.out, as_json=as_json)
        return
    if plaintext_out is None:
        wrap = key_wrap.prepare(wrapping)
        wrap.write(new_material(spec), as_json=as_json)
        return
    if present := wrapping.present():
        raise click.UsageError(f"--plaintext-out does not go with {present[0]}: nothing is wrapped.")
    new_file.require_writable(plaintext_out, where="--plaintext-out")
    checked = new_material(spec)
    try:
        result = MaterialReport.of(checked)
        new_file.write(plaintext_out, _plaintext(checked), where="--plaintext-out")
    finally:
        checked.wipe()
    to_stdout = plaintext_out == new_file.STDOUT
    output.say(f"{'Standard output' if to_stdout else plaintext_out} holds the material in PLAINTEXT.", err=True)
    report.show(result, as_json=as_json, err=to_stdout)


def _require_component_only(key_spec: str, plaintext_out: str | None, wrapping: WrapOptions) -> None:
    plaintext = [] if plaintext_out is None else ["--plaintext-out"]
    if present := [name for name in (*wrapping.present(), *plaintext) if name != "--out"]:
        raise click.UsageError(f"--component does not go with {present[0]}: a component goes on paper, or to --out.")
    if key_spec not in SECRET_KEYS:
        raise click.UsageError(f"--component is for {', '.join(SECRET_KEYS)}: a private key has no components.")


def _make_component(spec: KeySpec, out: str | None, *, as_json: bool) -> None:
    if out is None:
        new_components.require_screen()
        new_components.require_room(spec, components.size_bytes(spec), COMPONENT)
    else:
        new_file.require_writable(out, where="--out")
    component = new_components.make(spec)
    try:
        result = ComponentReport.of(component, out)
        if out is None:
            new_components.show(component, COMPONENT)
        else:
            new_file.write(out, component.encoded, where="--out")
    finally:
        component.wipe()
    report.show(result, as_json=as_json, err=out == new_file.STDOUT)


def new_material(spec: KeySpec) -> CheckedMaterial:
    """New material, checked like any other."""
    form = spec.form
    if isinstance(form, CipherKey | MacKey):
        return material_check.check(os.urandom(form.size_bytes), spec, words=OPTIONS.at(GENERATED))
    der = _private_key(spec).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return material_check.check(der, spec, words=OPTIONS.at(GENERATED))


def _private_key(spec: KeySpec) -> PrivateKeyTypes:
    """Uses OpenSSL's generators, which the operating system seeds."""
    form = spec.form
    if isinstance(form, RsaKey):
        return rsa.generate_private_key(PUBLIC_EXPONENT, form.modulus_bits)
    if isinstance(form, EcKey):
        return ec.generate_private_key(form.curve)
    return ed25519.Ed25519PrivateKey.generate()


def _plaintext(checked: CheckedMaterial) -> bytes:
    """The usual file: a secret key raw, a private key as PEM."""
    if checked.public_key is None:
        return bytes(checked.encoded)
    return report.pem(bytes(checked.encoded), "PRIVATE KEY").encode("ascii")
