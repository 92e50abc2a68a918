"""The figures: their names, their limits, and the table of them, which docs/internals/benchmarks.md holds.

Times are ratios within one run, since a machine's speed says nothing about the program. A ratio compares two medians. Its
spread is the middle half of the ratios of the single pairs.
"""

import os
import platform
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tools import layer

COUNTED = {"calls", "characters"}
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. `most` is the number that must not be exceeded; `against` says what a ratio's other side is."""

    name: str
    unit: str
    most: float
    against: str = ""

    def text(self, value: float) -> str:
        return f"{value:.0f} {self.unit}" if self.unit in COUNTED else f"{value:.2f} {self.unit}"


LAYERS = {name: Figure(f"layer, {name}", "MB", layer.LIMIT_BYTES / layer.MEGABYTE) for name in layer.LAYERS}
PLAIN = "of a function that only builds the same clients and makes the same calls"
COLD_START = Figure("cold start", "x", 1.20, PLAIN)
COLD_START_ON_FAILURE = Figure("cold start, on-failure function", "x", 1.25, PLAIN)

REQUESTS = ("create", "no-op Update", "Delete")
ITS_CALLS = "of only its API calls and the PUT"
WARM = tuple(
    Figure(f"warm {request}", "x", most, ITS_CALLS) for request, most in zip(REQUESTS, (1.15, 1.15, 1.10), strict=True)
)
PROCESSOR = tuple(
    Figure(f"processor time, {request}", "x", most, ITS_CALLS)
    for request, most in zip(REQUESTS, (1.20, 1.25, 1.15), strict=True)
)
# A create reads the tags of key, secret and transport key twice: with the checks, and right before the import. A no-op reads
# the key's tags, since only consent opens the list of its materials and CheckValue.
CALLS = tuple(
    Figure(f"API calls, {request}", "calls", most) for request, most in zip(REQUESTS, (20, 6, 9), strict=True)
)
PARALLEL = Figure("parallel creates", "x", 1.00, "of the same one after the other")
# MB as Lambda counts memory. The functions' MemorySize (template.yaml) is twice these limits.
MEMORY = Figure("memory at peak", "MB", 256)
MEMORY_ON_FAILURE = Figure("memory at peak, on-failure function", "MB", 128)
# What any secret of 65,536 bytes and any event of a megabyte may cost. Memory is counted above that of an idle process.
HOSTILE_TIME = Figure("processor time, hostile input", "s", 2)
HOSTILE_MEMORY = Figure("memory, hostile input", "MB", 150)
HOSTILE_LOG = Figure("log, hostile input", "characters", 20_000)
FIGURES = (
    *LAYERS.values(),
    COLD_START,
    COLD_START_ON_FAILURE,
    *WARM,
    *PROCESSOR,
    *CALLS,
    PARALLEL,
    MEMORY,
    MEMORY_ON_FAILURE,
    HOSTILE_TIME,
    HOSTILE_MEMORY,
    HOSTILE_LOG,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pairs of seconds: the measured function's, and the other side's."""

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
    """A figure, its value, and what is behind it."""

    figure: Figure
    value: float
    behind: str

    @classmethod
    def ratio(cls, figure: Figure, comparison: Comparison) -> "Measured":
        (ours, theirs), (first, third) = comparison.medians, comparison.quartiles()
        behind = (
            f"{ours * 1000:.1f} ms, to {theirs * 1000:.1f} ms {figure.against}; "
            f"half of {len(comparison.pairs)} ratios lie between {first:.2f} and {third:.2f}"
        )
        return cls(figure, comparison.ratio, behind)

    @classmethod
    def megabytes(cls, figure: Figure, built: layer.Layer) -> "Measured":
        behind = (
            f"zipped; {len(built.packages)} packages, {figure.text(built.unzipped_bytes / layer.MEGABYTE)} unzipped"
        )
        return cls(figure, len(built.zipped) / layer.MEGABYTE, behind)

    @classmethod
    def memory(cls, figure: Figure, megabytes: float, function_megabytes: int) -> "Measured":
        return cls(figure, megabytes, f"resident, of the {function_megabytes} MB that the template gives the function")

    @classmethod
    def calls(cls, figure: Figure, methods: Sequence[str]) -> "Measured":
        """The number of calls of each request. The replay has checked that exactly these are made."""
        return cls(
            figure, len(methods), ", ".join(f"{n} {name}" if n > 1 else name for name, n in Counter(methods).items())
        )

    @property
    def text(self) -> str:
        return self.figure.text(self.value)

    @property
    def limit(self) -> str:
        return self.figure.text(self.figure.most)

    @property
    def holds(self) -> bool:
        """Compares the rounded value, as it is printed."""
        return round(self.value, 2) <= self.figure.most


def table(measured: Sequence[Measured]) -> str:
    """Markdown, with a line about the machine. No date, so that an unchanged result leaves the page unchanged."""
    rows = [f"| {one.figure.name} | {one.text} | {one.limit} | {one.behind} |" for one in measured]
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    return "\n".join(
        [
            "| Figure | Measured | Limit | Behind it |",
            "| --- | ---: | ---: | --- |",
            *rows,
            "",
            f"Times are medians, on a machine with {machine}. The services answer from a recording.",
        ]
    )


def put_between_marks(page: str, text: str) -> str:
    """`page` with `text` between its two marks. Raises ValueError if it does not have exactly one pair."""
    pattern = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"The page has not exactly one {BEGIN} with one {END} after it.")
    return pattern.sub(lambda _: f"{BEGIN}\n\n{text}\n\n{END}", page)
