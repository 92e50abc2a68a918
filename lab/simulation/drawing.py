"""Draws a plan from a seed."""

from random import Random

from lab.simulation.plan import (
    FAULT_KINDS,
    NAMES,
    SCARCE,
    STACKS,
    Declared,
    Deployment,
    KeyPlan,
    Plan,
    Step,
    declared,
    options,
)
from lab.simulation.scripts import DENIABLE, SCRIPTS, Script, follow, in_two_regions

_SPECS = ("SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT", "HMAC_256", "ECC_NIST_P256")
_ON_KEYS = (
    "disable", "disable", "enable", "lose", "lose", "schedule", "unschedule", "untag", "retag",
    "break_secret", "mend_secret", "move_secret", "lose_version", "untag_secret", "replicate",
)  # fmt: skip


def draw(seed: int, script: Script | None = None) -> Plan:
    """`script`: the script to follow; None: draws a script, or follows none."""
    random = Random(seed)  # noqa: S311  # one seed decides everything
    drawn = random.choice(SCRIPTS) if random.random() < 0.5 else None
    script = script or drawn
    keys = tuple(_key(random) for _ in range(random.choice((1, 2, 2, 3))))
    if script is in_two_regions:
        keys = tuple(KeyPlan("SYMMETRIC_DEFAULT", key.held, multi_region=True) for key in keys)
    # A fault is on or off for a whole history, so that some histories are calm enough to reach rare states.
    often = random.choice((0.0, 0.15, 0.3, 0.5))
    faults = frozenset(kind for kind in FAULT_KINDS if random.random() < often)
    steps = _freely(random, keys) if script is None else follow(script, random, keys)
    steps += _people(random, keys, max(step.at for step in steps))
    if random.random() < 0.1:
        faults |= {SCARCE}
    return Plan(seed, keys, tuple(sorted(steps, key=lambda step: step.at)), faults)


def _key(random: Random) -> KeyPlan:
    multi_region = random.random() < 0.15
    # The transport key exists only in the first Region.
    wrapped = random.random() < 0.1 and not multi_region
    return KeyPlan(random.choice(_SPECS), random.random() < 0.2, multi_region, wrapped)


def _freely(random: Random, keys: tuple[KeyPlan, ...]) -> list[Step]:
    steps: list[Step] = []
    at = 0.0
    templates: dict[tuple[str, int], dict[str, Declared]] = {stack: {} for stack in STACKS}
    for _ in range(random.choice((1, 2, 3, 3, 4, 4, 5, 6))):
        at += random.choice((1.0, random.uniform(1, 60), random.uniform(60, 1500)))
        steps.append(Step(at, "deploy", (_deployment(random, keys, templates),)))
    return steps


def _people(random: Random, keys: tuple[KeyPlan, ...], until: float) -> list[Step]:
    steps: list[Step] = []
    for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
        arguments = (random.randrange(len(keys)), random.choice((0, 0, 0, 1)))
        steps.append(Step(random.uniform(0, until + 60), random.choice(_ON_KEYS), arguments))
    for _ in range(random.choice((0, 0, 0, 1, 1, 2))):
        what = random.choice(("cancel", "cancel", "cancel", "delete_during_create", "skip", "continue_rollback"))
        steps.append(Step(random.uniform(0, until + 60), what))
    steps += [
        Step(random.uniform(0, until + 60), what, (random.randrange(100),))
        for what in ("replay", "replay", "forge")
        if random.random() < 0.1
    ]
    if random.random() < 0.1:
        at = random.uniform(0, until)
        steps.append(Step(at, "deny", (random.choice(DENIABLE),)))
        steps.append(Step(at + random.uniform(5, 1500), "allow"))
    return steps


def _deployment(
    random: Random, keys: tuple[KeyPlan, ...], templates: dict[tuple[str, int], dict[str, Declared]]
) -> Deployment:
    """A deployment that differs from the stack's last one by a few changes."""
    multi_region = any(key.multi_region for key in keys)
    weights = (8, 3, 3 if multi_region else 0, 0.5)
    (stack,) = random.choices(STACKS, weights)
    template = templates[stack]
    if template and random.random() < 0.15:
        template.clear()
        return Deployment(*stack, "delete")
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        _change(random, keys, template)
    return Deployment(
        *stack,
        "apply",
        tuple(sorted(template.items())),
        keep_failed=random.random() < 0.15,
        retained=random.random() < 0.1,
    )


def _change(random: Random, keys: tuple[KeyPlan, ...], template: dict[str, Declared]) -> None:
    """Makes one change, as an author of templates does."""
    free = [name for name in NAMES if name not in template]
    if not template or (free and random.random() < 0.15):
        template[random.choice(free)] = declared(random, keys)
        return
    name = random.choice(sorted(template))
    its = template[name]
    what = random.choice(
        ("version", "version", "version", "options", "options", "trigger", "rename", "swap", "key", "remove")
    )
    if what == "version":
        template[name] = its.of_version(random.choice((0, 1, 1, 2, 2, 3, None)))
    elif what == "options":
        template[name] = Declared(its.key, its.version, options(random, keys[its.key].spec))
    elif what == "trigger":
        template[name] = its.with_options(Trigger=str(random.randrange(100)))
    elif what == "rename" and free:
        template[random.choice(free)] = template.pop(name)
    elif what == "swap" and len(template) > 1:
        first, second = sorted(template)[:2]
        template[first], template[second] = template[second], template[first]
    elif what == "key":
        template[name] = declared(random, keys)
    elif what == "remove" and len(template) > 1:
        del template[name]
