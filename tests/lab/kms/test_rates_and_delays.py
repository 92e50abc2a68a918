"""The strict KMS when it is busy, late or broken (docs/internals/kms-contract.md, C-100 to C-103)."""

from random import Random

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from lab.keys.by_hand import parameters, wrap
from lab.kms import Lag, Quotas
from lab.kms.quotas import PER_SECOND_OLD_ACCOUNT
from lab.wire.faults import Faults, Moment
from lab.wire.transport import Fault, Refusal
from tests.support.kms_bench import ACCOUNT, OTHER_ACCOUNT, OTHER_REGION, REGION, Bench

ONE, TWO = bytes([1]) * 32, bytes([2]) * 32
TOO_FAST = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
FOR_IMPORT = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}

# --------------------------------------------------------------------------------------------------------- quotas: C-100


@pytest.fixture
def busy():
    with Bench(quotas=Quotas()) as bench:
        yield bench


def test_a_burst_of_three_requests_for_parameters_passes_and_the_fourth_does_not(busy):
    key, kms = busy.key(), busy.client(retries=False)
    for _ in range(3):
        kms.get_parameters_for_import(KeyId=key, **FOR_IMPORT)

    with busy.refuses("ThrottlingException", TOO_FAST):
        kms.get_parameters_for_import(KeyId=key, **FOR_IMPORT)


def test_after_a_burst_one_request_a_second_passes(busy):
    key, kms = busy.key(), busy.client(retries=False)
    for _ in range(3):
        kms.get_parameters_for_import(KeyId=key, **FOR_IMPORT)

    for _ in range(5):
        busy.clock.advance(1)
        kms.get_parameters_for_import(KeyId=key, **FOR_IMPORT)
        with busy.refuses("ThrottlingException", TOO_FAST):
            kms.get_parameters_for_import(KeyId=key, **FOR_IMPORT)


def test_an_old_account_waits_four_seconds_for_each_request():
    with Bench(quotas=Quotas(PER_SECOND_OLD_ACCOUNT)) as bench:
        key, kms = bench.key(), bench.client(retries=False)
        for _ in range(3):
            kms.get_parameters_for_import(KeyId=key, **FOR_IMPORT)
        bench.clock.advance(3.9)
        with bench.refuses("ThrottlingException", TOO_FAST):
            kms.get_parameters_for_import(KeyId=key, **FOR_IMPORT)
        bench.clock.advance(0.1)
        kms.get_parameters_for_import(KeyId=key, **FOR_IMPORT)


@pytest.mark.parametrize(
    ("operation", "parameters", "a_second"),
    [
        ("import_key_material", {"ImportToken": b"token", "EncryptedKeyMaterial": b"blob"}, 15),
        ("delete_imported_key_material", {}, 15),
        ("rotate_key_on_demand", {}, 5),
        ("list_key_rotations", {}, 100),
        ("describe_key", {}, 2000),
    ],
)
def test_each_operation_has_a_quota_of_its_own_that_refused_calls_use_up_too(busy, operation, parameters, a_second):
    key, kms = busy.key("RSA_2048", "SIGN_VERIFY"), busy.client(retries=False)
    call = getattr(kms, operation)

    def throttled():
        try:
            call(KeyId=key, **parameters)
        except ClientError as error:
            return error.response["Error"]["Code"] == "ThrottlingException"
        return False

    assert [throttled() for _ in range(a_second)] == [False] * a_second
    assert throttled()
    busy.clock.advance(1)
    assert [throttled() for _ in range(a_second)] == [False] * a_second
    assert throttled()


def test_all_callers_of_an_account_share_its_quota_and_no_other_account_or_region_does(busy):
    keys = {busy.key(): busy.client(retries=False) for _ in range(3)}
    for key, kms in keys.items():
        kms.get_parameters_for_import(KeyId=key, **FOR_IMPORT)
    with busy.refuses("ThrottlingException", TOO_FAST):
        next(iter(keys.values())).get_parameters_for_import(KeyId=next(iter(keys)), **FOR_IMPORT)

    for kms in (busy.client(OTHER_REGION, retries=False), busy.client(account=OTHER_ACCOUNT, retries=False)):
        key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
        kms.get_parameters_for_import(KeyId=key, **FOR_IMPORT)


def test_botocore_s_own_retries_get_through_a_short_squeeze_on_the_tests_clock(busy):
    key = busy.key()
    started_at = busy.clock.now()

    for _ in range(12):
        busy.clock.advance(0.7)
        busy.kms.get_parameters_for_import(KeyId=key, **FOR_IMPORT)

    assert busy.aws.count("GetParametersForImport") > 12
    assert busy.clock.now() > started_at


# --------------------------------------------------------------------------------------------------------- faults: C-102


@pytest.mark.parametrize(
    ("fault", "code", "status", "sentence"),
    [
        (Fault.THROTTLED, "ThrottlingException", 400, TOO_FAST),
        (Fault.INTERNAL_ERROR, "KMSInternalException", 500, "An internal error occurred."),
        (Fault.DEPENDENCY_TIMEOUT, "DependencyTimeoutException", 500, "The system timed out."),
    ],
)
@pytest.mark.parametrize("moment", Moment)
def test_a_fault_is_answered_before_or_after_the_effect(bench, fault, code, status, sentence, moment):
    key, kms = bench.filled_key(ONE), bench.client(retries=False)
    bench.faults.inject("DisableKey", fault, moment)

    with pytest.raises(ClientError) as caught:
        kms.disable_key(KeyId=key)

    error = caught.value.response
    assert (error["Error"]["Code"], error["Error"]["Message"]) == (code, sentence)
    assert error["ResponseMetadata"]["HTTPStatusCode"] == status
    assert bench.state(key) == ("Enabled" if moment is Moment.BEFORE else "Disabled")


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.INTERNAL_ERROR, Fault.DEPENDENCY_TIMEOUT, Fault.READ_TIMEOUT])
def test_botocore_tries_again_after_a_transient_fault(bench, fault):
    key = bench.key()
    bench.faults.inject("DescribeKey", fault, times=2)

    assert bench.state(key) == "PendingImport"
    assert bench.aws.count("DescribeKey") == 3


def test_an_answer_to_an_import_that_is_lost_is_no_harm(bench):
    key, kms = bench.key(), bench.client(retries=False)
    given = parameters(kms, key)
    how = {
        "KeyId": key,
        "ImportToken": given["ImportToken"],
        "EncryptedKeyMaterial": wrap("RSAES_OAEP_SHA_256", given["PublicKey"], ONE),
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }
    bench.faults.inject("ImportKeyMaterial", Fault.CONNECTION_CLOSED, Moment.AFTER)

    with pytest.raises(ConnectionClosedError):
        kms.import_key_material(**how)
    assert bench.state(key) == "Enabled"
    assert kms.import_key_material(**how)["KeyMaterialId"] == bench.metadata(key)["CurrentKeyMaterialId"]


def test_a_call_whose_connection_is_lost_before_the_effect_has_none(bench):
    key, kms = bench.filled_key(ONE), bench.client(retries=False)
    bench.faults.inject("DisableKey", Fault.READ_TIMEOUT, Moment.BEFORE)

    with pytest.raises(ReadTimeoutError):
        kms.disable_key(KeyId=key)

    assert bench.state(key) == "Enabled"


def test_a_refusal_of_the_test_s_own_takes_a_call_s_place(bench):
    key = bench.key()
    bench.faults.inject("DescribeKey", Refusal(400, "AccessDeniedException", "not you"), skip=1)

    assert bench.state(key) == "PendingImport"
    with bench.refuses("AccessDeniedException", "not you"):
        bench.kms.describe_key(KeyId=key)
    assert bench.state(key) == "PendingImport"


def test_faults_that_are_drawn_are_the_same_for_the_same_seed():
    def struck(seed):
        with Bench() as bench:
            bench.faults.dice = Random(seed)  # noqa: S311  # dice that repeat
            bench.faults.rates = {(Fault.THROTTLED, Moment.BEFORE): 0.3}
            kms = bench.client(retries=False)
            return [_is_throttled(kms.list_keys) for _ in range(40)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 0 < sum(struck(1)) < 40


def _is_throttled(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] == "ThrottlingException"
    return False


def test_no_fault_strikes_unless_it_is_asked_for():
    assert Faults().strike("DescribeKey", Moment.BEFORE) is None


# --------------------------------------------------------------------------------------------------- consistency: C-101


@pytest.fixture
def late():
    """Every call sees the state of a random moment of the last ten seconds."""
    with Bench(lag=Lag(probability=1.0, max_seconds=10.0)) as bench:
        yield bench


def outcomes(bench, call, *, tries=40):
    found = set()
    for _ in range(tries):
        try:
            found.add(call())
        except ClientError as error:
            found.add(error.response["Error"]["Code"])
    return found


def test_a_key_made_a_moment_ago_is_at_times_not_found(late):
    key = late.key()
    late.clock.advance(5)

    assert outcomes(late, lambda: late.state(key)) == {"PendingImport", "NotFoundException"}
    assert outcomes(late, lambda: parameters(late.kms, key)["KeyId"]) == {key, "NotFoundException"}


def test_a_state_that_was_just_changed_reads_as_before_at_times(late):
    key = late.key()
    late.clock.advance(20)
    late.put(key, ONE)
    late.clock.advance(5)

    assert outcomes(late, lambda: late.state(key)) == {"Enabled", "PendingImport"}
    late.clock.advance(10)
    assert outcomes(late, lambda: late.state(key)) == {"Enabled"}


def test_a_use_of_what_was_just_imported_is_at_times_refused_by_the_state_before(late):
    key = late.key()
    late.clock.advance(20)
    late.put(key, ONE)
    late.clock.advance(5)

    found = outcomes(late, lambda: late.kms.encrypt(KeyId=key, Plaintext=b"m")["KeyId"])

    assert found == {key, "KMSInvalidStateException"}


def test_a_late_call_never_undoes_or_repeats_anything(late):
    key = late.key()
    late.clock.advance(20)
    late.put(key, ONE)
    late.clock.advance(20)
    for _ in range(20):
        late.kms.disable_key(KeyId=key)
        late.kms.enable_key(KeyId=key)
    late.clock.advance(20)
    late.stage(key, TWO)
    late.clock.advance(20)

    assert late.materials(key) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]
    assert late.state(key) == "Enabled"


def test_without_lag_every_read_is_current(bench):
    key = bench.key()
    for _ in range(12):
        bench.put(key, ONE)
        assert bench.state(key) == "Enabled"
        bench.kms.delete_imported_key_material(KeyId=key)
        assert bench.state(key) == "PendingImport"


def test_two_kms_of_one_seed_answer_alike_and_two_of_different_seeds_do_not():
    def story(seed):
        with Bench(seed=seed, lag=Lag(0.5, 5.0)) as bench:
            key = bench.key()
            bench.clock.advance(30)
            id_ = bench.put(key, ONE)["KeyMaterialId"]
            states = []
            for _ in range(20):
                bench.clock.advance(0.3)
                states.append(bench.strict.call("DescribeKey", {"KeyId": key}, region=REGION, account=ACCOUNT))
            return key, id_, states

    assert story(3) == story(3)
    assert story(3)[:2] != story(4)[:2]
