"""Requests of all kinds, round after round, as from a stack that adds, updates and removes resources.

Every round is the same: Create, Update and Delete of four key specs, from wrapped and plain secrets, among them Updates that
do nothing, a rollback, and Creates that are refused. (No Update is refused: the function would first watch the stack's status
for a while, and that wait would measure nothing.) All keys and secrets exist before the first round, so the far side holds as
much after the last round as after the first.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.bench.far_side import FarSide
from lab.keys.at_rest import encrypted, transport_key, wrapped
from lab.keys.private_keys import key_for, pkcs8_der, pkcs8_pem
from lab.world import World

CLEAN_UP = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"  # the stack's status when an update removes what its template lacks
SECRET_MAX_CHARACTERS = 65_536  # Secrets Manager's limit: a team may keep everything in one secret


@dataclass(frozen=True, slots=True)
class Step:
    """One request. `refused`: how the reason begins; "": it succeeds."""

    kind: str  # Create, Update, Rollback, Delete
    name: str  # the resource's, of `Traffic.declared`
    changes: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""


class Unexpected(Exception):
    """A request did not end as its step says."""


IMPORTED = ("Symmetric", "Mac", "Rsa", "Curve")
ROUND = (
    *(Step("Create", name) for name in IMPORTED),
    Step("Create", "TooLong", refused="SecretId (secret orders/too-long, version "),
    Step("Create", "Unknown", {"Secret": "orders/too-long"}, refused="Secret: "),
    Step("Create", "Foreign", refused="SecretId (secret payments/key): "),
    Step("Create", "MadeByKms", refused="KeyId: "),
    Step("Update", "Symmetric"),
    Step("Update", "Rsa"),
    Step("Update", "Mac", {"ServiceTimeout": "1800"}),
    *(Step("Update", name, {"Trigger": "again"}) for name in IMPORTED),
    Step("Rollback", "Symmetric", {"Trigger": "again"}),
    *(Step("Delete", name) for name in IMPORTED),
)


class Traffic:
    """`event` prepares the stack and returns a step's request; `settle` takes its answer. One step after the other."""

    def __init__(self, far_side: FarSide) -> None:
        self._far_side = far_side
        self._world = world = far_side.world
        self.declared = _declared(world)

    def event(self, step: Step) -> dict[str, Any]:
        world, now = self._world, self._far_side.now()
        declared = {**self.declared[step.name], **step.changes}
        key = declared.pop("KeyId")
        if step.kind == "Create":
            world.stack.status, world.stack.updated_at = "UPDATE_IN_PROGRESS", now
            return world.create_request(key, step.name, **declared)
        if step.kind == "Delete":
            return world.delete_request(step.name, status=CLEAN_UP)
        return world.update_request(key, step.name, rollback=step.kind == "Rollback", **declared)

    def settle(self, step: Step, event: Mapping[str, Any], bodies: tuple[bytes, ...], log: str) -> None:
        """Raises Unexpected."""
        answers = [json.loads(body) for body in bodies]
        wanted = "FAILED" if step.refused else "SUCCESS"
        if [one["Status"] for one in answers] != [wanted] or not answers[0].get("Reason", "").startswith(step.refused):
            raise Unexpected(f"{step} ended with {answers}.\n{log}")
        self._world.settle(event, answers[0])
        if step.kind == "Delete" or (step.kind == "Create" and step.refused):
            del self._world.stack.resources[step.name]  # the next round adds it anew


def _declared(world: World) -> dict[str, dict[str, Any]]:
    """Makes the keys and secrets, and returns each resource's properties."""
    symmetric, rsa = transport_key(world, "SYMMETRIC_DEFAULT"), transport_key(world, "RSA_AES_KEY_WRAP_SHA_256")
    curve = wrapped(world, rsa, "RSA_AES_KEY_WRAP_SHA_256", pkcs8_der(key_for("ECC_NIST_P256")))
    many = {"mac": base64.b64encode(secrets.token_bytes(32)).decode(), "others": ""}
    many["others"] = "x" * (SECRET_MAX_CHARACTERS - len(json.dumps(many)))
    blob = encrypted(world, symmetric, secrets.token_bytes(32), name="orders/symmetric")

    def secret(name: str, value: bytes | str, *, tag: str | None = "orders") -> dict[str, Any]:
        made = world.secret(value, name, tag=tag)
        (version_id,) = made.versions
        return {"SecretId": name, "SecretVersionId": version_id}

    bare = secret("orders/bare", secrets.token_bytes(32))
    return {
        "Symmetric": {
            "KeyId": world.external_key(),
            **secret("orders/symmetric", blob),
            "SecretWrapping": {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": symmetric},
        },
        "Mac": {
            "KeyId": world.external_key("HMAC_256"),
            **secret("orders/many", json.dumps(many)),
            "SecretJsonKey": "mac",
        },
        "Rsa": {"KeyId": world.external_key("RSA_2048"), **secret("orders/rsa", pkcs8_pem(key_for("RSA_2048")))},
        "Curve": {
            "KeyId": world.external_key("ECC_NIST_P256"),
            **secret("orders/curve", curve),
            "SecretWrapping": {"Algorithm": "RSA_AES_KEY_WRAP_SHA_256", "KeyId": rsa},
        },
        "TooLong": {"KeyId": world.external_key(), **secret("orders/too-long", secrets.token_bytes(33))},
        "Unknown": {"KeyId": world.external_key(), **bare},
        "Foreign": {"KeyId": world.external_key(), **secret("payments/key", secrets.token_bytes(32), tag="payments")},
        "MadeByKms": {"KeyId": world.key(), **bare},
    }
