"""Stands in for the AWS CLI, as far as the pages use it: the same words, parameters, output and errors.

    python -m lab.aws_cli kms get-public-key --key-id alias/... --query PublicKey --output text

parameters.py reads options and their values. Beside operations there are waiters, and `cloudformation deploy`, which works by
change sets as the CLI's does. The pages of a paginated answer are joined. As a process it takes credentials, Region, endpoint
and certificate from the environment, as the CLI does; inside a process (`run`) they come with the clients. Exit codes are the
CLI's own: 0; 254 the service refused; 255 a stack failed, or a wait timed out; 252 a wrong call.
"""

import base64
import io
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import jmespath  # type: ignore[import-untyped]  # botocore depends on it; no package has types for it
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError, WaiterError

from lab.aws_cli.parameters import Call, Options, WrongCallError

REFUSED, FAILED, WRONG_CALL = 254, 255, 252
POLL_SECONDS = 0.2
STACK_SECONDS = 180
NO_CHANGE = re.compile("didn't contain changes|[Nn]o updates are to be performed")  # AWS's own words
NEW_STACK = {None, "REVIEW_IN_PROGRESS"}  # REVIEW_IN_PROGRESS: only a change set was made


class NotMadeError(Exception):
    """A change set that CloudFormation did not make, or a stack that failed."""


@dataclass(frozen=True, slots=True)
class Cli:
    """`client`: returns a boto3 client for a service and a Region; "" is the caller's Region. `folder`: where files are."""

    client: Callable[[str, str], Any]
    folder: Path
    out: TextIO
    err: TextIO

    def run(self, arguments: Sequence[str]) -> int:
        """`arguments`: without the `aws`. Returns the exit code."""
        try:
            call = Call.of(arguments)
            client = self.client(call.service, *call.options.get("region", [""]))
            if call.model is None:
                self._deploy(client, call.options)
            elif call.waiter:
                self._wait(client, call)
            else:
                self._show(self._ask(client, call), call.options)
        except ClientError as error:
            return self._failed(REFUSED, error)
        except (NotMadeError, WaiterError) as error:
            return self._failed(FAILED, error)
        except (WrongCallError, ParamValidationError, KeyError) as error:
            return self._failed(WRONG_CALL, error)
        return 0

    def _failed(self, code: int, error: Exception) -> int:
        print(f"\n{error}", file=self.err)
        return code

    def _ask(self, client: Any, call: Call) -> dict[str, Any]:
        parameters = call.parameters(self.folder)
        method = xform_name(call.model.name) if call.model else ""
        answer: dict[str, Any]
        if client.can_paginate(method):
            answer = client.get_paginator(method).paginate(**parameters).build_full_result()
        else:
            answer = getattr(client, method)(**parameters)
        answer.pop("ResponseMetadata", None)
        for place in call.places:  # `lambda invoke` names the file for the answer
            (self.folder / place).write_bytes(answer.pop("Payload").read())
        return answer

    def _wait(self, client: Any, call: Call) -> None:
        waiter = client.get_waiter(call.waiter.replace("-", "_"))
        waiter.config.delay = POLL_SECONDS
        waiter.config.max_attempts = int(STACK_SECONDS / POLL_SECONDS)
        waiter.wait(**call.parameters(self.folder))

    def _show(self, answer: dict[str, Any], options: Options) -> None:
        found = json.loads(json.dumps(answer, default=_plain))
        if "query" in options:
            found = jmespath.search(options["query"][0], found)
        if found:
            text = _text(found) if options.get("output") == ["text"] else json.dumps(found, indent=4)
            print(text, file=self.out)

    # -------------------------------------------------------------------------------------------- cloudformation deploy

    def _deploy(self, cloudformation: Any, options: Options) -> None:
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
            Capabilities=options.get("capabilities", []),
            **({"RoleARN": options["role-arn"][0]} if "role-arn" in options else {}),
        )["Id"]
        if not _is_change(cloudformation, made, stack):
            said = f"\nNo changes to deploy. Stack {stack} is up to date"
            if "no-fail-on-empty-changeset" not in options:
                raise NotMadeError(said)
            print(said, file=self.out)
            return
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


def _plain(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value.isoformat())


def _text(found: Any) -> str:
    """As --output text: one line for each inner list, tabs between fields."""
    if isinstance(found, list):
        return ("\n" if any(isinstance(one, list) for one in found) else "\t").join(map(_text, found))
    return str(found)


def _stack(cloudformation: Any, name: str) -> dict[str, Any]:
    """What DescribeStacks answers; {} if there is no such stack."""
    try:
        return dict(cloudformation.describe_stacks(StackName=name)["Stacks"][0])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return {}
        raise


def _is_change(cloudformation: Any, change_set: str, stack: str) -> bool:
    """Waits until the change set has been made. False: it changes nothing."""

    def status() -> str:
        made = cloudformation.describe_change_set(ChangeSetName=change_set, StackName=stack)
        reason = str(made.get("StatusReason", ""))
        return "NOTHING" if NO_CHANGE.search(reason) else str(made["Status"])

    return _wait(status, "CREATE_COMPLETE", "NOTHING") == "CREATE_COMPLETE"


def _wait(status: Callable[[], str], *good: str) -> str:
    """Waits until the status is one of the good ones, and returns it."""
    deadline = time.monotonic() + STACK_SECONDS
    while (now := status()) not in good:
        if not now.endswith(("_IN_PROGRESS", "_PENDING")) or time.monotonic() > deadline:
            raise NotMadeError(f"The status is {now}, and not {good[0]}.")
        time.sleep(POLL_SECONDS)
    return now


def run(arguments: Sequence[str], client: Callable[[str, str], Any], folder: Path) -> tuple[int, str]:
    """Runs one command in this process. Returns its exit code, and all that it printed."""
    printed = io.StringIO()
    code = Cli(client, folder, printed, printed).run(arguments)
    return code, printed.getvalue()
