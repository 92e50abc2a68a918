"""The errors: one sentence for each fault, all faults in one answer; and nothing catches `Leave`."""

import pytest

from imported_key_material.errors import (
    Fault,
    Faults,
    ImportedKeyMaterialError,
    Leave,
    NotWanted,
    OutOfTime,
    Refused,
    ServiceRefused,
    found_in,
)

NO_SECRET = Fault("SecretId", "There is no such secret.", "Check SecretId.")
NO_WRAPPING = Fault("WrappingKeySpec", "The key is too small.", "Use a larger one.")
NO_TAG = Fault("KeyId", "The KMS key has no tag.", "Set it.")


def refuse(error):
    raise error


def test_one_fault_reads_as_a_sentence():
    assert str(Refused(NO_SECRET)) == "SecretId: There is no such secret. Check SecretId."


def test_a_fault_without_a_remedy_ends_with_its_problem():
    assert str(Fault("KeyId", "KMS showed nothing yet.")) == "KeyId: KMS showed nothing yet."


def test_what_was_looked_at_stands_behind_the_property():
    fault = Fault("SecretId", "The material is empty.", "Store it.", "secret orders, version 1")

    assert str(fault) == "SecretId (secret orders, version 1): The material is empty. Store it."


def test_all_that_is_refused_within_a_place_was_found_there_but_what_says_its_own():
    elsewhere = Fault("SecretId", "The tag is missing.", "Set it.", "secret orders")

    with pytest.raises(Refused) as refused, found_in("secret orders, version 1"):
        refuse(Refused(NO_SECRET, elsewhere))

    assert str(refused.value) == (
        "2 things are wrong. (1) SecretId (secret orders, version 1): There is no such secret. Check SecretId. "
        "(2) SecretId (secret orders): The tag is missing. Set it."
    )
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_where_nothing_is_refused_a_place_is_not_named():
    with pytest.raises(OutOfTime, match=r"^late$"), found_in("secret orders"):
        refuse(OutOfTime("late"))

    with found_in("secret orders"):
        pass


def test_faults_know_which_properties_they_are_about():
    faults = Faults()
    assert faults.only_about(())

    faults.add("SecretWrapping.KeyId", "The key is Disabled.")

    assert faults.about("SecretWrapping")
    assert not faults.about("Secret")
    assert faults.only_about({"SecretWrapping"})
    assert not faults.only_about({"KeyId"})


def test_several_faults_are_numbered_in_one_text():
    assert str(Refused(NO_SECRET, NO_TAG)) == (
        "2 things are wrong. (1) SecretId: There is no such secret. Check SecretId. "
        "(2) KeyId: The KMS key has no tag. Set it."
    )


def test_of_one_property_ten_faults_are_listed_and_the_rest_is_counted():
    of_list = [Fault(f"PreviousSecretVersionIds.{n}", "It does not fit.") for n in range(25)]

    text = str(Refused(NO_SECRET, *of_list, NO_TAG))

    assert text.startswith("27 things are wrong. (1) SecretId: ")
    assert text.endswith(
        "(11) PreviousSecretVersionIds.9: It does not fit. (12) KeyId: The KMS key has no tag. Set it. "
        "15 more are not listed here."
    )


def test_forty_faults_are_listed_and_the_rest_is_counted():
    text = str(Refused(*(Fault(f"Name{n}", "It does not fit.") for n in range(100_000))))

    assert text.startswith("100,000 things are wrong. (1) Name0: It does not fit. (2) ")
    assert text.endswith(" (40) Name39: It does not fit. 99,960 more are not listed here.")


def test_faults_of_several_checks_are_refused_together_and_each_once():
    faults = Faults()

    faults.add("KeyId", "The KMS key has no tag.", "Set it.")
    with faults.collected():
        refuse(Refused(NO_SECRET, NO_WRAPPING))
    with faults.collected():
        refuse(ServiceRefused(NO_SECRET, operation="secretsmanager:DescribeSecret", code="ResourceNotFoundException"))

    assert faults
    with pytest.raises(Refused) as refused:
        faults.raise_if_any()
    assert refused.value.faults == (NO_TAG, NO_SECRET, NO_WRAPPING)
    assert refused.value.__context__ is None
    assert refused.value.__cause__ is None


def test_where_nothing_is_wrong_nothing_is_raised():
    faults = Faults()

    with faults.collected():
        pass

    assert not faults
    faults.raise_if_any()


@pytest.mark.parametrize("error", [OutOfTime("late"), NotWanted("nobody waits"), ValueError("a defect"), Leave()])
def test_only_what_is_refused_is_collected(error):
    faults = Faults()

    with pytest.raises(type(error)) as raised, faults.collected():
        raise error

    assert raised.value is error
    assert not faults


def test_aws_saying_no_is_one_more_fault_and_keeps_aws_own_code():
    refused = ServiceRefused(NO_SECRET, operation="secretsmanager:DescribeSecret", code="ResourceNotFoundException")

    assert isinstance(refused, Refused)
    assert str(refused) == "SecretId: There is no such secret. Check SecretId."
    assert (refused.operation, refused.code, refused.faults) == (
        "secretsmanager:DescribeSecret",
        "ResourceNotFoundException",
        (NO_SECRET,),
    )


def test_all_that_a_user_may_read_is_one_tree_and_leaving_is_not_in_it():
    assert all(issubclass(kind, ImportedKeyMaterialError) for kind in (Refused, ServiceRefused, OutOfTime, NotWanted))
    assert not issubclass(Leave, Exception)  # no `except Exception` on the way answers after all
