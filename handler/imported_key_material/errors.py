"""Every error that a user may read, in one tree, by who must act.

An error is a sentence: the property, what was found, the rule, the remedy. No error carries material, a secret or a
ResponseURL: not in its text, not in its attributes, not in `__cause__` or `__context__` (raise `from None` wherever the
caught exception may hold such a thing). This module imports nothing of the project.

    ImportedKeyMaterialError
        Refused         the user: the declaration, the key, the secret or the material is wrong; all faults at once
            ServiceRefused  the user or the operator: AWS said no; its code is kept, cause and remedy are added
        OutOfTime       the operator: something did not come about in the time there was
            Throttled       AWS took no more requests
        NotWanted       nobody: CloudFormation does not wait for this request
    Leave               not an error: the invocation ends without an answer
    CannotHappen        a defect of this program; the user reads its name only
"""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice

LISTED_MAX = 40
LISTED_OF_A_PROPERTY_MAX = 10


class ImportedKeyMaterialError(Exception):
    """The root. `str(error)` is what the user reads."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    `where` names the property as the user writes it (`SecretWrapping.KeyId`); `problem` says in a whole sentence what was
    found and which rule it breaks; `remedy` says in a whole sentence what to do. `found_in` names, in AWS's own words, what
    was looked at ("secret orders/master-key, version 6f0c..."); "" where that is the property itself.
    """

    where: str
    problem: str
    remedy: str = ""
    found_in: str = ""

    @property
    def top(self) -> str:
        """The property at the top: SecretWrapping, for SecretWrapping.KeyId."""
        return self.where.split(".", 1)[0]

    def __str__(self) -> str:
        place = f" ({self.found_in})" if self.found_in else ""
        return f"{self.where}{place}: {self.problem} {self.remedy}".rstrip()


class Refused(ImportedKeyMaterialError):
    """What was declared, or what it points at, breaks a rule. Carries every fault that was found."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__(self._text())

    def _text(self) -> str:
        if len(self.faults) == 1:
            return str(self.faults[0])
        listed = list(islice(_first_of_each(self.faults), LISTED_MAX))
        numbered = (f"({number}) {fault}" for number, fault in enumerate(listed, start=1))
        more = f" {left:,} more are not listed here." if (left := len(self.faults) - len(listed)) else ""
        return f"{len(self.faults):,} things are wrong. {' '.join(numbered)}{more}"


def _first_of_each(faults: tuple[Fault, ...]) -> Iterator[Fault]:
    """A property's first faults: an event has room for a hundred thousand."""
    of_property: Counter[str] = Counter()
    for fault in faults:
        of_property[fault.top] += 1
        if of_property[fault.top] <= LISTED_OF_A_PROPERTY_MAX:
            yield fault


class ServiceRefused(Refused):
    """An AWS call was answered with an error that waiting does not mend: one more fault. `code` is AWS's own."""

    def __init__(self, fault: Fault, *, operation: str, code: str) -> None:
        self.operation = operation
        self.code = code
        super().__init__(fault)


class OutOfTime(ImportedKeyMaterialError):
    """What was waited for did not come about before the deadline."""


class Throttled(OutOfTime):
    """An AWS call was throttled for as long as it may be. `code` is AWS's own."""

    def __init__(self, text: str, *, code: str) -> None:
        self.code = code
        super().__init__(text)


class NotWanted(ImportedKeyMaterialError):
    """CloudFormation does not wait for this request (any more): nothing may be changed for it."""


class Leave(BaseException):
    """Ends an invocation without an answer. A BaseException, so that no `except Exception` on the way answers after all."""


class CannotHappen(Exception):
    """What the code itself rules out has happened all the same: the program is wrong. Holds no value, as the others."""


@contextmanager
def found_in(place: str) -> Iterator[None]:
    """What is refused within was found there. A fault that names its place already keeps it."""
    faults: tuple[Fault, ...] = ()
    try:
        yield
    except Refused as refused:
        faults = refused.faults
    if faults:
        raise Refused(*(fault if fault.found_in else replace(fault, found_in=place) for fault in faults)) from None


class Faults:
    """Collects faults from several checks, so that one answer names them all."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, where: str, problem: str, remedy: str = "") -> None:
        self._found.append(Fault(where, problem, remedy))

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Runs one check; what it refuses is kept, and the next check can run."""
        try:
            yield
        except Refused as refused:
            self._found.extend(refused.faults)

    def about(self, name: str) -> bool:
        """Whether a property, or one of its parts, has a fault."""
        return any(fault.top == name for fault in self._found)

    def only_about(self, names: Collection[str]) -> bool:
        """Whether every fault is of one of these properties, or of a part of one. True where there is no fault."""
        return all(fault.top in names for fault in self._found)

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_if_any(self) -> None:
        if self._found:
            raise Refused(*dict.fromkeys(self._found))
