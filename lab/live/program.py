"""Plays a run: the plan and the question, the acts, the cleaning, the record, one last line."""

import time
import traceback
from collections.abc import Container, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TextIO

from botocore.exceptions import BotoCoreError, ClientError

from lab.live import assumptions, record
from lab.live.account import Account
from lab.live.act import Act, Needs
from lab.live.made import Left, Made, clean
from lab.live.probe import DidNotCome, NotDeployed
from lab.live.run_list import RunList
from lab.live.stage import Shared, Stage, TimeIsUp
from lab.live.verdicts import Finding, Verdict, not_seen
from lab.local.deploy import SamFailed
from lab.local.stacks import DidNotEnd

TOTAL_MINUTES_MAX: Final = 40
DEPLOY_MINUTES: Final = 6  # of the application and the probe
SECONDS_MAX: Final = 120  # longer times are shown in minutes
EXPECTED: Final = (
    ClientError,
    BotoCoreError,
    DidNotCome,
    DidNotEnd,
    NotDeployed,
    SamFailed,
    TimeIsUp,
    TimeoutError,
)


class WrongFinding(Exception):
    """An act tells a finding that has no row, that another act settles, or that it has told already."""


@dataclass(frozen=True, slots=True)
class Options:
    """`acts`: names of acts; () for all of the usual ones. `all`: those that starve other importers, too."""

    acts: tuple[str, ...] = ()
    all: bool = False
    short: bool = False
    other_region: str | None = None
    other_account: Account | None = None


@dataclass
class Run:
    """One run. `records`: where the record goes. `defects`: acts that ended in an error that nobody expects."""

    account: Account
    made: Made
    acts: Sequence[Act]
    options: Options
    out: TextIO
    records: Path
    findings: list[Finding] = field(default_factory=list)
    secrets: list[bytes] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    defects: list[str] = field(default_factory=list)

    # ------------------------------------------------------------------------------------------------------ before

    def plan(self) -> Iterator[str]:
        """Lines for the reader who has to agree."""
        account = self.account
        played = [act for act in self.acts if not self._why_not(act)]
        where = "the local AWS" if account.is_local else "AWS"
        yield f"make live, on {where}: account {account.number}, Region {account.region}, run {self.made.run}."
        yield f"All that it makes is called {self.made.name('...')}, and is deleted at the end by the run's list."
        yield "It touches nothing that it did not make. It makes:"
        yield "  the application, a probe function, a bucket for artifacts"
        for act in played:
            yield f"  {act.name}: {act.makes} ({_time(act.deadline_seconds)} at most)"
        for act in self.acts:
            if why := self._why_not(act):
                yield f"It does not play {act.name}. {why}"
        seconds, dollars = sum(act.deadline_seconds for act in played), sum(act.dollars for act in played)
        yield (
            f"The acts take {_time(seconds)} at most; deploying takes some {DEPLOY_MINUTES} min before, and deleting some "
            f"minutes afterwards. All costs at most {dollars:.2f} US dollars."
        )

    def starving(self) -> str:
        """What the acts with Needs.ALL do to others, in a sentence; "" if none of them is played."""
        acts = [act for act in self.acts if act.needs is Needs.ALL and not self._why_not(act)]
        if not acts:
            return ""
        return (
            f"These acts use up KMS's quota of GetParametersForImport: {', '.join(act.name for act in acts)}. Nobody else in "
            f"account {self.account.number} can import key material in {self.account.region} then, for "
            f"{_time(sum(act.deadline_seconds for act in acts))} at most."
        )

    # ------------------------------------------------------------------------------------------------------- acts

    def play(self) -> None:
        """Plays each act. An act that fails stops none of the others."""
        shared = Shared(self.made)
        for act in self.acts:
            self._tell(f"\n{act.name}: {act.title}")
            started = time.monotonic()
            with closing(self._findings(act, shared)) as findings:
                for finding in findings:
                    self.findings.append(finding)
                    self._tell_finding(finding)
            self._tell(f"  [{time.monotonic() - started:.0f} s]")

    def _findings(self, act: Act, shared: Shared) -> Generator[Finding]:
        open_ = dict.fromkeys(act.settles)
        why = self._why_not(act) or "the act ended without a finding"
        if not self._why_not(act):
            stage = Stage(
                self.made,
                shared,
                self.account.now() + timedelta(seconds=act.deadline_seconds),
                self.options.other_region,
                self.options.other_account,
                self.secrets,
                self.answers,
            )
            try:
                for finding in act.play(stage):
                    _require_own(finding, open_)
                    del open_[finding.assumption]
                    yield finding
            except EXPECTED as error:
                why = f"the act failed: {type(error).__name__}: {error}"
            except Exception as error:  # noqa: BLE001  # the other acts shall be played all the same; the exit code tells
                why = f"the act has a defect: {_where(error)}"
                self.defects.append(act.name)
        for assumption in open_:
            yield not_seen(assumption, why)

    def _why_not(self, act: Act) -> str:
        if self.account.is_local and act.not_local:
            return f"The local AWS can't show it: {act.not_local}"
        given = {
            Needs.NOTHING: True,
            Needs.OTHER_REGION: self.options.other_region is not None,
            Needs.OTHER_ACCOUNT: self.options.other_account is not None,
            Needs.ALL: self.options.all,
        }
        return "" if given[act.needs] else act.needs.value

    # ------------------------------------------------------------------------------------------------------- after

    def clean(self) -> list[Left]:
        left = list(clean(self.account, self.made.list.things()))
        for one in left:
            self._tell(f"Still there: {one.thing.kind} {one.thing.name}: {one.why}")
        self._tell(
            "Keys are scheduled for deletion in 7 days, and cost nothing until then. Nothing else is left."
            if not left
            else ""
        )
        return left

    def record(self) -> Path:
        made = record.make(self.account, self.made.run, self.findings, self.answers)
        return record.write(made, self.records, self.secrets)

    def last_line(self) -> str:
        """`live: N as assumed, N otherwise, N not seen here`."""
        counts = {verdict: sum(one.verdict is verdict for one in self.findings) for verdict in Verdict}
        return (
            f"live: {counts[Verdict.AS_ASSUMED]} as assumed, {counts[Verdict.OTHERWISE]} otherwise, "
            f"{counts[Verdict.NOT_SEEN]} not seen here"
        )

    def _tell_finding(self, finding: Finding) -> None:
        row = assumptions.read().get(finding.assumption)
        self._tell(f"  {finding.verdict}: {finding.assumption}")
        self._tell(f"    expected: {finding.expected or (row.assumed if row else 'there is no such row')}")
        self._tell(f"    seen: {finding.seen}")

    def _tell(self, text: str) -> None:
        print(text, file=self.out, flush=True)


def _require_own(finding: Finding, open_: Container[str]) -> None:
    if finding.assumption not in open_ or finding.assumption not in assumptions.read():
        raise WrongFinding(finding.assumption)


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < SECONDS_MAX else f"{seconds / 60:.1f} min"


def _where(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno})"


def chosen(acts: Sequence[Act], options: Options, *, is_local: bool) -> list[Act]:
    """The acts to play. Raises ValueError if a name is unknown, or the plan takes longer than the limits."""
    unknown = set(options.acts) - {act.name for act in acts}
    if unknown:
        raise ValueError(f"no such act: {', '.join(sorted(unknown))}. Acts: {', '.join(act.name for act in acts)}")
    found = [act for act in acts if act.name in options.acts or not options.acts]
    if options.short:
        found = [act for act in found if act.short]
    if not options.all and not options.acts:
        minutes = sum(act.deadline_seconds for act in found if act.needs is Needs.NOTHING) / 60
        if minutes > TOTAL_MINUTES_MAX and not is_local:
            raise ValueError(f"the acts take {minutes:.0f} minutes, and the limit is {TOTAL_MINUTES_MAX}")
    return found


def existing_run(folder: Path, run: str) -> RunList:
    """The list of an earlier run. Raises ValueError if there is none."""
    if not (folder / run).is_dir():
        raise ValueError(f"there is no list of a run {run} in {folder}")
    return RunList(folder / run)
