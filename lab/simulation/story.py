"""Prints a failure: the broken rule, the command that repeats it, the faults, and the shortest story in plain words.

rule 2 broken: #4 Delete Material removes the material of key A, which another resource of its stack holds
repeat: make simulate SEED=7
faults on: late   off: crash, duplicate, ...
| t=11.0s  cfn     orders: CREATE_IN_PROGRESS
> t=98.0s  lambda  #4 Delete Material: DeleteImportedKeyMaterial
4 of 212 events left; run twice, same end

(| stands for a space.)
"""

from collections.abc import Iterator

from lab.simulation.history import Result, play, shortest
from lab.simulation.plan import FAULT_KINDS, SCARCE, Plan


def _lines(first: Result, short: Result, *, same_end: bool) -> Iterator[str]:
    """`first`: the seed's history. `short`: only what is needed to break the rule."""
    yield str(short.violation)
    yield f"repeat: make simulate SEED={first.plan.seed}"
    yield faults(short.plan)
    yield from events(short)
    twice = (
        "run twice, same end"
        if same_end
        else "run twice, and the ends DIFFER: something here does not come from the seed"
    )
    yield f"{len(short.story)} of {len(first.story)} events left; {twice}"


def shortest_story(result: Result) -> Iterator[str]:
    """The shortest story of a history that broke a rule."""
    short = shortest(result)
    yield from _lines(result, short, same_end=play(short.plan).digest == short.digest)


def faults(plan: Plan) -> str:
    off = [kind for kind in (*FAULT_KINDS, SCARCE) if kind not in plan.faults]
    return f"faults on: {', '.join(sorted(plan.faults)) or 'none'}   off: {', '.join(off) or 'none'}"


def events(result: Result) -> Iterator[str]:
    """The events. If a rule broke, it broke at the last event."""
    last = len(result.story) - 1
    for number, line in enumerate(result.story):
        yield f"{'>' if result.violation is not None and number == last else ' '} {line}"
