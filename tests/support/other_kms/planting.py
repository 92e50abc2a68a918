"""Plants a deviation into the strict KMS: one of its operations answers or refuses otherwise."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from lab.kms.call import Answer, Call
from lab.kms.errors import KmsError
from lab.kms.operations.table import OPERATIONS, Operation
from lab.world import World

type Run = Callable[[Call], Answer]
type Patch = pytest.MonkeyPatch
DELETE, IMPORT, ROTATE = "DeleteImportedKeyMaterial", "ImportKeyMaterial", "RotateKeyOnDemand"


@dataclass(frozen=True, slots=True)
class Deviation:
    """`says`: what this KMS does otherwise. `plant`: before the act is played."""

    assumption: str
    says: str
    plant: Callable[[World, Patch], None]
    also: tuple[str, ...] = ()


def instead(operation: str, change: Callable[[Run, Call], Answer]) -> Callable[[World, Patch], None]:
    """The operation as `change` answers it; it gets the operation itself, too."""

    def plant(_: World, patch: Patch) -> None:
        row = OPERATIONS[operation]
        patch.setitem(OPERATIONS, operation, Operation(lambda call: change(row.run, call), row.changes))

    return plant


def answered(operation: str, change: Callable[[Answer, Call], Answer]) -> Callable[[World, Patch], None]:
    """The operation with another answer."""
    return instead(operation, lambda run, call: change(run(call), call))


def refused(operation: str, error: KmsError, when: Callable[[Call], bool]) -> Callable[[World, Patch], None]:
    """The operation is refused in this case, before anything else."""

    def change(run: Run, call: Call) -> Answer:
        if when(call):
            raise error
        return run(call)

    return instead(operation, change)


def in_other_words(operation: str, code: str, other: str) -> Callable[[World, Patch], None]:
    """A refusal has another code."""

    def change(run: Run, call: Call) -> Answer:
        try:
            return run(call)
        except KmsError as error:
            if error.code != code:
                raise
            raise KmsError(other) from None

    return instead(operation, change)
