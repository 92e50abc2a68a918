"""The released template is template.yaml without SAM, and fit for StackSets. tests/e2e/test_release.py deploys it."""

import json
import re
from collections import Counter

import pytest
from samtranslator.yaml_helper import yaml_parse

from lab.application import TEMPLATE, source
from tools.release import template

ZIPS = {name: f"{name}.zip" for name in template.artifacts(TEMPLATE)}
BUCKET = {"Fn::Sub": "${ArtifactBucketPrefix}-${AWS::Region}"}
OWN_PARAMETERS = {"ArtifactBucketPrefix", "ArtifactKeyPrefix", "ExportPrefix"}


@pytest.fixture(scope="module")
def released():
    return json.loads(template.written(template.plain(TEMPLATE, ZIPS)))


def references(value):
    """Each parameter and pseudo-parameter that is named, as often as it is."""
    text = json.dumps(value)
    return Counter(re.findall(r'{"Ref": "([\w:]+)"}', text)) + Counter(re.findall(r"\$\{([\w:]+)\}", text))


def test_there_is_no_transform_no_macro_and_no_nested_stack(released):
    assert "Transform" not in released
    assert "Fn::Transform" not in json.dumps(released)
    types = {resource["Type"] for resource in released["Resources"].values()}
    assert not [type_ for type_ in types if type_.startswith(("AWS::Serverless", "AWS::CloudFormation"))]


def test_it_has_the_parameters_of_template_yaml_with_their_defaults_and_three_more(released):
    parameters = source()["Parameters"]

    assert {name: rule for name, rule in released["Parameters"].items() if name in parameters} == parameters
    assert set(released["Parameters"]) - set(parameters) == OWN_PARAMETERS


def test_no_value_stands_where_a_parameter_stood(released):
    """SAM's translator writes defaults and the Region into what it translates."""
    resources = source()["Resources"]
    missing = {}
    for name, resource in resources.items():
        (after,) = [one for key, one in released["Resources"].items() if re.fullmatch(rf"{name}([0-9a-f]{{10}})?", key)]
        expected = references(json.loads(json.dumps(resource).replace("AWS::StackName", "ExportPrefix")))
        lost = {one: number for one, number in (expected - references(after)).items() if one not in resources}
        missing |= {name: lost} if lost else {}

    assert missing == {}
    assert references(released["Rules"]) == references(source()["Rules"])
    assert not re.findall(r"[a-z]{2}-[a-z]+-\d", json.dumps([released["Resources"], released["Outputs"]]))


def test_all_code_comes_from_the_bucket_of_the_region(released):
    places = [
        resource["Properties"].get("Code") or resource["Properties"]["Content"]
        for resource in released["Resources"].values()
        if resource["Type"] in template.ZIPS
    ]

    keys = sorted(place["S3Key"]["Fn::Sub"] for place in places)
    assert keys == sorted(f"${{ArtifactKeyPrefix}}{name}" for name in ZIPS.values())
    assert [place["S3Bucket"] for place in places] == [BUCKET] * len(ZIPS)


@pytest.mark.parametrize(
    ("prefix", "is_taken"),
    [("", True), ("signed/", True), ("v1.2/signed_by-us/", True), ("signed", False), ("/", False), ("${x}/", False)],
)
def test_a_prefix_of_the_zips_is_nothing_or_ends_with_a_slash(released, prefix, is_taken):
    """Without the slash the zips would lie beside the unsigned ones, under names that nobody expects."""
    own = released["Parameters"]["ArtifactKeyPrefix"]

    assert own["Default"] == ""
    assert bool(re.fullmatch(own["AllowedPattern"], prefix)) is is_taken


def test_a_prefix_that_makes_a_bucket_is_one_that_the_template_takes(released):
    bucket = yaml_parse((TEMPLATE.parent / "examples" / "artifact-bucket.yaml").read_text())
    own = released["Parameters"]["ArtifactBucketPrefix"]

    assert bucket["Parameters"]["ArtifactBucketPrefix"]["AllowedPattern"] == own["AllowedPattern"]
    assert bucket["Resources"]["Bucket"]["Properties"]["BucketName"] == BUCKET


def test_the_exports_have_the_same_names_whatever_the_stack_is_called(released):
    names = {output["Export"]["Name"]["Fn::Sub"] for output in released["Outputs"].values() if "Export" in output}
    prefix = released["Parameters"]["ExportPrefix"]["Default"]

    assert {name.replace("${ExportPrefix}", prefix) for name in names} == {
        "imported-key-material-ServiceToken",
        "imported-key-material-RoleArn",
    }
    assert "AWS::StackName" not in json.dumps([released["Resources"], released["Outputs"]])
    watch = released["Resources"]["WatchFunction"]["Properties"]["Environment"]["Variables"]
    assert watch["SERVICE_TOKEN_EXPORT"] == released["Outputs"]["ServiceToken"]["Export"]["Name"]


def test_a_layer_is_another_resource_only_if_its_zip_is_another_one(released):
    """CloudFormation then makes the new layer before the functions use it, and removes the old one."""
    changed = template.plain(TEMPLATE, ZIPS | {"DependenciesArm64": "changed.zip", "Function": "changed.zip"})

    gone, new = released["Resources"].keys() - changed["Resources"], changed["Resources"].keys() - released["Resources"]
    assert [re.sub("[0-9a-f]{10}$", "", name) for name in (*gone, *new)] == ["DependenciesArm64"] * 2
    assert {changed["Resources"][name]["DeletionPolicy"] for name in new} == {"Delete"}


def test_the_metadata_for_sam_is_gone_and_that_of_other_linters_stays(released):
    metadata = [resource["Metadata"] for resource in released["Resources"].values() if "Metadata" in resource]

    assert {name for one in metadata for name in one} == {"checkov", "cfn_nag"}


def test_each_resource_has_its_own_line_and_all_of_it_fits_into_a_call(released):
    text = template.written(template.plain(TEMPLATE, ZIPS))

    assert len(text) < 51_200
    lines = text.decode().splitlines()
    for name in released["Resources"]:
        assert sum(line.startswith(f'"{name}":{{"Type":') for line in lines) == 1


def test_a_template_that_does_not_fit_is_refused():
    large = template.plain(TEMPLATE, ZIPS) | {"Description": "x" * 51_200}

    with pytest.raises(template.TooLargeError) as refusal:
        template.written(large)

    assert re.fullmatch(
        r"The released template has \d\d,\d{3} bytes, and CloudFormation takes 51,200 in a call\. Shorten template\.yaml\.",
        str(refusal.value),
    )
