"""The program `key-custodian`, called within this process: faster than a new process, which loads Python and boto3.

    done = Called(folder).run("check", "key.bin", "--key-spec", "HMAC_256")   # as Program's

For the many variants of one command. Each call has its own folder, environment, input and output, as a process has.
tests/custodian/test_processes.py runs real processes, for what only a process has; it also compares both for each command.
"""

import contextlib
import os
from dataclasses import dataclass
from unittest import mock

from click.testing import CliRunner

from key_custodian.cli import cli
from lab.program import Done, Program


@dataclass(frozen=True, slots=True)
class Called(Program):
    """A defect (an exception that the program does not catch) is raised into the test."""

    def run(self, *arguments: str, stdin: bytes = b"") -> Done:
        with contextlib.chdir(self.folder), mock.patch.dict(os.environ, self._env(), clear=True):
            ended = CliRunner().invoke(cli, arguments, input=stdin, prog_name="key-custodian", catch_exceptions=False)
        return Done(ended.exit_code, ended.stdout_bytes, ended.stderr)
