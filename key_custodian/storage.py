"""Shows the plan of `key-custodian put`, asks, executes it as shown, and reports the result.

A step that fails ends the command, and the error says what was done before. Running it again is always safe: the version's id
shows what is left to do.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import click

from imported_key_material.aws.meanings import DENIED
from imported_key_material.errors import Fault, Refused, ServiceRefused
from key_custodian import output, report, secret_plan
from key_custodian.aws import Unanswered
from key_custodian.content import Content
from key_custodian.errors import REFUSED, refused
from key_custodian.secret_plan import CURRENT, Step
from key_custodian.session import Session, Who
from key_custodian.verify_command import VerifyCommand

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9/_+=.@:-]*(?<!:)|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOT_TEXT: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})  # of YAML 1.1
_BEGIN: Final = (
    "Material:",
    "  Type: Custom::ImportedKeyMaterial",
    "  Properties:",
    "    ServiceToken: !ImportValue imported-key-material-ServiceToken",
    "    KeyId: !GetAtt Key.Arn",
)


def show_plan(steps: tuple[Step, ...], remarks: tuple[str, ...], by: str, *, err: bool) -> None:
    lines = [f"Plan, as {by}:"]
    for number, step in enumerate(steps, start=1):
        first, *more = step.words
        lines += [f"  {number}. {first}", *(f"       {line}" for line in more)]
    output.say(*lines, *(f"  {line}" for line in remarks), err=err)


def ask() -> None:
    if not sys.stdin.isatty():
        raise click.UsageError(
            "There is no terminal to ask at. Nothing was changed. Add --yes to do what the plan says."
        )
    if not output.ask("Do it?"):
        output.say("Nothing was changed.", err=True)
        raise SystemExit(REFUSED)


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """AWS's answer: the secret's ARN, the version's id and stages; and in words what was done."""

    arn: str
    version_id: str
    stages: tuple[str, ...]
    done: tuple[str, ...]


def carry_out(session: Session, steps: tuple[Step, ...]) -> StoredVersion:
    """Refused with what was done before a step that failed."""
    answers: dict[str, Any] = {"VersionStages": [CURRENT]}  # CreateSecret does not return them
    done: list[str] = []
    for step in steps:
        failed: ServiceRefused | None = None
        try:
            answer = session.call(step.operation, where="--secret", **step.parameters)
        except ServiceRefused as error:
            failed = error
        if failed is None:
            answers |= answer
            _require_stages(step, answer)
            done.append(step.words[0])
        elif step.optional and failed.code in DENIED:
            output.say(f"Warning: {failed} The version was stored.", err=True)
        else:
            raise Refused(_with_done_steps(failed, step, done))
    return StoredVersion(answers["ARN"], answers["VersionId"], tuple(answers["VersionStages"]), tuple(done))


def _require_stages(step: Step, answer: Mapping[str, Any]) -> None:
    """DescribeSecret does not show a version without a stage, and storing it again gives it none."""
    missing = sorted(set(step.parameters.get("VersionStages", ())) - set(answer.get("VersionStages", ())))
    if missing:
        version_id, name = answer["VersionId"], answer["Name"]
        problem = f"The version {version_id} existed already, and does not have the stage {missing[0]}."
        remedy = f"Give it: {secret_plan.update_stage(name, missing[0], version_id)}."
        raise refused("--secret", problem, remedy)


def _with_done_steps(failed: ServiceRefused, step: Step, done: list[str]) -> Fault:
    (fault,) = failed.faults
    sentences = [fault.problem]
    if isinstance(failed, Unanswered):
        token = step.parameters.get("ClientRequestToken")
        same = f" with --version-id {token}, and nothing is stored twice" if token else ""
        sentences.append(f"It is not known whether AWS did it: run it again{same}.")
    if done:
        sentences.append(f"Done before it: {' '.join(done)}")
    elif not isinstance(failed, Unanswered):
        sentences.append("Nothing was changed.")
    return Fault(fault.where, " ".join(sentences), fault.remedy)


@dataclass(frozen=True, slots=True)
class PutReport:
    """The result of put. `requests`: those of the `Session`; `verify`: the next command."""

    content: Content
    stored: StoredVersion
    who: Who
    requests: tuple[dict[str, str], ...]
    verify: VerifyCommand

    def properties(self) -> dict[str, Any]:
        """The template names the secret by its ARN. A person who deletes the secret and creates it again can choose the same
        name and version id, but not the six characters at the end of the ARN.
        """
        properties: dict[str, Any] = {"SecretId": self.stored.arn, "SecretVersionId": self.stored.version_id}
        if self.content.algorithm:
            properties["SecretWrapping"] = {"Algorithm": self.content.algorithm, "KeyId": self.content.wrapping_key}
        if self.content.check_value:
            properties["ExpectedCheckValue"] = self.content.check_value
        return properties

    def to_json(self) -> dict[str, Any]:
        return {
            "report": report.STORED,
            "report_version": report.VERSION,
            "secret": self.stored.arn,
            "version_id": self.stored.version_id,
            "stages": list(self.stored.stages),
            "key_spec": self.content.spec.name,
            "check_value": self.content.check_value or None,
            "wrapped_sha256": self.content.sha256 if self.content.algorithm else None,
            "by": self.who.arn,
            "time": self.who.time,
            "aws_time": self.who.aws_time or None,
            "properties": self.properties(),
            "next": self.verify.line,
            "done": list(self.stored.done),
            "requests": list(self.requests),
        }

    def lines(self) -> list[str]:
        return [
            f"Secret:           {self.stored.arn}",
            f"SecretVersionId:  {self.stored.version_id}",
            f"Stages:           {', '.join(self.stored.stages)}",
            f"Key spec:         {self.content.spec.name}",
            f"Check value:      {self.content.check_value or 'none given'}",
            f"Stored by:        {self.who.arn}, {self.who.time}",
            "",
            "In the template:",
            *(f"  {line}" for line in _template(self.properties())),
            "",
            "Write down the version id. Next, when the stack is deployed,",
            *self.verify.lines(),
        ]


def _template(properties: Mapping[str, Any]) -> Iterator[str]:
    """The resource for a template, ready to paste. `properties`: texts, or one level of mappings of texts."""
    yield from _BEGIN
    yield from _yaml(properties, "    ")


def _yaml(properties: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in properties.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from _yaml(value, f"{indent}  ")
        else:
            yield f"{indent}{name}: {_scalar(value)}"


def _scalar(text: str) -> str:
    """Quotes a text that YAML would read as something else."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT else json.dumps(text)
