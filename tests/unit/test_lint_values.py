"""The cfn-lint rules about values that the schema takes: E9908, E9910, W9913."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from cfnlint.rules import RulesCollection

from cfn_lint_imported_key_material import ExpiryInThePast
from cfn_lint_imported_key_material._values import _ALL, _FORMS, _fits
from imported_key_material import properties
from imported_key_material.aws import secret_errors
from imported_key_material.errors import Faults, Refused
from imported_key_material.key_id import Home
from imported_key_material.lifecycle.declared_expiry import asked_expiry
from imported_key_material.material import check_value
from imported_key_material.material.key_specs import KEY_SPECS
from tests.support.linted import GOOD, KEY, NEVER, findings, linted, with_property

# -------------------------------------------------------------------------------------------------- the secret's Region

IRELAND = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders/master-key-AbCdEf"
FRANKFURT_KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
FRANKFURT_FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:imported-key-material"


def declared(secret: str, key: str = "!ImportValue orders-key", token: str = "!ImportValue token") -> str:
    return (
        GOOD.replace("!ImportValue imported-key-material-ServiceToken", token)
        .replace("!GetAtt Key.Arn", key)
        .replace("orders/master-key", secret, 1)
    )


def the_sentence_of_the_function(secret_arn: str) -> str:
    with pytest.raises(Refused) as refused:
        secret_errors.account_of(secret_arn, Home("aws", "eu-central-1", "111122223333"))
    return str(refused.value)


@pytest.mark.parametrize(
    ("resource", "regions"),
    [
        (declared(IRELAND, key=FRANKFURT_KEY), ("us-east-1",)),
        (declared(IRELAND, token=FRANKFURT_FUNCTION), ("us-east-1",)),
        (declared(IRELAND, token=FRANKFURT_FUNCTION), ("eu-west-1",)),
        (
            declared(IRELAND, token="!Sub " + FRANKFURT_FUNCTION.replace("111122223333", "${AWS::AccountId}")),
            ("us-east-1",),
        ),
        (declared(IRELAND), ("eu-central-1",)),
        (declared("!Sub " + IRELAND.replace("aws", "${AWS::Partition}", 1)), ("eu-central-1",)),
        (
            declared("!Join [':', [arn, aws, secretsmanager, eu-west-1, !Ref AWS::AccountId, secret, x]]"),
            ("eu-central-1",),
        ),
    ],
)
def test_a_secret_of_another_region_is_an_error_in_the_words_of_the_function(
    resource: str, regions: tuple[str, ...]
) -> None:
    assert findings(resource, regions=regions) == [f"E9908 {the_sentence_of_the_function(IRELAND)}"]


def test_a_secret_of_none_of_the_regions_of_cfn_lint_s_option_is_an_error() -> None:
    (found,) = findings(declared(IRELAND), regions=("eu-central-1", "us-east-1"))
    assert "only in its own (eu-central-1 or us-east-1)" in found


@pytest.mark.parametrize(
    ("secret", "more", "regions"),
    [
        (IRELAND, {}, ("us-east-1",)),  # cfn-lint's default
        (IRELAND, {}, ("eu-west-1", "eu-central-1")),
        (IRELAND, {}, ("eu-central-1", "eu-west-1")),
        (IRELAND, {"key": FRANKFURT_KEY.replace("central", "west")}, ("eu-central-1",)),
        ("orders/master-key", {"key": FRANKFURT_KEY}, ("eu-central-1",)),
        (f"!Sub {IRELAND.replace('eu-west-1', '${AWS::Region}')}", {"key": FRANKFURT_KEY}, ("eu-central-1",)),
        (f"!If [Never, '{IRELAND}', orders]", {"key": FRANKFURT_KEY}, ("eu-central-1",)),
        ("!ImportValue orders-secret", {"key": FRANKFURT_KEY}, ("eu-central-1",)),
        (IRELAND.replace("secretsmanager", "ssm"), {"key": FRANKFURT_KEY}, ("eu-central-1",)),
        (IRELAND.replace("eu-west-1", "REGION"), {"key": FRANKFURT_KEY}, ("eu-central-1",)),
    ],
)
def test_a_secret_that_may_be_in_the_region_of_the_stack_is_left_alone(
    secret: str, more: dict[str, str], regions: tuple[str, ...]
) -> None:
    before = NEVER if "Never" in secret else ""
    assert findings(declared(secret, **more), before=before, regions=regions) == []


def test_a_resource_with_a_condition_may_be_in_a_region_that_the_option_does_not_name() -> None:
    resource = declared(IRELAND).replace("    Properties:", "    Condition: Never\n    Properties:")
    assert findings(resource, before=NEVER) == []
    resource = resource.replace("!ImportValue orders-key", FRANKFURT_KEY)
    assert [text[:5] for text in findings(resource, before=NEVER)] == ["E9908"]


# -------------------------------------------------------------------------------------------------------- check values


@pytest.mark.parametrize("spec", [*KEY_SPECS.values()], ids=[*KEY_SPECS])
def test_a_kcv_is_an_error_in_the_words_of_the_function(spec) -> None:
    with pytest.raises(Refused) as refused:
        check_value.check_expected_form("KCV:377822", spec)
    key = KEY.replace("Origin:", f"KeySpec: {spec.name}\n      KeyUsage: {spec.usages[0]}\n      Origin:")
    assert findings(key + GOOD + "      ExpectedCheckValue: KCV:377822\n") == [f"E9910 {refused.value}"]


def test_without_the_key_all_forms_are_named() -> None:
    resource = GOOD.replace("!GetAtt Key.Arn", "!ImportValue orders-key") + "      ExpectedCheckValue: KCV:377822\n"
    assert findings(resource) == [
        (
            "E9910 ExpectedCheckValue: The value is not a check value. Write CMAC: and 6 to 10 hex digits (an even number), "
            "or ECB: and 6 hex digits, or HMAC: and 6 to 10 hex digits (an even number), or SHA256: and 64 hex digits."
        )
    ]


@pytest.mark.parametrize("spec", [*KEY_SPECS.values()], ids=[*KEY_SPECS])
def test_what_is_a_check_value_is_what_the_function_takes(spec) -> None:
    (forms,) = [forms for start, forms in _FORMS.items() if spec.name.startswith(start)]
    for prefix in (*(form.prefix for form in _ALL), "KCV", "cmac"):
        for digits in range(1, 67):
            value = f"{prefix}:{'A' * digits}"
            try:
                check_value.check_expected_form(value, spec)
                takes = True
            except Refused:
                takes = False
            assert _fits(value, forms) == takes, value


@pytest.mark.parametrize("value", ["cmac:377822c093", "ECB:377822", "!ImportValue check", "'{{resolve:ssm:/check}}'"])
def test_a_check_value_and_what_only_a_deployment_knows_are_left_alone(value: str) -> None:
    assert with_property(f"      ExpectedCheckValue: {value}\n") == []


def test_each_branch_of_a_condition_is_looked_at() -> None:
    found = with_property("      ExpectedCheckValue: !If [Never, CMAC:377822, SHA256:377822]\n")
    assert [text[:5] for text in found] == ["E9910"]


def test_a_check_value_without_any_prefix_is_found_only_once() -> None:
    assert [text[:5] for text in with_property("      ExpectedCheckValue: '377822'\n")] == ["E9901"]


@pytest.mark.parametrize(
    "key_id", ["!If [Never, !Ref Key, !Ref Other]", "!ImportValue orders-key", "!GetAtt Replica.Arn"]
)
def test_a_check_value_of_any_kind_is_left_alone_where_the_kind_of_key_is_not_known(key_id: str) -> None:
    replica = (
        "  Replica:\n    Type: AWS::KMS::ReplicaKey\n    Properties: {PrimaryKeyArn: !ImportValue a, KeyPolicy: {}}\n"
    )
    resources = KEY + GOOD.replace("!GetAtt Key.Arn", key_id) + f"      ExpectedCheckValue: 'SHA256:{'a' * 64}'\n"
    found = findings(resources + (replica if "Replica" in key_id else ""), before=NEVER if "Never" in key_id else "")
    assert [text for text in found if text.startswith("E9910")] == []


# ------------------------------------------------------------------------------------------------------ a time that passed

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["'2020-01-31T12:00:00Z'", "2020-01-31T12:00:00Z", "!If [Never, '2020-01-31T12:00Z', x]"]
)
def test_an_expiry_in_the_past_is_a_warning_in_the_words_of_the_function(value: str) -> None:
    faults = Faults()
    words = {"ServiceToken": "arn", "KeyId": FRANKFURT_KEY, "SecretId": "s", "ValidTo": "2020-01-31T12:00:00Z"}
    with pytest.raises(Refused) as refused:
        asked_expiry(properties.read(words, faults), NOW)
    found = [text for text in with_property(f"      ValidTo: {value}\n") if not text.startswith("E9901")]
    assert found == [f"W9913 {refused.value}"]


@pytest.mark.parametrize(
    ("valid_to", "passed"),
    [
        (NOW - timedelta(seconds=1), True),
        (NOW, True),
        (NOW + timedelta(seconds=1), False),
        (NOW.replace(tzinfo=None), False),  # E9901 asks for the zone
    ],
)
@pytest.mark.parametrize("quote", ["'", ""])
def test_the_moment_counts_as_for_the_function(valid_to: datetime, passed: bool, quote: str) -> None:  # noqa: FBT001  # a row
    rules = RulesCollection()
    rules.register(ExpiryInThePast(now=lambda: NOW))
    text = f"Resources:\n{KEY}{GOOD}      ValidTo: {quote}{valid_to.isoformat()}{quote}\n"
    assert [found[:5] for found in linted(text, rules)] == ["W9913"] * passed


@pytest.mark.parametrize(
    "value", ["2027-01-31", "2027-01-31T12:00:00", "2027-01-31 12:00:00", "!If [Never, 2027-01-31, !Ref AWS::NoValue]"]
)
def test_a_date_or_a_time_without_zone_is_an_error_also_without_quotes(value: str) -> None:
    quoted = re.sub(r"2027-[^,]+", r"'\g<0>'", value)
    found = with_property(f"      ValidTo: {value}\n")
    assert found == with_property(f"      ValidTo: {quoted}\n")
    assert {sentence[:14] for sentence in found} == {"E9901 ValidTo:"}


def test_a_time_with_its_zone_needs_no_quotes() -> None:
    assert with_property("      ValidTo: 2030-01-31T12:00:00+01:00\n") == []


def test_a_date_without_quotes_is_text_where_text_may_be() -> None:
    assert with_property("      Trigger: 2027-01-31\n      KeyMaterialDescription: 2027-01-31\n") == []


def test_two_times_that_are_the_same_are_one_expiry_with_and_without_quotes() -> None:
    resources = [
        KEY,
        GOOD + "      ValidTo: '2030-01-31T13:00:00+01:00'\n",
        GOOD.replace("Material:", "Other:", 1) + "      ValidTo: 2030-01-31T12:00:00Z\n",
    ]
    assert findings("".join(resources)) == []
