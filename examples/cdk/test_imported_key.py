"""What the construct makes, shown by CDK's own assertions: `make cdk` runs them."""

from pathlib import Path

import pytest
from app import Orders
from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk.assertions import Match, Template
from imported_key import ImportedKey

RECORDED = Path(__file__).with_name("orders-cdk.template.json")
KEPT = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
DELETED = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}


def template_of(**arguments):
    """The template of a stack with one ImportedKey."""
    stack = Stack()
    ImportedKey(stack, "Imported", secret_id="orders/key", **arguments)
    return Template.from_stack(stack)


def id_of(template, resource_type):
    (logical_id,) = template.find_resources(resource_type)
    return logical_id


@pytest.fixture(scope="module")
def orders():
    return Template.from_stack(Orders(App(), "orders-cdk"))


def test_the_key_is_empty_and_its_tag_lets_the_stack_fill_it(orders):
    tag = {"Key": "imported-key-material", "Value": {"Ref": "AWS::StackName"}}

    orders.has_resource_properties("AWS::KMS::Key", {"Origin": "EXTERNAL", "Tags": [tag]})


def test_the_material_goes_into_that_key(orders):
    orders.has_resource_properties(
        "Custom::ImportedKeyMaterial",
        {
            "ServiceToken": {"Fn::ImportValue": "imported-key-material-ServiceToken"},
            "KeyId": {"Fn::GetAtt": [id_of(orders, "AWS::KMS::Key"), "Arn"]},
            "SecretId": {"Fn::Join": ["", [{"Ref": "AWS::StackName"}, "/key"]]},
            "SecretWrapping": {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": "alias/transport"},
        },
    )


def test_alias_grant_and_output_wait_for_the_material(orders):
    usable = {"Fn::GetAtt": [id_of(orders, "Custom::ImportedKeyMaterial"), "KeyArn"]}
    allowed = Match.object_like({"Action": Match.array_with(["kms:Decrypt", "kms:Encrypt"]), "Resource": usable})

    orders.has_resource_properties("AWS::KMS::Alias", {"TargetKeyId": usable})
    orders.has_resource_properties("AWS::IAM::Policy", {"PolicyDocument": {"Statement": [allowed]}})
    orders.has_output("KeyArn", {"Value": usable})


@pytest.mark.parametrize(
    ("arguments", "policies"),
    [({}, KEPT), ({"removal_policy": RemovalPolicy.DESTROY}, DELETED)],
    ids=["by default", "if the caller says DESTROY"],
)
def test_key_and_material_share_one_fate(arguments, policies):
    template = template_of(**arguments)

    template.has_resource("AWS::KMS::Key", policies)
    template.has_resource("Custom::ImportedKeyMaterial", policies)


def test_other_properties_are_passed_on_and_override_ours():
    wrapping = {"Algorithm": "RSAES_OAEP_SHA_256", "KeyId": "alias/transport-rsa"}
    version = "11111111-2222-3333-4444-555555555555"

    template = template_of(
        key_spec="HMAC_256",
        key_usage="GENERATE_VERIFY_MAC",
        properties={"SecretWrapping": wrapping, "SecretVersionId": version},
    )

    template.has_resource_properties("AWS::KMS::Key", {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"})
    template.has_resource_properties(
        "Custom::ImportedKeyMaterial",
        {"SecretId": "orders/key", "SecretWrapping": wrapping, "SecretVersionId": version},
    )


def test_without_a_name_there_is_no_alias():
    template_of().resource_count_is("AWS::KMS::Alias", 0)


def test_the_recorded_template_is_what_the_app_makes(tmp_path):
    app = App(outdir=str(tmp_path))
    Orders(app, "orders-cdk")
    app.synth()

    assert (tmp_path / RECORDED.name).read_text() == RECORDED.read_text(), "write it again: make cdk WRITE=1"
