"""Crowds that wait for KMS's quota, small enough for seconds; `make quota` plays large ones (docs/internals/scale.md)."""

import itertools
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from imported_key_material.material import material_check
from imported_key_material.material.key_specs import key_spec
from lab.clock import VirtualClock
from lab.keys.random_keys import random_key
from lab.quota import comparison, page, standing, svg
from lab.quota.__main__ import main
from lab.quota.crowd import Crowd
from lab.quota.edges import ACCOUNT, REGION
from lab.quota.outcome import Outcome, told
from lab.quota.plaintext import Plaintext
from lab.quota.stacks import Answered
from lab.quota.ways import HANDED_OVER, ONE_INVOCATION, SDK
from lab.quota.world import World, play
from lab.wire.faults import Moment

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
QUICK = Crowd(60, 1.0, 1)
SLOW = Crowd(15, 0.01, 1)  # few, and for so long that they outlast an invocation: a floor of 1,500 seconds


@cache
def played(crowd, way=HANDED_OVER):
    return play(crowd, way)


# ----------------------------------------------------------------------------------------------------- getting through


@pytest.mark.parametrize(
    "crowd",
    [QUICK, replace(QUICK, seed=2), Crowd(40, 0.25, 3), SLOW],
    ids=["one a second", "another seed", "one in four seconds", "one in a hundred seconds"],
)
def test_all_get_through_in_little_more_time_than_the_quota_takes(crowd):
    """What is lost are moments at the end, when few are left and each asks once in half a minute."""
    outcome = played(crowd)

    assert outcome.verdict == f"{crowd.resources}/{crowd.resources} done, 0 failed, {outcome.times_floor:.2f} x floor"
    assert (crowd.resources - 1) / crowd.rate < outcome.last_seconds < crowd.floor_seconds + 80


def test_two_stacks_share_the_quota_fairly():
    outcome = played(replace(QUICK, resources=160, stacks=2))

    assert [len(times) for times in outcome.done_at.values()] == [80, 80]
    assert 1.0 <= outcome.unfairness < 1.15


def test_who_waits_longer_than_an_invocation_lasts_is_handed_over():
    outcome = played(SLOW)

    assert outcome.handed_over == outcome.invocations - SLOW.resources > 5
    assert outcome.waited(100) > 900
    assert 1 <= outcome.hops_most <= 2


def test_without_handing_over_only_those_get_through_who_are_first():
    outcome = played(SLOW, ONE_INVOCATION)

    assert (outcome.done, outcome.handed_over, outcome.unanswered) == (9, 0, 0)  # one in a hundred of 827 seconds
    assert outcome.last_seconds < 900


def test_the_sdks_retries_are_over_within_seconds():
    outcome = played(SLOW, SDK)

    assert (outcome.done, outcome.calls["GetParametersForImport"]) == (1, 1 + 14 * 3)
    assert outcome.waited(100) < 10


def test_when_the_quota_can_not_let_all_through_in_time_each_answer_names_it():
    outcome = played(Crowd(12, 0.002, 1))

    assert outcome.done == 8  # one in 500 of 3,540 seconds
    assert outcome.unanswered == 0
    assert 3530 < outcome.waited(100) < 3560
    told_asked = re.sub(r"asked \d+ times in \d+ seconds", "asked n times in n seconds", outcome.reason)
    assert told_asked == (
        "KeyId: kms:GetParametersForImport was throttled (ThrottlingException) until no time was left: the last "
        "invocation of a request that is 3540 seconds old asked n times in n seconds. KMS's quota for it, "
        "GetParametersForImport request rate (one request a second for the account and Region, formerly one in four "
        "seconds), is shared by all who import. Ask for more (aws service-quotas list-service-quotas --service-code kms "
        "--query \"Quotas[?QuotaName=='GetParametersForImport request rate']\" shows its value and its code, which aws "
        "service-quotas request-service-quota-increase takes), or deploy fewer resources at once (chain them with DependsOn). "
        "Nothing was imported."
    )


def test_in_lanes_no_more_wait_than_there_are_lanes():
    outcome = played(replace(QUICK, lanes=4))

    assert (outcome.done, outcome.at_once_most) == (60, 4)
    assert outcome.lambda_seconds < played(QUICK).lambda_seconds / 2


def test_what_finds_no_invocation_waits_in_lambdas_queue_and_gets_through():
    outcome = played(replace(QUICK, concurrency=10))

    assert (outcome.done, outcome.at_once_most) == (60, 10)
    assert outcome.put_back > 50


# ----------------------------------------------------------------------------------------------- the world is no kinder


def test_kms_lets_no_more_through_than_its_quota():
    world = World(QUICK, HANDED_OVER)
    world.run()

    times = world.kms.granted_at
    assert len(times) == QUICK.resources
    for first, last in itertools.combinations(range(len(times)), 2):
        # A bucket of one: whoever finds it full, and then waits for one more, sees two within one interval.
        assert last - first <= (times[last] - times[first]).total_seconds() * QUICK.rate + 1e-3
    assert world.kms.made["GetParametersForImport"] == QUICK.resources + world.kms.throttled["GetParametersForImport"]


def test_every_key_holds_its_material_in_the_end():
    world = World(replace(QUICK, resources=5), HANDED_OVER)
    world.run()

    states = [
        world.kms.kms.call("DescribeKey", {"KeyId": one["KeyId"]}, region="eu-central-1", account="111122223333")
        for template in world._templates
        for one in template.values()
    ]
    assert [one["KeyMetadata"]["KeyState"] for one in states] == ["Enabled"] * 5


def test_a_seed_ends_alike_in_every_process():
    crowd = Crowd(30, 0.5, 7)
    command = [sys.executable, "-m", "lab.quota", "--resources", "30", "--rate", "0.5", "--seed", "7"]
    lines = [standing.told(standing.play(*each)) for each in standing.plays(crowd)] + list(told(played(crowd)))
    ends = {
        subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'handler'}{os.pathsep}{ROOT}", "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    } | {"".join(f"{line}\n" for line in lines)}

    assert len(ends) == 1
    assert ends.pop().splitlines()[-1].startswith("30/30 done, 0 failed, 1.")


# --------------------------------------------------------------------------------- what waits for CloudFormation's reads


@pytest.mark.parametrize(("kind", "resources"), [(standing.NoOpUpdates, 60), (standing.CleanUps, 30)])
def test_what_needs_no_quota_of_kms_is_answered_though_cloudformation_s_reads_are_scarce(kind, resources):
    reads = standing.play(kind, resources, 1)

    assert (reads.done, reads.reason, reads.imports) == (resources, "", 0)
    assert reads.throttled > 2 * resources  # else nothing is scarce
    assert reads.reads_each * resources / 10 - 1 <= reads.last_seconds < 120


def test_a_clean_up_takes_the_material_of_the_old_keys():
    world = standing.CleanUps(5, 1)
    world.run()

    keys = [template["KeyId"] for template in world._templates[0].values()]
    states = [world.kms.kms.call("DescribeKey", {"KeyId": arn}, region=REGION, account=ACCOUNT) for arn in keys]
    assert [one["KeyMetadata"]["KeyState"] for one in states] == ["PendingImport"] * 5


def test_cloudformation_answers_ten_reads_a_second_and_no_more():
    world = standing.NoOpUpdates(40, 1)
    answered = []

    def count(call, moment):
        if moment is Moment.AFTER and call.service == "cloudformation":
            answered.append(world.scheduler.now())

    world.aws.hooks.append(count)
    world.run()

    assert len(answered) == sum(call.service == "cloudformation" for call in world.aws.calls) - world.busy.throttled
    for first, last in itertools.combinations(range(len(answered)), 2):
        # The bucket holds a second's worth; what is answered is told up to a tenth of a second later.
        assert last - first < 10 + 10 * ((answered[last] - answered[first]).total_seconds() + 0.2)


# -------------------------------------------------------------------------------------------------- the plaintext's life


class Probe:
    """`plaintext` of one invocation, number 1, on a clock of its own."""

    def __init__(self):
        self.clock = VirtualClock()
        self.plaintext = Plaintext(self.clock, lambda: 1)

    def material(self):
        return material_check.check(random_key(32), key_spec("SYMMETRIC_DEFAULT", partition="aws"))


@pytest.fixture
def probe():
    probe = Probe()
    with probe.plaintext.watching():
        yield probe


def test_plaintext_is_held_from_the_service_s_answer_to_the_wipe(probe):
    probe.plaintext.secret_read("r", "s", "v")
    probe.clock.advance(2)
    made = probe.material()
    probe.clock.advance(5)
    made.wipe()
    probe.clock.advance(100)
    made.wipe()
    probe.plaintext.ended(1)

    assert (probe.plaintext.longest_seconds, probe.plaintext.reads_most) == (7, 1)


def test_each_of_several_materials_is_held_for_its_own_time(probe):
    probe.plaintext.secret_read("r", "s", "v1")
    first = probe.material()
    probe.clock.advance(3)
    probe.plaintext.secret_read("r", "s", "v2")
    second = probe.material()
    first.wipe()
    probe.clock.advance(4)
    second.wipe()

    assert (probe.plaintext.longest_seconds, probe.plaintext.reads_most) == (4, 1)


def test_what_is_not_wiped_is_held_to_the_end_of_the_invocation(probe):
    probe.plaintext.secret_read("r", "s", "v")
    kept = probe.material()
    probe.clock.advance(600)
    probe.plaintext.ended(2)
    assert probe.plaintext.longest_seconds == 0
    probe.plaintext.ended(1)

    assert probe.plaintext.longest_seconds == 600
    assert kept.encoded


def test_a_value_that_no_material_was_made_of_is_held_to_the_end_of_the_invocation(probe):
    probe.plaintext.answered()
    probe.clock.advance(60)
    probe.plaintext.ended(1)

    assert probe.plaintext.longest_seconds == 60


def test_reads_are_counted_by_request_and_version_in_whatever_invocation(probe):
    for request, version in (("r1", "v1"), ("r1", "v1"), ("r1", "v2"), ("r2", "v1")):
        probe.plaintext.secret_read(request, "s", version)

    assert probe.plaintext.reads_most == 2


def test_in_a_crowd_each_read_of_a_secret_is_seen():
    outcome = played(QUICK)

    assert outcome.secret_reads_most >= 1
    assert 0 < outcome.plaintext_seconds < outcome.waited(100)


# ------------------------------------------------------------------------------------------------------------ the words


def outcome_of(**changes):
    crowd = Crowd(4, 0.5, 9, stacks=2)
    figures = {
        "crowd": crowd,
        "way": "this function",
        "done_at": {1: (2.0, 8.0), 2: (10.0,)},
        "waits": (1.0, 7.0, 9.0, 3600.0),
        "reason": "no answer in time",
        "unanswered": 1,
        "calls": {"GetParametersForImport": 6, "DescribeKey": 1200},
        "throttled": {"GetParametersForImport": 3, "CloudFormation": 2},
        "invocations": 5,
        "handed_over": 1,
        "hops_most": 1,
        "at_once_most": 4,
        "cold_starts": 4,
        "put_back": 0,
        "lambda_seconds": 1000.0,
        "secret_reads_most": 2,
        "plaintext_seconds": 1.25,
    }
    return Outcome(**figures | changes)


def test_a_run_is_told_in_lines_that_end_with_the_verdict():
    assert list(told(outcome_of())) == [
        "seed 9: 4 resources in 2 stacks, 0.5 requests a second; this function",
        "waited: median 7 s, 90 % 3,600 s, 99 % 3,600 s, longest 3,600 s",
        "GetParametersForImport: 6 made, 3 throttled, 1.5 for each resource",
        "other calls: DescribeKey 1,200",
        "CloudFormation's reads: 2 throttled",
        "Lambda: 5 invocations, 1 handed over (at most 1 for one resource), 4 at once, 4 cold starts, "
        "0 put back into the queue",
        "Lambda seconds: 1,000, 250 for each resource; 500 GB-seconds",
        "plaintext: held for 1.2 s at most; each version of a secret read 2 times at most for a request",
        "stacks: 1: 2 done, last at 8 s, 2: 1 done, last at 10 s; 1.25 x",
        "failed: 1 without an answer; the first one: no answer in time",
        "floor: 8 s; last done at 10 s",
        "3/4 done, 1 failed, 1.25 x floor",
    ]


def test_percentiles_are_the_nearest_rank():
    outcome = outcome_of(waits=tuple(float(number) for number in range(1, 201)))

    assert [outcome.waited(percent) for percent in (50, 90, 99, 100)] == [100, 180, 198, 200]


def test_the_command_fails_where_some_do(capsys):
    assert main(["--resources", "3", "--rate", "0.0005"]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("3 no-op Updates at once: 3 answered, the last after ")
    assert lines[1].startswith("2 clean-up Deletes at once: 2 answered, the last after ")
    assert lines[-1] == "2/3 done, 1 failed, 0.33 x floor"


def reads_of(**changes):
    figures = {
        "what": "no-op Updates",
        "seed": 1,
        "resources": 4,
        "done": 3,
        "last_seconds": 1234.5,
        "waits": (1.0, 2.0, 3.0, 1234.0),
        "reads": 1070,
        "throttled": 1000,
        "imports": 0,
        "reason": "no answer in time",
    }
    return standing.Reads(**figures | changes)


def test_what_needs_no_quota_is_told_in_a_line():
    assert standing.told(reads_of()) == (
        "4 no-op Updates at once: 3 answered, the last after 1,234 s; CloudFormation's reads: 17.5 for each, and 1,000 "
        "throttled; imports: 0; 1 failed, the first one: no answer in time"
    )
    assert standing.told(reads_of(done=4, reason="")).endswith("; imports: 0")


def test_the_command_fails_where_what_needs_no_quota_does(capsys, monkeypatch):
    monkeypatch.setattr(standing, "play", lambda *_: reads_of())

    assert main(["--resources", "2", "--rate", "1"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("2/2 done, 0 failed, ")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--stacks", "0"], "500 resources can't be shared out among 0 stacks"),
        (["--rate", "0"], "KMS must let some through, and the rate is 0.0"),
        (["--lanes", "-1"], "-1 lanes, or 1000 invocations at once, can't be"),
    ],
)
def test_the_command_refuses_what_can_not_be(options, sentence, capsys):
    with pytest.raises(SystemExit) as end:
        main(options)

    assert end.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"python -m lab.quota: error: {sentence}"


# ------------------------------------------------------------------------------------------------------------- the page


def test_the_comparison_writes_tables_and_plots(tmp_path):
    (tmp_path / "scale.md").write_text(
        "before\n<!-- quota: ways -->\nold\n<!-- /quota: ways -->\nbetween\n"
        "<!-- quota: growth -->\n<!-- /quota: growth -->\n<!-- quota: standing -->\n<!-- /quota: standing -->\nafter\n"
    )
    compared = comparison.compare(Crowd(12, 0.5, 1), crowds=(4, 8), processes=1)

    page.write(tmp_path, compared)

    text = (tmp_path / "scale.md").read_text()
    assert "old" not in text
    assert [line for line in text.splitlines() if line.startswith(("before", "between", "after"))] == [
        "before",
        "between",
        "after",
    ]
    assert "| 12 resources, 0.5/s | this function | a loop in one invocation | the SDK's retries |" in text
    assert "| done | 12 of 12 | 12 of 12 |" in text
    assert [line.split("|")[2].strip() for line in text.splitlines() if line.startswith(("| 0.25/s", "| 1/s"))] == [
        *("4", "8"),
        *("4", "8"),
    ]
    assert "| 12 no-op Updates | 12 |" in text
    assert "| 6 clean-up Deletes | 6 |" in text
    for name in ("scale-time.svg", "scale-growth.svg"):
        ET.fromstring((tmp_path / name).read_text())  # noqa: S314  # made a moment ago, by us


def test_a_page_without_its_marks_is_refused():
    with pytest.raises(ValueError, match=re.escape("The page needs the marks <!-- quota: ways -->")):
        page.put("nothing", "ways", "")


def test_the_page_holds_what_is_measured_today():
    """Where the function waits in another way, `make quota COMPARE=1` writes the page anew."""
    lines = (ROOT / "docs" / "internals" / "scale.md").read_text().splitlines()
    (row,) = [line.split("|") for line in lines if line.startswith("| 1/s | 50 |")]
    outcome = played(Crowd(50, 1.0, 1))

    assert float(row[5]) == pytest.approx(outcome.times_floor, abs=0.1)
    assert float(row[8]) == pytest.approx(outcome.calls["GetParametersForImport"] / 50, rel=0.2)
    assert "| done | 500 of 500 |" in "\n".join(lines)
    assert any(line.startswith("| 500 no-op Updates | 500 |") for line in lines)
    assert any(line.startswith("| 250 clean-up Deletes | 250 |") for line in lines)
    assert all((ROOT / "docs" / "internals" / name).is_file() for name in (page.TIME_PLOT, page.GROWTH_PLOT))


def test_a_plot_is_readable_on_light_and_on_dark_pages():
    drawn = svg.plot(
        [svg.Panel("a < b", "seconds", [svg.Line("one", [(0, 0), (7, 30)], 0, dots=True)])], "what it shows"
    )

    shapes = ET.fromstring(drawn)  # noqa: S314  # made a moment ago, by us
    texts = [one.text for one in shapes.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["a < b", "0", "10", "20", "30", "0", "2", "4", "6", "8", "seconds", "one"]
    assert "@media (prefers-color-scheme: dark)" in drawn
    # The frame ends at 8 and 30: the line's last point is seven eighths to the right, at the very top.
    assert 'd="M64.0 314.0L620.5 36.0"' in drawn


@pytest.mark.parametrize(
    ("most", "expected"),
    [(1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (2077, [0, 500, 1000, 1500, 2000, 2500]), (67, [0, 20, 40, 60, 80])],
)
def test_an_axis_has_round_numbers(most, expected):
    assert svg.ticks(most) == pytest.approx(expected)


def test_a_wait_is_counted_from_the_request_to_its_answer():
    world = World(replace(QUICK, resources=1), HANDED_OVER)
    world.run()

    (answered,) = world.answered
    assert isinstance(answered, Answered)
    assert 0.5 < answered.waited_seconds < 6
