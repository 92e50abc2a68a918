"""Functions as Lambda runs them, between an AWS that replays and a bucket that takes answers.

The built artifact is copied to a folder of its own and made read-only, as Lambda mounts it; so is the layer. The runtime
client is AWS's own (tests/support/local/runtime.py). Handler, memory and environment are the template's.
"""

import json
import platform
import py_compile
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.recording import Recording
from benchmarks.replay import OtherCalls, Replay
from tests.support.application import Application
from tests.support.certificate import Certificate
from tests.support.local import places
from tests.support.local.runtime import Environment, Package, runtime_client
from tests.support.response_bucket import ResponseBucket
from tests.support.world import ACCOUNT, FUNCTION_ARN, REGION
from tools.layer import LAYERS

FUNCTIONS = Path(__file__).resolve().parent / "functions"
ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]


class WentWrong(Exception):
    """A measured function did not do what it is measured at. The text has its answer and its log."""


@dataclass(frozen=True, slots=True)
class Stage:
    """`application` is what is deployed, `timed` the same with a stop watch, `plain` what it is compared with."""

    application: Package
    timed: Package
    plain: Package
    _folder: Path
    _client: Path
    _replay: Replay
    _bucket: ResponseBucket
    _variables: Mapping[str, str]

    def start(self, package: Package) -> Environment:
        """A new process of this function. Its clock is `started_at`; who starts it ends it with `kill`."""
        log = self._folder / f"{uuid.uuid4().hex}.log"
        log.touch()
        return Environment(package, self._client, log, self._variables)

    def run(self, environment: Environment, recording: Recording, *, plain: bool = False) -> tuple[float, Any]:
        """One invocation to its end: the moment of the response (by the monotonic clock), and what it said.

        Raises WentWrong where the calls or the answer were not the recorded ones.
        """
        event = self._plain_event(recording) if plain else self._event(recording)
        self._replay.begin(recording)
        self._bucket.received.clear()
        outcome = environment.invoke(json.dumps(event), str(uuid.uuid4()))
        ended_at = time.monotonic()
        try:
            self._replay.finish()
        except OtherCalls as other:
            raise WentWrong(f"{other}\n{outcome.payload}\n{outcome.log}") from None
        if outcome.failed:
            raise WentWrong(f"{outcome.payload}\n{outcome.log}")
        if [received.body for received in self._bucket.received] != [recording.answer]:
            raise WentWrong(f"Another answer was PUT than the recorded one.\n{outcome.log}")
        return ended_at, json.loads(outcome.payload)

    def _event(self, recording: Recording) -> dict[str, Any]:
        url = urlsplit(recording.event["ResponseURL"])
        return {**recording.event, "ResponseURL": self._bucket.url(f"{url.path}?{url.query}")}

    def _plain_event(self, recording: Recording) -> dict[str, Any]:
        return {
            "calls": [call.as_json() for call in recording.calls],
            "body": recording.answer.decode(),
            "ResponseURL": self._event(recording)["ResponseURL"],
        }


@contextmanager
def stage(build: Path) -> Iterator[Stage]:
    """`build`: the folder that `sam build` filled."""
    folder = places.temporary_folder("bench")
    try:
        certificate = Certificate.made_in(folder)
        replay = Replay(certificate.chain)
        with ResponseBucket(certificate.chain) as bucket:
            application = _application(build, folder, response_host=bucket.netloc)
            yield Stage(
                application=application,
                timed=replace(application, task=_timed(folder, application.task), handler="timed.handler"),
                plain=replace(application, task=_plain(folder), handler="plain.handler"),
                _folder=folder,
                _client=runtime_client(folder / "runtime-client"),
                _replay=replay,
                _bucket=bucket,
                _variables={
                    "AWS_REGION": REGION,
                    "AWS_DEFAULT_REGION": REGION,
                    "AWS_ACCESS_KEY_ID": ACCOUNT,
                    "AWS_SECRET_ACCESS_KEY": "not-checked",
                    "AWS_SESSION_TOKEN": "not-checked",
                    "AWS_ENDPOINT_URL": replay.url,
                    "AWS_CA_BUNDLE": str(_trusted(folder, application.layers, certificate)),
                },
            )
        replay.end()
    finally:
        places.remove_tree(folder)


def _application(build: Path, folder: Path, *, response_host: str) -> Package:
    deployed = Application(ResponseHost=response_host).only("AWS::Lambda::Function")
    layers = shutil.copytree(build / LAYERS[ARCHITECTURE], folder / "layer")
    task = shutil.copytree(build / "Function", folder / "task")
    for copied in (layers, task):
        places.make_read_only(copied)
    return Package(
        name=deployed["FunctionName"],
        arn=FUNCTION_ARN,
        handler=deployed["Handler"],
        task=task,
        layers=layers,
        timeout_seconds=deployed["Timeout"],
        memory_mb=deployed["MemorySize"],
        variables=deployed["Environment"]["Variables"],
    )


def _trusted(folder: Path, layers: Path, certificate: Certificate) -> Path:
    """The authorities that botocore brings along, and the one that signed here.

    On AWS that list is what is read, anew for each connection: with the one certificate alone, a cold start would be one
    that nobody has.
    """
    bundle = folder / "trusted.pem"
    bundle.write_bytes(
        (layers / "python" / "botocore" / "cacert.pem").read_bytes() + certificate.ca_bundle.read_bytes()
    )
    return bundle


def _timed(folder: Path, application: Path) -> Path:
    task = folder / "timed"
    shutil.copytree(application, task, copy_function=shutil.copyfile)
    task.chmod(0o755)
    return _with(task, "timed.py")


def _plain(folder: Path) -> Path:
    task = folder / "plain"
    task.mkdir()
    return _with(task, "plain.py")


def _with(task: Path, module: str) -> Path:
    """Adds a module with bytecode that is never checked against its source, as the application's own."""
    copied = shutil.copy(FUNCTIONS / module, task)
    py_compile.compile(str(copied), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    places.make_read_only(task)
    return task
