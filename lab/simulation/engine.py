"""CloudFormation's engine for stacks of custom resources, with its bad behavior.

Its behavior comes from AWS's documentation and from what people have seen (CloudFormation User Guide; aws-cdk issues 5525,
13527, 26139, 36951):

- it handles all resources of an operation at once; when one fails, it cancels the others and ignores their answers;
  a cancelled Create is followed by a Delete with an id that CloudFormation made up;
- a failed Create is followed by a Delete with the id of its FAILED answer; a failed Update by an Update with the properties
  swapped, and a FAILED answer's id is kept;
- an Update that answers another id is a replacement: the old id is deleted in the clean-up, which tries three times and then
  forgets it; a rollback updates back, and deletes the new id in its clean-up;
- with --disable-rollback a failed operation stops where it is: CREATE_FAILED, UPDATE_FAILED; the next operation goes on
  from there, or goes back to the stack's last complete state;
- a retained resource gets no Delete, also not in a rollback.

`resources.py` handles single resources, `requests.py` requests and answers; `shown.py` is what others see of the stack, maybe
late.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from lab.simulation.resources import Resource, StackOfResources
from lab.simulation.scheduler import Signal

CLEAN_UP_TRIES = 3  # recorded 2021 to 2023
CLEAN_UP_BEGINS_SECONDS = (1.1, 1.6)  # from the stack's status to the first Delete: recorded 2019 to 2025
Template = Mapping[str, Mapping[str, Any]]  # logical id -> properties


class Stack(StackOfResources):
    """One stack and its operations: one at a time, each in its own task."""

    def cancel(self) -> None:
        """cancel-update-stack, or anything else that makes the running operation roll back."""
        if self._cancel is not None and not self._cancel.is_set:
            self._tell("is cancelled")
            self._cancel.set()

    def delete_during_create(self) -> None:
        """delete-stack, while the stack is being created."""
        if self.status == "CREATE_IN_PROGRESS":
            self._delete_next = True
            self.cancel()

    def create(self, template: Template, *, keep_failed: bool = False, retained: frozenset[str] = frozenset()) -> None:
        """`keep_failed`: --disable-rollback."""
        self._set_status("CREATE_IN_PROGRESS")
        self._cancel = Signal(self._scheduler)
        works = {name: partial(self._create_one, name, its, name in retained) for name, its in template.items()}
        failed = self._at_once(works, cancelling=True)
        if self._delete_next:
            self.delete()
        elif not failed and not self._cancel.is_set:
            self._set_status("CREATE_COMPLETE")
        elif keep_failed:
            self._before = {}
            self._set_status("CREATE_FAILED")
        else:
            self._roll_back_to_nothing()

    def _roll_back_to_nothing(self) -> None:
        self._set_status("ROLLBACK_IN_PROGRESS", deleted_at=self._scheduler.now())  # recorded: 2018 to 2022
        self._delete_all(retained=True)
        self._before = None
        self._set_status("ROLLBACK_FAILED" if self.resources else "ROLLBACK_COMPLETE")

    def delete(self, *, skip_failed: bool = False) -> None:
        """`skip_failed`: retains resources whose deletion failed before."""
        failed_before = [one for one in self.resources.values() if one.status == "DELETE_FAILED"]
        self._set_status("DELETE_IN_PROGRESS", deleted_at=self._scheduler.now())
        for resource in failed_before if skip_failed else ():
            resource.retained = True
        self._delete_all(retained=True)
        self._set_status("DELETE_FAILED" if self.resources else "DELETE_COMPLETE")

    def update(self, template: Template, *, keep_failed: bool = False, retained: frozenset[str] = frozenset()) -> None:
        """Added, changed, replaced and removed resources; rolls back when one fails or the operation is cancelled."""
        self._set_status("UPDATE_IN_PROGRESS", updated_at=self._scheduler.now())
        self._cancel = Signal(self._scheduler)
        if self._before is None:
            self._before = {name: replace(resource) for name, resource in self.resources.items()}
        works: dict[str, Callable[[], bool]] = {}
        for name, properties in template.items():
            known, keeps = self.resources.get(name), name in retained
            if known is None or known.status in ("CREATE_FAILED", "DELETE_FAILED"):
                if known is not None:
                    self._leftovers.append(known)
                works[name] = partial(self._create_one, name, properties, keeps)
            elif known.properties != properties or known.status == "UPDATE_FAILED":
                works[name] = partial(self._update_one, name, properties, keeps)
            else:
                known.retained = keeps
        failed = self._at_once(works, cancelling=True)
        if not failed and not self._cancel.is_set:
            self._clean_up("UPDATE_COMPLETE", [one for name, one in self.resources.items() if name not in template])
        elif keep_failed:
            self._set_status("UPDATE_FAILED")
        else:
            self.roll_back()

    def _clean_up(self, done: str, removed: Iterable[Resource]) -> None:
        """Deletes resources that are no longer in the stack, and ids that were replaced."""
        originals = {one.physical_id for one in (self._before or {}).values()} if self._rolls_back else set()
        present = {(name, one.physical_id) for name, one in self.resources.items()}
        replaced = {
            (old.logical_id, old.physical_id): old
            for old in self._leftovers
            if (old.logical_id, old.physical_id) not in present and old.physical_id not in originals
        }
        removed = list(removed)
        self._set_status(f"{done}_CLEANUP_IN_PROGRESS")  # also where there is nothing to delete: recorded 2025, 2026
        self._scheduler.sleep(self._random.uniform(*CLEAN_UP_BEGINS_SECONDS))
        works: dict[str, Callable[[], bool]] = {}
        for resource in removed:
            if resource.retained:
                self._skip(resource)
            else:
                del self.resources[resource.logical_id]
                works[resource.logical_id] = partial(self._tries, partial(self._delete_one, resource))
        for number, old in enumerate(replaced.values()):
            if old.retained:
                self._shown.old_id(old.logical_id, "DELETE_SKIPPED", old.physical_id)
            else:
                works[f"{old.logical_id} before {number}"] = partial(self._tries, partial(self._delete_old, old))
        self._at_once(works, cancelling=False)
        self._before, self._touched, self._leftovers = None, [], []
        self._set_status(done)

    def _delete_old(self, old: Resource) -> bool:
        """Only events show this Delete, under the resource's logical id: recorded 2018 to 2026-01-14."""
        self._shown.old_id(old.logical_id, "DELETE_IN_PROGRESS", old.physical_id)
        succeeded = self._ask("Delete", old, old.properties).succeeded
        self._shown.old_id(old.logical_id, "DELETE_COMPLETE" if succeeded else "DELETE_FAILED", old.physical_id)
        return succeeded

    @staticmethod
    def _tries(work: Callable[[], bool]) -> bool:
        return any(work() for _ in range(CLEAN_UP_TRIES))

    def roll_back(self, skip: frozenset[str] = frozenset()) -> None:
        """Updates changed resources back, then deletes new ones: for a failed update, rollback-stack, continue-update-rollback.

        `skip`: resources that failed to roll back, and now count as rolled back.
        """
        before = self._before
        if before is None:
            raise RuntimeError("There is nothing to roll back.")
        if not before:  # the stack was never complete
            self._roll_back_to_nothing()
            return
        self._set_status("UPDATE_ROLLBACK_IN_PROGRESS")
        self._cancel = None
        touched, self._touched = list(dict.fromkeys(self._touched)), []
        for name in (name for name in touched if name in skip):
            self.resources[name].properties = self.resources[name].stood = before[name].properties
            self._set_resource(self.resources[name], "UPDATE_COMPLETE")
        works = {
            name: partial(self._update_one, name, before[name].properties, before[name].retained)
            for name in touched
            if name in before and name not in skip
        }
        for name, resource in self.resources.items():
            resource.retained = before[name].retained if name in before else resource.retained
        failed = self._at_once(works, cancelling=False)
        if failed:
            self._touched = failed
            self._set_status("UPDATE_ROLLBACK_FAILED")
            return
        self._clean_up("UPDATE_ROLLBACK_COMPLETE", [one for name, one in self.resources.items() if name not in before])
