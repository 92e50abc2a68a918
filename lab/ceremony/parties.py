"""The parties of the ceremony. Each has a role with its policy of examples/ceremony/, credentials of that role, and a folder.

A party's commands are processes. They find `key-custodian` and `aws` on PATH, and their environment has the party's
credentials and nothing of this machine's. A custodian who is offline has no credentials. A command that only calls `aws` runs
in this process, with a client that has the same credentials: starting Python and boto3 for each would take half of the time.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.aws_cli import cli
from lab.ceremony import page
from lab.demo.evidence import NotShown
from lab.demo.story import INDENT, Story
from lab.local import places
from lab.local.clients import client
from lab.local.session import LocalAws
from lab.local.settings import Credentials, Settings
from lab.pages.command import Command

LIMIT_SECONDS = 180
SHOWN_LINES = 36
ROLES: Mapping[str, str] = {  # the role, and the file with its policy
    "orders-key-owner": "key-owner.json",
    "orders-custodian": "custodian.json",
    "orders-engineer": "engineer.json",
    "orders-auditor": "auditor.json",
    "orders-deploy": "deploy-role.json",
}
DEPLOY_ROLE = "orders-deploy"
_PROGRAMS = {"key-custodian": "key_custodian", "aws": "lab.aws_cli"}


def make_roles(aws: LocalAws) -> None:
    """Makes the roles, each with its policy. The roles that people assume trust the account, as on the page."""
    iam = aws.client("iam")
    for role, file in ROLES.items():
        trusted = {"Service": "cloudformation.amazonaws.com"} if role == DEPLOY_ROLE else {"AWS": aws.settings.account}
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}],
        }
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=role, PolicyName="ceremony", PolicyDocument=json.dumps(page.policy(file)))


def make_programs(folder: Path) -> Path:
    """A folder for PATH, with `key-custodian` and `aws`."""
    programs = folder / "bin"
    programs.mkdir()
    for name, module in _PROGRAMS.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        program.chmod(0o755)
    return programs


@dataclass(slots=True)
class Party:
    """`environment`: all variables of its processes. `settings`: how it reaches AWS; None offline. `ran`: its commands."""

    name: str
    story: Story
    folder: Path
    environment: dict[str, str]
    settings: Settings | None = None
    ran: list[str] = field(default_factory=list)

    @classmethod
    def offline(cls, name: str, story: Story, folder: Path) -> "Party":
        """Someone at a machine without credentials."""
        own = folder / name.replace(" ", "-")
        own.mkdir()
        environment = {
            "PATH": os.pathsep.join([str(folder / "bin"), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join(map(str, (places.REPOSITORY / "handler", places.REPOSITORY))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(own),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return cls(name, story, own, environment)

    @classmethod
    def with_role(cls, name: str, story: Story, folder: Path, aws: LocalAws, role: str) -> "Party":
        party = cls.offline(name, story, folder)
        party.settings = assumed(aws, role, name)
        party.environment |= party.settings.environment()
        return party

    def follows(self, heading: str, **values: str) -> list[str]:
        """Runs every command under a heading of the page, and returns what each printed. Raises NotShown if one fails.

        `values`: the values on paper, by the page's names for them.
        """
        return [self.runs(command, values) for command in page.commands(heading)]

    def is_refused(self, heading: str, **values: str) -> None:
        """Runs every command under a heading. Each must be refused as the page says."""
        for command in page.commands(heading):
            self.runs(command, values, refused=True)

    def runs(self, command: Command, values: Mapping[str, str], *, refused: bool = False) -> str:
        self.ran.append(command.text)
        shown = command.with_values(values)
        self.story.tell(f"{INDENT}{self.name} $ {shown}")
        if unknown := command.names() - values.keys():
            raise NotShown(f"{self.name}: nobody wrote down {', '.join(sorted(unknown))}")
        code, printed = self._call_of_aws(command, values) if command.is_call_of_aws else self._process(command, values)
        self.shows(printed)
        if (code != 0) is not refused:
            ended = "was not refused" if refused else f"ended with exit code {code}"
            raise NotShown(f"{self.name}: {shown}\n{ended}:\n{printed.strip()}")
        if missing := command.missing(printed):
            raise NotShown(f"{self.name}: {shown}\ndid not print what the page says: {missing[0]}\nbut:\n{printed}")
        return printed

    def _process(self, command: Command, values: Mapping[str, str]) -> tuple[int, str]:
        done = subprocess.run(  # noqa: S603  # a command of the page
            ["/bin/bash", "-euo", "pipefail", "-c", command.text],
            cwd=self.folder,
            env={**self.environment, **values},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout

    def _call_of_aws(self, command: Command, values: Mapping[str, str]) -> tuple[int, str]:
        settings = self.settings
        if settings is None:
            raise NotShown(f"{self.name} has no network, and no credentials")
        return cli.run(command.words(values)[1:], lambda *asked: client(settings, *asked), self.folder)

    def shows(self, printed: str) -> None:
        """Shows only the first lines, since policies are long."""
        lines = printed.strip("\n").splitlines()
        for line in lines[:SHOWN_LINES]:
            self.story.tell(f"{INDENT}  {line}".rstrip())
        if len(lines) > SHOWN_LINES:
            self.story.tell(f"{INDENT}  … ({len(lines) - SHOWN_LINES} more lines)")

    def has(self, name: str, content: bytes | str) -> Path:
        """Puts a file into the party's folder, with rights for its owner only."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o600)
        return path

    def gives(self, other: "Party", *names: str) -> None:
        for name in names:
            other.has(name, (self.folder / name).read_bytes())


def assumed(aws: LocalAws, role: str, name: str) -> Settings:
    """The settings of somebody in a role. The session's name is the person's name, which receipts show."""
    answer = aws.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{aws.settings.account}:role/{role}", RoleSessionName=name.replace(" ", "-")
    )["Credentials"]
    credentials = Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
    return aws.settings.with_credentials(credentials)
