"""An act: one experiment that settles one or more assumptions."""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lab.live.stage import Stage
from lab.live.verdicts import Finding


class Needs(enum.Enum):
    """What the caller must name before an act is played. The value says what is missing."""

    NOTHING = ""
    OTHER_REGION = "No second Region was named (REGION2=...)."
    OTHER_ACCOUNT = "No profile of a second account was named (PROFILE2=...)."
    ALL = "It starves every other importer of the account, so it is played only with ACTS=all."


@dataclass(frozen=True, slots=True)
class Act:
    """`makes`: in words, for the plan. `dollars`: what it costs at most. `not_local`: why the local AWS can't show it, or "".

    `play` yields a finding for each assumption that it settles, and raises nothing that it expects. What it does not yield by
    its end counts as not seen. `short`: whether `make test` plays it on the local AWS.
    """

    name: str
    title: str
    settles: tuple[str, ...]
    makes: str
    deadline_seconds: int
    play: Callable[[Stage], Iterator[Finding]]
    dollars: float = 0.01
    needs: Needs = Needs.NOTHING
    not_local: str = ""
    short: bool = True
