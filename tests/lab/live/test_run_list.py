"""A run's list, and cleaning by it: each thing is noted before it is made, and nothing else is touched."""

import json

import pytest

from lab.live.made import RUN_TAG, Made, clean
from lab.live.questions.stand_ins import RUN
from lab.live.run_list import FILE_NAME, RunList, Thing
from lab.secretsmanager.writes import WritableSecrets
from lab.wire.transport import AwsError
from lab.world import ACCOUNT, REGION, World
from tests.support.live import account_of

OTHER_REGION = "eu-west-1"
OTHER_RUN = "feedf00d"


class Secrets(WritableSecrets):
    """Also deletes secrets at once, by name. API Reference of DeleteSecret, ForceDeleteWithoutRecovery."""

    def __init__(self, clock):
        super().__init__(clock)
        self._writing["DeleteSecret"] = self._delete_secret
        self._operations |= {"DeleteSecret"}

    def _delete_secret(self, params, _caller):
        if not params.get("ForceDeleteWithoutRecovery"):
            raise AwsError("InternalServiceError", "These tests delete secrets at once.")
        self._secrets = {arn: one for arn, one in self._secrets.items() if one.name != params["SecretId"]}
        return {"Name": params["SecretId"]}

    def names(self):
        return {one.name for one in self._secrets.values()}


class Account:
    """A world's account, and what a run makes in it."""

    def __init__(self, world, folder):
        self.world, self.folder = world, folder
        self.secrets = Secrets(world.clock)
        world.aws.plug(self.secrets)

    def made(self, run=RUN):
        return Made(account_of(self.world), run, RunList(self.folder / run))

    def clean(self, run=RUN):
        """As `make live CLEAN=<run>` does: all that it has is the list on the disk."""
        return list(clean(account_of(self.world), RunList(self.folder / run).things()))

    def state(self, key, region=REGION):
        return self.world.call("DescribeKey", KeyId=key, region=region)["KeyMetadata"]["KeyState"]

    def lines(self):
        return (self.folder / RUN / FILE_NAME).read_text().splitlines()


@pytest.fixture
def account(tmp_path):
    with World() as world:
        yield Account(world, tmp_path)


class Killed(BaseException):
    """The run is killed."""


def killed_at(world, operation, moment):
    """The run is killed at this call, before or after its effect."""

    def hook(call, at):
        if (call.operation, at.name) == (operation, moment):
            world.aws.hooks.remove(hook)
            raise Killed

    world.aws.hooks.append(hook)


# ------------------------------------------------------------------------------------------------------------ the list


@pytest.mark.parametrize(
    ("operation", "make"),
    [
        ("CreateKey", lambda made: made.key("thing")),
        ("CreateSecret", lambda made: made.secret("thing", b"bytes")),
        ("ReplicateKey", lambda made: made.replica(made.key("primary", MultiRegion=True), "thing", OTHER_REGION)),
    ],
)
def test_each_thing_is_on_the_disk_before_the_call_that_makes_it(account, operation, make):
    killed_at(account.world, operation, "BEFORE")

    with pytest.raises(Killed):
        make(account.made())

    assert json.loads(account.lines()[-1])["name"] == f"ikm-live-{RUN}-thing"


def test_a_half_written_last_line_is_passed_over(tmp_path):
    RunList(tmp_path).note(Thing("key", "ikm-live-1-a", REGION, ACCOUNT))
    with (tmp_path / FILE_NAME).open("a") as file:
        file.write('{"kind": "secret", "name": "ikm-l')

    assert list(RunList(tmp_path).things()) == [Thing("key", "ikm-live-1-a", REGION, ACCOUNT)]


def test_the_newest_thing_comes_first_and_each_once(tmp_path):
    notes = RunList(tmp_path)
    for name in ("a", "b", "a"):
        notes.note(Thing("key", f"ikm-live-1-{name}", REGION, ACCOUNT))

    assert [one.name for one in notes.things()] == ["ikm-live-1-a", "ikm-live-1-b"]


@pytest.mark.parametrize(("kind", "name"), [("key", "orders"), ("table", "ikm-live-1-a")])
def test_what_is_not_a_run_s_own_is_never_noted(tmp_path, kind, name):
    with pytest.raises(ValueError, match=f"^{kind} {name} can't be noted$"):
        RunList(tmp_path).note(Thing(kind, name, REGION, ACCOUNT))

    assert list(RunList(tmp_path).things()) == []


# ------------------------------------------------------------------------------------------------------------ cleaning


def test_a_key_whose_id_nobody_wrote_down_is_found(account):
    killed_at(account.world, "CreateKey", "AFTER")
    with pytest.raises(Killed):
        account.made().key("lost")
    (listed,) = account.world.call("ListKeys")["Keys"]

    assert account.clean() == []

    assert account.state(listed["KeyArn"]) == "PendingDeletion"


def test_a_secret_whose_creation_was_cut_off_is_deleted(account):
    killed_at(account.world, "CreateSecret", "AFTER")
    with pytest.raises(Killed):
        account.made().secret("lost", b"bytes")
    assert account.secrets.names() == {f"ikm-live-{RUN}-lost"}

    assert account.clean() == []

    assert account.secrets.names() == set()


def test_what_was_noted_and_never_made_is_no_error(account):
    for operation, make in (
        ("CreateKey", lambda: account.made().key("lost")),
        ("CreateSecret", lambda: account.made().secret("lost", b"bytes")),
    ):
        killed_at(account.world, operation, "BEFORE")
        with pytest.raises(Killed):
            make()

    assert account.clean() == []


def test_what_others_made_stays_untouched(account):
    """Another run, people, and somebody who copied a tag of the run."""
    account.made().key("ours")
    theirs = [
        account.made(OTHER_RUN).key("ours"),
        account.world.external_key(),
        account.world.key(Description=f"ikm-live-{RUN}-ours too"),
    ]
    tag = [{"TagKey": RUN_TAG, "TagValue": RUN}]
    account.world.call("TagResource", KeyId=theirs[1], Tags=tag)
    account.made(OTHER_RUN).secret("ours", b"bytes")
    account.secrets.put("orders/master-key", b"bytes")
    before = [account.world.describe(key) for key in theirs]

    assert account.clean() == []

    assert [account.world.describe(key) for key in theirs] == before
    assert account.secrets.names() == {f"ikm-live-{OTHER_RUN}-ours", "orders/master-key"}


def test_a_replica_is_deleted_with_its_primary_even_while_kms_makes_it(account):
    """A replica that is Creating has no description."""
    made = account.made()
    primary = made.key("primary", MultiRegion=True, Origin="AWS_KMS")
    replica = made.replica(primary, "primary", OTHER_REGION)
    account.world.call("UpdateKeyDescription", KeyId=replica, Description="", region=OTHER_REGION)

    assert account.clean() == []

    account.world.clock.sleep(120)
    assert account.state(primary) == "PendingReplicaDeletion"
    assert account.state(replica, OTHER_REGION) == "PendingDeletion"


def test_a_second_cleaning_changes_nothing(account):
    made = account.made()
    primary = made.key("primary", MultiRegion=True, Origin="AWS_KMS")
    made.replica(primary, "primary", OTHER_REGION)
    key = made.key("key")
    account.clean()
    before = account.world.describe(key)

    assert account.clean() == []

    assert account.world.describe(key) == before


def test_what_can_t_be_removed_is_reported_with_the_reason(account):
    made = account.made()
    made.key("key")
    made.secret("secret", b"bytes")
    account.secrets._writing["DeleteSecret"] = refuse

    (left,) = account.clean()

    assert left.thing == Thing("secret", f"ikm-live-{RUN}-secret", REGION, ACCOUNT)
    assert left.why.endswith("AccessDeniedException) when calling the DeleteSecret operation: not allowed")
    assert account.state(account.world.call("ListKeys")["Keys"][0]["KeyArn"]) == "PendingDeletion"


def refuse(*_):
    raise AwsError("AccessDeniedException", "not allowed")


def test_the_keys_of_a_region_are_read_once(account):
    """A Region may have thousands, of other people."""
    made = account.made()
    for number in range(5):
        made.key(f"key-{number}")
    for _ in range(10):
        account.world.external_key()

    account.clean()

    assert account.world.aws.count("DescribeKey") == 15
