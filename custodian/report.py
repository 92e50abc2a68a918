"""What is said about material: its check values, and how it was wrapped. The same as text and as JSON; never the material."""

import base64
import hashlib
import shlex
from typing import Any

from custodian import output, writing
from custodian.wrapping_key import WrappingKey
from imported_key_material import check_value
from imported_key_material.key_specs import MacKey
from imported_key_material.material import CheckedMaterial
from imported_key_material.proof import CONFIRMATION_MESSAGE

_GUESSABLE = "not shown: --expected-check-value let the material pass though it may be guessable"
UNKNOWN_KEY = "<the RSA key in KMS that this public key is of>"
_LABELS = {
    "key_spec": "Key spec",
    "material_bytes": "Material",
    "check_values": "Check value",
    "confirmation_mac": "Confirmation MAC",
    "public_key": "Public key",
    "wrapping_key": "Wrapping key",
    "wrapping_key_check_value": "  its check value",
    "algorithm": "Wrapped with",
    "encryption_context": "Opens for",
    "wrapped": "Wrapped material",
    "wrapped_sha256": "  its SHA-256",
}
_WIDTH = max(map(len, _LABELS.values())) + 2

Report = dict[str, Any]


def of_material(checked: CheckedMaterial) -> Report:
    """key_spec, material_bytes (as KMS gets them), check_values ([] for what may be guessable), public_key (PEM).

    confirmation_mac: of HMAC keys, by which KMS can later be asked whether it holds the key; no secret.
    """
    told: Report = {"key_spec": checked.spec.name, "material_bytes": len(checked.encoded)}
    told["check_values"] = _check_values(checked)
    if checked.check_value and isinstance(checked.spec.form, MacKey):
        told["confirmation_mac"] = checked.mac(CONFIRMATION_MESSAGE).hex().upper()  # for `custodian verify --mac`
    if checked.public_key is not None:
        told["public_key"] = pem(checked.public_key)
    return told


def of_wrapped(checked: CheckedMaterial, key: WrappingKey, algorithm: str, wrapped: bytes, out: str) -> Report:
    told = of_material(checked)
    told["wrapping_key"] = key.words
    if key.check_value:
        told["wrapping_key_check_value"] = key.check_value
    told["algorithm"] = algorithm
    if key.context:
        told["encryption_context"] = key.context
    told["wrapped"] = {"file": None if out == writing.STDOUT else out, "bytes": len(wrapped)}
    told["wrapped_sha256"] = hashlib.sha256(wrapped).hexdigest()
    told["properties"] = _properties(told, key.kms_key)
    return told


def _properties(told: Report, kms_key: str) -> Report:
    """What the resource in the template will say."""
    properties: Report = {"SecretWrapping": {"Algorithm": told["algorithm"], "KeyId": kms_key or None}}
    if told["check_values"]:
        properties["ExpectedCheckValue"] = told["check_values"][0]
    return properties


def _check_values(checked: CheckedMaterial) -> list[str]:
    if not checked.check_value:
        return []
    return list(check_value.compute_all(checked.spec, checked.public_key or checked.encoded))


def pem(der: bytes, label: str = "PUBLIC KEY") -> str:
    """PEM (RFC 7468)."""
    text = base64.b64encode(der).decode("ascii")
    body = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def show(told: Report, *, as_json: bool, err: bool = False) -> None:
    if as_json:
        output.say_json(told, err=err)
    else:
        output.say(*lines_of(told), err=err)


def lines_of(told: Report) -> list[str]:
    lines: list[str] = []
    for name, label in _LABELS.items():
        if name in told:
            first, *more = _lines(name, told[name])
            lines.append(f"{label}:".ljust(_WIDTH) + first)
            lines += [" " * _WIDTH + line for line in more]
    if "properties" in told:
        lines += ["", "In the template, as properties of the resource:"]
        wrapping = told["properties"]["SecretWrapping"]
        lines.append(
            f"  SecretWrapping: {{Algorithm: {wrapping['Algorithm']}, KeyId: {wrapping['KeyId'] or UNKNOWN_KEY}}}"
        )
        lines += [f"  {name}: {value}" for name, value in told["properties"].items() if isinstance(value, str)]
        lines += ["", "Write down the check value. Next, where there is a network:", *_next(told)]
    return lines


def _next(told: Report) -> list[str]:
    """The command that stores the file, as far as it is known; what is not, in capitals."""
    secret = next(iter(told.get("encryption_context", {}).values()), "/SECRET").partition("/")[2]
    properties = told["properties"]
    key = properties["SecretWrapping"]["KeyId"] or "KEY"
    return [
        f"  custodian put {shlex.quote(told['wrapped']['file'] or 'FILE')} --secret {shlex.quote(secret)} --stack STACK \\",
        f"      --key-spec {told['key_spec']} --algorithm {told['algorithm']} \\",
        f"      --expected-check-value {properties.get('ExpectedCheckValue', 'VALUE')} \\",
        f"      --wrapping-key {shlex.quote(key)}",
    ]


def _lines(name: str, value: Any) -> list[str]:
    if name == "check_values":
        return value or [_GUESSABLE]
    if name == "material_bytes":
        return [f"{value} bytes, in order"]
    if name == "wrapped":
        return [f"{value['file'] or 'standard output'}, {value['bytes']} bytes"]
    if name == "encryption_context":
        return [f"{key} = {secret}" for key, secret in value.items()]
    if name == "public_key":
        return str(value).splitlines()
    return [str(value)]
