"""The transport key, which opens a wrapped secret (SecretWrapping.KeyId), as far as a custodian can see it.

A custodian needs no permission on it. A key that the custodian can see must pass the function's own rule
(`imported_key_material.aws.transport_key`). What only its owner can fix or know is a warning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from imported_key_material import consent
from imported_key_material.aws.key_view import tags_of
from imported_key_material.aws.transport_key import modulus_bytes, require_fit
from imported_key_material.material.key_specs import WRAPPING_KEY_SPECS
from key_custodian.session import Session, if_allowed

WHERE: Final = "--wrapping-key"
# KeyMetadata, Origin: a key that KMS or CloudHSM made never left AWS.
_NOBODY_ELSE: Final = frozenset({"AWS_KMS", "AWS_CLOUDHSM"})
_WHO_ELSE: Final[Mapping[str, str]] = {
    "EXTERNAL": "its material was imported, and anyone who has a copy can open what is wrapped under the key, without KMS "
    "and its policy. Use a key that KMS made (Origin AWS_KMS).",
    "EXTERNAL_KEY_STORE": "it is kept outside of AWS by the operator of that key store, and opens nothing if the store can't "
    "be reached.",
}
_UNKNOWN: Final = "this tool does not know who else may hold the key."


@dataclass(frozen=True, slots=True)
class TransportKey:
    """`arn` is "" and `modulus_bytes` None if the key was not seen. `modulus_bytes` is also None if it is no RSA key.

    `seen`: a sentence about what was checked; `warnings`: who else may hold it, and what its owner still has to do.
    """

    arn: str
    modulus_bytes: int | None
    seen: str
    warnings: tuple[str, ...] = ()


def look(session: Session, key_id: str, algorithm: str, stacks: tuple[str, ...]) -> TransportKey:
    """Refused (--wrapping-key) where the function could not open the secret with it."""
    view = if_allowed(lambda: session.key(key_id, where=WHERE))
    if view is None:
        return TransportKey(
            "", None, f"The transport key {key_id} was not checked: these credentials have no permission for it."
        )
    require_fit(view, algorithm, where=WHERE)
    return TransportKey(
        arn=view.arn,
        modulus_bytes=modulus_bytes(view.spec) if view.spec in WRAPPING_KEY_SPECS else None,
        seen=f"The transport key is {view.arn} ({view.spec}, {view.state}).",
        warnings=(*who_else_holds(view.origin), *_missing_consent(session, view.arn, stacks)),
    )


def who_else_holds(origin: str) -> tuple[str, ...]:
    """A warning by the key's Origin; () where nobody else can hold the key. Never a refusal.

    Somebody has, or had, a copy of imported material. For an RSA key that is the private key, which opens every secret that was
    wrapped under it.
    """
    if origin in _NOBODY_ELSE:
        return ()
    return (f"The wrapping key's Origin is {origin or 'unknown'}: {_WHO_ELSE.get(origin, _UNKNOWN)}",)


def _missing_consent(session: Session, arn: str, stacks: tuple[str, ...]) -> tuple[str, ...]:
    """Which stacks the key's tag does not name. Often the custodian can't set it, so this is a warning."""
    pages = if_allowed(lambda: session.pages("kms:ListResourceTags", where=WHERE, KeyId=arn))
    if pages is None:
        return ()
    value = tags_of(pages).get(consent.TAG, "")
    missing = uncovered(value, stacks)
    if not missing:
        return ()
    found = f"is '{value}'" if value else "is missing"
    return (
        f"The tag {consent.TAG} of the transport key {found}: it does not name {', '.join(missing)}. Its owner sets it.",
    )


def uncovered(tag_value: str, stacks: tuple[str, ...]) -> tuple[str, ...]:
    """The stacks that the tag's value does not name. A name that ends in / must be covered by such a name."""
    names = tag_value.split()

    def covers(stack: str) -> bool:
        if not stack.endswith("/"):
            return consent.allows(tag_value, stack)
        return any(name.endswith("/") and stack.startswith(name[:-1]) for name in names)

    return tuple(stack for stack in stacks if not covers(stack))
