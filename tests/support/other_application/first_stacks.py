"""Deviations of the role, and of what a first stack meets."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from lab.live import side_by_side
from lab.live.acts.application import first_stacks, lives, owners
from lab.live.made import Made
from lab.live.one_stack import NOT_WANTED
from lab.live.stage import Stage
from tests.support.other_application.stages import Findings, Stages


def a_secret_s_tag_that_never_counts(stages: Stages) -> Findings:
    """What the statement allows is refused."""
    stage = stages.alone()
    iam, role = stage.client("iam"), stage.application.role_arn.rpartition("/")[2]
    document = iam.get_role_policy(RoleName=role, PolicyName="secrets")["PolicyDocument"]
    kept = [one for one in document["Statement"] if one["Sid"] != "ReadTaggedSecrets"]
    if len(kept) == len(document["Statement"]):
        raise AssertionError("the role has no such statement")
    _put_policy(stage, "secrets", {**document, "Statement": kept})
    return owners.just_tagged(stage)


def secrets_that_everybody_may_read(stages: Stages) -> Findings:
    stage = stages.alone()
    everything = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
    _put_policy(stage, "everything", {"Version": "2012-10-17", "Statement": [everything]})
    return side_by_side.play(stage, (owners.missing, owners.untagged))


def _put_policy(stage: Stage, name: str, document: Mapping[str, Any]) -> None:
    role = stage.application.role_arn.rpartition("/")[2]
    stage.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


class _Untagged(Made):
    """A tag that is not even shown, so the function waits for 20 seconds: for a tag that is shown it waits for six minutes."""

    def key(self, suffix: str, *parameters: Any, **more: Any) -> str:
        return super().key(suffix, *parameters, **more | {"tag": ""})


def a_key_s_tag_that_never_counts(stages: Stages) -> Findings:
    return first_stacks.rollback(stages.stage(made=_Untagged))


def a_key_that_does_not_encrypt(stages: Stages) -> Findings:
    def change(service: str, client: Any) -> None:
        if service == "kms":
            client.encrypt = _refusing(client.encrypt)

    return first_stacks.first_key(stages.stage(change))


def _refusing(encrypt: Callable[..., Any]) -> Callable[..., Any]:
    def changed(**request: Any) -> Any:
        if "EncryptionContext" in request:  # the custodian's own
            return encrypt(**request)
        raise ClientError({"Error": {"Code": "KMSInvalidStateException", "Message": ""}}, "Encrypt")

    return changed


def a_kms_that_keeps_the_old_expiry_and_the_material(stages: Stages) -> Findings:
    def change(service: str, client: Any) -> None:
        if service == "kms":
            client.describe_key = _unchanged(client.describe_key)

    return first_stacks.first_key(stages.stage(change))


def _unchanged(describe: Callable[..., Any]) -> Callable[..., Any]:
    def changed(**request: Any) -> Any:
        answer = describe(**request)
        answer["KeyMetadata"].pop("ValidTo", None)
        answer["KeyMetadata"]["KeyState"] = "Enabled"
        return answer

    return changed


def a_rollback_that_does_not_end_well(stages: Stages) -> Findings:
    """From the update on the function can't be loaded: neither the update succeeds nor its rollback."""
    broken: list[Stage] = []

    def change(service: str, client: Any) -> None:
        if service == "cloudformation" and broken:
            client.update_stack = _broken_before(client.update_stack, broken[0])

    stage = stages.alone(change)
    broken.append(stage)
    return first_stacks.rollback(stage)


def _broken_before(call: Callable[..., Any], stage: Stage) -> Callable[..., Any]:
    def changed(**request: Any) -> Any:
        _break(stage, stage.application.function)
        return call(**request)

    return changed


def _break(stage: Stage, function: str) -> None:
    stage.client("lambda").update_function_configuration(FunctionName=function, Handler=lives.NOT_LOADED)


def a_function_that_says_that_nobody_waits(stages: Stages) -> Findings:
    """CloudFormation shows the reason of an answer in an event. Here it shows that one beside each operation."""

    def change(service: str, client: Any) -> None:
        if service == "cloudformation":
            client.get_paginator = _with_a_no(client.get_paginator)

    return side_by_side.play(stages.stage(change), (first_stacks.first_key, first_stacks.rollback))


def _with_a_no(get_paginator: Callable[..., Any]) -> Callable[..., Any]:
    class Pages:
        def __init__(self, operation: str) -> None:
            self.pages = get_paginator(operation)

        def paginate(self, **request: Any) -> Iterator[Any]:
            for page in self.pages.paginate(**request):
                told = f"Message returned: {NOT_WANTED} Update request: Material is UPDATE_COMPLETE."
                newest = page["StackEvents"][0]
                no = newest | {"ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": told}
                yield page | {"StackEvents": [no, *page["StackEvents"]]}

    return Pages
