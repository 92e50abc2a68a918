"""Histories: the real function in a world that fails in every known way of AWS (docs/internals/simulation.md).

Each commit has other seeds, so that CI always plays new histories. The tests' names show the seeds.
"""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from lab.simulation import many, story
from lab.simulation.__main__ import main
from lab.simulation.drawing import draw
from lab.simulation.history import play
from lab.simulation.mutations import MUTATIONS, seed_that_finds

HISTORIES, CHUNKS = 400, 8
GATE_HISTORIES = 2000  # `make prove` plays them, from the same seed
EACH = HISTORIES // CHUNKS
ROOT = Path(__file__).parents[3]


@cache
def first_seed() -> int:
    """From the commit's hash; 0 if there is no commit."""
    git = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607  # git, wherever it is
    return int(git.stdout[:8], 16) if git.returncode == 0 else 0


@pytest.mark.slow
@pytest.mark.parametrize("first", [first_seed() + GATE_HISTORIES + EACH * chunk for chunk in range(CHUNKS)])
def test_no_history_breaks_an_invariant(first):
    """EACH histories from the seed that is the test's name; one in fifty is played twice, and must end alike."""
    total = many.sum_of(many.verdict(seed) for seed in range(first, first + EACH))

    assert total.bad is None, "\n".join(story.shortest_story(play(draw(total.bad.seed))))
    assert str(total) == f"{EACH} histories, {total.requests} requests, {total.faults} faults, 0 violations"
    assert total.requests > 4 * EACH
    assert total.faults > 4 * EACH


def test_a_seed_plays_the_same_history_in_every_process():
    program = (
        "from lab.simulation.drawing import draw\n"
        "from lab.simulation.history import play\n"
        "for seed in (8, 21, 44): print(play(draw(seed)).digest)"
    )
    ends = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'handler'}{os.pathsep}{ROOT}", "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }

    assert len(ends) == 1
    assert len(ends.pop().splitlines()) == 3


def test_the_command_ends_with_the_sum(capsys):
    assert main(["--seeds", "12", "--first", "3", "--processes", "1"]) == 0

    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"12 histories, \d+ requests, \d+ faults, 0 violations", last)


def test_the_command_shows_every_event_of_one_seed(capsys):
    assert main(["--seed", "8"]) == 0

    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("faults on: ")
    assert any(re.fullmatch(r" +t=\d+\.\ds  lambda  #\d+ \w+ \w+: DescribeKey", line) for line in told)
    assert re.fullmatch(r"1 histories, \d+ requests, \d+ faults, 0 violations", told[-1])


def test_a_broken_rule_is_reported_by_its_shortest_story(capsys):
    """With a planted bug: the rule, the command, the faults, the events up to the broken rule, and how many are left."""
    bug = MUTATIONS["ARN for an adopted key"]
    seed = seed_that_finds(bug)
    with bug.plant():
        assert main(["--seed", str(seed)]) == 1

    told = capsys.readouterr().out.splitlines()
    begin = next(number for number, line in enumerate(told) if line.startswith("rule 1 broken: "))
    rule, command, faults, *events, end = told[begin:]
    assert re.fullmatch(
        r"rule 1 broken: #\d+ Delete \w+ removes material of key [A-C] that was there before its stack", rule
    )
    assert command == f"repeat: make simulate SEED={seed}"
    assert faults.startswith("faults on: none   off: ")
    assert re.fullmatch(r"> t=\d+\.\ds  lambda  #\d+ Delete \w+: DeleteImportedKeyMaterial", events[-1])
    assert all(line.startswith("  t=") for line in events[:-1])
    assert re.fullmatch(rf"{len(events)} of \d+ events left; run twice, same end", end)


def test_what_differs_between_two_runs_is_no_success(monkeypatch, capsys):
    monkeypatch.setattr(many, "on_all_cores", lambda *_: iter([many.Verdict(5, 1, 0, differs=True)]))

    assert main(["--seeds", "1"]) == 3
    assert capsys.readouterr().out == "seed 5: two runs differ\nrepeat: make simulate SEED=5\n"


def test_a_defect_of_the_simulation_is_not_confused_with_a_broken_rule(monkeypatch, capsys):
    def defect(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr(many, "on_all_cores", defect)

    assert main(["--seeds", "1"]) == 4
    assert "KeyError" in capsys.readouterr().err
