"""Every error that a user may read, in one tree, by who must act.

An error is a sentence: the property, what was found, the rule, the remedy. No error carries material, a secret or a
ResponseURL: not in its text, not in its attributes, not in `__cause__` or `__context__`. So raise `from None` where the
caught exception may hold one of them. This module imports nothing from the project.

    ImportedKeyMaterialError
        Refused         the user: the declaration, the key, the secret or the material is wrong; all faults at once
            ServiceRefused  the user or the operator: AWS refused a call; we keep its code, and add cause and remedy
        OutOfTime       the operator: something was not finished in time
            Throttled       AWS took no more requests
        NotWanted       nobody: CloudFormation does not wait for this request
    Leave               not an error: the invocation ends without an answer
    CannotHappen        a defect of this program; the user reads only its name
"""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from typing import ClassVar, NamedTuple

LISTED_MAX = 40
LISTED_OF_A_PROPERTY_MAX = 10


class FailureClass(StrEnum):
    """Why a request FAILED, by the tree above: a closed list, for metrics."""

    DECLARATION = "Declaration"
    AWS_REFUSED = "AwsRefused"
    OUT_OF_TIME = "OutOfTime"
    THROTTLED = "Throttled"
    NOT_WANTED = "NotWanted"
    DEFECT = "Defect"


class ImportedKeyMaterialError(Exception):
    """The root. `str(error)` is what the user reads."""

    failure_class: ClassVar[FailureClass] = FailureClass.DEFECT


class Fault(NamedTuple):
    """One thing that is wrong.

    `where` names the property as the user writes it (`SecretWrapping.KeyId`). `problem` says in a whole sentence what was
    found and which rule it breaks; `remedy` says in a whole sentence what to do. `found_in` names, in AWS's own words, where
    it was found ("secret orders/master-key, version 6f0c..."); "" if it was found in the property itself.
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
    """The declaration breaks a rule, or what it names does. Carries every fault that was found."""

    failure_class = FailureClass.DECLARATION

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
    """The first faults of each property: one event can cause a hundred thousand."""
    of_property: Counter[str] = Counter()
    for fault in faults:
        of_property[fault.top] += 1
        if of_property[fault.top] <= LISTED_OF_A_PROPERTY_MAX:
            yield fault


class ServiceRefused(Refused):
    """An AWS call failed with an error that waiting does not repair. `code` is AWS's own."""

    failure_class = FailureClass.AWS_REFUSED

    def __init__(self, fault: Fault, *, operation: str, code: str) -> None:
        self.operation = operation
        self.code = code
        super().__init__(fault)


class OutOfTime(ImportedKeyMaterialError):
    """The function waited for something until the deadline, and it did not happen."""

    failure_class = FailureClass.OUT_OF_TIME


class Throttled(OutOfTime):
    """AWS throttled a call until the deadline. `code` is AWS's own."""

    failure_class = FailureClass.THROTTLED

    def __init__(self, text: str, *, code: str) -> None:
        self.code = code
        super().__init__(text)


class NotWanted(ImportedKeyMaterialError):
    """CloudFormation does not, or no longer, wait for this request: the function may change nothing for it."""

    failure_class = FailureClass.NOT_WANTED


class Leave(BaseException):
    """Ends an invocation without an answer. It is a BaseException, so that no `except Exception` catches and answers it."""


class CannotHappen(Exception):
    """Something that the code rules out has happened: the program has a defect. Holds no value, like the other errors."""


@contextmanager
def found_in(place: str) -> Iterator[None]:
    """Adds the place to each fault that is raised inside. A fault that already names a place keeps it."""
    faults: tuple[Fault, ...] = ()
    try:
        yield
    except Refused as refused:
        faults = refused.faults
    if faults:
        raise Refused(*(fault if fault.found_in else fault._replace(found_in=place) for fault in faults)) from None


class Faults:
    """Collects faults from several checks, so that one answer names them all."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, where: str, problem: str, remedy: str = "") -> None:
        self._found.append(Fault(where, problem, remedy))

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Runs one check and keeps its faults, so that the next check can run."""
        try:
            yield
        except Refused as refused:
            self._found.extend(refused.faults)

    def about(self, name: str) -> bool:
        """Whether a property, or one of its parts, has a fault."""
        return any(fault.top == name for fault in self._found)

    def only_about(self, names: Collection[str]) -> bool:
        """Whether every fault is in one of these properties, or in a part of one. True if there is no fault."""
        return all(fault.top in names for fault in self._found)

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_if_any(self) -> None:
        if self._found:
            raise Refused(*dict.fromkeys(self._found))
