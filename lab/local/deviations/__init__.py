"""Deviations from AWS that a test plants on purpose, in MiniStack's process, after the corrections.

They prove the proof: an act of `make live` must find each of them "otherwise" (tests/lab/live/). Nothing else starts a
local AWS with them.

requests.py   in the form of requests
answers.py    in what is made of answers, or of none
statuses.py   in what a stack shows

A deviation is a function without arguments that replaces functions of MiniStack or of the corrections; its name is the
function's name.
"""

import importlib
from collections.abc import Callable, Iterable

MODULES = ("requests", "answers", "statuses")


def apply(names: Iterable[str]) -> None:
    """Applies the deviations of these names. Raises KeyError for another name."""
    known = known_deviations()
    for name in names:
        known[name]()


def known_deviations() -> dict[str, Callable[[], None]]:
    found: dict[str, Callable[[], None]] = {}
    for module in MODULES:
        found |= importlib.import_module(f"lab.local.deviations.{module}").DEVIATIONS
    return found
