"""The command and the program: the question first, one act's failure stops no other, and whatever happens is cleaned up."""

import io
import json
import re

import pytest
from botocore.exceptions import ClientError

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_key
from lab.live import __main__ as command
from lab.live import assumptions, program, record
from lab.live.act import Act, Needs
from lab.live.acts import ACTS
from lab.live.made import Made, clean
from lab.live.probe import DidNotCome
from lab.live.program import Options, Run
from lab.live.questions import stand_ins
from lab.live.run_list import RunList
from lab.live.verdicts import Verdict, judged, not_seen
from lab.wire.faults import Moment
from lab.wire.transport import AwsError

IDS = list(assumptions.read())
NAMES = "ikm-live-[0-9a-f]{8}-"


def act(name, *settles, play, deadline_seconds=60, **more):
    return Act(name, f"What {name} shows", settles, makes="1 key", deadline_seconds=deadline_seconds, play=play, **more)


def as_assumed(id_):
    return lambda _stage: iter([judged(id_, "expected", "seen", holds=True)])


@pytest.fixture
def asked():
    with stand_ins.stand_ins() as found:
        yield found


@pytest.fixture
def aws(asked):
    return asked.made.account.aws


@pytest.fixture
def run(asked, tmp_path):
    """Plays acts in the program, without the command."""

    def make(*acts, **options):
        made = Made(asked.made.account, asked.made.run, RunList(tmp_path / asked.made.run))
        return Run(made.account, made, acts, Options(**options), io.StringIO(), tmp_path)

    return make


@pytest.fixture
def make_live(asked, tmp_path, monkeypatch, capsys):
    """`make live` with these acts: its exit code and what it printed. `says`: the answer, or the answers; None: nobody's."""

    def main(*acts, says="yes", arguments=()):
        answers = list(says) if isinstance(says, list) else None

        def answer(question):
            print(question)  # noqa: T201  # a terminal's echo
            if says is None:
                raise EOFError
            return answers.pop(0) if answers else says

        monkeypatch.setattr(command.signal, "signal", lambda *_: None)
        monkeypatch.setattr(command, "_account", lambda *_: asked.made.account)
        monkeypatch.setattr(command, "ACTS", acts)
        monkeypatch.setattr("builtins.input", answer)
        code = command.main(["--records", str(tmp_path), "--lists", str(tmp_path / "lists"), *arguments])
        return code, capsys.readouterr().out

    return main


def left(account):
    """Keys that are not going, secrets and the names of both."""
    kms = account.client("kms")
    keys = [kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"] for one in kms.list_keys()["Keys"]]
    return [key["Description"] for key in keys if "DeletionDate" not in key]


def secrets_of(aws):
    return aws._services["secrets-manager"].all()


# ------------------------------------------------------------------------------------------------------- the question


def makes_a_key(stage):
    stage.made.key("x")
    yield judged(IDS[0], "a", "b", holds=True)


@pytest.mark.parametrize("says", ["no", "", "y", "YES", None])
def test_the_plan_comes_first_and_any_answer_but_yes_makes_nothing(make_live, aws, says, tmp_path):
    code, said = make_live(act("first", IDS[0], play=makes_a_key, dollars=0.25), says=says)

    assert code == 3
    assert aws.calls == []
    assert list((tmp_path / "lists").glob("*/made.jsonl")) == []
    assert list(tmp_path.glob("live-record-*")) == []
    plan, _, rest = said.partition("Play it? Type yes: ")
    assert re.search(rf"account \d{{12}}, Region us-east-1, run .*\n.*called {NAMES}\.\.\.", plan)
    assert "  first: 1 key (60 s at most)\n" in plan
    assert "The acts take 60 s at most; deploying takes some 6 min before" in plan
    assert "All costs at most 0.25 US dollars.\n" in plan
    assert rest.strip() == "Nothing was made."


@pytest.mark.parametrize(("seconds", "told"), [(25, "25 s"), (119, "119 s"), (345, "5.8 min"), (1500, "25.0 min")])
def test_the_plan_tells_times_as_they_are(run, seconds, told):
    [line] = [one for one in run(act("first", IDS[0], play=None, deadline_seconds=seconds)).plan() if "first" in one]

    assert line == f"  first: 1 key ({told} at most)"


def test_the_plan_counts_only_what_is_played_and_says_what_is_not(run):
    plan = list(
        run(
            act("first", IDS[0], play=None),
            act("second", IDS[1], play=None, needs=Needs.OTHER_REGION),
            act("third", IDS[2], play=None, not_local="it has one Region."),
        ).plan()
    )

    assert "It does not play second. No second Region was named (REGION2=...)." in plan
    assert "It does not play third. The local AWS can't show it: it has one Region." in plan
    assert plan[-1].startswith("The acts take 60 s at most;")


@pytest.mark.parametrize(("says", "code", "played"), [(["yes", "yes"], 0, True), (["yes", "no"], 3, False)])
def test_acts_that_starve_others_are_asked_for_by_themselves(make_live, aws, says, code, played):
    starves = act("first", IDS[0], play=makes_a_key, needs=Needs.ALL)

    ended, said = make_live(starves, says=says, arguments=["--all"])

    assert ended == code
    assert re.search(
        r"These acts use up KMS's quota of GetParametersForImport: first\. Nobody else in account \d{12} can import key "
        r"material in us-east-1 then, for 60 s at most\.\nPlay these, too\? Type yes: ",
        said,
    )
    assert bool(aws.calls) is played


def test_without_them_nothing_more_is_asked(make_live):
    _, said = make_live(act("first", IDS[0], play=makes_a_key))

    assert said.count("Type yes: ") == 1


def test_yes_plays_cleans_up_writes_the_record_and_ends_with_the_counts(make_live, asked, tmp_path):
    code, said = make_live(
        act("first", IDS[0], play=makes_a_key),
        act("second", IDS[1], play=lambda _: iter([not_seen(IDS[1], "no time")])),
    )

    assert code == 0
    assert said.splitlines()[-1] == "live: 1 as assumed, 0 otherwise, 1 not seen here"
    assert left(asked.made.account) == []
    (path,) = tmp_path.glob("live-record-us-east-1-*.json")
    assert [one["verdict"] for one in json.loads(path.read_text())["findings"]] == ["as assumed", "not seen"]


def test_with_yes_nothing_is_asked(make_live):
    code, said = make_live(act("first", IDS[0], play=as_assumed(IDS[0])), says=None, arguments=["--yes"])

    assert code == 0
    assert "Play it?" not in said


def test_what_is_otherwise_is_in_the_exit_code_and_the_last_line(make_live):
    otherwise = judged(IDS[0], "a key", "none", holds=False)

    code, said = make_live(act("first", IDS[0], play=lambda _: iter([otherwise])))

    assert code == 1
    assert f"  otherwise: {IDS[0]}\n    expected: a key\n    seen: none\n" in said
    assert said.splitlines()[-1] == "live: 0 as assumed, 1 otherwise, 0 not seen here"


# ------------------------------------------------------------------------------------------------------ acts that fail


def fails(error):
    def play(stage):
        stage.made.key("of-the-failure")
        yield judged(IDS[0], "a", "b", holds=True)
        raise error

    return play


DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "CreateKey")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            DENIED,
            "the act failed: ClientError: An error occurred (AccessDenied) when calling the CreateKey operation: no",
        ),
        (TimeoutError("gone"), "the act failed: TimeoutError: gone"),
        (DidNotCome("Update request 2 of Good"), "the act failed: DidNotCome: Update request 2 of Good"),
    ],
)
def test_an_act_that_fails_stops_no_other_and_what_it_did_not_settle_is_not_seen(run, error, why):
    played = run(
        act("first", IDS[0], IDS[1], play=fails(error)),
        act("second", IDS[2], play=as_assumed(IDS[2])),
    )

    played.play()

    assert [(one.assumption, one.verdict) for one in played.findings] == [
        (IDS[0], Verdict.AS_ASSUMED),
        (IDS[1], Verdict.NOT_SEEN),
        (IDS[2], Verdict.AS_ASSUMED),
    ]
    assert played.findings[1].seen == why
    assert played.defects == []


NOT_A_ROW = "nobody-assumes-this"


@pytest.mark.parametrize(
    ("play", "why"),
    [
        (fails(KeyError("Stacks")), r"KeyError: 'Stacks' \(test_program.py, line \d+\)"),
        (fails(ZeroDivisionError("ours")), r"ZeroDivisionError: ours \(test_program.py, line \d+\)"),
        (as_assumed(NOT_A_ROW), f"WrongFinding: {NOT_A_ROW} .*"),
        (as_assumed(IDS[2]), f"WrongFinding: {IDS[2]} .*"),
        (lambda _: iter([judged(IDS[0], "a", "b", holds=True)] * 2), f"WrongFinding: {IDS[0]} .*"),
    ],
    ids=["an answer without a field", "an error of ours", "no such row", "another act's row", "told twice"],
)
def test_an_act_with_a_defect_stops_no_other_and_the_exit_code_tells(make_live, play, why):
    code, said = make_live(act("first", IDS[0], IDS[1], play=play), act("second", IDS[3], play=as_assumed(IDS[3])))

    assert code == 1
    assert re.search(rf"not seen: {IDS[1]}\n    expected: .*\n    seen: the act has a defect: {why}\n", said)
    assert f"as assumed: {IDS[3]}\n" in said


def test_an_act_that_settles_what_has_no_row_stops_no_other(run):
    played = run(act("first", NOT_A_ROW, play=as_assumed(NOT_A_ROW)), act("second", IDS[1], play=as_assumed(IDS[1])))

    played.play()

    assert [one.verdict for one in played.findings] == [Verdict.NOT_SEEN, Verdict.AS_ASSUMED]
    assert played.defects == ["first"]


def test_an_act_has_its_own_time_and_ends_when_it_is_over(run):
    def waits(stage):
        assert stage.wait_for(lambda: None, seconds=1000)
        yield

    played = run(act("first", IDS[0], play=waits), act("second", IDS[1], play=as_assumed(IDS[1])))

    played.play()

    assert [one.seen for one in played.findings] == ["the act failed: TimeIsUp: the act's time is up", "seen"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"not_local": "it has one Region."}, "The local AWS can't show it: it has one Region."),
        ({"needs": Needs.OTHER_REGION}, "No second Region was named (REGION2=...)."),
        ({"needs": Needs.OTHER_ACCOUNT}, "No profile of a second account was named (PROFILE2=...)."),
        (
            {"needs": Needs.ALL},
            "It starves every other importer of the account, so it is played only with ACTS=all.",
        ),
    ],
)
def test_an_act_that_can_not_be_played_here_makes_nothing_and_says_why(run, aws, more, why):
    played = run(act("first", IDS[0], play=makes_a_key, **more))

    played.play()

    assert [(one.verdict, one.seen) for one in played.findings] == [(Verdict.NOT_SEEN, why)]
    assert aws.calls == []


# ---------------------------------------------------------------------------------------------------- stopped, crashed


def makes_and_raises(error):
    def play(stage):
        stage.made.key("x")
        stage.made.secret("x", b"value")
        raise error
        yield

    return play


def test_ctrl_c_cleans_up_and_still_writes_what_was_seen(make_live, asked, aws, tmp_path):
    code, said = make_live(
        act("first", IDS[0], play=as_assumed(IDS[0])),
        act("second", IDS[1], play=makes_and_raises(KeyboardInterrupt)),
        act("third", IDS[2], play=makes_a_key),
    )

    assert code == 130
    assert "third" not in said.partition("Stopped. Cleaning up ...")[2]
    assert said.splitlines()[-1] == "live: 1 as assumed, 0 otherwise, 0 not seen here"
    assert left(asked.made.account) == []
    assert secrets_of(aws) == []
    assert len(list(tmp_path.glob("live-record-*"))) == 1


class Defect(BaseException):
    """Ends the program, as a defect outside of the acts does."""


def test_a_defect_of_the_program_cleans_up_and_is_shown(make_live, asked, aws):
    with pytest.raises(Defect):
        make_live(act("first", IDS[0], play=makes_and_raises(Defect)))

    assert left(asked.made.account) == []
    assert secrets_of(aws) == []


def test_a_cleaning_that_is_stopped_says_how_to_go_on(make_live, asked, aws, monkeypatch):
    def stop(_run):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Run, "clean", stop)
        code, said = make_live(act("first", IDS[0], play=makes_and_raises(KeyboardInterrupt)))

    assert code == 130
    [run_] = re.findall(r"Delete what is left: make live CLEAN=(\w+)\n", said)
    assert make_live(arguments=["--clean", run_]) == (0, f"live: run {run_} is clean\n")
    assert left(asked.made.account) == []
    assert secrets_of(aws) == []


def test_what_can_not_be_deleted_is_listed_with_the_reason(make_live, aws, monkeypatch):
    def refuse(*_):
        raise AwsError("AccessDeniedException", "not allowed")

    def keeps(stage):
        stage.made.secret("kept", b"value")
        yield judged(IDS[0], "a", "b", holds=True)
        monkeypatch.setitem(aws._services["secrets-manager"]._writing, "DeleteSecret", refuse)

    code, said = make_live(act("first", IDS[0], play=keeps))

    assert code == 1
    assert re.search(rf"Still there: secret {NAMES}kept: .*AccessDeniedException.*not allowed", said)
    assert "Nothing else is left" not in said


# --------------------------------------------------------------------------------------------------- killed, and CLEAN


class Killed(BaseException):
    """The process ends here, and nothing of it runs any more."""


def many_things(stage):
    kms = stage.client("kms")
    for number in range(3):
        key = stage.made.key(f"key-{number}", tag="orders")
        import_material(kms, key, stage.secret_bytes(random_key(32)))
        stage.made.secret(f"secret-{number}", b"value", tag="orders")
    yield judged(IDS[0], "a", "b", holds=True)


CALLS = 12  # of many_things: each key takes three calls, each secret one


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("call", range(CALLS))
def test_a_run_that_is_killed_at_a_call_leaves_nothing_that_clean_does_not_remove(
    make_live, asked, aws, call, moment, tmp_path
):
    """Also if the call took effect, and nobody saw its answer. Killed: the program's own cleaning does not run."""
    seen = -1

    def kill(_call, at):
        nonlocal seen
        seen += at is Moment.BEFORE
        if (seen, at) == (call, moment):
            raise Killed

    made = Made(asked.made.account, asked.made.run, RunList(tmp_path / "lists" / asked.made.run))
    aws.hooks.append(kill)
    played = Run(made.account, made, [act("first", IDS[0], play=many_things)], Options(), io.StringIO(), tmp_path)
    with pytest.raises(Killed):
        played.play()
    aws.hooks.remove(kill)

    code, said = make_live(arguments=["--clean", asked.made.run])

    assert (code, said) == (0, f"live: run {asked.made.run} is clean\n")
    assert left(asked.made.account) == []
    assert secrets_of(aws) == []


def test_many_things_makes_as_many_calls_as_are_killed(run, aws):
    run(act("first", IDS[0], play=many_things)).play()

    assert len(aws.calls) == CALLS


def test_cleaning_twice_and_a_run_that_made_nothing_are_clean(asked, tmp_path):
    made = Made(asked.made.account, asked.made.run, RunList(tmp_path))
    made.note("key", "never-made")
    made.note("secret", "never-made")
    made.key("made")

    assert list(clean(made.account, made.list.things())) == []
    assert list(clean(made.account, made.list.things())) == []


def test_cleaning_touches_nothing_that_the_run_did_not_make(asked, aws, tmp_path):
    account = asked.made.account
    mine = Made(account, "11111111", RunList(tmp_path / "mine"))
    others = Made(account, "22222222", RunList(tmp_path / "others"))
    stranger = account.client("kms").create_key(Origin="EXTERNAL", Description="ikm-live")["KeyMetadata"]["KeyId"]
    mine.key("x")
    mine.secret("x", b"value")
    others.key("x")
    others.secret("x", b"value")

    assert list(clean(account, mine.list.things())) == []

    assert left(account) == ["ikm-live", "ikm-live-22222222-x"]
    assert account.client("kms").describe_key(KeyId=stranger)["KeyMetadata"]["KeyState"] == "PendingImport"
    assert [one.name for one in secrets_of(aws)] == ["ikm-live-22222222-x"]


def test_the_run_that_is_to_be_cleaned_must_have_a_list(make_live, capsys):
    with pytest.raises(SystemExit) as ended:
        make_live(arguments=["--clean", "nobody"])

    assert ended.value.code == 2
    assert "there is no list of a run nobody in " in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------------- limits


def test_the_usual_acts_keep_to_forty_minutes_and_below_one_dollar():
    usual = [one for one in program.chosen(ACTS, Options(), is_local=False) if one.needs is Needs.NOTHING]

    assert sum(one.deadline_seconds for one in usual) / 60 <= 40
    assert sum(one.dollars for one in ACTS) < 1


def test_acts_that_take_longer_are_refused_before_anything_is_made():
    long = [act(f"act-{number}", IDS[0], play=None) for number in range(41)]

    with pytest.raises(ValueError, match="the acts take 41 minutes, and the limit is 40"):
        program.chosen(long, Options(), is_local=False)


def test_an_unknown_act_is_refused_with_the_names_of_all():
    acts = [act("first", IDS[0], play=None), act("second", IDS[1], play=None)]

    with pytest.raises(ValueError, match=r"no such act: third\. Acts: first, second"):
        program.chosen(acts, Options(acts=("first", "third")), is_local=True)


def test_only_the_named_acts_are_played():
    acts = [act("first", IDS[0], play=None), act("second", IDS[1], play=None, short=False)]

    assert [one.name for one in program.chosen(acts, Options(acts=("second",)), is_local=True)] == ["second"]
    assert [one.name for one in program.chosen(acts, Options(short=True), is_local=True)] == ["first"]


# ---------------------------------------------------------------------------------------------------------- the record


def test_a_record_with_material_is_not_written_and_the_command_says_so(make_live, tmp_path):
    def tells(stage):
        material = stage.secret_bytes(random_key(32))
        yield judged(IDS[0], "a", f"the key is {material.hex()}", holds=True)

    code, said = make_live(act("first", IDS[0], play=tells))

    assert code == 1
    assert "The record was not written, because it has key material.\n" in said
    assert list(tmp_path.glob("live-record-*")) == []


def test_the_record_has_the_version_of_the_project(asked):
    made = record.make(asked.made.account, asked.made.run, [], {})

    assert re.fullmatch(r"\d+\.\d+\.\d+", made["version"])
