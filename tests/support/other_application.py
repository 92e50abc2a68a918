"""A local AWS that behaves otherwise than the acts with the application assume: one deviation for each of their assumptions.

Each has a stage of its own, and changes nothing that another stage sees: its role, its function, or what its own clients
show. So all of them can be played at the same time.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lab.live import application, side_by_side
from lab.live.account import LocalAccount
from lab.live.acts.application import first_stacks, lives, owners
from lab.live.application import Application
from lab.live.made import Made, clean
from lab.live.one_stack import NOT_WANTED, OneStack
from lab.live.run_list import RunList
from lab.live.stage import Shared, Stage
from lab.live.verdicts import Finding
from lab.local import deploy
from lab.local.settings import Settings

SECONDS = 300
SHORT_TIMEOUT = "5"  # ServiceTimeout where nobody answers

type Findings = Iterator[Finding]
type Change = Callable[[str, Any], None]  # of a client of this service


def _nothing(_service: str, _client: Any) -> None:
    pass


@dataclass(frozen=True)
class OtherAccount(LocalAccount):
    """Its clients behave otherwise."""

    change: Change = _nothing

    def client(self, service: str, region: str | None = None) -> Any:
        client = super().client(service, region)
        self.change(service, client)
        return client


class Given(Shared):
    """An application that is there already."""

    def __init__(self, made: Made, app: Application) -> None:
        super().__init__(made)
        self.app = app

    @property
    def application(self) -> Application:
        return self.app


@dataclass
class Stages:
    """Stages on one local AWS, each of a run of its own, with the application that all tests share."""

    settings: Settings
    folder: Path
    _made: list[Made] = field(default_factory=list)

    def stage(self, change: Change = _nothing, stage: type[Stage] = Stage, made: type[Made] = Made) -> Stage:
        account, run = OtherAccount(self.settings, change=change), secrets.token_hex(4)
        own = made(account, run, RunList(self.folder / run))
        self._made.append(own)
        until = account.now() + timedelta(seconds=SECONDS)
        return stage(own, Given(own, application.look(own, deploy.APPLICATION_STACK)), until)

    def alone(self, change: Change = _nothing) -> Stage:
        """With an application of its own, whose role and function may be changed."""
        stage = self.stage(change)
        stack = OneStack(stage, application.copy(stage.made, stage.application, "own"))
        if stack.wait(SECONDS).status != "CREATE_COMPLETE":
            raise AssertionError("the application was not deployed")
        return replace(stage, shared=Given(stage.made, application.look(stage.made, stack.name)))

    def forget(self) -> None:
        """Deletes keys and secrets. The stacks end with the local AWS: many have no function any more."""
        account = LocalAccount(self.settings)
        for made in self._made:
            list(clean(account, [one for one in made.list.things() if one.kind in {"key", "secret"}]))


# ------------------------------------------------------------------------------------------------------------- the role


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


# ------------------------------------------------------------------------------------------------- a first key, its end


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


# ---------------------------------------------------------------------------------------------------- more deployments


class _Impatient(Stage):
    """Its resources are given up soon."""

    def material(self, key: Any, secret: str, version: str, **properties: Any) -> dict[str, Any]:
        return super().material(key, secret, version, **properties | {"ServiceTimeout": SHORT_TIMEOUT})


def an_on_failure_destination_that_is_not_reached_and_a_function_that_stays(stages: Stages) -> Findings:
    """Nobody answers what Lambda gives up; the product's own error about ServiceTimeout says nothing about memory."""

    def change(service: str, client: Any) -> None:
        if service == "lambda":
            client.delete_function = lambda **_request: {}
            client.put_function_concurrency = _without_destination(client, client.put_function_concurrency)

    return lives.given_up(stages.stage(change, _Impatient))


def _without_destination(client: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    def changed(**request: Any) -> Any:
        client.put_function_event_invoke_config(FunctionName=request["FunctionName"], MaximumRetryAttempts=1)
        return call(**request)

    return changed


def an_upgrade_that_breaks_the_function_and_a_name_that_is_not_given_again(stages: Stages) -> Findings:
    seen: list[str] = []

    def change(service: str, client: Any) -> None:
        if service == "cloudformation":
            client.update_stack = _broken_when_used(stages, client.update_stack)
            client.create_stack = _renamed(client.create_stack, seen)

    return lives.replaced(stages.stage(change))


def _broken_when_used(stages: Stages, call: Callable[..., Any]) -> Callable[..., Any]:
    def changed(**request: Any) -> Any:
        if "UsePreviousTemplate" not in request:  # the stack that the application serves
            material = json.loads(request["TemplateBody"])["Resources"]["Material"]
            LocalAccount(stages.settings).client("lambda").update_function_configuration(
                FunctionName=material["Properties"]["ServiceToken"], Handler=lives.NOT_LOADED
            )
        return call(**request)

    return changed


def _renamed(call: Callable[..., Any], seen: list[str]) -> Callable[..., Any]:
    """The second stack of a name gets a function of another name."""

    def changed(**request: Any) -> Any:
        if request["StackName"] in seen:
            for one in request["Parameters"]:
                if one["ParameterKey"] == "FunctionName":
                    one["ParameterValue"] += "-again"
        seen.append(request["StackName"])
        return call(**request)

    return changed


@dataclass(frozen=True)
class Deviation:
    """`assumptions`: those that are otherwise then, and no other that the deviation's act settles."""

    play: Callable[[Stages], Findings]
    assumptions: frozenset[str]

    @property
    def name(self) -> str:
        return self.play.__name__


DEVIATIONS = tuple(
    Deviation(play, frozenset(assumptions))
    for play, assumptions in (
        (a_secret_s_tag_that_never_counts, ["secret-just-tagged"]),
        (secrets_that_everybody_may_read, ["secret-missing", "secret-untagged"]),
        (a_key_s_tag_that_never_counts, ["key-just-tagged"]),
        (a_key_that_does_not_encrypt, ["first-key"]),
        (a_kms_that_keeps_the_old_expiry_and_the_material, ["first-key-expiry", "first-key-deleted"]),
        (a_rollback_that_does_not_end_well, ["rollback-completes"]),
        (a_function_that_says_that_nobody_waits, ["first-key-wanted", "rollback-wanted"]),
        (
            an_on_failure_destination_that_is_not_reached_and_a_function_that_stays,
            ["given-up-concurrency", "given-up-not-loaded", "given-up-memory", "function-gone"],
        ),
        (
            an_upgrade_that_breaks_the_function_and_a_name_that_is_not_given_again,
            ["upgraded", "deployed-again"],
        ),
    )
)
