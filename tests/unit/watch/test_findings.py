"""The findings, kind by kind: when each is made, and whether it is urgent."""

from dataclasses import replace
from datetime import timedelta

import pytest

from imported_key_material.aws.held_materials import State
from imported_key_material.watch.estate import HiddenKey, HoldingResource, MissingKey, names_of_no_stack
from imported_key_material.watch.findings import Kind, find
from tests.support.estates import NOW, ORDERS, days, estate, key, key_id, material

SECOND = timedelta(seconds=1)


def found(*keys, warning_days=30):
    return [(one.kind, one.urgent) for one in find(estate(*keys), NOW, warning_days)]


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (days(30) + SECOND, []),
        (days(30), [(Kind.EXPIRES, False)]),
        (days(7) + SECOND, [(Kind.EXPIRES, False)]),
        (days(7), [(Kind.EXPIRES, True)]),
        (SECOND, [(Kind.EXPIRES, True)]),
        (-SECOND, [(Kind.EXPIRES, True)]),  # KMS has not taken it out of use yet
    ],
)
@pytest.mark.parametrize("holders", [(), (ORDERS,)])
def test_a_key_expires_within_the_warning_days_whether_or_not_a_stack_declares_it(left, expected, holders):
    assert found(key(ends=NOW + left, holders=holders)) == expected


def test_seven_days_are_urgent_however_few_the_warning_days_are():
    assert found(key(ends=NOW + days(7)), warning_days=1) == [(Kind.EXPIRES, True)]
    assert found(key(ends=NOW + days(7) + SECOND), warning_days=1) == []


def test_a_key_without_an_end_is_no_finding():
    assert found(key(materials=[material()], holders=[ORDERS])) == []


def test_the_material_that_ends_first_decides_although_describe_key_shows_another_end():
    materials = [material(1, State.SUPERSEDED, NOW + days(3)), material(2, ends=NOW + days(300))]

    (finding,) = find(estate(key(ends=NOW + days(300), materials=materials)), NOW, 30)

    assert (finding.kind, finding.urgent, finding.at) == (Kind.EXPIRES, True, NOW + days(3))
    assert finding.materials == tuple(materials)


def test_a_pending_material_that_ends_harms_no_key():
    """KMS's contract, C-49."""
    materials = [material(1), material(2, State.PENDING, NOW + days(3))]

    assert found(key(materials=materials, holders=[replace(ORDERS, since=NOW)])) == []


@pytest.mark.parametrize("later", [None, NOW + days(200)])
def test_one_of_several_materials_ends_before_the_others(later):
    materials = [material(1, State.SUPERSEDED, NOW + days(100)), material(2, ends=later)]

    assert found(key(ends=NOW + days(100), materials=materials)) == [(Kind.ENDS_FIRST, False)]


def test_materials_that_end_together_are_no_finding():
    materials = [material(1, State.SUPERSEDED, NOW + days(100)), material(2, ends=NOW + days(100))]

    assert found(key(ends=NOW + days(100), materials=materials)) == []


OUT_OF_USE = {
    "PendingImport": Kind.LOST,
    "Disabled": Kind.DISABLED,
    "PendingDeletion": Kind.DELETION,
    "PendingReplicaDeletion": Kind.DELETION,
}


@pytest.mark.parametrize("state", OUT_OF_USE)
def test_a_key_is_out_of_use_only_if_a_living_stack_declares_it(state):
    assert found(key(state=state, holders=[ORDERS])) == [(OUT_OF_USE[state], True)]
    assert found(key(state=state)) == []


@pytest.mark.parametrize("state", ["Enabled", "Updating", "Creating"])
def test_a_key_in_another_state_is_not(state):
    assert found(key(state=state, holders=[ORDERS])) == []


def test_a_key_that_will_be_deleted_is_not_reported_to_expire_too():
    deleted = key(state="PendingDeletion", ends=NOW + days(3), holders=[ORDERS], deletion_at=NOW + days(9))

    (finding,) = find(estate(deleted), NOW, 30)

    assert (finding.kind, finding.at, finding.left) == (Kind.DELETION, NOW + days(9), days(9))


def test_a_disabled_key_that_expires_is_two_findings():
    assert found(key(state="Disabled", ends=NOW + days(20), holders=[ORDERS])) == [
        (Kind.DISABLED, True),
        (Kind.EXPIRES, False),
    ]


@pytest.mark.parametrize("state", [State.PENDING, State.PENDING_IN_REPLICAS])
@pytest.mark.parametrize(
    ("ago", "expected"), [(days(1) + SECOND, [(Kind.PENDING, False)]), (days(1), []), (SECOND, [])]
)
def test_a_material_is_pending_for_more_than_a_day_since_the_stack_was_deployed(state, ago, expected):
    pending = [material(1), material(2, state)]

    assert found(key(materials=pending, holders=[replace(ORDERS, since=NOW - ago)])) == expected


def test_the_stack_that_was_deployed_last_counts():
    pending = [material(1), material(2, State.PENDING)]

    assert found(key(materials=pending, holders=[ORDERS, HoldingResource("other", "Material", NOW - SECOND)])) == []


def test_pending_material_that_no_stack_declares_is_reported_at_once():
    assert found(key(materials=[material(1), material(2, State.PENDING)])) == [(Kind.PENDING, False)]


def test_a_key_that_can_t_be_seen_is_urgent_as_a_whole_and_in_part():
    hidden = replace(estate(key(2, unread=["kms:ListResourceTags"])), hidden=(HiddenKey(key_id(1)),))

    findings = find(hidden, NOW, 30)

    assert [(one.kind, one.urgent, one.denied) for one in findings] == [
        (Kind.HIDDEN, True, ("kms:DescribeKey",)),
        (Kind.HIDDEN, True, ("kms:ListResourceTags",)),
    ]


def test_a_key_that_is_seen_in_part_is_watched_as_far_as_it_is_seen():
    assert found(key(ends=NOW + days(20), unread=["kms:ListKeyRotations"])) == [
        (Kind.HIDDEN, True),
        (Kind.EXPIRES, False),
    ]


def test_a_key_that_is_gone_is_urgent():
    gone = replace(estate(), missing=(MissingKey(key_id(1), (ORDERS,)),))

    assert [(one.kind, one.urgent) for one in find(gone, NOW, 30)] == [(Kind.GONE, True)]


def test_what_is_urgent_comes_first_then_what_is_out_of_use_then_what_ends_soonest():
    keys = [
        key(1, ends=NOW + days(25)),
        key(2, ends=NOW + days(20)),
        key(3, ends=NOW + days(5)),
        key(4, ends=NOW + days(4)),
        key(5, state="Disabled", holders=[ORDERS]),
    ]

    assert [int(one.key_id.uuid[:8]) for one in find(estate(*keys), NOW, 30)] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("tag", "names"),
    [
        (None, ()),
        ("", ()),
        ("orders", ()),
        ("orders old", ("old",)),
        ("ord/", ()),
        ("pay/ orders", ("pay/",)),
        ("/", ()),
        ("order", ("order",)),
    ],
)
def test_names_of_a_tag_that_name_no_living_stack(tag, names):
    assert names_of_no_stack(tag, {"orders"}) == names
    assert names_of_no_stack("/", set()) == ("/",)
