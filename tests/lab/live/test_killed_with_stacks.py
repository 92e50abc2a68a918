"""A run that is killed while it makes stacks leaves nothing that cleaning does not remove: on a local AWS, with real stacks."""

import io
from dataclasses import dataclass, field

import pytest

from lab.live.account import LocalAccount
from lab.live.act import Act
from lab.live.made import Made, clean
from lab.live.program import Options, Run
from lab.live.questions.stacks import HANDLE
from lab.live.run_list import RunList
from lab.live.verdicts import judged
from lab.local.session import LocalAws, nothing

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("live-killed")]
ASSUMPTION = "answers-kms"


class Killed(BaseException):
    """The process ends here, and nothing of it runs any more."""


@pytest.fixture(scope="module")
def settings(testrun_uid):
    with LocalAws.shared(f"live-killed-{testrun_uid}", prepare=nothing) as aws:
        yield aws.settings


@dataclass(frozen=True)
class Mortal(LocalAccount):
    """Dies at a call, before it is sent or when its answer is there. `calls`: all so far."""

    at: int = -1
    moment: str = ""
    calls: list[str] = field(default_factory=list)

    def client(self, service, region=None):
        client = super().client(service, region)
        client.meta.events.register_first(f"before-send.{service}", self._before)
        client.meta.events.register_first(f"after-call.{service}", self._after)
        return client

    def _before(self, event_name, **_):
        self.calls.append(event_name.rpartition(".")[2])
        self._die_at("before")

    def _after(self, **_):
        self._die_at("after")

    def _die_at(self, moment):
        if (len(self.calls) - 1, self.moment) == (self.at, moment):
            raise Killed


def play(stage):
    """Two stacks and a change set; one stack is updated, the other deleted."""
    one = stage.made.stack("one", {"Handle": HANDLE})
    stage.made.stacks().update(one.name, {"Resources": {"Handle": HANDLE, "Another": HANDLE}})
    stage.made.stacks().delete(stage.made.stack("two", {"Handle": HANDLE}).name)
    stage.client("cloudformation").create_change_set(
        StackName=stage.made.note("stack", "three"),
        ChangeSetName="x",
        ChangeSetType="CREATE",
        TemplateBody='{"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}',
    )
    stage.made.bucket("files")
    yield judged(ASSUMPTION, "a", "b", holds=True)


def run_until_killed(account, run, folder):
    made = Made(account, run, RunList(folder))
    act = Act("stacks", "Stacks", (ASSUMPTION,), makes="3 stacks", deadline_seconds=60, play=play)
    Run(account, made, [act], Options(), io.StringIO(), folder).play()


def still_there(settings, run):
    account = LocalAccount(settings)
    stacks = account.client("cloudformation").list_stacks()["StackSummaries"]
    buckets = account.client("s3").list_buckets()["Buckets"]
    alive = [one["StackName"] for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"]
    return [name for name in (*alive, *(one["Name"] for one in buckets)) if run in name]


def test_a_run_that_is_killed_at_any_of_its_calls_is_cleaned_by_its_list(settings, tmp_path):
    whole = Mortal(settings)
    run_until_killed(whole, "00000000", tmp_path / "whole")
    changing = [number for number, call in enumerate(whole.calls) if not call.startswith(("Describe", "List", "Get"))]
    reading = [number for number, call in enumerate(whole.calls) if number not in changing][::4]
    assert [whole.calls[number] for number in changing] == [
        *("CreateStack", "UpdateStack", "CreateStack", "DeleteStack", "CreateChangeSet", "CreateBucket")
    ]
    assert still_there(settings, "00000000") != []

    moments = [(at, moment) for at in changing for moment in ("before", "after")] + [(at, "after") for at in reading]
    for number, (at, moment) in enumerate(moments):
        run, folder = f"0000000{number:x}1", tmp_path / f"{at}-{moment}"
        with pytest.raises(Killed):
            run_until_killed(Mortal(settings, at=at, moment=moment), run, folder)

        assert list(clean(LocalAccount(settings), RunList(folder).things())) == []

        assert still_there(settings, run) == []

    assert len(moments) > 10
    assert list(clean(LocalAccount(settings), RunList(tmp_path / "whole").things())) == []
    assert still_there(settings, "00000000") == []
