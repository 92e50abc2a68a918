"""Settles on AWS what this project assumes of it. `make live` runs it.

    python -m lab.live                      on the caller's own account and Region; asks first
    python -m lab.live --yes --all          asks nothing; also the acts that starve other importers of the account
    python -m lab.live --acts clocks,tags   only these acts
    python -m lab.live --local              on a local AWS
    python -m lab.live --clean RUN          deletes what an earlier run left

stdout: the plan, what was seen, the last line. Exit codes: 0 nothing was otherwise; 1 something was otherwise, is still there,
an act has a defect, or the record was not written; 2 the command is wrong; 3 the answer was no; 130 stopped.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lab.live import program
from lab.live.account import Account, LocalAccount, RealAccount
from lab.live.acts import ACTS
from lab.live.made import Made, clean, new_run
from lab.live.program import Options, Run
from lab.live.record import NotWritten
from lab.live.run_list import RunList
from lab.live.verdicts import Verdict
from lab.local import places
from lab.local.session import LocalAws, nothing
from lab.local.settings import Settings

FOLDER = places.REPOSITORY / "build" / "live"
OTHERWISE, WRONG, NO, STOPPED = 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    with ExitStack() as afterwards:
        try:
            account = _account(given, afterwards)
            if given.clean:
                return _clean(account, given.lists, given.clean)
            other = RealAccount.of_profile(given.profile2, account.region) if given.profile2 else None
            options = Options(tuple(filter(None, given.acts.split(","))), given.all, given.short, given.region2, other)
            acts = program.chosen(ACTS, options, is_local=account.is_local)
        except ValueError as wrong:
            parser.error(str(wrong))
        except (ClientError, BotoCoreError) as error:
            parser.error(f"AWS can't be asked who you are: {error}")
        run = new_run()
        made = Made(account, run, RunList(given.lists / run))
        return _play(Run(account, made, acts, options, sys.stdout, given.records), yes=given.yes)


def _play(run: Run, *, yes: bool) -> int:
    for line in run.plan():
        _tell(line)
    if not yes and not _agreed("Play it?"):
        _tell("Nothing was made.")
        return NO
    if starving := run.starving():
        _tell(starving)
        if not yes and not _agreed("Play these, too?"):
            _tell("Nothing was made.")
            return NO
    stopped = False
    try:
        run.play()
    except KeyboardInterrupt:
        stopped = True
        _tell("\nStopped. Cleaning up ...")
    except BaseException:  # a defect of ours: nothing must stay behind all the same
        run.clean()
        raise
    try:
        left = run.clean()
    except KeyboardInterrupt:
        _tell(f"\nThe cleaning was stopped, too. Delete what is left: make live CLEAN={run.made.run}")
        return STOPPED
    is_written = _record(run)
    _tell(run.last_line())
    if stopped:
        return STOPPED
    otherwise = any(one.verdict is Verdict.OTHERWISE for one in run.findings)
    return OTHERWISE if otherwise or left or run.defects or not is_written else 0


def _agreed(question: str) -> bool:
    """Nobody who could answer, such as a pipeline, has not agreed."""
    try:
        return input(f"{question} Type yes: ").strip() == "yes"
    except EOFError:
        return False


def _record(run: Run) -> bool:
    """Whether it was written."""
    try:
        _tell(f"The record: {run.record()}")
    except NotWritten as why:
        _tell(str(why))
        return False
    return True


def _clean(account: Account, lists: Path, run: str) -> int:
    left = list(clean(account, program.existing_run(lists, run).things()))
    for one in left:
        _tell(f"Still there: {one.thing.kind} {one.thing.name}: {one.why}")
    _tell(f"live: run {run} is clean" if not left else f"live: {len(left)} things of run {run} are still there")
    return OTHERWISE if left else 0


def _account(given: argparse.Namespace, afterwards: ExitStack) -> Account:
    if given.settings is not None:
        return LocalAccount(Settings.read(given.settings))
    if given.local:
        aws = afterwards.enter_context(LocalAws.shared("live", prepare=nothing))
        return LocalAccount(aws.settings)
    session = boto3.Session()
    if session.region_name is None:
        raise ValueError("no Region: set AWS_REGION, or a Region in your profile")
    return RealAccount.of(session)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tell(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a program's output


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.live", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--acts", default="", help="names of acts, separated by commas (default: all that fit)")
    parser.add_argument("--all", action="store_true", help="also the acts that starve other importers of the account")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--local", action="store_true", help="use a local AWS")
    parser.add_argument("--short", action="store_true", help="only the acts of the short form")
    parser.add_argument("--region2", help="a second Region, for replicas")
    parser.add_argument("--profile2", help="a profile of a second account, for secrets of another account")
    parser.add_argument("--clean", metavar="RUN", help="delete what this run left")
    parser.add_argument("--records", type=Path, default=Path.cwd(), help="where the record goes (default: here)")
    parser.add_argument("--lists", type=Path, default=FOLDER, help="where the lists of runs are")
    parser.add_argument("--settings", type=Path, help="the folder of a local AWS that runs already")
    return parser


if __name__ == "__main__":
    sys.exit(main())
