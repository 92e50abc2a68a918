"""Why the watch runs: the schedule's event, an event about one key, or anything else; and which findings are due then."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imported_key_material.watch.findings import Finding, Kind
from imported_key_material.watch.occasion import NothingToLookAt, Occasion, read
from lab.watch.playing import of_cloudtrail, of_kms, scheduled
from tests.support.estates import HOME, NOW, key_id

KEY = key_id()
OTHER_REGION = KEY.arn.replace("eu-central-1", "eu-west-1")
OTHER_ACCOUNT = KEY.arn.replace("111122223333", "999988887777")
NAMES_NONE = "The event of KMS names no key of this account and Region."
MONDAY = datetime(2026, 12, 7, 0, 0, tzinfo=UTC)


def why_nothing(event):
    with pytest.raises(NothingToLookAt) as nothing:
        read(event, HOME, NOW)
    return str(nothing.value)


def test_the_schedule_means_all_keys_at_the_event_s_own_time():
    at = NOW - timedelta(hours=5)

    assert read(scheduled(at), HOME, NOW) == Occasion(at)


@pytest.mark.parametrize(
    "time", [None, 5, "", "yesterday", "2026-13-40T00:00:00Z", "2026-12-04T06:00:01Z", "2025-12-02T06:00:00Z"]
)
def test_a_time_that_can_t_be_right_is_not_believed(time):
    assert read(scheduled(NOW) | {"time": time}, HOME, NOW) == Occasion(NOW)


@pytest.mark.parametrize("event", [None, {}, [], "event", 7, {"source": ["aws.kms"]}, {"detail": {"key-id": KEY.arn}}])
def test_what_comes_neither_from_kms_nor_from_the_schedule_is_by_hand_and_means_all_keys(event):
    assert read(event, HOME, NOW) == Occasion(NOW, by_hand=True)


@pytest.mark.parametrize(
    "event",
    [
        of_kms("KMS Imported Key Material Expiration", KEY.arn),
        of_kms("KMS CMK Rotation", KEY.arn),
        of_kms("KMS CMK Deletion", KEY.arn),
        of_kms("KMS CMK Rotation", KEY.arn) | {"detail": {}},  # then its resources name the key
        of_cloudtrail("DeleteImportedKeyMaterial", KEY.arn),
        of_cloudtrail("DisableKey", KEY.uuid),
        of_cloudtrail("ScheduleKeyDeletion", KEY.uuid),
        of_cloudtrail("DeleteExpiredKeyMaterial", None, serviceEventDetails={"keyId": KEY.uuid}),
        of_cloudtrail("DeleteExpiredKeyMaterial", None, resources=[{"ARN": KEY.arn}]),
    ],
    ids=lambda event: event["detail-type"],
)
def test_an_event_about_one_key_means_that_key(event):
    assert read(event, HOME, NOW) == Occasion(NOW, KEY)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (of_cloudtrail("DisableKey", OTHER_REGION), NAMES_NONE),
        (of_cloudtrail("DisableKey", OTHER_ACCOUNT), NAMES_NONE),
        (of_cloudtrail("DisableKey", "alias/orders"), NAMES_NONE),
        (of_cloudtrail("DisableKey", "x" * 1_000_000), NAMES_NONE),
        (of_cloudtrail("DisableKey", None, resources=7), NAMES_NONE),
        (of_kms("KMS CMK Rotation", "no/arn") | {"detail": None}, NAMES_NONE),
        (
            of_cloudtrail("DisableKey", KEY.arn) | {"account": "999988887777"},
            "The event of KMS is from another account or Region.",
        ),
        (
            of_kms("KMS CMK Rotation", KEY.arn) | {"region": "eu-west-1"},
            "The event of KMS is from another account or Region.",
        ),
        (of_cloudtrail("Decrypt", KEY.arn), "The event of KMS is of no kind that the watch knows."),
        (of_kms("KMS News", KEY.arn), "The event of KMS is of no kind that the watch knows."),
        (
            of_cloudtrail("DisableKey", KEY.arn, errorCode="AccessDenied"),
            "The event reports a call that KMS refused: it changed nothing.",
        ),
    ],
    ids=range(11),
)
def test_an_event_of_kms_about_no_key_of_ours_or_about_a_failed_call_means_nothing(event, reason):
    """Anybody may make calls that fail. If each made the watch look at all keys, they would use up KMS's quotas."""
    assert why_nothing(event) == reason


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from([KEY.arn, KEY.uuid, "aws.kms"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("source", "detail-type", "account", "region", "time", "resources", "detail")
DETAILS = ("key-id", "eventName", "errorCode", "requestParameters", "serviceEventDetails", "resources")


@example({"detail-type": []}, {}, "aws.kms")
@example({}, {"eventName": []}, "aws.kms")
@given(
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING),
    st.dictionaries(st.sampled_from(DETAILS), ANYTHING),
    st.sampled_from(["aws.kms", "aws.events", None]),
)
def test_no_event_leads_to_anything_but_all_keys_one_key_of_ours_or_nothing(fields, detail, source):
    event = of_cloudtrail("DisableKey", KEY.uuid) | fields | {"source": source}
    event["detail"] = {**of_cloudtrail("DisableKey", KEY.uuid)["detail"], **detail}
    try:
        occasion = read(event, HOME, NOW)
    except NothingToLookAt:
        return
    assert occasion.key_id is None or occasion.key_id.home == HOME
    assert abs(occasion.at - NOW) <= timedelta(days=1)


def due(occasion, *, urgent):
    return occasion.is_due(Finding(Kind.EXPIRES, KEY, NOW, urgent=urgent))


@pytest.mark.parametrize("hours", range(0, 7 * 24, 3))
def test_what_is_urgent_is_due_in_each_run_and_the_rest_on_mondays(hours):
    occasion = Occasion(MONDAY + timedelta(hours=hours))

    assert due(occasion, urgent=True)
    assert due(occasion, urgent=False) is (hours < 24)


def test_whoever_runs_it_by_hand_gets_everything_on_any_day():
    tuesday = Occasion(MONDAY + timedelta(days=1), by_hand=True)

    assert due(tuesday, urgent=True)
    assert due(tuesday, urgent=False)


def test_it_is_monday_in_utc():
    elsewhere = datetime.fromisoformat("2026-12-08T01:00:00+05:00")

    assert due(Occasion(elsewhere), urgent=False)


def test_a_run_for_one_key_reports_only_what_is_urgent():
    assert due(Occasion(MONDAY, KEY), urgent=True)
    assert not due(Occasion(MONDAY, KEY), urgent=False)
