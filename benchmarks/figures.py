"""The figures: their names, their limits, and the table of them, which the README holds.

Times are given as ratios within one run, since a machine's speed says nothing about the program. A ratio is that of two
medians; its spread, the middle half of the ratios of the single pairs.
"""

import os
import platform
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tools import layer

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. `limit`: as a text, and as the number that must not be exceeded."""

    name: str
    limit: str
    most: float


def _ratio(name: str, most: float) -> Figure:
    return Figure(name, f"{most:.2f}", most)


_MEGABYTES = layer.LIMIT_BYTES / layer.MEGABYTE
LAYERS = {name: Figure(f"layer for {name}, zipped", f"{_MEGABYTES:.0f} MB", _MEGABYTES) for name in layer.LAYERS}
COLD_START = _ratio("cold start, to that of a function that only makes the same calls", 1.20)
WARM_CREATE = _ratio("warm create, to its API calls and the PUT", 1.15)
WARM_DELETE = _ratio("warm Delete, to its API calls and the PUT", 1.10)
FIGURES = (*LAYERS.values(), COLD_START, WARM_CREATE, WARM_DELETE)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pairs of seconds: what is measured, and what it is compared with."""

    pairs: tuple[tuple[float, float], ...]

    @property
    def medians(self) -> tuple[float, float]:
        ours, theirs = zip(*self.pairs, strict=True)
        return statistics.median(ours), statistics.median(theirs)

    @property
    def ratio(self) -> float:
        ours, theirs = self.medians
        return ours / theirs

    def quartiles(self) -> tuple[float, float]:
        first, _, third = statistics.quantiles([ours / theirs for ours, theirs in self.pairs], n=4, method="inclusive")
        return first, third


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure, its value, and what is behind it, as texts of the table."""

    figure: Figure
    value: float
    text: str
    behind: str

    @classmethod
    def ratio(cls, figure: Figure, comparison: Comparison) -> "Measured":
        (ours, theirs), (first, third) = comparison.medians, comparison.quartiles()
        behind = (
            f"{ours * 1000:.1f} ms to {theirs * 1000:.1f} ms; half of {len(comparison.pairs)} runs "
            f"between {first:.2f} and {third:.2f}"
        )
        return cls(figure, comparison.ratio, f"{comparison.ratio:.2f}", behind)

    @classmethod
    def megabytes(cls, figure: Figure, built: layer.Layer) -> "Measured":
        megabytes = len(built.zipped) / layer.MEGABYTE
        return cls(
            figure,
            megabytes,
            f"{megabytes:.2f} MB",
            f"{len(built.packages)} packages, {built.unzipped_bytes / layer.MEGABYTE:.1f} MB unzipped",
        )

    @property
    def holds(self) -> bool:
        return self.value <= self.figure.most


def table(measured: Sequence[Measured]) -> str:
    """Markdown, with a line about the machine. No date, and nothing else that is new in every run by itself."""
    rows = [f"| {one.figure.name} | {one.text} | {one.figure.limit} | {one.behind} |" for one in measured]
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    return "\n".join(
        ["| | measured | at most | |", "| --- | ---: | ---: | --- |", *rows, "", f"Medians, on a machine with {machine}."]
    )


def put_between_marks(page: str, text: str) -> str:
    """`page` with `text` between its two marks. Raises ValueError where it has not exactly one pair."""
    pattern = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"The page has not exactly one {BEGIN} with one {END} after it.")
    return pattern.sub(lambda _: f"{BEGIN}\n\n{text}\n\n{END}", page)
