"""A resource in a world whose secret holds three versions, and which pins one of them."""

import json
from typing import Any, Final

from lab.keys.private_keys import key_for, pkcs8_pem
from lab.keys.random_keys import random_keys
from lab.world import World

SECRET: Final = "orders/master-key"  # noqa: S105  # a name
FIRST, SECOND, THIRD = random_keys(32, 3)
V1, V2, V3 = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2, 3))
P256: Final = "ECC_NIST_P256"
SPECS: Final = ("SYMMETRIC_DEFAULT", "HMAC_256", P256)
MINUTE: Final = 60.0


def created(world: World, spec: str = "SYMMETRIC_DEFAULT", **declared: Any) -> str:
    """The ARN of a key with the first version's bytes, and a resource of a minute ago on it."""
    key = world.external_key(spec)
    for version, material in ((V3, THIRD), (V2, SECOND), (V1, FIRST)):
        world.secret(pkcs8_pem(key_for(spec)) if spec == P256 else material, version_id=version)
    answer = world.create(key, SecretId=SECRET, SecretVersionId=V1, **declared)
    if answer["Status"] != "SUCCESS":
        raise AssertionError(answer["Reason"])
    world.clock.advance(MINUTE)
    return key


def updated(world: World, key: str, version: str | None = V1, **declared: Any) -> dict[str, Any]:
    """The answer to an Update, which comes a minute after the last operation."""
    answer = world.update(key, SecretId=SECRET, SecretVersionId=version, **declared)
    world.clock.advance(MINUTE)
    return answer


def failed(world: World, key: str, version: str | None = V1, **declared: Any) -> str:
    """The reason of an Update that fails, once it is shown that nothing whatever happened to KMS."""
    before, rotations = world.snapshot(), world.aws.count("RotateKeyOnDemand")
    answer = world.update(key, SecretId=SECRET, SecretVersionId=version, **declared)
    if (answer["Status"], answer["PhysicalResourceId"]) != ("FAILED", key):
        raise AssertionError(answer)
    if world.snapshot() != before or world.aws.count("RotateKeyOnDemand") != rotations:
        raise AssertionError("The Update failed, and something happened to KMS all the same.")
    return str(answer["Reason"])


# ----------------------------------------------------------------------------------------------------------- rollbacks

LEFT: Final = "rolled back, but not everything is as before"  # what the log says where it is so
CHANGES: Final = frozenset({"ImportKeyMaterial", "DeleteImportedKeyMaterial", "RotateKeyOnDemand"})


def stood(world: World, **declared: Any) -> tuple[str, dict[str, Any]]:
    """As `created`; and the answer that it gave."""
    key = created(world, **declared)
    answer: dict[str, Any] = json.loads(world.bodies[-1])
    return key, answer


def rolled_back(world: World, key: str, version: str = V1, **declared: Any) -> tuple[dict[str, Any], list[str]]:
    """A rollback's Update: its answer, a success under the id that it came with, and what the function asked for."""
    before = len(world.aws.calls)
    answer = world.update(key, rollback=True, SecretId=SECRET, SecretVersionId=version, **declared)
    if (answer["Status"], answer["PhysicalResourceId"]) != ("SUCCESS", key):
        raise AssertionError(answer)
    return answer, world.aws.operations()[before:]


def forget(world: World, version: str) -> None:
    """The secret's version is gone for good."""
    world.secrets.forget_version(world.secret(SECOND, version_id=V2), version)
