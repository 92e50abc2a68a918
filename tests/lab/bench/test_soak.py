"""What `make soak` concludes from its samples. test_soak_run.py shows that it sees leaks in a real process."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace

import pytest

from lab.bench import soak as program
from lab.bench.soak import Soak, slope
from lab.bench.traffic import ROUND

ROUNDS, WARM_UP = 20, 5
STEADY = Soak(
    warm_up_rounds=WARM_UP,
    megabytes=(*(60.0,) * (WARM_UP - 1), *(70.0,) * (ROUNDS - WARM_UP + 1)),
    seconds=((0.02,) * len(ROUND),) * ROUNDS,
    opened=(Counter({"socket": 4, "pipe": 1}), Counter({"socket": 4, "pipe": 1})),
    objects=(90_000, 90_000),
    peak_megabytes=71.0,
)


def rising(to, *, first=70.0):
    after = ROUNDS - WARM_UP
    rise = tuple(first + (to - first) * number / after for number in range(after + 1))
    return (*(60.0,) * (WARM_UP - 1), *rise)


def test_a_steady_process_has_no_fault():
    """Growth during the warm-up is no fault."""
    assert STEADY.faults == []
    assert STEADY.line() == (
        "soak: 400 requests in one process; memory 70.0 to 70.0 MB, +0.0% by slope (limit 5%), 71 MB at peak; "
        "0 files or sockets left open; +0.00 objects a request (limit 0.1); "
        "the last hundred's latency 1.00 x the first's (limit 1.25)"
    )


def test_memory_may_grow_by_one_part_in_twenty():
    assert replace(STEADY, megabytes=rising(73.4)).faults == []
    assert replace(STEADY, megabytes=rising(73.6)).faults == ["memory grew by more than 5%"]


def test_one_jump_of_memory_in_between_is_no_slope():
    """One sample was taken while much was in use. Only memory that stays in use is a slope."""
    jumped = list(STEADY.megabytes)
    jumped[10] = 140.0

    assert replace(STEADY, megabytes=tuple(jumped)).growth == 0
    assert slope([1, 2, 3, 4, 5]) == 1


@pytest.mark.parametrize("left", ["socket", "/var/task/schema.json"])
def test_what_was_not_open_after_the_warm_up_is_left_open(left):
    seen = replace(STEADY, opened=(STEADY.opened[0], STEADY.opened[0] + Counter([left])))

    assert seen.faults == [f"left open: {{'{left}': 1}}"]


def test_a_file_that_is_left_open_is_not_made_up_for_by_a_socket_that_was_closed():
    seen = replace(STEADY, opened=(Counter({"socket": 4}), Counter({"socket": 3, "/etc/hosts": 1})))

    assert seen.faults == ["left open: {'/etc/hosts': 1}"]


def test_objects_are_counted_by_the_request():
    assert replace(STEADY, objects=(90_000, 90_030)).faults == []
    assert replace(STEADY, objects=(90_000, 90_031)).faults == ["more than 0.1 objects a request are kept"]


def test_latency_is_compared_step_by_step_and_a_cold_start_is_one_of_a_hundred():
    usual = (0.2, *(0.02,) * (len(ROUND) - 1))
    cold = (2.0, *usual[1:])
    slow = (0.2, *(0.04,) * (len(ROUND) - 1))

    assert replace(STEADY, seconds=(cold, *(usual,) * (ROUNDS - 1))).slower == 1
    assert replace(STEADY, seconds=(*(usual,) * 15, *(slow,) * 5)).faults == [
        "the last hundred took more than 1.25 x the first"
    ]


@pytest.mark.parametrize(
    ("seen", "exit_code", "said"),
    [(STEADY, 0, ""), (replace(STEADY, megabytes=rising(80)), 1, "memory grew by more than 5%\n")],
    ids=["steady", "growing"],
)
def test_the_line_comes_last_and_a_fault_fails(monkeypatch, capsys, tmp_path, seen, exit_code, said):
    monkeypatch.setattr(program, "stage", nullcontext)
    monkeypatch.setattr(program, "soak", lambda _ready, _requests: seen)

    assert program.main([str(tmp_path)]) == exit_code

    printed = capsys.readouterr()
    assert printed.out == f"{seen.line()}\n"
    assert printed.err == said
