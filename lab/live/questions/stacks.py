"""The stacks that the questions are about.

Each has a WaitConditionHandle, which costs nothing and is made at once, and no other kind of resource that works. They are
begun together, because CloudFormation takes some seconds for each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

from lab.live.made import Made

RESOURCE: Final = "Handle"
REMOVED: Final = "Removed"
BROKEN: Final = "Broken"
HANDLE: Final = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
# KMS knows no such key, so the alias can't be made.
NO_KEY: Final = "00000000-0000-4000-8000-000000000000"
STACK_SECONDS: Final = 60.0  # of one operation


@dataclass(frozen=True, slots=True)
class About:
    """A stack that a question is about."""

    name: str
    id: str


class Stacks(Protocol):
    """`standing`: CREATE_COMPLETE, with RESOURCE. `updated`: an update has removed REMOVED from it. `deleted`: it is gone.

    `rolled_back`: ROLLBACK_COMPLETE, because BROKEN never came to be; RESOURCE was made and is deleted. `reviewed`: only a
    change set was made for it.
    """

    @property
    def standing(self) -> About: ...
    @property
    def updated(self) -> About: ...
    @property
    def deleted(self) -> About: ...
    @property
    def rolled_back(self) -> About: ...
    @property
    def reviewed(self) -> About: ...


@dataclass
class MadeStacks:
    """Made by CloudFormation."""

    made: Made

    @cached_property
    def _begun(self) -> Mapping[str, About]:
        broken = {
            "Type": "AWS::KMS::Alias",
            "DependsOn": RESOURCE,
            "Properties": {"AliasName": f"alias/{self.made.name('asked-broken')}", "TargetKeyId": NO_KEY},
        }
        templates: dict[str, dict[str, Any]] = {
            "standing": {RESOURCE: HANDLE},
            "updated": {RESOURCE: HANDLE, REMOVED: HANDLE},
            "deleted": {RESOURCE: HANDLE},
            "rolled-back": {RESOURCE: HANDLE, BROKEN: broken},
        }
        return {name: self._begin(name, resources) for name, resources in templates.items()}

    def _begin(self, suffix: str, resources: Mapping[str, Any]) -> About:
        name = self.made.note("stack", f"asked-{suffix}")
        return About(name, self.made.stacks().begin(name, {"Resources": resources}))

    def _ended(self, suffix: str) -> About:
        about = self._begun[suffix]
        self.made.stacks(STACK_SECONDS).wait(about.id)
        return about

    @cached_property
    def standing(self) -> About:
        return self._ended("standing")

    @cached_property
    def updated(self) -> About:
        about = self._ended("updated")
        self.made.stacks(STACK_SECONDS).update(about.name, {"Resources": {RESOURCE: HANDLE}})
        return about

    @cached_property
    def deleted(self) -> About:
        about = self._ended("deleted")
        self.made.stacks(STACK_SECONDS).delete(about.name)
        return about

    @cached_property
    def rolled_back(self) -> About:
        return self._ended("rolled-back")

    @cached_property
    def reviewed(self) -> About:
        name = self.made.note("stack", "asked-reviewed")
        body = f'{{"Resources": {{"{RESOURCE}": {{"Type": "{HANDLE["Type"]}"}}}}}}'
        made = self.made.account.client("cloudformation").create_change_set(
            StackName=name, ChangeSetName="asked", ChangeSetType="CREATE", TemplateBody=body
        )
        return About(name, made["StackId"])
