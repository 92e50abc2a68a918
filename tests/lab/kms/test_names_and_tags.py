"""The strict KMS: aliases, tags and key policies, as far as a stack's key resource and consent need them."""

import json

import pytest

from tests.support.kms_bench import ACCOUNT, OTHER_ACCOUNT, OTHER_REGION, REGION

MATERIAL = bytes(range(32))


def alias_arn(name):
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:{name}"


# -------------------------------------------------------------------------------------------------------------- aliases


def test_an_alias_moves_from_key_to_key_and_is_listed_with_its_key(bench):
    one, two = bench.key(), bench.key()
    bench.kms.create_alias(AliasName="alias/orders", TargetKeyId=one)
    assert [entry["AliasArn"] for entry in bench.kms.list_aliases(KeyId=one)["Aliases"]] == [alias_arn("alias/orders")]

    bench.kms.update_alias(AliasName="alias/orders", TargetKeyId=two)

    assert bench.kms.list_aliases(KeyId=one)["Aliases"] == []
    assert bench.metadata("alias/orders")["Arn"] == two
    bench.kms.delete_alias(AliasName="alias/orders")
    with bench.refuses("NotFoundException", f"Alias {alias_arn('alias/orders')} is not found."):
        bench.kms.describe_key(KeyId="alias/orders")


def test_an_alias_may_be_made_for_a_key_that_is_pending_import(bench):
    bench.kms.create_alias(AliasName="alias/orders", TargetKeyId=bench.key())

    assert bench.state("alias/orders") == "PendingImport"


def test_an_alias_is_taken_only_in_its_own_account_and_region(bench):
    key = bench.key()
    bench.kms.create_alias(AliasName="alias/orders", TargetKeyId=key)
    sentence = f"An alias with the name {alias_arn('alias/orders')} already exists"

    with bench.refuses("AlreadyExistsException", sentence):
        bench.kms.create_alias(AliasName="alias/orders", TargetKeyId=key)
    for kms in (bench.client(OTHER_REGION), bench.client(account=OTHER_ACCOUNT)):
        kms.create_alias(AliasName="alias/orders", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])


def test_an_alias_has_its_prefix(bench):
    key = bench.key()
    sentence = (
        'Alias must start with the prefix "alias/". Please see '
        "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
    )

    with bench.refuses("ValidationException", sentence):
        bench.kms.create_alias(AliasName="orders", TargetKeyId=key)


@pytest.mark.parametrize("name", ["alias/aws/orders", "alias/"])
def test_reserved_aliases_can_t_be_made(bench, name):
    key = bench.key()

    with bench.refuses("InvalidAliasNameException", f"The alias name {name} is not valid."):
        bench.kms.create_alias(AliasName=name, TargetKeyId=key)


def test_an_alias_stays_with_one_kind_of_key(bench):
    bench.kms.create_alias(AliasName="alias/orders", TargetKeyId=bench.key())
    other = bench.key("HMAC_256")
    sentence = f"{other} and the alias's present key differ in key type or key usage."

    with bench.refuses("InvalidKeyUsageException", sentence):
        bench.kms.update_alias(AliasName="alias/orders", TargetKeyId=other)


@pytest.mark.parametrize("operation", ["update_alias", "delete_alias"])
def test_an_alias_that_is_not_there_is_named_by_its_arn(bench, operation):
    more = {"TargetKeyId": bench.key()} if operation == "update_alias" else {}

    with bench.refuses("NotFoundException", f"Alias {alias_arn('alias/orders')} is not found."):
        getattr(bench.kms, operation)(AliasName="alias/orders", **more)


def test_no_alias_is_made_for_a_key_that_is_pending_deletion(bench):
    key = bench.key()
    bench.kms.schedule_key_deletion(KeyId=key)

    with bench.refuses("KMSInvalidStateException", f"{key} is pending deletion."):
        bench.kms.create_alias(AliasName="alias/orders", TargetKeyId=key)


# ----------------------------------------------------------------------------------------------------------------- tags


def test_tags_are_set_replaced_and_taken_off(bench):
    key = bench.key(Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": "2"}])
    bench.kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "3"}, {"TagKey": "c", "TagValue": ""}])
    bench.kms.untag_resource(KeyId=key, TagKeys=["b", "never there"])

    tags = bench.kms.list_resource_tags(KeyId=key)["Tags"]

    assert {tag["TagKey"]: tag["TagValue"] for tag in tags} == {"a": "3", "c": ""}


def test_tags_page(bench):
    key = bench.key(Tags=[{"TagKey": f"t{number}", "TagValue": ""} for number in range(5)])
    pages = bench.kms.get_paginator("list_resource_tags").paginate(KeyId=key, PaginationConfig={"PageSize": 2})

    assert [len(page["Tags"]) for page in pages] == [2, 2, 1]


def test_a_page_of_tags_has_50_at_most(bench):
    key = bench.key()
    sentence = (
        "1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: "
        "Member must have value less than or equal to 50"
    )

    with bench.refuses("ValidationException", sentence):
        bench.kms.list_resource_tags(KeyId=key, Limit=51)


@pytest.mark.parametrize(
    ("tags", "code", "sentence"),
    [
        ({"aws:x": ""}, "TagException", "Tag key aws:x is not allowed: the prefix aws: is reserved."),
        ({str(number): "" for number in range(51)}, "LimitExceededException", "Too many tags"),
    ],
)
def test_tags_that_aws_does_not_take_are_refused_whole(bench, tags, code, sentence):
    key, kms = bench.key(), bench.client(retries=False)

    with bench.refuses(code, sentence):
        kms.tag_resource(KeyId=key, Tags=[{"TagKey": name, "TagValue": value} for name, value in tags.items()])


def test_a_tag_key_comes_once(bench):
    tags = [{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}]

    with bench.refuses("TagException", "Duplicate tag keys"):
        bench.key(Tags=tags)


# -------------------------------------------------------------------------------------------------------- key policies


def test_a_key_without_a_policy_gets_the_default_one(bench):
    answer = bench.kms.get_key_policy(KeyId=bench.key())

    policy = json.loads(answer["Policy"])
    assert (answer["PolicyName"], policy["Id"]) == ("default", "key-default-1")
    assert policy["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert bench.kms.list_key_policies(KeyId=bench.key())["PolicyNames"] == ["default"]


def test_a_policy_is_kept_to_the_letter(bench):
    policy = '{ "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}] }'
    key = bench.key(Policy=policy)
    assert bench.kms.get_key_policy(KeyId=key)["Policy"] == policy

    bench.kms.put_key_policy(KeyId=key, Policy=policy.replace(" ", ""))
    assert bench.kms.get_key_policy(KeyId=key)["Policy"] == policy.replace(" ", "")


@pytest.mark.parametrize(
    "policy", ["{", "[]", "{}", '{"Statement": []}', '{"Statement": [{"Effect": "Allow"}]}', '{"Statement": ["x"]}']
)
def test_a_malformed_policy_is_refused(bench, policy):
    key = bench.key()

    with bench.refuses("MalformedPolicyDocumentException", "The new key policy is not a valid policy document."):
        bench.kms.put_key_policy(KeyId=key, Policy=policy)


def test_a_key_has_one_policy(bench):
    key = bench.key()

    with bench.refuses("NotFoundException", "No such policy exists"):
        bench.kms.get_key_policy(KeyId=key, PolicyName="other")


# ------------------------------------------------------------------------------- what the evaluation of IAM reads directly


def test_a_key_s_view_shows_what_policies_are_evaluated_by(bench):
    policy = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}'
    key = bench.filled_key(MATERIAL, Policy=policy, MultiRegion=True, Tags=[{"TagKey": "a", "TagValue": "b"}])
    bench.kms.create_alias(AliasName="alias/orders", TargetKeyId=key)

    views = [
        bench.strict.key(reference, region=REGION, account=ACCOUNT)
        for reference in (key, key.rpartition("/")[2], "alias/orders", alias_arn("alias/orders"))
    ]

    assert len(set(map(repr, views))) == 1
    view = views[0]
    assert (view.arn, view.origin, view.spec, view.usage) == (key, "EXTERNAL", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    assert (view.policy, dict(view.tags), view.aliases) == (policy, {"a": "b"}, ("alias/orders",))
    assert (view.multi_region, view.multi_region_type, view.state) == (True, "PRIMARY", "Enabled")
    assert bench.strict.key("alias/none", region=REGION, account=ACCOUNT) is None
