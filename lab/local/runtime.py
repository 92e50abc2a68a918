"""One execution environment: a process that runs a function under awslambdaric, AWS's own runtime client.

The client talks to Lambda's Runtime API (runtime_api.py). The process sees what it would see on Lambda: first its task folder,
then its layers, then the runtime client, and no package of this machine; Lambda's variables, and none of the host's. If it is
killed, runs out of time or exhausts its memory, the invocation ends as on Lambda.

Source: Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle".
"""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.local import places
from lab.local.ministack import HOST, kill_process_group
from lab.local.runtime_api import RuntimeApi

INIT_SECONDS = 10  # Lambda's own limit for the init phase
WATCH_SECONDS = 0.1  # how often memory and time are checked
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Package:
    """A deployed function: the configuration that Lambda acts on, and the folders of its code and layers."""

    name: str
    arn: str
    handler: str
    task: Path
    layers: Path
    timeout_seconds: int
    memory_mb: int
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended: the payload, whether that is an error, and what the function logged."""

    payload: str
    failed: bool = False
    log: str = ""


@dataclass(slots=True)
class _Invocation:
    request_id: str
    event: str
    ended: threading.Event = field(default_factory=threading.Event)
    taken_at: float | None = None  # monotonic clock: the function's time starts here, not with the cold start
    payload: str = ""
    failed: bool = False


class Environment:
    """One process, one invocation at a time. An error that ends the process ends the environment, too."""

    def __init__(self, package: Package, client: Path, log: Path, variables: Mapping[str, str]) -> None:
        """`client`: the folder that runtime_client() made. `log`: a separate file for what the process writes.

        `variables`: added variables: the role's credentials, the endpoint, the certificate.
        """
        self._package = package
        self._log = log
        self.given = variables
        self._waiting: queue.SimpleQueue[_Invocation | None] = queue.SimpleQueue()
        self._current: _Invocation | None = None
        self._init_error: str | None = None
        self._server = RuntimeApi(self)
        self.started_at = time.monotonic()
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  # the function under test
                [str(places.base_python()), "-S", "-m", "awslambdaric", package.handler],
                cwd=package.task,
                env=self._variables(client, variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def _variables(self, client: Path, more: Mapping[str, str]) -> dict[str, str]:
        package = self._package
        path = [package.task, package.layers / "python", client]
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": str(package.task),
            "_HANDLER": package.handler,
            "AWS_LAMBDA_RUNTIME_API": f"{HOST}:{self._server.port}",
            "AWS_LAMBDA_FUNCTION_NAME": package.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(package.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{package.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": self._log.stem,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            **package.variables,
            **more,
        }

    def invoke(self, event: str, request_id: str) -> Outcome:
        """Blocks until the function answers, or until Lambda would stop waiting."""
        begin = self._log.stat().st_size
        invocation = _Invocation(request_id, event)
        self._waiting.put(invocation)
        begun = time.monotonic()
        while not invocation.ended.wait(WATCH_SECONDS):
            error = self._ended_by(invocation, begun)
            if error is not None and not invocation.ended.is_set():
                self.kill()
                invocation.payload, invocation.failed = json.dumps(error), True
                break
        with self._log.open("rb") as log:
            log.seek(begin)
            text = log.read().decode(errors="replace")
        return Outcome(invocation.payload, invocation.failed, text)

    def _ended_by(self, invocation: _Invocation, begun: float) -> dict[str, str] | None:
        """What ended the invocation, in Lambda's words; None if nothing did."""
        where = f"RequestId: {invocation.request_id} Error: "
        package = self._package
        now = time.monotonic()
        if self._init_error is not None:
            return dict(json.loads(self._init_error))
        if self._process.poll() is not None:
            return {"errorType": "Runtime.ExitError", "errorMessage": where + _exit_text(self._process.returncode)}
        if self.resident_mb() > package.memory_mb:
            return {
                "errorType": "Runtime.OutOfMemory",
                "errorMessage": where + "Runtime exited with error: signal: killed",
            }
        limit = INIT_SECONDS if invocation.taken_at is None else package.timeout_seconds
        if now - (invocation.taken_at or begun) > limit:
            return {"errorType": "Sandbox.Timedout", "errorMessage": f"{where}Task timed out after {limit:.2f} seconds"}
        return None

    def resident_mb(self) -> float:
        """The memory that the process holds; 0 if that is unknown."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * PAGE_BYTES / 2**20

    @property
    def log_name(self) -> str:
        return self._log.name

    @property
    def usable(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """Ends the process and its server. Idempotent."""
        kill_process_group(self._process)
        self._waiting.put(None)
        self._server.end()

    # ------------------------------------------------------------------------- the Runtime API's side, from its threads

    def next_invocation(self) -> tuple[dict[str, str], str] | None:
        """Blocks until there is an invocation. Returns its headers and its event; None: the environment ends."""
        invocation = self._waiting.get()
        if invocation is None:
            return None
        invocation.taken_at = time.monotonic()
        self._current = invocation
        deadline = time.time() + self._package.timeout_seconds
        return {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._package.arn,
        }, invocation.event

    def ended(self, request_id: str, payload: str, *, failed: bool) -> None:
        current = self._current
        if current is not None and current.request_id == request_id:
            current.payload, current.failed = payload, failed
            self._current = None
            current.ended.set()

    def did_not_init(self, payload: str) -> None:
        self._init_error = payload


def _exit_text(code: int) -> str:
    if code == 0:
        return "Runtime exited without providing a reason"
    if code > 0:
        return f"Runtime exited with error: exit status {code}"
    return f"Runtime exited with error: signal: {(signal.strsignal(-code) or str(-code)).lower()}"


def runtime_client(folder: Path) -> Path:
    """Makes a folder with awslambdaric and the packages that it needs, and no other package of its environment.

    Without it, a function whose layer lacks cryptography would find MiniStack's, and nobody would notice.
    """
    folder.mkdir()
    for name in ("awslambdaric", "snapshot_restore_py", "simplejson", "runtime_client"):
        for found in places.runtime_client_packages().glob(f"{name}*"):
            if found.suffix != ".dist-info":
                (folder / found.name).symlink_to(found)
    return folder
