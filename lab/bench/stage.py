"""Runs functions as Lambda does, with an AWS that replays, and a bucket that takes answers.

The built artifact and the layer are each copied to a folder and made read-only, as Lambda mounts them. The runtime client is
AWS's own (lab/local/runtime.py). Handler, memory and environment come from the template.
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

from lab.application import Application
from lab.bench.recording import Recording
from lab.bench.replay import OtherCalls, Replay
from lab.bench.server import Server
from lab.certificate import Certificate
from lab.cloudformation.response_bucket import ResponseBucket
from lab.local import places
from lab.local.runtime import Environment, Outcome, Package, runtime_client
from lab.world import ACCOUNT, FUNCTION_ARN, REGION
from tools.layer import LAYERS

FUNCTIONS = Path(__file__).resolve().parent / "functions"
ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]


class WentWrong(Exception):
    """A measured function did not do what it must do. The text has its answer and its log."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The result of an event: the moment of the response (monotonic clock), its payload, what was PUT."""

    ended_at: float
    outcome: Outcome
    bodies: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """`application` is the deployed function; `timed` and `probed` add instruments; it is compared with `plain`.

    `on_failure` is the on-failure function without its wait; it is compared with `plain_on_failure`.
    """

    application: Package
    timed: Package
    probed: Package
    plain: Package
    on_failure: Package
    plain_on_failure: Package
    certificate_chain: Path
    _folder: Path
    _client: Path
    _replay: Replay
    _bucket: ResponseBucket
    _variables: Mapping[str, str]

    def start(self, package: Package, aws: Server | None = None) -> Environment:
        """A new process of this function. Times count from its `started_at`. The caller ends it with `kill`.

        `aws`: the AWS that it uses, if not the replay.
        """
        log = self._folder / f"{uuid.uuid4().hex}.log"
        log.touch()
        variables = {**self._variables, "AWS_ENDPOINT_URL": (aws or self._replay).url}
        return Environment(package, self._client, log, variables)

    def beside(self, module: Path) -> Package:
        """The application with this module's `handler`, which may import `probed`."""
        return _beside(self._folder, self.probed, module)

    def send(self, environment: Environment, event: Mapping[str, Any]) -> Sent:
        """Runs one invocation to its end. CloudFormation's ResponseURL in `event` is replaced by the bucket's."""
        own = self._at_the_bucket(event)
        outcome = environment.invoke(json.dumps(own), str(uuid.uuid4()))
        ended_at = time.monotonic()
        url = urlsplit(_response_url(own))
        mine = [one for one in list(self._bucket.received) if one.path == f"{url.path}?{url.query}"]
        for one in mine:
            self._bucket.received.remove(one)
        return Sent(ended_at, outcome, tuple(one.body for one in mine))

    def run(self, environment: Environment, recording: Recording, *, plain: bool = False) -> tuple[float, Any]:
        """Runs one invocation against the recording. Returns the moment of the response, and its payload.

        Raises WentWrong if the calls or the answer differ from the recorded ones.
        """
        self._replay.begin(recording)
        sent = self.send(environment, _plain_event(recording) if plain else recording.event)
        outcome = sent.outcome
        try:
            self._replay.finish()
        except OtherCalls as other:
            raise WentWrong(f"{other}\n{outcome.payload}\n{outcome.log}") from None
        if outcome.failed:
            raise WentWrong(f"{outcome.payload}\n{outcome.log}")
        if sent.bodies != (recording.answer,):
            raise WentWrong(f"The PUT answer is not the recorded one.\n{outcome.log}")
        return sent.ended_at, json.loads(outcome.payload)

    def _at_the_bucket(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """A request, or Lambda's record of one."""
        if _RECORDED in event:
            return {**event, _RECORDED: self._at_the_bucket(event[_RECORDED])}
        url = urlsplit(event["ResponseURL"])
        return {**event, "ResponseURL": self._bucket.url(f"{url.path}?{url.query}")}


_RECORDED = "requestPayload"


def _response_url(event: Mapping[str, Any]) -> str:
    return str(event.get(_RECORDED, event)["ResponseURL"])


def _plain_event(recording: Recording) -> dict[str, Any]:
    return {
        "calls": [call.as_json() for call in recording.calls],
        "body": recording.answer.decode(),
        "ResponseURL": _response_url(recording.event),
    }


@contextmanager
def stage(build: Path) -> Iterator[Stage]:
    """`build`: the folder that `sam build` filled."""
    folder = places.temporary_folder("bench")
    try:
        certificate = Certificate.made_in(folder)
        replay = Replay(certificate.chain)
        with ResponseBucket(certificate.chain) as bucket:
            layers = _copied(build / LAYERS[ARCHITECTURE], folder / "layer")
            deployed = Application(ResponseHost=bucket.netloc)

            def package(logical_id: str) -> Package:
                task = _copied(build / logical_id, folder / logical_id)
                return _package(deployed.properties(logical_id), task, layers)

            application, on_failure = package("Function"), package("OnFailureFunction")
            plain = replace(application, task=_plain(folder), handler="plain.handler")
            yield Stage(
                application=application,
                timed=_beside(folder, application, FUNCTIONS / "timed.py"),
                probed=_beside(folder, application, FUNCTIONS / "probed.py"),
                plain=plain,
                on_failure=_beside(folder, on_failure, FUNCTIONS / "impatient.py"),
                plain_on_failure=replace(plain, variables={"PLAIN_CLIENTS": "cloudformation"}),
                certificate_chain=certificate.chain,
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
                    "AWS_CA_BUNDLE": str(_trusted(folder, application.layers, certificate)),
                },
            )
        replay.end()
    finally:
        places.remove_tree(folder)


def _copied(built: Path, to: Path) -> Path:
    copied = shutil.copytree(built, to)
    places.make_read_only(copied)
    return copied


def _package(deployed: Mapping[str, Any], task: Path, layers: Path) -> Package:
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
    """The authorities of botocore's list, and the authority that signed here.

    On AWS the whole list is read anew for each connection. With only one certificate, the cold start would be shorter than any
    real one.
    """
    bundle = folder / "trusted.pem"
    bundle.write_bytes(
        (layers / "python" / "botocore" / "cacert.pem").read_bytes() + certificate.ca_bundle.read_bytes()
    )
    return bundle


def _beside(folder: Path, application: Package, module: Path) -> Package:
    """The application with another handler beside its own."""
    task = folder / module.stem
    shutil.copytree(application.task, task, copy_function=shutil.copyfile)
    task.chmod(0o755)
    return replace(application, task=_with(task, module), handler=f"{module.stem}.handler")


def _plain(folder: Path) -> Path:
    task = folder / "plain"
    task.mkdir()
    return _with(task, FUNCTIONS / "plain.py")


def _with(task: Path, module: Path) -> Path:
    """Adds a module with bytecode that is never checked against its source, as the application's own."""
    copied = shutil.copy(module, task)
    py_compile.compile(str(copied), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    places.make_read_only(task)
    return task
