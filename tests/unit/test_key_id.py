"""A key's names, and the three forms of the physical id (docs/internals/design.md, rule 1)."""

import pytest

from imported_key_material.key_id import Home, KeyId, for_log, named_key, not_imported_id, owned_key
from lab.cloudformation.events import HOME, KEY_ARN

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
MULTI_REGION_ID = "mrk-1234abcd12ab34cd56ef1234567890ab"
NOT_IMPORTED = "not-imported:Material:5e4d3c2b-1a09-4f8e-8d7c-6b5a49382716"
ELSEWHERE = Home("aws", "eu-west-1", "999988887777")


def test_the_function_learns_from_its_arn_where_it_is_at_home():
    home = Home.of_arn("arn:aws-us-gov:lambda:us-gov-west-1:210987654321:function:imported-key-material")

    assert home == Home(partition="aws-us-gov", region="us-gov-west-1", account="210987654321")


@pytest.mark.parametrize("resource", [f"key/{KEY_ID}", "alias/transport", "alias/teams/orders"])
def test_an_arn_shows_where_its_key_or_alias_is(resource):
    assert Home.of_named(f"arn:aws:kms:eu-west-1:999988887777:{resource}", HOME) == ELSEWHERE


@pytest.mark.parametrize("name", [KEY_ID, f"key/{KEY_ID}", "alias/transport", NOT_IMPORTED, "arn:aws:kms", ""])
def test_what_is_named_without_an_arn_is_at_home(name):
    assert Home.of_named(name, HOME) == HOME


@pytest.mark.parametrize("uuid", [KEY_ID, MULTI_REGION_ID])
def test_an_arn_and_a_bare_id_name_the_same_key(uuid):
    key = KeyId(uuid, HOME)

    assert key.arn == f"arn:aws:kms:eu-central-1:111122223333:key/{uuid}"
    assert KeyId.of_arn(key.arn) == KeyId.parse(key.arn, HOME) == KeyId.parse(uuid, HOME) == key


def test_an_arn_of_elsewhere_names_the_key_of_the_same_id_at_home():
    """A multi-Region key and its replica share an id. `Home.of_named` shows which of them an ARN names."""
    assert KeyId.parse(KeyId(MULTI_REGION_ID, ELSEWHERE).arn, HOME) == KeyId(MULTI_REGION_ID, HOME)
    assert KeyId.of_arn(KeyId(MULTI_REGION_ID, ELSEWHERE).arn).home == ELSEWHERE


@pytest.mark.parametrize(
    "other", [f"{KEY_ID[:-1]}0", KEY_ARN.replace("key/1", "key/x1"), NOT_IMPORTED, "arn:aws:kms", ""]
)
def test_any_other_text_names_another_key(other):
    assert KeyId.parse(other, HOME) != KeyId.parse(KEY_ID, HOME)


def test_the_repr_of_a_key_shows_no_text_that_somebody_may_have_declared():
    assert repr(KeyId("c2VjcmV0", HOME)) == f"KeyId(home={HOME!r})"


# ------------------------------------------------------------------------------------------------------- physical ids


def test_a_resource_that_owns_a_key_has_its_arn_and_one_that_adopted_it_the_bare_id():
    key = KeyId.of_arn(KEY_ARN)

    assert (key.owned_id, key.adopted_id) == key.physical_ids == (KEY_ARN, KEY_ID)


def test_a_create_that_failed_before_its_import_has_an_id_that_no_key_has():
    assert not_imported_id("Material", "5e4d3c2b-1a09-4f8e-8d7c-6b5a49382716") == NOT_IMPORTED


@pytest.mark.parametrize("uuid", [KEY_ID, MULTI_REGION_ID])
def test_the_arn_of_a_key_at_home_is_an_owned_id(uuid):
    physical_id = f"arn:aws:kms:eu-central-1:111122223333:key/{uuid}"
    key = owned_key(physical_id, HOME)

    assert key == KeyId(uuid, HOME)
    assert key.owned_id == physical_id


@pytest.mark.parametrize(
    "physical_id",
    [
        KEY_ID,  # an adopted key
        NOT_IMPORTED,
        "orders-Material-1ABCDEFGHIJKL",  # made up by CloudFormation
        "orders_Material_ABCD1234",  # made up by crhelper
        "",
        KEY_ARN.replace("111122223333", "999988887777"),
        KEY_ARN.replace("eu-central-1", "eu-west-1"),
        KEY_ARN.replace("arn:aws:", "arn:aws-cn:"),
        KEY_ARN.replace(":kms:", ":secretsmanager:"),
        KEY_ARN.replace(":key/", ":alias/"),
        f"{KEY_ARN}\n",
        f"{KEY_ARN}/x",
        f" {KEY_ARN}",
        f"x{KEY_ARN}",
        KEY_ARN.rsplit("/", 1)[0] + "/",
    ],
)
def test_no_other_id_is_an_owned_id(physical_id):
    assert owned_key(physical_id, HOME) is None


@pytest.mark.parametrize("name", [KEY_ID, KEY_ARN, MULTI_REGION_ID])
def test_a_key_of_its_home_is_named_by_its_id_and_by_its_arn(name):
    assert named_key(name, HOME) == KeyId.parse(name, HOME)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "alias/orders",
        "not-imported:Material:1",
        f"{KEY_ID}x",
        f"{KEY_ID}\n",
        KEY_ID.upper(),
        KEY_ARN.replace("eu-central-1", "eu-west-1"),
        KEY_ARN.replace("111122223333", "999988887777"),
        KEY_ARN.replace("arn:aws:", "arn:aws-cn:"),
        KEY_ARN.replace(":kms:", ":s3:"),
    ],
)
def test_no_other_text_names_a_key_of_this_home(name):
    assert named_key(name, HOME) is None


# -------------------------------------------------------------------------------------------------------------- the log


@pytest.mark.parametrize("declared", [KEY_ID, KEY_ARN, MULTI_REGION_ID])
def test_a_declared_key_id_may_be_logged(declared):
    assert for_log(declared) == declared


@pytest.mark.parametrize(
    "declared",
    ["", "c2VjcmV0IG1hdGVyaWFsIG9mIDMyIGJ5dGVzLg==", f"{KEY_ID}x", f"{KEY_ARN}\n", "alias/a", 7, None, [KEY_ID]],
)
def test_whatever_else_a_property_holds_is_not_logged(declared):
    assert for_log(declared) == ""
