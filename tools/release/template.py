"""The application's template without SAM's transform, as StackSets with service-managed permissions require.

It differs from template.yaml in three parameters of its own. The code comes from a bucket of the stack's Region, because Lambda
reads only there. The zips' names can begin with a prefix: CloudFormation notices a signed zip only by its name.
And the exports' names begin with a parameter, because StackSets name their stacks StackSet-NAME-ID.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

LIMIT_BYTES: Final = 51_200  # of a template that is sent in the call itself
ARTIFACTS: Final = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
ZIPS: Final = {"AWS::Lambda::Function": "Code", "AWS::Lambda::LayerVersion": "Content"}
PARAMETERS: Final = {
    "ArtifactBucketPrefix": {
        "Type": "String",
        "AllowedPattern": "[a-z0-9][a-z0-9.-]{1,40}[a-z0-9]",
        "Description": (
            "The release's zips lie in the bucket ArtifactBucketPrefix-REGION of the stack's Region (artifact-bucket.yaml)."
        ),
    },
    "ArtifactKeyPrefix": {
        "Type": "String",
        "Default": "",
        "AllowedPattern": "([A-Za-z0-9_./-]{1,200}/)?",
        "Description": "Beginning of the zips' names in the bucket, such as signed/.",
    },
    "ExportPrefix": {
        "Type": "String",
        "Default": "imported-key-material",
        "AllowedPattern": "[A-Za-z0-9:-]{1,128}",
        "Description": (
            "Beginning of the exports' names, PREFIX-ServiceToken and PREFIX-RoleArn, which other stacks import. Only a second "
            "application in the same account and Region needs another one, and a stack of another name that SAM deployed: "
            "there, the stack's name."
        ),
    },
}
_BUCKET: Final = {"Fn::Sub": "${ArtifactBucketPrefix}-${AWS::Region}"}
_STACK_NAME, _PREFIX = "${AWS::StackName}", "${ExportPrefix}"
_OTHER_TOOLS: Final = {"checkov", "cfn_nag"}  # of a resource's Metadata; the rest is for `sam build`


class TooLargeError(Exception):
    """CloudFormation would not take the template in a call."""


def artifacts(template: Path) -> list[str]:
    """The logical ids of all that has a zip: functions and layers."""
    return [name for name, resource in _read(template)["Resources"].items() if resource["Type"] in ARTIFACTS]


def plain(template: Path, zips: Mapping[str, str]) -> dict[str, Any]:
    """The template without the transform. `zips`: the object's name in the bucket, for each of `artifacts`."""
    source = _read(template)
    transformed = _transformed(source, zips)
    for resource in transformed["Resources"].values():
        if resource["Type"] in ZIPS:
            place = resource["Properties"][ZIPS[resource["Type"]]]
            place |= {"S3Bucket": _BUCKET, "S3Key": {"Fn::Sub": f"${{ArtifactKeyPrefix}}{place['S3Key']}"}}
        kept = {name: value for name, value in resource.pop("Metadata", {}).items() if name in _OTHER_TOOLS}
        resource.update({"Metadata": kept} if kept else {})
    transformed["Parameters"] = source["Parameters"] | PARAMETERS
    renamed: dict[str, Any] = _replaced(transformed, _STACK_NAME, _PREFIX)
    return renamed


def _read(template: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse(template.read_text("utf-8"))
    return parsed


def _transformed(source: Mapping[str, Any], zips: Mapping[str, str]) -> dict[str, Any]:
    """What SAM's translator makes of it.

    It writes values in place of parameters where it knows them: the Region, and defaults. So it gets no defaults, and the
    bucket is put in afterwards.
    """
    packaged = deepcopy(dict(source))
    packaged["Parameters"] = {name: {"Type": rule["Type"]} for name, rule in source["Parameters"].items()}
    for name, zip_name in zips.items():
        resource = packaged["Resources"][name]
        resource["Properties"][ARTIFACTS[resource["Type"]]] = {"Bucket": "bucket", "Key": zip_name}
    session = boto3.Session(region_name="us-east-1")  # asked for its partition; nothing is called
    transformed: dict[str, Any] = Translator({}, Parser(), boto_session=session).translate(packaged, {})
    return transformed


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list):
        return [_replaced(one, old, new) for one in value]
    if isinstance(value, dict):
        return {name: _replaced(one, old, new) for name, one in value.items()}
    return value


def written(template: Mapping[str, Any]) -> bytes:
    """JSON with one line for each resource, parameter and so on: a difference between releases shows what has changed.

    Raises TooLargeError.
    """
    sections = [
        f'"{name}":' + (_lines(section) if isinstance(section, dict) else _short(section))
        for name, section in template.items()
    ]
    text = ("{\n" + ",\n".join(sections) + "\n}\n").encode()
    if len(text) > LIMIT_BYTES:
        raise TooLargeError(
            f"The released template has {len(text):,} bytes, and CloudFormation takes {LIMIT_BYTES:,} in a call. "
            "Shorten template.yaml."
        )
    return text


def _lines(section: Mapping[str, Any]) -> str:
    return "{\n" + ",\n".join(f'"{name}":{_short(value)}' for name, value in section.items()) + "\n}"


def _short(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
