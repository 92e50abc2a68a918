"""A function that shows what CloudFormation really sends: the product never ships it, and gets no debug switch.

`probe_function.py` is its code, and says what it writes and how it answers.
"""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from lab.live.account import Account
from lab.live.made import SERVICE_TIMEOUT, Made

TYPE: Final = "Custom::LiveProbe"

PATIENCE_SECONDS: Final = "20"  # cloudformation/stack.py: STATUS_LAG_SECONDS
LOCAL_PATIENCE_SECONDS: Final = "0"

INLINE_MAX_BYTES: Final = 4096  # of a function's code in a template


def bare(source: str) -> str:
    """The code without comments, docstrings and types, so that it fits into a template."""
    module = ast.parse(source)
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in node.args.args:
                argument.annotation = None
    return ast.unparse(module)


CODE: Final = bare(Path(__file__).with_name("probe_function.py").read_text())


class DidNotCome(Exception):
    """CloudFormation did not send or show what an act looks for."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request that the probe got. `seen`: all that it wrote."""

    seen: Mapping[str, Any]

    @property
    def event(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.seen["event"]
        return found

    @property
    def type(self) -> str:
        return str(self.event["RequestType"])

    @property
    def made_at(self) -> datetime:
        """X-Amz-Date of its ResponseURL. Raises DidNotCome if there is none: a signature of version 2."""
        date = self.seen["url"]["X-Amz-Date"]
        if not date:
            raise DidNotCome("X-Amz-Date")
        return datetime.strptime(f"{date}+0000", "%Y%m%dT%H%M%SZ%z")

    @property
    def logical_id(self) -> str:
        return str(self.event["LogicalResourceId"])

    @property
    def physical_id(self) -> str:
        return str(self.event.get("PhysicalResourceId", ""))

    @property
    def shown_after_seconds(self) -> float | None:
        """How long after the request came its own statuses were shown; None if not in the probe's Patience."""
        return float(self.seen["looked_at"]) - float(self.seen["received_at"]) if self.seen["shown"] else None

    @property
    def stack(self) -> Mapping[str, Any]:
        """DescribeStacks' answer for the stack; {"error": ...} if it was refused."""
        answer = self.seen["stack"]
        found: Mapping[str, Any] = answer["Stacks"][0] if "Stacks" in answer else answer
        return found

    @property
    def resource(self) -> Mapping[str, Any]:
        """DescribeStackResource's answer for the resource; {"error": ...} if it was refused."""
        answer = self.seen["resource"]
        found: Mapping[str, Any] = answer.get("StackResourceDetail", answer)
        return found

    @property
    def resources(self) -> Mapping[str, str]:
        """The status of each resource that ListStackResources lists."""
        listed = self.seen["resources"].get("StackResourceSummaries", [])
        return {one["LogicalResourceId"]: one["ResourceStatus"] for one in listed}

    @property
    def events(self) -> list[Mapping[str, Any]]:
        """DescribeStackEvents' first page, newest first."""
        return list(self.seen["events"].get("StackEvents", []))


@dataclass(frozen=True, slots=True)
class Probe:
    """The deployed probe. `token`: its ServiceToken."""

    account: Account
    token: str
    bucket: str

    def resource(self, **properties: Any) -> dict[str, Any]:
        """A resource for a template that the probe serves."""
        return {
            "Type": TYPE,
            "Properties": {"ServiceToken": self.token, "ServiceTimeout": SERVICE_TIMEOUT, **properties},
        }

    def patient(self, **properties: Any) -> dict[str, Any]:
        """A resource of which the probe waits for the statuses, before it writes what it sees and answers."""
        return self.resource(
            Patience=LOCAL_PATIENCE_SECONDS if self.account.is_local else PATIENCE_SECONDS, **properties
        )

    def received(self, stack: str, type_: str = "", logical_id: str = "") -> list[Received]:
        """The requests of the stack of this name or id so far, the oldest first."""
        s3 = self.account.client("s3")
        found = []
        name = stack.split("/")[1] if "/" in stack else stack
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"events/{name}/"):
            for one in page.get("Contents", []):
                body = s3.get_object(Bucket=self.bucket, Key=one["Key"])["Body"].read()
                received = Received(json.loads(body))
                if type_ in ("", received.type) and logical_id in ("", received.logical_id):
                    found.append(received)
        return found


class NotDeployed(Exception):
    """The probe does not work."""


def deploy(made: Made, bucket: str, layer_arns: list[str]) -> Probe:
    """Deploys it and tries it. `layer_arns`: the application's own layer, for boto3 where the runtime has none."""
    account = made.account
    resources = _resources(account, made.name("probe"), bucket, layer_arns if account.is_local else [])
    stack = made.stack("probe", resources, {"Token": {"Value": {"Fn::GetAtt": ["Probe", "Arn"]}}})
    if stack.status != "CREATE_COMPLETE":
        raise NotDeployed(f"the probe's stack is {stack.status}: {' '.join(stack.reasons())}")
    answer = account.client("lambda").invoke(FunctionName=stack.outputs["Token"], Payload=b"{}")
    said = answer["Payload"].read().decode()
    if "FunctionError" in answer or said != '"ready"':
        raise NotDeployed(f"the probe answers {said[:500]}")
    return Probe(account, stack.outputs["Token"], bucket)


def _resources(account: Account, name: str, bucket: str, layer_arns: list[str]) -> dict[str, Any]:
    reads = ["DescribeStacks", "DescribeStackResource", "DescribeStackEvents", "ListStackResources"]
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = [
        {"Effect": "Allow", "Action": [f"cloudformation:{one}" for one in reads], "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:{account.partition}:s3:::{bucket}/*"},
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"arn:{account.partition}:logs:{account.region}:{account.number}:log-group:/aws/lambda/{name}:*",
        },
    ]
    policy = {"PolicyName": "probe", "PolicyDocument": {"Version": "2012-10-17", "Statement": allowed}}
    return {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                "Policies": [policy],
            },
        },
        "Log": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {"LogGroupName": f"/aws/lambda/{name}", "RetentionInDays": 1},
        },
        "Probe": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": name,
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Timeout": 120,
                "MemorySize": 256,
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Layers": layer_arns,
                "Code": {"ZipFile": CODE},
                "Environment": {"Variables": {"FILES": account.bucket_url(bucket)}},
                "LoggingConfig": {"LogGroup": {"Ref": "Log"}},
            },
        },
    }
