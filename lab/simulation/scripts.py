"""Scripts: chains of deployments that lead to rare situations. Each is a situation from issue trackers.

A script returns (seconds since the previous step, action) pairs; seconds, versions and options are drawn. K, L: two keys, or
twice the same key if the plan has only one.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from lab.simulation.plan import BAD, Declared, Deployment, KeyPlan, Step, options

Chain = Iterator[tuple[float, str, tuple[Any, ...]]]


class Author:
    """Draws the details of a script."""

    def __init__(self, random: Random, keys: tuple[KeyPlan, ...]) -> None:
        self.random = random
        self.keys = keys
        self.k = random.randrange(len(keys))
        self.l = (self.k + 1) % len(keys)

    def some(self, key: int, version: int | None = 0, **more: Any) -> Declared:
        """An ordinary declaration, sometimes with options."""
        drawn = options(self.random, self.keys[key].spec) if self.random.random() < 0.3 else ()
        return Declared(key, version, tuple(pair for pair in drawn if pair[0] != "Misspelt")).with_options(**more)

    def new(self, key: int, version: int, how: str = "ROTATE") -> Declared:
        more = {"NewMaterial": how} if self.keys[key].spec == "SYMMETRIC_DEFAULT" else {}
        return self.some(key, version, **more)

    def soon(self) -> float:
        return self.random.choice((0.5, self.random.uniform(1, 20), self.random.uniform(20, 300)))

    def later(self) -> float:
        return self.random.uniform(300, 900)

    def companion(self) -> tuple[str, Declared]:
        """A resource that fails, and makes its operation roll back."""
        return ("Third", Declared(self.l, BAD))


def apply(*resources: tuple[str, Declared], stack: str = "orders", region: int = 0, **how: Any) -> tuple[Any, ...]:
    return (Deployment(stack, region, "apply", tuple(resources), **how),)


def delete(stack: str = "orders", region: int = 0) -> tuple[Any, ...]:
    return (Deployment(stack, region, "delete"),)


def handed_over(a: Author) -> Chain:
    yield a.soon(), "deploy", apply(("Material", a.some(a.k)), retained=True)
    yield a.soon(), "deploy", delete()
    yield a.soon(), "deploy", apply(("Material", a.some(a.k)), stack="payments")
    yield a.soon(), "deploy", apply(("Material", a.new(a.k, 1)), stack="payments")
    yield a.later(), "deploy", delete("payments")


def there_and_back(a: Author) -> Chain:
    first, second = a.some(a.k), a.some(a.l)
    for which in (first, second, first, second)[: a.random.choice((3, 4))]:
        yield a.soon(), "deploy", apply(("Material", which))


def swapped(a: Author) -> Chain:
    first, second = a.some(a.k), a.some(a.l)
    yield a.soon(), "deploy", apply(("Material", first), ("Other", second))
    yield a.soon(), "deploy", apply(("Material", second), ("Other", first))
    if a.random.random() < 0.5:
        yield a.soon(), "deploy", apply(("Material", first), ("Other", second), a.companion())
    yield a.soon(), "deploy", apply(("Other", first))
    yield a.soon(), "deploy", delete()


def renamed(a: Author) -> Chain:
    its = a.some(a.k)
    yield a.soon(), "deploy", apply(("Material", its))
    if a.random.random() < 0.5:
        yield a.soon(), "deploy", apply(("Other", its), a.companion())
    yield a.soon(), "deploy", apply(("Other", its))
    yield a.soon(), "deploy", apply(("Material", its))
    yield a.soon(), "deploy", delete()


def rotated_and_cancelled(a: Author) -> Chain:
    yield a.soon(), "deploy", apply(("Material", a.some(a.k)))
    yield a.later(), "deploy", apply(("Material", a.new(a.k, 1)))
    yield a.random.uniform(0.3, 200), "cancel", ()
    yield a.random.uniform(1, 90), "deploy", apply(("Material", a.new(a.k, 2, "STAGE")))
    yield a.soon(), "deploy", apply(("Material", a.new(a.k, 2)))
    yield a.later(), "deploy", delete()


def rotated_and_rolled_back(a: Author) -> Chain:
    yield a.soon(), "deploy", apply(("Material", a.some(a.k)))
    slow_companion = ("Third", a.some(a.l, BAD))
    yield a.later(), "deploy", apply(("Material", a.new(a.k, 1, a.random.choice(("STAGE", "ROTATE")))), slow_companion)
    yield a.random.uniform(100, 400), "cancel", ()
    yield a.later(), "deploy", apply(("Material", a.new(a.k, 1)))


def in_two_regions(a: Author) -> Chain:
    plain = {"ValidForDays": "60"} if a.random.random() < 0.2 else {}
    here, there = a.some(a.k, 0, **plain), Declared(a.k, 0)
    yield a.soon(), "deploy", apply(("Material", here))
    yield a.later(), "replicate", (a.k,)
    yield 90.0, "deploy", apply(("Material", there), region=1)
    staged_first = a.random.random() < 0.6
    if staged_first:
        yield a.soon(), "deploy", apply(("Material", a.new(a.k, 1, "STAGE")))
        yield a.soon(), "deploy", apply(("Material", there.of_version(1)), region=1)
        yield a.soon(), "deploy", apply(("Material", a.new(a.k, 1)))
    else:
        yield a.soon(), "deploy", apply(("Material", a.new(a.k, 1)))
        yield a.soon(), "deploy", apply(("Material", there.of_version(1)), region=1)
    if a.random.random() < 0.5:
        yield a.later(), "lose", (a.k, a.random.randrange(2))
        brings_back = there.of_version(1).with_options(PreviousSecretVersionIds=True, Trigger="lost")
        yield a.soon(), "deploy", apply(("Material", brings_back), region=1)
    yield a.soon(), "deploy", delete(region=a.random.randrange(2))


def lost_and_found(a: Author) -> Chain:
    yield a.soon(), "deploy", apply(("Material", a.some(a.k)))
    yield a.soon(), "deploy", apply(("Material", a.new(a.k, 1)))
    yield a.later(), "lose", (a.k, 0)
    yield (
        a.soon(),
        "deploy",
        apply(("Material", a.new(a.k, 1).with_options(PreviousSecretVersionIds=True, Trigger="1"))),
    )
    yield a.soon(), "lose", (a.k, 0)
    yield a.soon(), "deploy", apply(("Material", a.new(a.k, 1).with_options(Trigger="2")), a.companion())
    yield a.later(), "deploy", delete()


def adopted(a: Author) -> Chain:
    """A second stack adopts a key that the first stack filled. Either stack may be deleted first."""
    yield a.soon(), "deploy", apply(("Material", a.some(a.k)))
    yield (
        a.soon(),
        "deploy",
        apply(("Material", a.some(a.k)), *([a.companion()] if a.random.random() < 0.5 else []), stack="payments"),
    )
    yield a.soon(), "deploy", apply(("Material", a.new(a.k, 1)), stack="payments")
    yield a.later(), "deploy", delete(a.random.choice(("orders", "payments")))
    yield a.soon(), "deploy", apply(("Material", a.some(a.k).with_options(Trigger="1")), stack="payments")


def two_on_one_key(a: Author) -> Chain:
    its = a.some(a.k)
    yield a.soon(), "deploy", apply(("Material", its), *([("Other", its)] if a.random.random() < 0.5 else []))
    yield a.soon(), "deploy", apply(("Material", its), ("Other", its))
    yield a.soon(), "deploy", apply(("Other", its)) if a.random.random() < 0.5 else delete()


def two_expiries(a: Author) -> Chain:
    """Two resources of one key declare different expiries, and both roll back to theirs."""

    def of(version: int, *expiries: dict[str, Any]) -> list[tuple[str, Declared]]:
        return [
            (name, Declared(a.k, version).with_options(**its))
            for name, its in zip(("Material", "Other"), expiries, strict=False)
        ]

    days, until, never = {"ValidForDays": "30"}, {"ValidTo": a.random.choice((1800, 90 * 24 * 3600))}, dict[str, Any]()
    yield a.soon(), "deploy", apply(*of(0, days))
    yield a.soon(), "deploy", apply(*of(0, days, a.random.choice((until, never, {"ValidForDays": "60"}))))
    yield a.later(), "deploy", apply(*of(0, never, {**days, "Trigger": "1"}), a.companion())
    yield a.later(), "deploy", apply(*of(a.random.choice((0, 1)), until, never))


def refilled_in_a_clean_up(a: Author) -> Chain:
    """A second stack fills a key that a clean-up has just emptied, while the clean-up goes on. Then its Deletes come once more.

    The clean-up takes a minute: Third is deleted from a key that Other holds.
    """
    its, held = a.some(a.k), a.some(a.l)
    staying = ("Other", held)
    if a.random.random() < 0.3:  # made by an update that fails, and so deleted in the rollback's clean-up
        yield a.soon(), "deploy", apply(staying)
        yield a.later(), "deploy", apply(("Material", its), ("Third", held), ("Other", held.of_version(BAD)))
        begins = 28.0
    else:  # removed, or replaced
        moved = [("Material", held)] if a.random.random() < 0.5 else []
        yield a.soon(), "deploy", apply(("Material", its), staying, ("Third", held))
        yield a.later(), "deploy", apply(*moved, staying)
        begins = 3.0
    yield begins + a.random.uniform(0, 15), "deploy", apply(("Material", a.some(a.k)), stack="payments")
    for _ in range(3):
        yield a.random.uniform(5, 20), "redeliver", ()


def created_again(a: Author) -> Chain:
    yield a.soon(), "deploy", apply(("Material", a.some(a.k)))
    yield a.random.uniform(0.05, 3), "delete_during_create", ()
    yield a.random.uniform(0.05, 5), "deploy", apply(("Material", a.some(a.k)))
    yield a.soon(), "deploy", apply(("Other", a.some(a.l)))
    yield a.random.uniform(0.05, 5), "deploy", apply(("Other", a.some(a.l)), ("Material", a.some(a.k)))


def expired(a: Author) -> Chain:
    until = a.random.choice((600, 1800))
    yield 1.0, "deploy", apply(("Material", a.some(a.k, 0, ValidTo=until)))
    yield (
        a.random.uniform(10, until),
        "deploy",
        apply(("Material", Declared(a.k, 0).with_options(ValidTo=until, Trigger="1")), a.companion()),
    )
    yield a.random.uniform(10, until + 200), "deploy", apply(("Material", Declared(a.k, 0, (("ValidForDays", "30"),))))
    yield a.soon(), "deploy", apply(("Material", Declared(a.k, 0)), a.companion())


def failed_and_kept(a: Author) -> Chain:
    """--disable-rollback: an operation stops where it failed, and the next operation continues from there."""
    yield (
        a.soon(),
        "deploy",
        apply(("Material", a.some(a.k)), *([a.companion()] if a.random.random() < 0.3 else []), keep_failed=True),
    )
    yield a.soon(), "break_secret", (a.k,)
    yield a.soon(), "deploy", apply(("Material", a.new(a.k, 1)), ("Other", a.some(a.l)), keep_failed=True)
    yield a.soon(), "mend_secret", (a.k,)
    if a.random.random() < 0.5:
        yield 0.1, "deny", ("DescribeStackEvents",)
    again = apply(("Material", a.new(a.k, a.random.choice((0, 1)))), ("Other", a.some(a.l)), keep_failed=True)
    yield a.soon(), "deploy", a.random.choice((again, (Deployment("orders", 0, "roll back"),)))
    yield a.later(), "allow", ()
    yield a.soon(), "deploy", delete()


def secret_gone_at_rollback(a: Author) -> Chain:
    yield a.soon(), "deploy", apply(("Material", a.some(a.k)))
    yield a.soon(), a.random.choice(("break_secret", "lose_version", "untag_secret")), (a.k,)
    yield a.soon(), "deploy", apply(("Material", a.new(a.k, 1)), a.companion())
    yield a.soon(), "deploy", apply(("Material", a.some(a.l)), a.companion())
    yield a.soon(), "mend_secret", (a.k,)


def rights_gone(a: Author) -> Chain:
    yield a.soon(), "deploy", apply(("Material", a.some(a.k)))
    yield a.soon(), "deny", (a.random.choice(DENIABLE),)
    yield (
        a.soon(),
        "deploy",
        a.random.choice((delete(), apply(("Material", a.new(a.k, 1))), apply(("Material", a.some(a.l))))),
    )
    yield a.random.uniform(10, 2000), "allow", ()
    yield a.soon(), "deploy", a.random.choice((delete(), apply(("Material", a.some(a.k).with_options(Trigger="1")))))


def rolled_back_and_skipped(a: Author) -> Chain:
    """A rollback fails, since the function can't see that it is one. It is continued, mostly without the failed resource.

    Not one of SCRIPTS: rollbacks fail so rarely that a test follows this script by name (tests/lab/simulation/test_skips.py).
    """
    yield a.soon(), "deploy", apply(("Material", a.some(a.k)))
    yield a.later(), "deny", ("DescribeStacks",)
    yield a.soon(), "deploy", apply(("Material", a.new(a.k, 1)), a.companion())
    for _ in range(5):
        yield 300.0, a.random.choice(("skip", "skip", "continue_rollback")), ()
    yield a.soon(), "allow", ()
    yield a.soon(), "skip", ()
    yield a.soon(), "deploy", apply(("Material", a.new(a.k, 1)))
    yield a.later(), "deploy", delete()


DENIABLE = (
    "DescribeKey", "ListResourceTags", "ListKeyRotations", "GetParametersForImport", "ImportKeyMaterial",
    "DeleteImportedKeyMaterial", "RotateKeyOnDemand", "DescribeSecret", "GetSecretValue",
    "DescribeStacks", "DescribeStackResource", "DescribeStackEvents", "ListStackResources",
)  # fmt: skip
Script = Callable[[Author], Chain]
SCRIPTS: tuple[Script, ...] = (
    handed_over, there_and_back, swapped, renamed, rotated_and_cancelled, rotated_and_rolled_back, in_two_regions,
    lost_and_found, adopted, two_on_one_key, two_expiries, refilled_in_a_clean_up, created_again, expired, failed_and_kept,
    secret_gone_at_rollback, rights_gone,
)  # fmt: skip


def follow(script: Script, random: Random, keys: tuple[KeyPlan, ...]) -> list[Step]:
    steps, at = [], 0.0
    for seconds, what, arguments in script(Author(random, keys)):
        at += seconds
        steps.append(Step(at, what, arguments))
    return steps
