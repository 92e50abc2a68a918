"""Returns a key that a cryptographic call can use, or refuses (C-85, C-86).

Order of the refusals: usage, then algorithm, then key state. DryRun answers after all of them.
"""

from lab.kms.call import Call, Target
from lab.kms.errors import KmsError, not_modelled
from lab.kms.keys import Material
from lab.kms.material import PrivateKey, Secret

_NOT_MODELLED = ("Recipient", "GrantTokens", "DryRunModifiers")


def usable(call: Call, usage: str, algorithm: str, *, parameter: str = "KeyId") -> Target:
    for unknown in _NOT_MODELLED:
        if call.params.get(unknown):
            raise not_modelled(unknown)
    target = call.target(parameter, by_alias=True, cross_account=True)
    target.require_usage(usage, call.operation)
    target.require_algorithm(algorithm)
    target.require_state(call.operation)
    return target


def require_not_dry(call: Call) -> None:
    if call.params.get("DryRun"):
        raise KmsError(
            "DryRunOperationException", "The request would have succeeded, but the DryRun option is set.", 412
        )


def current(target: Target) -> tuple[Material, Secret]:
    """The material that a usable key works with."""
    material = target.family.current
    if material is None:
        raise AssertionError("a usable key has current material")
    return material, target.key.holdings[material.id].secret


def private_key_of(target: Target) -> PrivateKey:
    _, secret = current(target)
    if secret.private_key is None:
        raise AssertionError("an asymmetric key holds a private key")
    return secret.private_key
