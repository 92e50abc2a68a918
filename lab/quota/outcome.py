"""The figures of one run, and their text. Seconds are virtual; the same seed gives the same figures everywhere."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lab.quota.crowd import Crowd

PERCENTILES = (50, 90, 99, 100)
MEMORY_GB = 0.5  # template.yaml, MemorySize


@dataclass(frozen=True, slots=True)
class Outcome:
    """`done_at`: by stack, when each created resource was done, in seconds from the start, in order.

    `waits`: from each request to its answer, in order, FAILED ones too. `reason`: the first FAILED answer's. `unanswered`: how
    many of the failed requests got no answer at all.
    """

    crowd: Crowd
    way: str
    done_at: Mapping[int, tuple[float, ...]]
    waits: tuple[float, ...]
    reason: str
    unanswered: int
    calls: Mapping[str, int]  # by operation, of all services
    throttled: Mapping[str, int]
    invocations: int
    handed_over: int
    hops_most: int
    at_once_most: int
    cold_starts: int
    put_back: int
    lambda_seconds: float
    secret_reads_most: int  # of one version of one secret, for one request
    plaintext_seconds: float  # the longest time that an invocation held plaintext

    @property
    def done(self) -> int:
        return sum(len(times) for times in self.done_at.values())

    @property
    def failed(self) -> int:
        return self.crowd.resources - self.done

    @property
    def last_seconds(self) -> float:
        return max((times[-1] for times in self.done_at.values() if times), default=0.0)

    @property
    def times_floor(self) -> float:
        return self.last_seconds / self.crowd.floor_seconds

    @property
    def unfairness(self) -> float:
        """The end of the slowest stack, as a multiple of the end of the fastest stack."""
        lasts = [times[-1] for times in self.done_at.values() if times]
        return max(lasts) / min(lasts) if lasts else 0.0

    @property
    def gb_seconds(self) -> float:
        return self.lambda_seconds * MEMORY_GB

    def waited(self, percent: int) -> float:
        """The percentile by nearest rank: `percent` of the requests waited no longer."""
        return self.waits[max(0, -(-len(self.waits) * percent // 100) - 1)]

    @property
    def verdict(self) -> str:
        return f"{self.done}/{self.crowd.resources} done, {self.failed} failed, {self.times_floor:.2f} x floor"


def report_lines(outcome: Outcome) -> Iterator[str]:
    """All lines of a run; the last one is the verdict."""
    crowd, scarce = outcome.crowd, "GetParametersForImport"
    stacks = f"{crowd.stacks} {'stack' if crowd.stacks == 1 else 'stacks'}"
    lanes = f" in {crowd.lanes} lanes" if crowd.lanes else ""
    yield f"seed {crowd.seed}: {crowd.resources} resources in {stacks}{lanes}, {crowd.rate:g} requests a second; {outcome.way}"
    waits = ", ".join(f"{_percentile(percent)} {outcome.waited(percent):,.0f} s" for percent in PERCENTILES)
    yield f"waited: {waits}"
    yield (
        f"{scarce}: {outcome.calls[scarce]:,} made, {outcome.throttled[scarce]:,} throttled, "
        f"{outcome.calls[scarce] / crowd.resources:.1f} for each resource"
    )
    others = Counter(outcome.calls)
    del others[scarce]
    counts = ", ".join(f"{name} {count:,}" for name, count in sorted(others.items(), key=lambda one: (-one[1], one[0])))
    yield f"other calls: {counts}"
    if outcome.throttled["CloudFormation"]:
        yield f"CloudFormation's reads: {outcome.throttled['CloudFormation']:,} throttled"
    yield (
        f"Lambda: {outcome.invocations:,} invocations, {outcome.handed_over:,} handed over (at most {outcome.hops_most} "
        f"for one resource), {outcome.at_once_most:,} at once, {outcome.cold_starts:,} cold starts, "
        f"{outcome.put_back:,} put back into the queue"
    )
    yield (
        f"Lambda seconds: {outcome.lambda_seconds:,.0f}, {outcome.lambda_seconds / crowd.resources:,.0f} for each "
        f"resource; {outcome.gb_seconds:,.0f} GB-seconds"
    )
    yield (
        f"plaintext: held for {outcome.plaintext_seconds:,.1f} s at most; each version of a secret read "
        f"{outcome.secret_reads_most} times at most for a request"
    )
    if crowd.stacks > 1:
        lasts = ", ".join(
            f"{stack}: {len(times)} done, last at {times[-1] if times else 0:,.0f} s"
            for stack, times in sorted(outcome.done_at.items())
        )
        yield f"stacks: {lasts}; {outcome.unfairness:.2f} x"
    if outcome.failed:
        yield f"failed: {outcome.unanswered} without an answer; the first one: {outcome.reason}"
    yield f"floor: {crowd.floor_seconds:,.0f} s; last done at {outcome.last_seconds:,.0f} s"
    yield outcome.verdict


def _percentile(percent: int) -> str:
    return {50: "median", 100: "longest"}.get(percent, f"{percent} %")
