"""AWS within the tests' process: botocore does everything but the network, and the test's clock sets the time."""

import botocore.endpoint
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.retries.quota import RetryQuota

from lab.clock import VirtualClock
from lab.cloudformation.stack_reads import CloudFormation
from lab.kms import KmsWire, StrictKms
from lab.secretsmanager.reads import SecretsManager
from lab.wire.faults import Moment
from lab.wire.in_process import Call, InProcessAws
from lab.wire.transport import Fault


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def aws(clock):
    with InProcessAws(clock, [KmsWire(StrictKms(clock)), SecretsManager(clock), CloudFormation(clock)]) as aws:
        yield aws


def test_every_call_is_counted_with_its_service_region_and_account(aws):
    aws.client("kms", region="eu-west-1", account="999988887777").list_keys()
    with pytest.raises(ClientError):
        aws.client("secretsmanager").describe_secret(SecretId="orders")

    assert aws.calls == [
        Call("kms", "ListKeys", "eu-west-1", "999988887777"),
        Call("secrets-manager", "DescribeSecret", "us-east-1", "123456789012"),
    ]
    assert aws.operations() == ["ListKeys", "DescribeSecret"]
    assert (aws.count(), aws.count("ListKeys"), aws.count(service="kms", region="us-east-1")) == (2, 1, 0)


def test_a_retry_counts_and_moves_the_clock_instead_of_waiting(aws, clock):
    before = clock.now()
    aws.faults.inject("ListKeys", Fault.INTERNAL_ERROR, times=2)

    answer = aws.client("kms").list_keys()

    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert aws.count("ListKeys") == 3
    assert clock.now() > before


def test_botocore_waits_for_real_again_once_the_world_is_closed(clock):
    real = botocore.endpoint.time
    with InProcessAws(clock):
        assert botocore.endpoint.time is not real

    assert botocore.endpoint.time is real


def test_a_service_without_a_stand_in_is_not_reached(aws):
    with pytest.raises(AssertionError, match=r"No stand-in for sts is plugged in, and nothing may reach the network\."):
        aws.client("sts", config=Config(retries={"total_max_attempts": 1})).get_caller_identity()


def test_hooks_see_each_call_before_and_after_its_effect(aws):
    seen = []
    kms = aws.client("kms")

    def look(call, moment):
        keys = sum(1 for _ in aws_keys(aws))
        seen.append((call.operation, moment, keys))

    aws.hooks.append(look)
    kms.create_key()

    assert seen == [("CreateKey", Moment.BEFORE, 0), ("CreateKey", Moment.AFTER, 1)]


def aws_keys(aws):
    wire = aws._services["kms"]
    return wire.kms.call("ListKeys", {}, region="us-east-1", account="123456789012")["Keys"]


class Crash(BaseException):
    """The invocation ends here, whatever it catches."""


@pytest.mark.parametrize("moment", Moment)
def test_a_hook_may_crash_the_caller_before_or_after_the_effect(aws, moment):
    def crash(_, now):
        if now is moment:
            raise Crash

    aws.hooks.append(crash)
    with pytest.raises(Crash):
        aws.client("kms").create_key()
    aws.hooks.clear()

    assert len(aws_keys(aws)) == (0 if moment is Moment.BEFORE else 1)


def test_time_may_move_in_the_middle_of_a_call(aws, clock):
    before = clock.now()
    aws.hooks.append(lambda _, moment: clock.advance(30) if moment is Moment.BEFORE else None)

    made = aws.client("kms").create_key()["KeyMetadata"]["CreationDate"]

    assert (made - before).total_seconds() == 30


def test_another_service_takes_the_place_of_the_former_one_under_clients_that_exist(aws, clock):
    kms = aws.client("kms")
    kms.create_key()

    aws.plug(KmsWire(StrictKms(clock)))

    assert kms.list_keys()["Keys"] == []


STANDARD = Config(retries={"mode": "standard"})


def keys_of(clock, seed=0):
    """A world with a new KMS, and what a client of it sees; the client of a world that is closed."""
    aws = InProcessAws(clock, [KmsWire(StrictKms(clock, seed=seed))])
    with aws:
        kms = aws.client("kms", region="eu-north-1")
        kms.create_key()
        seen = kms.list_keys()["Keys"]
    aws.close()
    return kms, seen


def test_the_next_world_gets_the_same_client_and_sees_only_its_own_keys(clock):
    (first, first_keys), (second, second_keys) = keys_of(clock, seed=1), keys_of(clock, seed=2)

    assert first is second
    assert len(first_keys) == len(second_keys) == 1
    assert first_keys != second_keys


def test_two_worlds_at_the_same_time_share_no_client(clock):
    before, one, other = (InProcessAws(clock) for _ in range(3))
    before.client("kms")
    before.close()

    assert one.client("kms") is one.client("kms")
    assert one.client("kms") is not other.client("kms")


def test_a_client_of_a_closed_world_reaches_nothing(clock):
    kms, _ = keys_of(clock)

    with pytest.raises(RuntimeError, match=r"This session was given back\."):
        kms.list_keys()


def test_the_next_world_has_all_of_its_retries(clock):
    with InProcessAws(clock, [KmsWire(StrictKms(clock))]) as aws:
        kms = aws.client("kms", region="eu-south-1", config=STANDARD)
        aws.faults.inject("ListKeys", Fault.INTERNAL_ERROR, times=10**6)
        with pytest.raises(ClientError):
            kms.list_keys()
        assert quotas_left(aws) < RetryQuota.INITIAL_CAPACITY
    aws.close()

    with InProcessAws(clock, [KmsWire(StrictKms(clock))]) as aws:
        aws.client("kms", region="eu-south-1", config=STANDARD)
        assert quotas_left(aws) == RetryQuota.INITIAL_CAPACITY
    aws.close()


def quotas_left(aws):
    """Of botocore's tokens for retries: the only client's."""
    ((quota,),) = [session.quotas for session in aws._sessions.values()]
    return quota.available_capacity


def test_a_session_of_the_code_under_test_reaches_the_stand_ins_too(aws):
    session = botocore.session.Session()
    aws.attach(session)
    kms = session.create_client(
        "kms", region_name="eu-central-1", aws_access_key_id="111122223333", aws_secret_access_key="x"
    )

    arn = kms.create_key()["KeyMetadata"]["Arn"]

    assert arn.startswith("arn:aws:kms:eu-central-1:111122223333:key/")


def test_a_fault_of_the_line_is_one_of_botocore_s_own_errors(aws):
    kms = aws.client("kms", config=Config(retries={"total_max_attempts": 1}))
    for fault in (Fault.CONNECTION_CLOSED, Fault.READ_TIMEOUT):
        aws.faults.inject("ListKeys", fault)
        with pytest.raises(HTTPClientError):
            kms.list_keys()


# ------------------------------------------------------------------------------------------------------------- the clock


def test_sleeping_moves_the_clock_and_lets_happen_what_was_planned(clock):
    start, seen = clock.now(), []
    clock.after(20, lambda: seen.append((clock.now() - start).total_seconds()))
    clock.after(10, lambda: seen.append((clock.now() - start).total_seconds()))
    clock.after(40, lambda: seen.append("too early"))

    clock.sleep(30)

    assert seen == [10, 20]
    assert (clock.now() - start).total_seconds() == 30


def test_what_happens_during_a_sleep_may_sleep_itself(clock):
    start = clock.now()
    clock.after(1, lambda: clock.sleep(5))

    clock.sleep(2)

    assert (clock.now() - start).total_seconds() == 6


def test_the_clock_does_not_go_back(clock):
    with pytest.raises(ValueError, match=r"The clock can't go back, and -1 seconds were asked for\."):
        clock.advance(-1)


def test_two_clocks_of_one_seed_draw_alike():
    assert [VirtualClock(seed=5).random() for _ in range(3)] == [VirtualClock(seed=5).random() for _ in range(3)]
    assert VirtualClock(seed=5).random() != VirtualClock(seed=6).random()
