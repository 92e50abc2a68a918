"""Line plots as SVG: axes from zero, readable on light and on dark pages, the same bytes for the same figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 36, 46
TICKS = 5  # on an axis, at most
_STEPS = (1, 2, 2.5, 5, 10)

STYLE = """<style>
text { font: 12px sans-serif; fill: #24292f; }
.title { font-weight: bold; }
.axis { stroke: #57606a; fill: none; }
.grid { stroke: #d0d7de; fill: none; }
.line { fill: none; stroke-width: 2; }
.c0 { stroke: #0969da; } .c1 { stroke: #bc4c00; } .c2 { stroke: #8250df; } .c3 { stroke: #57606a; stroke-dasharray: 5 4; }
.d0 { fill: #0969da; } .d1 { fill: #bc4c00; } .d2 { fill: #8250df; } .d3 { fill: #57606a; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.axis { stroke: #8d96a0; }
.grid { stroke: #3d444d; }
.c0 { stroke: #4493f8; } .c1 { stroke: #f0883e; } .c2 { stroke: #ab7df8; } .c3 { stroke: #9198a1; }
.d0 { fill: #4493f8; } .d1 { fill: #f0883e; } .d2 { fill: #ab7df8; } .d3 { fill: #9198a1; }
}
</style>"""


@dataclass(frozen=True, slots=True)
class Line:
    """`points`: x and y, in order of x. `color`: 0 to 2, or 3 for a dashed line. `dots`: whether each point is shown."""

    name: str
    points: Sequence[tuple[float, float]]
    color: int
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    x_title: str
    lines: Sequence[Line]


def plot(panels: Sequence[Panel], description: str) -> str:
    """Panels below each other, each with a legend at its top left."""
    height = HEIGHT * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(description)}</title>",
        STYLE,
    ]
    for number, panel in enumerate(panels):
        parts += [f'<g transform="translate(0 {number * HEIGHT})">', *_panel(panel), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel) -> Iterator[str]:
    xs = [x for line in panel.lines for x, _ in line.points]
    ys = [y for line in panel.lines for _, y in line.points]
    x_ticks, y_ticks = ticks(max(xs, default=1)), ticks(max(ys, default=1))

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + (WIDTH - LEFT - RIGHT) * x / x_ticks[-1],
            HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / y_ticks[-1],
        )

    yield f'<text class="title" x="{LEFT}" y="20">{escape(panel.title)}</text>'
    for y in y_ticks:
        left, level = at(0, y)
        yield f'<path class="grid" d="M{left:.1f} {level:.1f}H{WIDTH - RIGHT}"/>'
        yield f'<text x="{left - 6:.1f}" y="{level + 4:.1f}" text-anchor="end">{y:,.10g}</text>'
    for x in x_ticks:
        place, bottom = at(x, 0)
        yield f'<path class="axis" d="M{place:.1f} {bottom:.1f}v4"/>'
        yield f'<text x="{place:.1f}" y="{bottom + 18:.1f}" text-anchor="middle">{x:,.10g}</text>'
    left, bottom = at(0, 0)
    yield f'<path class="axis" d="M{left:.1f} {TOP}V{bottom:.1f}H{WIDTH - RIGHT}"/>'
    yield f'<text x="{(left + WIDTH - RIGHT) / 2:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(panel.x_title)}</text>'
    for number, line in enumerate(panel.lines):
        places = [at(x, y) for x, y in line.points]
        if places:
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
            yield f'<path class="line c{line.color}" d="M{path}"/>'
        if line.dots:
            yield from (f'<circle class="d{line.color}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places)
        legend = TOP + 14 + 18 * number
        yield f'<path class="line c{line.color}" d="M{LEFT + 12} {legend - 4}h22"/>'
        yield f'<text x="{LEFT + 40}" y="{legend}">{escape(line.name)}</text>'


def ticks(most: float) -> list[float]:
    """Round numbers from zero. The last number is `most` or more."""
    step = next(step * 10.0**power for power in range(-6, 12) for step in _STEPS if step * 10.0**power * TICKS >= most)
    count = 1
    while count * step < most:
        count += 1
    return [number * step for number in range(count + 1)]
