"""The resources of one stack: handles one, or several at once. `engine.py` builds operations of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any

from lab.simulation.requests import Answer, Cancelled, Requests
from lab.simulation.scheduler import Scheduler, Signal
from lab.simulation.shown import Shown

TAKEN_OVER_SECONDS = (0.15, 0.7)
STANDS = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


@dataclass
class Resource:
    """A custom resource as the engine knows it.

    `properties`: the last request's, which may have failed. `stood`: the last successful request's. After a failure, the
    rollback's OldResourceProperties are `properties`. For the next update after --disable-rollback this is not known: it may
    be either (`StackOfResources.failed_are_old`).
    """

    logical_id: str
    properties: Mapping[str, Any]
    physical_id: str
    status: str
    retained: bool = False
    stood: Mapping[str, Any] = field(default_factory=dict)


class StackOfResources:
    """A stack's resources, and the steps on each of them. `engine.py` makes operations of the steps."""

    def __init__(
        self, requests: Requests, shown: Shown, scheduler: Scheduler, random: Random, tell: Callable[[str], None]
    ) -> None:
        self.name = shown.stack.name
        self.region = shown.stack.region
        self.id = shown.stack.id
        self.status = "NONE"
        self.resources: dict[str, Resource] = {}
        self.skipped: dict[str, Resource] = {}  # retained at their removal: their keys must keep their material
        self.failed_are_old = False
        self.on_rest: Callable[[Any], None] = lambda _: None
        self.requests = requests
        self._shown = shown
        self._scheduler = scheduler
        self._random = random
        self._tell = tell
        self._cancel: Signal | None = None
        self._delete_next = False
        # The state to roll back to; None if there is nothing to roll back.
        self._before: dict[str, Resource] | None = None
        self._touched: list[str] = []  # resources updated since then
        self._leftovers: list[Resource] = []  # ids that an Update has replaced since then

    @property
    def at_rest(self) -> bool:
        return not self.status.endswith("_IN_PROGRESS")

    @property
    def stands(self) -> bool:
        return self.status in STANDS

    @property
    def _rolls_back(self) -> bool:
        return self.status == "UPDATE_ROLLBACK_IN_PROGRESS"

    def _set_status(self, status: str, **times: Any) -> None:
        self.status = status
        self._tell(status)
        self._shown.status(status, **times)
        if self.at_rest:
            self._cancel = None
            self.on_rest(self)

    def _set_resource(self, resource: Resource, status: str, physical_id: str | None = None) -> None:
        resource.status = status
        self._shown.resource(resource.logical_id, status, physical_id)

    # ------------------------------------------------------------------------------------------------- one resource

    def _ask(self, kind: str, resource: Resource, properties: Mapping[str, Any], **more: Any) -> Answer:
        if kind != "Create":
            more["PhysicalResourceId"] = resource.physical_id
        event = self.requests.event(kind, self.id, resource.logical_id, properties, **more)
        cancel = None if kind == "Delete" or self._rolls_back else self._cancel
        return self.requests.ask(event, rollback=self._rolls_back, cancel=cancel)

    def _create_one(self, logical_id: str, properties: Mapping[str, Any], retained: bool) -> bool:  # noqa: FBT001  # a template's own
        resource = Resource(logical_id, properties, "", "CREATE_IN_PROGRESS", retained)
        self.skipped.pop(logical_id, None)
        self._set_resource(resource, "CREATE_IN_PROGRESS")
        try:
            answer = self._ask("Create", resource, properties)
        except Cancelled as cancelled:
            if cancelled.sent:
                resource.physical_id = self.requests.made_up_id({"StackId": self.id, "LogicalResourceId": logical_id})
                self.resources[logical_id] = resource
            self._set_resource(resource, "CREATE_FAILED", resource.physical_id or None)
            return False
        resource.physical_id = answer.physical_id
        resource.stood = properties if answer.succeeded else {}
        self.resources[logical_id] = resource
        self._take_over(resource)
        self._set_resource(resource, "CREATE_COMPLETE" if answer.succeeded else "CREATE_FAILED", answer.physical_id)
        return answer.succeeded

    def _update_one(self, logical_id: str, properties: Mapping[str, Any], retained: bool) -> bool:  # noqa: FBT001  # the same
        resource = self.resources[logical_id]
        before = replace(resource)
        resource.retained = retained
        self._touched.append(logical_id)
        self._set_resource(resource, "UPDATE_IN_PROGRESS")
        old = resource.properties if self._rolls_back or self.failed_are_old else resource.stood
        try:
            answer = self._ask("Update", resource, properties, OldResourceProperties=dict(old))
        except Cancelled as cancelled:
            if cancelled.sent:
                resource.properties = properties
            self._set_resource(resource, "UPDATE_FAILED")
            return False
        resource.properties = properties
        resource.physical_id = answer.physical_id  # also a FAILED answer's id is kept
        if answer.physical_id != before.physical_id:
            self._leftovers.append(before)
            self._take_over(resource)
        if answer.succeeded:
            resource.stood = properties
        self._set_resource(resource, "UPDATE_COMPLETE" if answer.succeeded else "UPDATE_FAILED", answer.physical_id)
        return answer.succeeded

    def _take_over(self, resource: Resource) -> None:
        """After an answer, the resource is shown in progress once more, with the answered id.

        Recorded for each Create (2020-10-22, 2025-03-11: 0.15 to 0.7 s) and for replacements (2018 to 2026-01-14).
        """
        self._set_resource(resource, resource.status, resource.physical_id)
        self._scheduler.sleep(self._random.uniform(*TAKEN_OVER_SECONDS))

    def _delete_one(self, resource: Resource) -> bool:
        self._set_resource(resource, "DELETE_IN_PROGRESS")
        succeeded = self._ask("Delete", resource, resource.properties).succeeded
        self._set_resource(resource, "DELETE_COMPLETE" if succeeded else "DELETE_FAILED")
        if succeeded:
            self.resources.pop(resource.logical_id, None)
        return succeeded

    def _skip(self, resource: Resource) -> None:
        self.skipped[resource.logical_id] = self.resources.pop(resource.logical_id)
        self._set_resource(resource, "DELETE_SKIPPED")

    # ------------------------------------------------------------------------------------------------ several at once

    def _at_once(self, works: Mapping[str, Callable[[], bool]], *, cancelling: bool) -> list[str]:
        """Runs all, each as a task, and returns the failed ones. `cancelling`: the first failure cancels the others."""

        def one(work: Callable[[], bool]) -> bool:
            done = work()
            if not done and cancelling and self._cancel is not None:
                self._cancel.set()
            return done

        tasks = {name: self._scheduler.spawn(f"{self.name}.{name}", partial(one, work)) for name, work in works.items()}
        failed = []
        for name, task in tasks.items():
            task.done.wait()
            if task.error is not None:
                raise task.error
            if not task.result:
                failed.append(name)
        return failed

    def _delete_all(self, *, retained: bool) -> None:
        """`retained`: retained resources leave the stack without a request."""
        for resource in list(self.resources.values()):
            if retained and resource.retained:
                self._skip(resource)
        works = {name: partial(self._delete_one, one) for name, one in self.resources.items()}
        self._at_once(works, cancelling=False)
