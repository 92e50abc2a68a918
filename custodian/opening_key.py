"""The KMS key that will open a wrapped secret (SecretWrapping.KeyId), as far as a custodian may look at it.

A custodian need have no right on it at all. What can be seen is checked as the function will check it.
"""

from dataclasses import dataclass
from typing import Any, Final

from custodian import origin
from custodian.session import Session
from custodian.wrapped_file import SYMMETRIC
from imported_key_material import consent
from imported_key_material.errors import Faults
from imported_key_material.key_specs import WRAPPING_KEY_SPECS

WHERE: Final = "--wrapping-key"


@dataclass(frozen=True, slots=True)
class OpeningKey:
    """`key_id`: as it was named; `arn` is "" and `modulus_bytes` None where it was not seen (or is no RSA key's).

    `seen`: what was looked at, in a sentence; `mind`: who else may hold it, and what its owner still has to do.
    """

    key_id: str
    arn: str
    modulus_bytes: int | None
    seen: str
    mind: tuple[str, ...] = ()


def look(session: Session, key_id: str, algorithm: str, stacks: tuple[str, ...]) -> OpeningKey:
    """Refused (--wrapping-key) where the function could not open the secret with it."""
    answer = session.call_if_allowed("kms:DescribeKey", where=WHERE, KeyId=key_id)
    if answer is None:
        return OpeningKey(key_id, "", None, f"The key {key_id} was not looked at: these credentials may not.")
    key: dict[str, Any] = answer["KeyMetadata"]
    spec, usage, state = key["KeySpec"], key["KeyUsage"], key["KeyState"]
    faults = Faults()
    fits = spec == SYMMETRIC if algorithm == SYMMETRIC else spec in WRAPPING_KEY_SPECS
    if not fits or usage != "ENCRYPT_DECRYPT":
        wanted = "a SYMMETRIC_DEFAULT" if algorithm == SYMMETRIC else "an RSA"
        problem = (
            f"The key's spec is {spec} and its usage {usage}, and {algorithm} takes {wanted} key for ENCRYPT_DECRYPT."
        )
        faults.add(WHERE, problem, "Name the key under which the material was wrapped, and its algorithm.")
    if state != "Enabled":
        faults.add(WHERE, f"The key is {state}, and only an Enabled key decrypts.", "Make it Enabled, or name another.")
    faults.raise_if_any()
    return OpeningKey(
        key_id=key_id,
        arn=key["Arn"],
        modulus_bytes=int(spec.removeprefix("RSA_")) // 8 if spec in WRAPPING_KEY_SPECS else None,
        seen=f"The key that opens it is {key['Arn']} ({spec}, {state}).",
        mind=(*origin.mind(key), *_consent(session, key["Arn"], stacks)),
    )


def _consent(session: Session, arn: str, stacks: tuple[str, ...]) -> tuple[str, ...]:
    """What is missing of the tag on the key: another one than the custodian may have to set it."""
    tags: dict[str, str] = {}
    for page in session.pages("kms:ListResourceTags", where=WHERE, KeyId=arn):
        if page is None:
            return ()
        tags |= {tag["TagKey"]: tag["TagValue"] for tag in page.get("Tags", [])}
    value = tags.get(consent.TAG, "")
    missing = uncovered(value, stacks)
    if not missing:
        return ()
    found = f"is '{value}'" if value else "is missing"
    return (
        f"The tag {consent.TAG} of the key that opens it {found}: it does not name {', '.join(missing)}. Its owner sets it.",
    )


def uncovered(tag_value: str, stacks: tuple[str, ...]) -> tuple[str, ...]:
    """Which stacks the tag's value does not name. One that ends in / stands for many, and so needs one that does, too."""
    names = tag_value.split()

    def covers(stack: str) -> bool:
        if not stack.endswith("/"):
            return consent.allows(tag_value, stack)
        return any(name.endswith("/") and stack.startswith(name[:-1]) for name in names)

    return tuple(stack for stack in stacks if not covers(stack))
