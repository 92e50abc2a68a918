"""What the list of a stack's resources shows: which resource holds a key, and whether the stack made the key.

Rules 1 and 2 (docs/internals/design.md): if another resource of the stack holds the key, a Delete leaves the material in it,
and a renamed resource takes over the form of the other's id.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from imported_key_material.aws.cloudformation_reads import GONE, NOT_YET_READABLE, pages
from imported_key_material.cloudformation.stack import OWN_STATUS, OWN_STATUS_LEAD, STATUS_LAG_SECONDS, Stack
from imported_key_material.key_id import KeyId

_KEY_TYPES: Final = frozenset({"AWS::KMS::Key", "AWS::KMS::ReplicaKey"})


class Holder(NamedTuple):
    """A custom resource of the stack that holds a key."""

    logical_id: str
    physical_id: str


@dataclass(frozen=True, slots=True)
class Holders:
    """The resources of one stack, as CloudFormation lists them at the moment of each call."""

    stack: Stack

    def makes(self, key: KeyId, created_at: datetime | None) -> bool:
        """Whether the stack made the key in its present operation: then all that the key holds came since."""
        if created_at is None or created_at < self.stack.began():
            return False
        return any(
            resource["ResourceType"] in _KEY_TYPES and resource.get("PhysicalResourceId") == key.uuid
            for resource in self._all()
        )

    def may_be_making(self, key: KeyId) -> bool:
        """Whether the stack has made this key, or is making a key: KMS may not show it yet."""
        return any(
            resource.get("PhysicalResourceId") == key.uuid
            or (resource["ResourceStatus"].endswith("_IN_PROGRESS") and resource["ResourceStatus"] not in GONE)
            for resource in self._all()
            if resource["ResourceType"] in _KEY_TYPES
        )

    def holder_of(self, key: KeyId) -> Holder | None:
        """The resource that holds the key, if any: another one, or this one under its present id. Owners come first."""
        return self.holder_and_rest(key)[0]

    def holder_and_rest(self, key: KeyId) -> tuple[Holder | None, bool]:
        """The holder, as `holder_of`; and whether no custom resource is being made or updated.

        A resource that is being made or updated may be about to hold the key, or hold it already: the list may lag, and may
        leave it out. Only custom resources count: the key's own resource has the bare id, too. A resource that is being
        deleted holds nothing.
        """
        custom = [resource for resource in self._all() if _is_custom(resource["ResourceType"])]
        holders = [
            Holder(resource["LogicalResourceId"], resource["PhysicalResourceId"])
            for resource in custom
            if resource.get("PhysicalResourceId") in key.physical_ids and resource["ResourceStatus"] not in GONE
        ]
        at_work = any(resource["ResourceStatus"] in OWN_STATUS.values() for resource in custom)
        at_rest = not at_work and self._is_as_new_as_the_request(custom)
        return min(holders, key=lambda holder: key.physical_ids.index(holder.physical_id), default=None), at_rest

    def _is_as_new_as_the_request(self, listed: list[Mapping[str, Any]]) -> bool:
        """Whether the list is new enough: it shows this Delete, or was read so late that it can't be older.

        Such a list also shows all resources that were made before the request.

        An older list may leave out a resource at work. AWS documents: while a stack is created, the list has only what is
        CREATE_COMPLETE.
        """
        request, now = self.stack.request, self.stack.caller.clock.now()
        if request.made_at is None:
            return False
        if now - request.made_at >= timedelta(seconds=STATUS_LAG_SECONDS):
            return True
        return any(
            (one["LogicalResourceId"], one.get("PhysicalResourceId")) == (request.logical_id, request.physical_id)
            and one["ResourceStatus"] in GONE
            and one["LastUpdatedTimestamp"] >= request.made_at - OWN_STATUS_LEAD
            for one in listed
        )

    def _all(self) -> Iterator[Mapping[str, Any]]:
        stack = self.stack

        def page(parameters: Mapping[str, str]) -> Mapping[str, Any]:
            return stack.call(
                "ListStackResources",
                lambda: stack.cloudformation.list_stack_resources(**parameters),
                waits=NOT_YET_READABLE,
            )

        for one in pages(page, StackName=stack.request.stack_id):
            yield from one["StackResourceSummaries"]


def _is_custom(resource_type: str) -> bool:
    return resource_type.startswith("Custom::") or resource_type == "AWS::CloudFormation::CustomResource"
