"""A run that is killed while it uses a second Region or a second account leaves nothing there that cleaning does not remove.

The acts are the real ones, killed before and after each of their calls; both accounts are stand-ins.
"""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from botocore.exceptions import ProfileNotFound

from lab.live.acts.application import owners
from lab.live.acts.kms import replicas
from lab.live.made import Made, clean
from lab.live.questions import stand_ins
from lab.live.run_list import RunList
from lab.live.stage import Stage
from lab.live.verdicts import Verdict
from lab.local.stacks import Stack
from lab.wire.faults import Moment

OTHER_ACCOUNT, PROFILE = "444455556666", "second"
OTHER_REGION = "eu-west-1"
READS = ("Describe", "List", "Get")  # they make nothing: one of them is killed now and then
EACH_READ = 40


class Killed(BaseException):
    """The process ends here, and nothing of it runs any more."""


class Places:
    """Two accounts, two Regions, and the stage of one run. `at`: the call and the moment at which the run is killed."""

    def __init__(self, asked, folder, at=None):
        self.aws, self.here = asked.made.account.aws, asked.made.account
        self.there = replace(self.here, number=OTHER_ACCOUNT, profile=PROFILE)
        self.list = RunList(folder)
        app = SimpleNamespace(role_arn=f"arn:aws:iam::{self.here.number}:role/the-role")
        made = Made(self.here, asked.made.run, self.list)
        self.stage = Stage(
            made,
            SimpleNamespace(application=app),
            self.here.now() + timedelta(hours=1),
            other_region=OTHER_REGION,
            other_account=self.there,
        )
        self.calls, self._at = [], at
        secrets = self.aws._services["secrets-manager"]
        secrets._writing["PutResourcePolicy"] = lambda *_: {}  # it has no rights to give
        secrets._operations |= {"PutResourcePolicy"}
        self.aws.hooks.append(self._hook)

    def _hook(self, call, moment):
        if moment is Moment.BEFORE:
            self.calls.append(call.operation)
        if (len(self.calls) - 1, moment) == self._at:
            self.aws.hooks.remove(self._hook)
            raise Killed

    def clean(self):
        assert self._hook not in self.aws.hooks or self._at is None
        return list(clean(self.here, self.list.things(), self.profile))

    def profile(self, name, region):
        assert (name, region) == (PROFILE, self.here.region)
        return self.there

    def left(self):
        """Keys that are not going, in both accounts and Regions, and all secrets."""
        clients = [one.client("kms", region) for one in (self.here, self.there) for region in (None, OTHER_REGION)]
        shown = [
            kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for kms in clients for key in kms.list_keys()["Keys"]
        ]
        keys = [key["Arn"] for key in shown if key["KeyState"] not in ("PendingDeletion", "PendingReplicaDeletion")]
        return keys + [one.name for one in self.aws._services["secrets-manager"].all()]


def foreign(stage):
    return owners.foreign(stage)


def replica(stage):
    return replicas.replica(stage)


@pytest.fixture(autouse=True)
def stack_ends_as(monkeypatch):
    """How the stack ends that uses the secret of the other account."""

    def set_(status):
        monkeypatch.setattr(owners, "_stack", lambda *_: Stack("ikm-live", "id", status))

    set_("CREATE_COMPLETE")
    return set_


@pytest.mark.parametrize(("play", "least"), [(foreign, 3), (replica, 6)])
def test_a_run_that_is_killed_elsewhere_is_cleaned_by_its_list(play, least, tmp_path):
    with stand_ins.stand_ins() as asked:
        places = Places(asked, tmp_path / "whole")
        assert {one.verdict for one in play(places.stage)} == {Verdict.AS_ASSUMED}
        assert places.left() != []
    changing = [number for number, call in enumerate(places.calls) if not call.startswith(READS)]
    reading = [number for number in range(0, len(places.calls), EACH_READ) if number not in changing]
    assert len(changing) >= least

    for call in sorted(changing + reading):
        for moment in Moment:
            with stand_ins.stand_ins() as asked:
                places = Places(asked, tmp_path / f"{call}-{moment.name}", (call, moment))
                with pytest.raises(Killed):
                    list(play(places.stage))

                assert places.clean() == []

                places.here.sleep(120)  # a primary waits for its replica
                assert places.left() == [], (call, moment)


def test_what_is_made_elsewhere_is_noted_with_its_account_profile_and_region(tmp_path):
    with stand_ins.stand_ins() as asked:
        places = Places(asked, tmp_path)
        list(foreign(places.stage))
        list(replica(places.stage))

        noted = {(one.kind, one.account, one.profile, one.region) for one in places.list.things()}

    here = asked.made.account
    assert noted == {
        ("key", OTHER_ACCOUNT, PROFILE, here.region),
        ("secret", OTHER_ACCOUNT, PROFILE, here.region),
        ("key", here.number, "", here.region),
        ("key", here.number, "", OTHER_REGION),
    }


def test_a_secret_of_another_account_that_can_not_be_read(tmp_path, stack_ends_as):
    stack_ends_as("CREATE_FAILED")

    with stand_ins.stand_ins() as asked:
        [finding] = foreign(Places(asked, tmp_path).stage)

    assert finding.verdict is Verdict.OTHERWISE


def test_a_profile_that_is_gone_hides_nothing_and_hinders_nothing(tmp_path):
    def gone(name, _region):
        raise ProfileNotFound(profile=name)

    with stand_ins.stand_ins() as asked:
        places = Places(asked, tmp_path)
        list(foreign(places.stage))
        places.stage.made.key("ours")

        left = list(clean(places.here, places.list.things(), gone))

        assert {one.thing.kind for one in left} == {"key", "secret"}
        assert all(
            "profile second can't be used: The config profile (second) could not be found" in one.why for one in left
        )
        assert all(f":{OTHER_ACCOUNT}:" in one or one.startswith("ikm-live-") for one in places.left())


def test_cleaning_with_the_credentials_of_another_account_does_not_say_that_all_is_clean(tmp_path):
    with stand_ins.stand_ins() as asked:
        places = Places(asked, tmp_path)
        places.stage.made.key("ours")

        [left] = clean(replace(places.there, profile=""), places.list.things())

        assert left.why == (
            f"These credentials are of account {OTHER_ACCOUNT}, and it was made in account {places.here.number}"
        )
        assert len(places.left()) == 1
