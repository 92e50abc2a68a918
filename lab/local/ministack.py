"""Starts MiniStack with the corrections as a child process; stops it, and leaves nothing of it.

TLS and IAM are on, as on AWS. MiniStack's environment contains nothing of the host's: MiniStack passes it on to functions, and
a host's *_CA_BUNDLE would override its certificate. strict_main.py corrects MiniStack in its own process.
"""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.local import places
from lab.local.settings import ACCOUNT, REGION, Settings

HOST = "127.0.0.1"  # an address: SDKs then put a bucket's name into the path, so MiniStack's certificate is valid
START_SECONDS = 30
LOG_TAIL_LINES = 30


class DidNotStart(Exception):
    """MiniStack ended, or did not answer in time. The text ends with the last lines of its log."""


class MiniStack:
    """One MiniStack. `folder` must exist, and nobody else may use it; it holds state, certificate and log."""

    def __init__(  # noqa: PLR0913  # all by name
        self,
        folder: Path,
        *,
        runtime_url: str = "",
        proxies: Mapping[str, str] | None = None,
        plain: bool = False,
        retry_seconds: float = 1,
        alarm_minute_seconds: float = 60,
        response_host: str = "",
        deviations: Sequence[str] = (),
    ) -> None:
        """`runtime_url`: gets the events (functions.py). `proxies`: by a function's name, a URL that gets its events instead.

        `plain`: without the corrections. `retry_seconds`: replaces the minute that Lambda waits before it tries an
        asynchronous event again. `alarm_minute_seconds`: replaces a minute of an alarm's period. `response_host`: the
        `host:port` in ResponseURLs, if not MiniStack's own. `deviations`: names of planted ones (deviations/).
        """
        self._folder = folder
        self._port = _free_port()
        self.log = folder / "ministack.log"
        self.settings = Settings(
            endpoint_url=f"https://{HOST}:{self._port}",
            response_host=response_host or f"{HOST}:{self._port}",
            ca_bundle=str(folder / "tmp" / "ministack-tls" / "server.crt"),
            folder=str(folder),
        )
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),  # it calls openssl for its certificate
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "PYTHONPATH": str(places.REPOSITORY),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "GATEWAY_PORT": str(self._port),
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "USE_SSL": "1",
            "AUTH": "true",
            "IOT_MTLS_ENABLED": "0",
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": str(retry_seconds),
            "LOCAL_AWS_ALARM_MINUTE_SECONDS": str(alarm_minute_seconds),
            "LOCAL_AWS_RUNTIME_URL": runtime_url,
            "LOCAL_AWS_RESPONSE_HOST": self.settings.response_host,
            "LOCAL_AWS_JOURNAL": str(folder / "journal.jsonl"),
            **{f"MINISTACK_LAMBDA_PROXY_{name}": url for name, url in (proxies or {}).items()},
        }
        self._arguments = ["--plain"] if plain else list(deviations)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Settings:
        """Returns when it answers. If it raises DidNotStart, nothing of it runs."""
        (self._folder / "tmp").mkdir()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own module in our own environment
                [str(places.ministack_python()), "-m", "lab.local.strict_main", *self._arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,  # closed when this process ends, even if it is killed: strict_main.py then ends, too
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_it_answers(self._process)
        except BaseException:
            self.stop()
            raise
        return self.settings

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise DidNotStart(f"MiniStack ended with code {process.returncode}:\n{self._log_tail()}")
            if self._answers():
                return
            time.sleep(0.05)
        raise DidNotStart(f"MiniStack did not answer within {START_SECONDS} s:\n{self._log_tail()}")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, ssl.SSLError, urllib.error.URLError):
            trust = ssl.create_default_context(cafile=self.settings.ca_bundle)
            health = f"{self.settings.endpoint_url}/_ministack/health"
            with urllib.request.urlopen(health, timeout=5, context=trust) as answer:  # noqa: S310  # https, our own
                return bool(answer.status == 200)
        return False

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])

    def ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def stop(self) -> None:
        """Ends it and all that it started. Idempotent."""
        if self._process is None:
            return
        kill_process_group(
            self._process
        )  # kill it: it has nothing to save, and would take five seconds to end by itself
        if self._process.stdin:
            self._process.stdin.close()
        self._process = None


def kill_process_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it started. It must have been started in a new session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
