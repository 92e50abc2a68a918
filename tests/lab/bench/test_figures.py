"""`make bench` compares only what is comparable, prints the figures of its page, and fails over a limit."""

import importlib
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from imported_key_material.aws import boto_session, clients
from imported_key_material.aws.clients import Clients
from lab.application import Application
from lab.bench import __main__ as program
from lab.bench import figures
from lab.bench.figures import COLD_START, FIGURES, Comparison, Measured, put_between_marks, table
from lab.bench.recording import Exchange, Recording, recordings
from lab.bench.replay import OtherCalls, Replay
from lab.hostile.running import EXACT, LOG_MOST_CHARACTERS
from lab.wire.transport import Request, Response

PAGE = Path(__file__).resolve().parents[3] / "docs" / "internals" / "benchmarks.md"


# ------------------------------------------------------------------------------------------------------------- the page


def rows(text):
    """The cells of a table's rows, without its head."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ][2:]


def shown():
    (found,) = re.findall(f"{figures.BEGIN}\n(.*?){figures.END}", PAGE.read_text(), re.DOTALL)
    return rows(found)


def test_the_page_s_table_has_the_rows_and_the_limits_that_are_printed():
    printed = rows(table([Measured(figure, 1.0, "") for figure in FIGURES]))

    assert len(printed) == len(FIGURES)
    assert [(name, limit) for name, _, limit, _ in shown()] == [(name, limit) for name, _, limit, _ in printed]


def test_what_the_page_shows_is_within_the_limits():
    over = [name for name, measured, limit, _ in shown() if float(measured.split()[0]) > float(limit.split()[0])]

    assert over == []


def test_the_table_goes_between_the_marks_and_the_rest_of_the_page_stays():
    page = f"before\n{figures.BEGIN}\nold\n{figures.END}\nafter\n"

    assert put_between_marks(page, "| new |") == f"before\n{figures.BEGIN}\n\n| new |\n\n{figures.END}\nafter\n"
    assert put_between_marks(put_between_marks(page, "| other |"), "| new |") == put_between_marks(page, "| new |")


@pytest.mark.parametrize("page", ["none", f"{figures.BEGIN}\n{figures.END}\n{figures.BEGIN}\n{figures.END}\n"])
def test_a_page_with_no_pair_of_marks_or_two_is_not_written(page):
    with pytest.raises(
        ValueError, match=r"^The page has not exactly one <!-- bench --> with one <!-- /bench --> after it\.$"
    ):
        put_between_marks(page, "new")


# --------------------------------------------------------------------------------------------------------- the figures


def test_a_ratio_is_that_of_the_medians_and_its_spread_that_of_the_pairs():
    measured = Measured.ratio(COLD_START, Comparison(((0.2, 0.2), (0.22, 0.2), (0.24, 0.2), (0.26, 0.2), (9.0, 0.2))))

    assert measured.text == "1.20 x"
    assert measured.behind == (
        "240.0 ms, to 200.0 ms of a function that only builds the same clients and makes the same calls; "
        "half of 5 ratios lie between 1.10 and 1.30"
    )


@pytest.mark.parametrize(
    ("value", "exit_code", "said"),
    [(1.204, 0, ""), (1.206, 1, "cold start: 1.21 x, and the limit is 1.20 x\n")],
)
def test_a_figure_over_its_limit_is_reported_and_fails(monkeypatch, capsys, tmp_path, value, exit_code, said):
    page = tmp_path / "page.md"
    page.write_text(f"{figures.BEGIN}\n{figures.END}")
    monkeypatch.setattr(program, "_layers", lambda _build: [])
    monkeypatch.setattr(program, "_inputs", list)
    monkeypatch.setattr(program, "_times", lambda *_: [Measured(COLD_START, value, "behind")])

    assert program.main([str(tmp_path), "--write", str(page)]) == exit_code

    printed = capsys.readouterr()
    assert printed.err == said
    assert f"| cold start | {value:.2f} x | 1.20 x | behind |" in printed.out
    assert page.read_text() == f"{figures.BEGIN}\n\n{printed.out}\n{figures.END}"


# ------------------------------------------------------------------------------------------------------ what is compared


class Session:
    """Records the clients that a program makes."""

    def client(self, service, config):
        return service, config._user_provided_options


def test_the_plain_function_builds_the_same_clients(monkeypatch):
    """With the same timeouts and retries: otherwise the comparison would be unfair."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    plain = importlib.import_module("lab.bench.functions.plain")  # builds its own when it is imported
    ours = clients.make(Session())

    made = {one.name: getattr(ours, one.name) for one in fields(Clients)}
    later = made.pop("functions")
    assert plain.make(Session()) == made
    assert isinstance(later, clients.WhenNeeded), "A client that is made with its first call is made in no cold start."


def test_the_plain_on_failure_function_builds_the_one_client_that_the_on_failure_function_builds(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    plain = importlib.import_module("lab.bench.functions.plain")

    config = boto_session.config("cloudformation")
    ours = Session().client("cloudformation", config)  # as on_failure_app.py makes it
    assert plain.make(Session(), ["cloudformation"]) == {"cloudformation": ours}


def test_what_is_recorded_of_the_on_failure_function_is_an_answer():
    """If CloudFormation did not wait, the function would send no answer, and the comparison would be unfair."""
    given_up = recordings().given_up

    assert json.loads(given_up.answer)["Status"] == "FAILED"
    assert [call.method for call in given_up.calls] == ["describe_stacks", "describe_stack_resource"]


@pytest.mark.parametrize(
    ("figure", "function"), [(figures.MEMORY, "Function"), (figures.MEMORY_ON_FAILURE, "OnFailureFunction")]
)
def test_a_function_has_twice_the_memory_that_its_peak_may_take(figure, function):
    assert Application().properties(function)["MemorySize"] == 2 * figure.most


def test_the_calls_of_a_request_are_reported_by_name():
    measured = Measured.calls(figures.CALLS[0], ["describe_key", "describe_stacks", "describe_key", "describe_key"])

    assert measured.text == "4 calls"
    assert measured.behind == "3 describe_key, describe_stacks"


def test_an_input_may_cost_what_the_tests_call_exact():
    limits = (figures.HOSTILE_TIME.most, figures.HOSTILE_MEMORY.most, figures.HOSTILE_LOG.most)

    assert limits == (EXACT.seconds, EXACT.megabytes, LOG_MOST_CHARACTERS)


@pytest.mark.parametrize("figure", figures.CALLS, ids=lambda figure: figure.name)
def test_one_call_more_than_today_is_over_the_limit(figure):
    most = int(figure.most)

    assert Measured.calls(figure, ["describe_key"] * most).holds
    assert not Measured.calls(figure, ["describe_key"] * (most + 1)).holds


ANSWER = Response(200, {}, b"{}")
RECORDING = Recording(
    event={},
    calls=(),
    exchanges=(Exchange("TrentService.DescribeKey", ANSWER), Exchange("DescribeStacks", ANSWER)),
    answer=b"",
)
DESCRIBE_KEY = Request("POST", "/", {"x-amz-target": "TrentService.DescribeKey"}, b"{}")
DESCRIBE_STACKS = Request("POST", "/", {}, b"Action=DescribeStacks&StackName=orders")


@pytest.fixture
def replay(certificate):
    started = Replay(certificate.chain)
    started.begin(RECORDING)
    yield started
    started.end()


def test_the_recorded_calls_in_their_order_are_answered(replay):
    assert [replay.answer(DESCRIBE_KEY), replay.answer(DESCRIBE_STACKS)] == [ANSWER, ANSWER]
    replay.finish()


def test_a_function_that_makes_fewer_calls_is_not_compared(replay):
    replay.answer(DESCRIBE_KEY)

    with pytest.raises(
        OtherCalls, match=r"^Called but not recorded: nothing\. Recorded but not called: DescribeStacks\.$"
    ):
        replay.finish()


def test_a_function_that_makes_them_in_another_order_is_not_compared(replay):
    assert replay.answer(DESCRIBE_STACKS).status == 400
    replay.answer(DESCRIBE_KEY)

    with pytest.raises(
        OtherCalls, match=r"^Called but not recorded: DescribeStacks\. Recorded but not called: DescribeStacks\.$"
    ):
        replay.finish()


def test_a_function_that_makes_one_call_more_is_not_compared(replay):
    replay.answer(DESCRIBE_KEY)
    replay.answer(DESCRIBE_STACKS)
    replay.answer(DESCRIBE_STACKS)

    with pytest.raises(
        OtherCalls, match=r"^Called but not recorded: DescribeStacks\. Recorded but not called: nothing\.$"
    ):
        replay.finish()
