"""Each kind of finding in words: what is wrong, what to do, and the commands for it. Pure.

Each name is an id in AWS's own form (an ARN, a stack, a logical id): nothing that users may write freely, such as a tag or a
description. Words in capitals in a command are for the reader to replace.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from imported_key_material.aws.held_materials import HeldMaterial, State
from imported_key_material.watch.findings import Finding, Kind

HOLDERS_MAX: Final = 5
STATES: Final[Mapping[str, str]] = {
    State.CURRENT: "current",
    State.SUPERSEDED: "superseded",
    State.PENDING: "pending",
    State.PENDING_IN_REPLICAS: "pending, not yet in all replicas",
}
_ID_CHARACTERS: Final = 8  # of a KeyMaterialId: enough to find it in the list below
_TEMPLATE: Final = "--template-file TEMPLATE"
_EARLIER: Final = (
    "PreviousSecretVersionIds must name the versions of the earlier materials, so that they get this end, too."
)
_NO_WAY_BACK: Final = "A rotation can't be taken back."


@dataclass(frozen=True, slots=True)
class Advice:
    """`problem` and `what_to_do` are sentences."""

    problem: str
    what_to_do: str
    commands: Sequence[str]


def of(finding: Finding) -> Advice:
    return _OF_KIND[finding.kind](finding)


def moment(at: datetime) -> str:
    """To the minute, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _in_time(finding: Finding) -> str:
    if finding.at is None or finding.left is None:
        return "at a time that KMS does not show"
    days = finding.left.days
    in_days = f"in {days} {'day' if days == 1 else 'days'}" if days else "within a day"
    return f"{in_days}, on {moment(finding.at)}"


# -------------------------------------------------------------------------------------------------------- out of use


def _gone(finding: Finding) -> Advice:
    region = f"--region {finding.key_id.home.region}"
    shows = [
        f"aws cloudformation describe-stack-resource {region} --stack-name {one.stack} --logical-resource-id {one.logical_id}"
        for one in finding.holders[:HOLDERS_MAX]
    ]
    return Advice(
        "The key was deleted, and a stack still declares it.",
        "Nothing brings the key back. Take it and its material out of the template, or declare a new key.",
        [*shows, _who(finding)],
    )


def _lost(finding: Finding) -> Advice:
    return Advice(
        f"The key is out of use: {_which(finding)}.",
        "Find out who removed it and why. Then set a new Trigger on the resource, and deploy the stack: it imports the same "
        "material again. PreviousSecretVersionIds must name the versions of superseded materials.",
        [_who(finding), *_deploy(finding)],
    )


def _which(finding: Finding) -> str:
    """Which materials the key no longer has, as far as KMS shows it. After a while it does not show why."""
    lost = [one for one in finding.materials if not one.is_pending and one.is_lost(finding.found_at)]
    if not lost:
        return "its key material expired or was removed"
    ids = ", ".join(f"{one.id[:_ID_CHARACTERS]}... ({_state(one)})" for one in lost)
    expired = all(one.expiry.is_no_later_than(finding.found_at) for one in lost)
    return f"key material {ids} {'expired' if expired else 'expired or was removed'}"


def _state(material: HeldMaterial) -> str:
    return STATES.get(material.state, material.state)


def _disabled(finding: Finding) -> Advice:
    return Advice(
        "The key is out of use: it is disabled.",
        "Find out who disabled it and why. If there is no reason left, enable it.",
        [_who(finding), _kms("enable-key", finding)],
    )


def _deletion(finding: Finding) -> Advice:
    when = "after its replicas" if finding.at is None else _in_time(finding)
    return Advice(
        f"The key is out of use: it will be deleted {when}.",
        "If anything is still needed that was encrypted under it, cancel the deletion, and enable the key.",
        [_kms("cancel-key-deletion", finding), _kms("enable-key", finding), _who(finding)],
    )


def _hidden(finding: Finding) -> Advice:
    return Advice(
        f"The watch can't see the key: {', '.join(finding.denied)} is denied.",
        "As an administrator of the key, let the account's IAM policies count in the key's policy, or allow the watch's role "
        "kms:DescribeKey, kms:ListResourceTags and kms:ListKeyRotations.",
        [_kms("get-key-policy", finding, "--output text")],
    )


# ------------------------------------------------------------------------------------------- what will be, or may wait


def _expires(finding: Finding) -> Advice:
    problem = f"The key expires {_in_time(finding)}. Then nothing that it encrypted can be decrypted."
    if not finding.holders:
        return Advice(
            problem,
            "Import its material again with a later end, or make sure that nobody needs the key then.",
            [_kms("describe-key", finding), _who(finding)],
        )
    earlier = f" {_EARLIER}" if len({one.expiry.valid_to for one in finding.materials.needed}) > 1 else ""
    return Advice(
        problem,
        f"Set a new Trigger on the resource, with ValidForDays or a later end, and deploy the stack.{earlier}",
        _deploy(finding),
    )


def _ends_first(finding: Finding) -> Advice:
    problem = (
        f"One of the key's materials ends before the others, {_in_time(finding)}. Then the whole key is out of use."
    )
    if not finding.holders:
        what_to_do = "Import the material that ends first again, with the end of the others."
        return Advice(problem, what_to_do, [_list_materials(finding)])
    return Advice(
        problem,
        f"Set a new Trigger on the resource, and deploy the stack. {_EARLIER}",
        [_list_materials(finding), *_deploy(finding)],
    )


def _pending(finding: Finding) -> Advice:
    problem = "New material waits for its rotation for more than a day: the key still encrypts with the old material."
    if not finding.holders:
        what_to_do = f"Rotate the key, or delete the pending material. {_NO_WAY_BACK}"
        return Advice(problem, what_to_do, [_list_materials(finding)])
    return Advice(
        problem,
        f"Set NewMaterial to ROTATE on the resource, and deploy the stack. {_NO_WAY_BACK}",
        [_list_materials(finding), *_deploy(finding)],
    )


_OF_KIND: Final[Mapping[Kind, Callable[[Finding], Advice]]] = {
    Kind.GONE: _gone,
    Kind.LOST: _lost,
    Kind.DISABLED: _disabled,
    Kind.DELETION: _deletion,
    Kind.HIDDEN: _hidden,
    Kind.EXPIRES: _expires,
    Kind.ENDS_FIRST: _ends_first,
    Kind.PENDING: _pending,
}


# ------------------------------------------------------------------------------------------------------- the commands


def _deploy(finding: Finding) -> Sequence[str]:
    region = finding.key_id.home.region
    stacks = dict.fromkeys(holder.stack for holder in finding.holders[:HOLDERS_MAX])
    return [f"aws cloudformation deploy --region {region} --stack-name {stack} {_TEMPLATE}" for stack in stacks]


def _kms(operation: str, finding: Finding, *more: str) -> str:
    region, key = finding.key_id.home.region, finding.key_id.uuid
    return " ".join(("aws kms", operation, f"--region {region}", f"--key-id {key}", *more))


def _list_materials(finding: Finding) -> str:
    return _kms("list-key-rotations", finding, "--include-key-material ALL_KEY_MATERIAL")


def _who(finding: Finding) -> str:
    """Who called KMS for the key: CloudTrail keeps 90 days of events, also without a trail."""
    attribute = f"AttributeKey=ResourceName,AttributeValue={finding.key_id.arn}"
    return f"aws cloudtrail lookup-events --region {finding.key_id.home.region} --lookup-attributes {attribute}"
