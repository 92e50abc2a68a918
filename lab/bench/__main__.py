"""Measures the built application: size, memory, the time that it adds to its API calls, the cost of the worst input.

    python -m lab.bench .aws-sam/build [--write docs/internals/benchmarks.md]

stdout: a Markdown table. `--write` also puts it into a page, between the page's two marks. Progress goes to stderr. Exit
codes: 0 every figure is within its limit, 1 at least one is not, 2 a wrong option.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lab.bench import cold_start, figures, hostile, parallel, recording, warm
from lab.bench.cold_start import Start
from lab.bench.figures import Measured
from lab.bench.soak import soak
from lab.bench.stage import stage
from tools import layer

COLD_STARTS = 60
WARM_INVOCATIONS = 200
PEAK_REQUESTS = 200


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    measured = [
        *_layers(options.build),
        *_times(options.build, options.cold_starts, options.warm_invocations, options.peak_requests),
        *_inputs(options.inputs),
    ]
    table = figures.table(measured)
    print(table)
    if options.write:
        options.write.write_text(figures.put_between_marks(options.write.read_text(), table))
    exceeded = [one for one in measured if not one.holds]
    for one in exceeded:
        print(f"{one.figure.name}: {one.text}, and the limit is {one.limit}", file=sys.stderr)
    return 1 if exceeded else 0


def _layers(build: Path) -> list[Measured]:
    return [
        Measured.megabytes(figures.LAYERS[name], layer.read(build / logical_id))
        for name, logical_id in layer.LAYERS.items()
    ]


def _times(build: Path, cold_starts: int, warm_invocations: int, peak_requests: int) -> list[Measured]:
    recorded = recording.recordings()
    kinds = (recorded.create, recorded.no_op, recorded.delete)
    with stage(build) as ready:
        begun = time.monotonic()
        start = Start(ready.application, ready.plain)
        cold, _ = cold_start.measure(ready, start, recorded.create, cold_starts)
        _say(f"{cold_starts} pairs of cold starts", begun)
        begun = time.monotonic()
        start = Start(ready.on_failure, ready.plain_on_failure)
        cold_on_failure, peak_on_failure = cold_start.measure(ready, start, recorded.given_up, cold_starts)
        _say(f"{cold_starts} pairs of cold starts of the on-failure function", begun)
        begun = time.monotonic()
        warmed = warm.measure(ready, kinds, warm_invocations)
        _say(f"{warm_invocations} warm requests of each kind", begun)
        begun = time.monotonic()
        at_once = parallel.measure(ready, max(2, warm_invocations // 10))
        _say(f"{parallel.AT_ONCE} creates at once and one after the other", begun)
        begun = time.monotonic()
        peak = soak(ready, peak_requests).peak_megabytes
        _say(f"{peak_requests} requests of all kinds", begun)
    return [
        Measured.ratio(figures.COLD_START, cold),
        Measured.ratio(figures.COLD_START_ON_FAILURE, cold_on_failure),
        *(Measured.ratio(figure, one.wall) for figure, one in zip(figures.WARM, warmed, strict=True)),
        *(Measured.ratio(figure, one.processor) for figure, one in zip(figures.PROCESSOR, warmed, strict=True)),
        *(
            Measured.calls(figure, [call.method for call in one.calls])
            for figure, one in zip(figures.CALLS, kinds, strict=True)
        ),
        Measured.ratio(figures.PARALLEL, at_once),
        Measured.memory(figures.MEMORY, peak, ready.application.memory_mb),
        Measured.memory(figures.MEMORY_ON_FAILURE, peak_on_failure, ready.on_failure.memory_mb),
    ]


def _inputs(part: str) -> list[Measured]:
    begun = time.monotonic()
    measured = hostile.measure(part)
    _say("hostile inputs", begun)
    return measured


def _say(what: str, begun: float) -> None:
    print(f"{what}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.bench", description="Measures the built application.")
    parser.add_argument("build", type=Path, help="the folder that `sam build` filled")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page, between its marks")
    parser.add_argument("--cold-starts", type=int, default=COLD_STARTS, help=f"pairs (default {COLD_STARTS})")
    parser.add_argument(
        "--warm-invocations", type=int, default=WARM_INVOCATIONS, help=f"of each kind (default {WARM_INVOCATIONS})"
    )
    parser.add_argument(
        "--peak-requests", type=int, default=PEAK_REQUESTS, help=f"for the peak of memory (default {PEAK_REQUESTS})"
    )
    parser.add_argument(
        "--inputs", default="", metavar="PART", help="hostile inputs with PART in their name (default all)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
