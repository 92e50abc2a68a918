"""People's plan for one history, as data, so that a failing plan can be shortened and printed.

Half of the plans are drawn freely. Half follow a script of `scripts.py`, which leads to rare situations. Both also have
people's actions and cancellations.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

FAULT_KINDS = (
    "throttled", "internal", "lost before", "lost after", "lag", "stale",
    "duplicate", "late", "crash", "slow", "short", "put lost",
)  # fmt: skip
SCARCE = "scarce"  # GetParametersForImport succeeds once in many minutes; drawn last, so that older seeds keep their histories
NAMES = ("Material", "Other", "Third")
STACKS = (
    ("orders", 0),
    ("payments", 0),
    ("orders", 1),
    ("billing", 0),
)  # name, index of the Region; nobody trusts billing
BAD = 3  # the number of the version that a check refuses, in every secret
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault at one call of one invocation that begins after `at`. Calls and invocations count from 0: see `table.py`."""

    at: float
    invocation: int
    call: int
    kind: str


@dataclass(frozen=True, slots=True)
class Step:
    """An action, `at` seconds from the start. `what` names a method of `people.People`."""

    at: float
    what: str
    arguments: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.what}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """`held`: a person has imported its secret's first version before the start. `wrapped`: its secret is wrapped."""

    spec: str
    held: bool = False
    multi_region: bool = False
    wrapped: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """One resource: a key, a version of its secret (None: AWSCURRENT's), and other properties."""

    key: int
    version: int | None = 0
    options: tuple[tuple[str, Any], ...] = ()

    def with_options(self, **options: Any) -> "Declared":
        return replace(self, options=tuple(sorted({**dict(self.options), **options}.items())))

    def of_version(self, version: int | None) -> "Declared":
        return replace(self, version=version)


Resources = tuple[tuple[str, Declared], ...]  # by logical id


@dataclass(frozen=True, slots=True)
class Deployment:
    """`how`: apply, delete, roll back (rollback-stack). `keep_failed`: --disable-rollback. `retained`: both policies Retain."""

    stack: str
    region: int
    how: str = "apply"
    resources: Resources = ()
    keep_failed: bool = False
    retained: bool = False

    def __str__(self) -> str:
        return f"{self.stack} {self.how} {self.resources}"


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    keys: tuple[KeyPlan, ...]
    steps: tuple[Step, ...]
    faults: frozenset[str] = frozenset()
    strike: Strike | None = None


_SOMETIMES: Final = (  # a property, its value, how often
    ("ServiceTimeout", ("120", "300"), 0.1),
    ("Misspelt", ("yes",), 0.05),
    ("MaterialEncoding", ("RAW",), 0.1),
    ("ExpectedCheckValue", (True,), 0.4),  # the declared version's
)


def options(random: Random, spec: str) -> tuple[tuple[str, Any], ...]:
    chosen: dict[str, Any] = {}
    if spec == "SYMMETRIC_DEFAULT":
        if random.random() < 0.5:
            chosen["NewMaterial"] = random.choice(("STAGE", "ROTATE", "ROTATE"))
        if random.random() < 0.3:
            chosen["PreviousSecretVersionIds"] = True
        if random.random() < 0.1:
            chosen["KeyMaterialDescription"] = "of a ceremony"
    if random.random() < 0.3:
        chosen["ValidForDays"] = str(random.choice((30, 60)))
    elif random.random() < 0.15:
        chosen["ValidTo"] = random.choice((600, 1800, 2 * HOUR, 90 * 24 * HOUR))  # seconds from the start
    chosen |= {name: random.choice(values) for name, values, share in _SOMETIMES if random.random() < share}
    return tuple(sorted(chosen.items()))


def declared(random: Random, keys: tuple[KeyPlan, ...]) -> Declared:
    key = random.randrange(len(keys))
    return Declared(key, random.choice((0, 0, 0, 1, None)), options(random, keys[key].spec))
