"""Whether a KMS key can unwrap a secret (SecretWrapping): the same rule for the function and for the custodian's tool."""

from typing import Final

from imported_key_material.aws.key_view import KeyView
from imported_key_material.errors import Faults
from imported_key_material.material.key_specs import WRAPPING_KEY_SPECS

SYMMETRIC: Final = "SYMMETRIC_DEFAULT"  # KeySpec; SecretWrapping.Algorithm and EncryptionAlgorithm of such a key


def require_fit(view: KeyView, algorithm: str, *, where: str) -> None:
    """Raises Refused with every reason why the key can't open what was wrapped with `algorithm`."""
    faults = Faults()
    fits = view.spec == SYMMETRIC if algorithm == SYMMETRIC else view.spec in WRAPPING_KEY_SPECS
    if not fits or view.usage != "ENCRYPT_DECRYPT":
        wanted = "a SYMMETRIC_DEFAULT" if algorithm == SYMMETRIC else "an RSA"
        problem = (
            f"The key's spec is {view.spec} and its usage {view.usage}, and {algorithm} takes {wanted} key for "
            "ENCRYPT_DECRYPT."
        )
        faults.add(where, problem, "Name the key under which the material was wrapped, and its algorithm.")
    if view.state != "Enabled":
        problem = f"The key is {view.state}, and only an Enabled key decrypts."
        remedy = "Make it Enabled (aws kms enable-key, or first cancel-key-deletion), or name another."
        faults.add(where, problem, remedy)
    faults.raise_if_any()


def modulus_bytes(spec: str) -> int:
    """The length of the modulus of an RSA key in KMS, by its spec, such as RSA_3072."""
    return int(spec.removeprefix("RSA_")) // 8
