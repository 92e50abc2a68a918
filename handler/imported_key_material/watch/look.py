"""Looks at all keys with Origin EXTERNAL of one account and Region, and at the stacks that may declare them. It only reads.

In this order, since stacks and people go on meanwhile:

1. every key: DescribeKey; for a key with Origin EXTERNAL its tags, and its materials if it is symmetric;
2. the stacks that import the ServiceToken, and those that consent tags name: which resources hold which keys;
3. once more the keys that a stack declares and that were out of use in step 1: a key that its stack was just making had no
   material then; and for the first time the keys that a stack declares and ListKeys did not list.

That makes three calls a key, one for a hundred aliases, and one for a hundred resources of a stack. They are made one after the
other: KMS's lowest quota here, 100 ListKeyRotations a second, leaves room for others, and 10,000 keys take ten minutes.

A key that is deleted meanwhile is left out. A key whose policy denies a read is a finding. But if DescribeKey is denied for
all of several keys, the caller itself lacks the right, and the look fails.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from imported_key_material import consent
from imported_key_material.aws import cloudformation_reads, kms_pages
from imported_key_material.aws.held_materials import NO_MATERIALS, HeldMaterials
from imported_key_material.aws.key_view import KeyView, tags_of
from imported_key_material.aws.meanings import DENIED
from imported_key_material.errors import ServiceRefused
from imported_key_material.key_id import Home, KeyId, named_key
from imported_key_material.watch.estate import Estate, ExternalKey, HiddenKey, HoldingResource, MissingKey

RESOURCE_TYPE: Final = "Custom::ImportedKeyMaterial"
_KEYS_A_PAGE: Final = 1000  # the most that KMS lists
_ALIASES_A_PAGE: Final = 100
_STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}", re.ASCII)
# A resource that the stack declares no longer. DELETE_SKIPPED: its DeletionPolicy retains it.
_NOT_DECLARED: Final = cloudformation_reads.GONE | {"DELETE_SKIPPED"}
# KMS lists no materials in some states of a key (docs/internals/kms-contract.md, C-55).
_LISTS_NONE: Final = frozenset({"KMSInvalidStateException", "UnsupportedOperationException"})

AnyKey = ExternalKey | HiddenKey | MissingKey


class Ask(Protocol):
    """Makes one call that reads: `ask("kms:DescribeKey", KeyId=arn)`. Raises ServiceRefused."""

    def __call__(self, operation: str, /, **parameters: object) -> Mapping[str, Any]: ...


Progress = Callable[[int, int], None]  # how many keys were looked at, and how many there are


def _silent(_done: int, _of: int) -> None:
    """A `Progress` that shows nothing."""


def look(ask: Ask, home: Home, export: str, *, only: KeyId | None = None, progress: Progress = _silent) -> Estate:
    """`export`: the name of the exported ServiceToken. `only`: one key, instead of all.

    Raises ServiceRefused if a read fails that is needed for all keys, and what else `ask` raises.
    """
    return _Look(ask, home, only).run(export, progress)


@dataclass(slots=True)
class _Look:
    """One look. `found`: what was seen of each key that matters; `asked`: all keys that were asked for."""

    ask: Ask
    home: Home
    only: KeyId | None
    found: dict[KeyId, AnyKey] = field(default_factory=dict)
    asked: set[KeyId] = field(default_factory=set)
    denial: ServiceRefused | None = None

    def run(self, export: str, progress: Progress) -> Estate:
        keys = self._listed() if self.only is None else [self.only]
        for done, key_id in enumerate(keys, start=1):
            self._see(key_id)
            progress(done, len(keys))
        self._require_any_right()
        if self.only is not None and not self.found:
            return Estate(self.home)  # a key with another Origin
        stacks, holders = self._stacks(export)
        for key_id in holders:
            if key_id not in self.asked or _is_out_of_use(self.found.get(key_id)):
                self._see(key_id)
        aliases = self._aliases() if self.found else {}
        return self._estate(stacks, holders, aliases)

    def _require_any_right(self) -> None:
        hidden = sum(isinstance(key, HiddenKey) for key in self.found.values())
        if self.denial is not None and hidden == len(self.asked) > 1:
            raise self.denial

    def _estate(
        self,
        stacks: set[str],
        holders: Mapping[KeyId, tuple[HoldingResource, ...]],
        aliases: Mapping[str, tuple[str, ...]],
    ) -> Estate:
        seen: list[ExternalKey] = []
        hidden: list[HiddenKey] = []
        missing: list[MissingKey] = []
        for key_id, key in self.found.items():
            held, names = holders.get(key_id, ()), aliases.get(key_id.uuid, ())
            if isinstance(key, ExternalKey):
                seen.append(replace(key, holders=held, aliases=names))
            elif isinstance(key, HiddenKey):
                hidden.append(replace(key, holders=held, aliases=names))
            elif held:
                missing.append(replace(key, holders=held))
        return Estate(self.home, tuple(seen), tuple(hidden), tuple(missing), frozenset(stacks))

    # ------------------------------------------------------------------------------------------------------------ keys

    def _listed(self) -> list[KeyId]:
        pages = kms_pages.of(lambda marker: self.ask("kms:ListKeys", Limit=_KEYS_A_PAGE, **marker))
        return [KeyId(entry["KeyId"], self.home) for page in pages for entry in page["Keys"]]

    def _see(self, key_id: KeyId) -> None:
        self.asked.add(key_id)
        key = self._key(key_id)
        if key is None:
            self.found.pop(key_id, None)
        else:
            self.found[key_id] = key

    def _key(self, key_id: KeyId) -> AnyKey | None:
        """None for a key with another Origin."""
        try:
            view = KeyView.of_metadata(self.ask("kms:DescribeKey", KeyId=key_id.arn)["KeyMetadata"])
            return self._external(view) if view.origin == "EXTERNAL" else None
        except ServiceRefused as refused:
            if refused.code == "NotFoundException":
                return MissingKey(key_id, ())
            if refused.code not in DENIED:
                raise
            self.denial = refused
            return HiddenKey(key_id)

    def _external(self, view: KeyView) -> ExternalKey:
        unread: list[str] = []

        def listed(operation: str, **parameters: object) -> list[Mapping[str, Any]]:
            """All pages of a list of this key; none if the key's policy denies it."""
            try:
                return list(kms_pages.of(lambda marker: self.ask(operation, KeyId=view.arn, **parameters, **marker)))
            except ServiceRefused as refused:
                if refused.code in DENIED:
                    unread.append(operation)
                elif refused.code not in _LISTS_NONE:
                    raise
            return []

        tags = tags_of(listed("kms:ListResourceTags"))
        materials = NO_MATERIALS
        if view.current_material_id:  # only symmetric keys have it, after their first import
            materials = HeldMaterials.of_pages(listed("kms:ListKeyRotations", IncludeKeyMaterial="ALL_KEY_MATERIAL"))
        return ExternalKey(view, tag=tags.get(consent.TAG), materials=materials, unread=tuple(unread))

    def _aliases(self) -> dict[str, tuple[str, ...]]:
        """By the key's bare id."""
        of_one = {} if self.only is None else {"KeyId": self.only.arn}
        found: dict[str, tuple[str, ...]] = {}
        try:
            for page in kms_pages.of(
                lambda marker: self.ask("kms:ListAliases", Limit=_ALIASES_A_PAGE, **of_one, **marker)
            ):
                for alias in page["Aliases"]:
                    uuid = alias.get("TargetKeyId", "")
                    found[uuid] = (*found.get(uuid, ()), alias["AliasName"])
        except ServiceRefused as refused:
            if refused.code != "NotFoundException":  # the only key was deleted meanwhile
                raise
        return found

    # ---------------------------------------------------------------------------------------------------------- stacks

    def _stacks(self, export: str) -> tuple[set[str], dict[KeyId, tuple[HoldingResource, ...]]]:
        """The living stacks, and which of their resources hold which key."""
        living: set[str] = set()
        holders: dict[KeyId, tuple[HoldingResource, ...]] = {}
        for name in sorted({*self._importers(export), *_stacks_named_by(self.found.values())}):
            resources = self._resources(name)
            if resources is None:
                continue
            living.add(name)
            for resource in resources:
                key_id = self._held_by(resource)
                if key_id is not None and self.only in {None, key_id}:
                    holder = HoldingResource(name, resource["LogicalResourceId"], resource["LastUpdatedTimestamp"])
                    holders[key_id] = (*holders.get(key_id, ()), holder)
        return living, holders

    def _importers(self, export: str) -> list[str]:
        """The stacks that import the ServiceToken."""
        return self._list("ListImports", "Imports", ExportName=export) or []

    def _resources(self, stack: str) -> list[Mapping[str, Any]] | None:
        """None if no living stack has this name."""
        return self._list("ListStackResources", "StackResourceSummaries", StackName=stack)

    def _list(self, operation: str, field: str, **of: str) -> list[Any] | None:
        """All pages of a list. None where CloudFormation answers with an error: there is no such stack, or no import."""
        pages = cloudformation_reads.pages(
            lambda parameters: self.ask(f"cloudformation:{operation}", **parameters), **of
        )
        try:
            return [one for page in pages for one in page[field]]
        except ServiceRefused as refused:
            if refused.code != "ValidationError":
                raise
        return None

    def _held_by(self, resource: Mapping[str, Any]) -> KeyId | None:
        if resource["ResourceType"] != RESOURCE_TYPE or resource["ResourceStatus"] in _NOT_DECLARED:
            return None
        return named_key(resource.get("PhysicalResourceId", ""), self.home)


def _is_out_of_use(key: AnyKey | None) -> bool:
    return isinstance(key, MissingKey) or (isinstance(key, ExternalKey) and key.view.state != "Enabled")


def _stacks_named_by(keys: Iterable[AnyKey]) -> Iterator[str]:
    """Whole names; a beginning of names (`pay/`) names no stack to look for."""
    for key in keys:
        if isinstance(key, ExternalKey) and key.tag:
            yield from filter(_STACK_NAME.fullmatch, key.tag.split())
