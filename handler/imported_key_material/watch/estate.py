"""What one look has seen: keys, their materials and tags, and the resources of living stacks that declare them. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from imported_key_material import consent
from imported_key_material.aws.held_materials import NO_MATERIALS, HeldMaterials
from imported_key_material.aws.key_view import KeyView
from imported_key_material.key_id import Home, KeyId


@dataclass(frozen=True, slots=True)
class HoldingResource:
    """A resource of a living stack that declares a key. `since`: when its status was set last, by its last deployment."""

    stack: str
    logical_id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class ExternalKey:
    """A key with Origin EXTERNAL. `tag`: the value of its consent tag, None if it has none or the tags could not be read.

    `materials`: none for a key that is not symmetric, and before the first import. `unread`: the reads that were denied.
    """

    view: KeyView
    aliases: tuple[str, ...] = ()
    tag: str | None = field(default=None, repr=False)  # users may write anything there
    materials: HeldMaterials = NO_MATERIALS
    holders: tuple[HoldingResource, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def key_id(self) -> KeyId:
        return self.view.key_id

    @property
    def ends_at(self) -> datetime | None:
        """When the first material that the key needs expires, and with it the key."""
        ends = [self.view.valid_to, *(one.expiry.valid_to for one in self.materials.needed)]
        return min((end for end in ends if end is not None), default=None)


@dataclass(frozen=True, slots=True)
class HiddenKey:
    """A key that DescribeKey was denied for: nobody knows what it is."""

    key_id: KeyId
    aliases: tuple[str, ...] = ()
    holders: tuple[HoldingResource, ...] = ()


@dataclass(frozen=True, slots=True)
class MissingKey:
    """A key that a stack declares, and KMS does not know any more."""

    key_id: KeyId
    holders: tuple[HoldingResource, ...]


@dataclass(frozen=True, slots=True)
class Estate:
    """All of one account and Region. `stacks`: the names of the living stacks that were looked at."""

    home: Home
    keys: tuple[ExternalKey, ...] = ()
    hidden: tuple[HiddenKey, ...] = ()
    missing: tuple[MissingKey, ...] = ()
    stacks: frozenset[str] = frozenset()


def names_of_no_stack(tag: str | None, stacks: Collection[str]) -> tuple[str, ...]:
    """The names in a consent tag that name none of the stacks: of stacks that were deleted, or misspelt."""
    return tuple(name for name in (tag or "").split() if not any(consent.allows(name, stack) for stack in stacks))
