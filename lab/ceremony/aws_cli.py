"""Stands in for the AWS CLI, as far as docs/ceremony.md uses it: the same words, parameters, output and errors.

    python -m lab.ceremony.aws_cli kms get-public-key --key-id alias/... --query PublicKey --output text

Options are those of the operation, from botocore's own models; values as the CLI takes them: text, numbers, JSON, `A=b,C=d`,
file://, fileb://. Beside operations there is `cloudformation deploy`, which works by change sets as the CLI's does. As a
process it takes credentials, Region, endpoint and certificate from the environment, as the CLI does; inside of one (`run`) they
come with the clients. Exit codes, the CLI's own: 0; 254 the service refused; 255 a stack failed; 252 a wrong call.
"""

import base64
import io
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import boto3
import jmespath  # type: ignore[import-untyped]  # botocore brings it, and nothing brings types
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

REFUSED, FAILED, WRONG_CALL = 254, 255, 252
POLL_SECONDS = 0.2
STACK_SECONDS = 180
NEW_STACK = {None, "REVIEW_IN_PROGRESS"}  # of the latter a change set has been made, and nothing else
DONE_AFTERWARDS = {"query", "output"}  # the CLI's own options

Options = Mapping[str, list[str]]


class NotMadeError(Exception):
    """A change set that can't be made, or a stack that failed."""


@dataclass(frozen=True, slots=True)
class Cli:
    """`client`: a boto3 client of a service. `folder`: where files are."""

    client: Callable[[str], Any]
    folder: Path
    out: TextIO
    err: TextIO

    def run(self, arguments: Sequence[str]) -> int:
        """`arguments`: without the `aws`. Returns the exit code."""
        service, operation, *rest = arguments
        options, places = _options(rest)
        try:
            if (service, operation) == ("cloudformation", "deploy"):
                self._deploy(options)
            else:
                self._show(self._call(service, operation, options, places), options)
        except ClientError as error:
            return self._failed(REFUSED, error)
        except NotMadeError as error:
            return self._failed(FAILED, error)
        except (ParamValidationError, KeyError) as error:
            return self._failed(WRONG_CALL, error)
        return 0

    def _failed(self, code: int, error: Exception) -> int:
        print(f"\n{error}", file=self.err)
        return code

    def _call(self, service: str, operation: str, options: Options, places: list[str]) -> dict[str, Any]:
        client = self.client(service)
        method = operation.replace("-", "_")
        shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
        members = {xform_name(name, "-"): (name, member) for name, member in shape.members.items()}
        parameters = {
            members[name][0]: self._value(members[name][1], values)
            for name, values in options.items()
            if name not in DONE_AFTERWARDS
        }
        answer: dict[str, Any] = getattr(client, method)(**parameters)
        answer.pop("ResponseMetadata", None)
        for place in places:  # `lambda invoke` names the file for the answer
            (self.folder / place).write_bytes(answer.pop("Payload").read())
        return answer

    def _value(self, shape: Any, values: list[str]) -> Any:
        """One option's value, by the shape that the operation takes."""
        if not values:
            return True  # a flag
        first = values[0]
        if first.startswith("fileb://"):
            return (self.folder / first.removeprefix("fileb://")).read_bytes()
        if first.startswith("file://"):
            first = (self.folder / first.removeprefix("file://")).read_text()
        if shape.type_name == "list" and shape.member.type_name == "structure":
            return [dict(pair.split("=", 1) for pair in value.split(",")) for value in values]
        return values if shape.type_name == "list" else first

    def _show(self, answer: dict[str, Any], options: Options) -> None:
        found = json.loads(json.dumps(answer, default=_plain))
        if "query" in options:
            found = jmespath.search(options["query"][0], found)
        if found:
            text = _text(found) if options.get("output") == ["text"] else json.dumps(found, indent=4)
            print(text, file=self.out)

    # -------------------------------------------------------------------------------------------- cloudformation deploy

    def _deploy(self, options: Options) -> None:
        cloudformation = self.client("cloudformation")
        [stack] = options["stack-name"]
        before = _stack(cloudformation, stack)
        is_new = before.get("StackStatus") in NEW_STACK
        given = dict(pair.split("=", 1) for pair in options.get("parameter-overrides", []))
        kept = [one["ParameterKey"] for one in before.get("Parameters", []) if one["ParameterKey"] not in given]
        print("\nWaiting for changeset to be created..", file=self.out)
        made = cloudformation.create_change_set(
            StackName=stack,
            ChangeSetName=f"awscli-cloudformation-package-deploy-{time.time_ns()}",
            ChangeSetType="CREATE" if is_new else "UPDATE",
            TemplateBody=(self.folder / options["template-file"][0]).read_text(),
            Parameters=[
                *({"ParameterKey": name, "ParameterValue": value} for name, value in given.items()),
                *({"ParameterKey": name, "UsePreviousValue": True} for name in kept),
            ],
            **({"RoleARN": options["role-arn"][0]} if "role-arn" in options else {}),
        )["Id"]
        _wait(
            lambda: cloudformation.describe_change_set(ChangeSetName=made, StackName=stack)["Status"], "CREATE_COMPLETE"
        )
        print("Waiting for stack create/update to complete", file=self.out)
        cloudformation.execute_change_set(ChangeSetName=made, StackName=stack)
        good = "CREATE_COMPLETE" if is_new else "UPDATE_COMPLETE"
        try:
            _wait(lambda: str(_stack(cloudformation, stack)["StackStatus"]), good)
        except NotMadeError:
            raise NotMadeError(
                "Failed to create/update the stack. Run the following command\nto fetch the list of events leading up to the "
                f"failure\naws cloudformation describe-stack-events --stack-name {stack}"
            ) from None
        print(f"Successfully created/updated stack - {stack}", file=self.out)


def _options(arguments: list[str]) -> tuple[Options, list[str]]:
    """Options with their values, and what stands by itself."""
    options: dict[str, list[str]] = {}
    places: list[str] = []
    takes_many = {"parameter-overrides", "tags"}
    name = ""
    for argument in arguments:
        if argument.startswith("--"):
            name = argument.removeprefix("--")
            options[name] = []
        elif name and (not options[name] or name in takes_many):
            options[name].append(argument)
        else:
            places.append(argument)
    return options, places


def _plain(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value.isoformat())


def _text(found: Any) -> str:
    """As --output text: a list of lists by lines, fields by tabs."""
    if isinstance(found, list):
        return ("\n" if any(isinstance(one, list) for one in found) else "\t").join(map(_text, found))
    return str(found)


def _stack(cloudformation: Any, name: str) -> dict[str, Any]:
    """What DescribeStacks tells; {} where there is no such stack."""
    try:
        return dict(cloudformation.describe_stacks(StackName=name)["Stacks"][0])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return {}
        raise


def _wait(status: Callable[[], str], good: str) -> None:
    deadline = time.monotonic() + STACK_SECONDS
    while (now := status()) != good:
        if not now.endswith(("_IN_PROGRESS", "_PENDING")) or time.monotonic() > deadline:
            raise NotMadeError(f"The status is {now}, and not {good}.")
        time.sleep(POLL_SECONDS)


def run(arguments: Sequence[str], client: Callable[[str], Any], folder: Path) -> tuple[int, str]:
    """One command in this process: its exit code, and all that it printed."""
    printed = io.StringIO()
    code = Cli(client, folder, printed, printed).run(arguments)
    return code, printed.getvalue()


def main(arguments: list[str]) -> int:
    session = boto3.session.Session()
    config = Config(proxies={})

    def client(service: str) -> Any:
        return session.client(service, config=config)  # type: ignore[call-overload]  # the stubs know literal names only

    return Cli(client, Path(), sys.stdout, sys.stderr).run(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
