"""The measured part of docs/internals/scale.md: tables between its marks, and the two plots beside it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from lab.quota.comparison import RATES, Compared
from lab.quota.outcome import Outcome
from lab.quota.standing import Reads
from lab.quota.svg import Line, Panel, plot

PAGE, TIME_PLOT, GROWTH_PLOT = "scale.md", "scale-time.svg", "scale-growth.svg"
SCARCE = "GetParametersForImport"

_ROWS: tuple[tuple[str, Callable[[Outcome], str]], ...] = (
    ("done", lambda one: f"{one.done:,} of {one.crowd.resources:,}"),
    ("the last one done after", lambda one: f"{one.last_seconds:,.0f} s"),
    ("as a multiple of the floor", lambda one: "" if one.failed else f"{one.times_floor:.2f}"),
    ("waited, median", lambda one: f"{one.waited(50):,.0f} s"),
    ("waited, 99 %", lambda one: f"{one.waited(99):,.0f} s"),
    (f"{SCARCE} asked", lambda one: f"{one.calls[SCARCE]:,}"),
    ("of these throttled", lambda one: f"{one.throttled[SCARCE]:,}"),
    ("reads of a secret's version, for a request, at most", lambda one: f"{one.secret_reads_most:,}"),
    ("plaintext held, at most", lambda one: f"{one.plaintext_seconds:,.1f} s"),
    ("all API calls", lambda one: f"{sum(one.calls.values()):,}"),
    ("invocations", lambda one: f"{one.invocations:,}"),
    ("invocations at once, at most", lambda one: f"{one.at_once_most:,}"),
    ("Lambda seconds", lambda one: f"{one.lambda_seconds:,.0f}"),
    ("GB-seconds at 512 MB", lambda one: f"{one.gb_seconds:,.0f}"),
)
_GROWTH_COLUMNS = (
    *("quota", "resources", "floor", "done", "x floor", "waited, median", "waited, longest"),
    *("asked, each", "Lambda seconds, each", "GB-seconds, all"),
)
_STANDING_COLUMNS = (
    *("at once", "answered", "reads of CloudFormation, each", "throttled besides", "imports"),
    *("waited, median", "the last answered after"),
)


def write(folder: Path, compared: Compared) -> None:
    """Raises ValueError where the page lacks a mark."""
    page = folder / PAGE
    text = put(page.read_text(), "ways", table_of_ways(compared))
    text = put(text, "growth", table_of_growth(compared.growth))
    page.write_text(put(text, "standing", table_of_standing(compared.standing)))
    (folder / TIME_PLOT).write_text(plot_of_time(compared.ways))
    (folder / GROWTH_PLOT).write_text(plot_of_growth(compared.growth))


def put(text: str, name: str, table: str) -> str:
    """The table between the marks of that name."""
    begin, end = f"<!-- quota: {name} -->", f"<!-- /quota: {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"The page needs the marks {begin} and {end}, once each.")
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}"


def table_of_ways(compared: Compared) -> str:
    crowd = compared.own.crowd
    columns = {outcome.way: outcome for outcome in compared.ways} | {_eased(one): one for one in compared.eased}
    what = f"{crowd.resources:,} resources, {crowd.rate:g}/s"
    return "\n".join(
        [
            f"| {what} | {' | '.join(columns)} |",
            f"| --- |{' ---: |' * len(columns)}",
            *(f"| {name} | {' | '.join(map(tell, columns.values()))} |" for name, tell in _ROWS),
            "",
            f"The floor is {crowd.floor_seconds:,.0f} s. Seed {crowd.seed}.",
        ]
    )


def _eased(outcome: Outcome) -> str:
    crowd = outcome.crowd
    return f"{outcome.way}, {f'{crowd.lanes} lanes' if crowd.lanes else f'{crowd.concurrency} invocations'}"


def table_of_growth(outcomes: Sequence[Outcome]) -> str:
    rows = (
        f"| {one.crowd.rate:g}/s | {one.crowd.resources:,} | {one.crowd.floor_seconds:,.0f} s "
        f"| {one.done:,} | {'' if one.failed else f'{one.times_floor:.2f}'} "
        f"| {one.waited(50):,.0f} s | {one.waited(100):,.0f} s "
        f"| {one.calls[SCARCE] / one.crowd.resources:.1f} | {one.lambda_seconds / one.crowd.resources:,.0f} "
        f"| {one.gb_seconds:,.0f} |"
        for one in outcomes
    )
    return "\n".join(
        [
            f"| {' | '.join(_GROWTH_COLUMNS)} |",
            f"|{' ---: |' * len(_GROWTH_COLUMNS)}",
            *rows,
        ]
    )


def table_of_standing(all_reads: Sequence[Reads]) -> str:
    rows = (
        f"| {one.resources:,} {one.what} | {one.done:,} | {one.reads_each:.1f} | {one.throttled:,} | {one.imports:,} "
        f"| {one.median_seconds:,.0f} s | {one.last_seconds:,.0f} s |"
        for one in all_reads
    )
    return "\n".join(
        [f"| {' | '.join(_STANDING_COLUMNS)} |", f"| --- |{' ---: |' * (len(_STANDING_COLUMNS) - 1)}", *rows]
    )


def plot_of_time(ways: Sequence[Outcome]) -> str:
    crowd = ways[0].crowd
    lines = [Line(one.way, _steps(one), color) for color, one in enumerate(ways)]
    floor = Line("the floor", [(0.0, 0.0), (crowd.floor_seconds, float(crowd.resources))], 3)
    title = f"Done over time: {crowd.resources} resources, {crowd.rate:g} requests a second"
    return plot([Panel(title, "seconds", [*lines, floor])], title)


def _steps(outcome: Outcome) -> list[tuple[float, float]]:
    """The plot's points: at most a few hundred."""
    times = sorted(second for times in outcome.done_at.values() for second in times)
    every = max(1, len(times) // 200)
    points = [(second, float(number)) for number, second in enumerate(times, start=1)]
    return [(0.0, 0.0), *points[every - 1 :: every], *points[-1:]]


def plot_of_growth(outcomes: Sequence[Outcome]) -> str:
    """Crowds with failed resources have no point: they only waited for ServiceTimeout."""
    panels = (
        ("Waited, median, seconds", lambda one: one.waited(50)),
        ("GetParametersForImport asked, for each resource", lambda one: one.calls[SCARCE] / one.crowd.resources),
        ("Lambda seconds, for each resource", lambda one: one.lambda_seconds / one.crowd.resources),
    )
    shown = [one for one in outcomes if not one.failed]
    return plot(
        [Panel(title, "resources that start at once", _lines(shown, figure)) for title, figure in panels],
        "Waiting, calls and cost of each resource, as the crowd grows",
    )


def _lines(outcomes: Sequence[Outcome], figure: Callable[[Outcome], float]) -> list[Line]:
    return [
        Line(
            f"{rate:g} requests a second",
            [(one.crowd.resources, figure(one)) for one in outcomes if one.crowd.rate == rate],
            color,
            dots=True,
        )
        for color, rate in enumerate(RATES)
    ]
