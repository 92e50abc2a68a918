"""Runs deployed functions as Lambda does: downloads them, keeps them warm, runs several at once.

`Functions` takes events over HTTP from MiniStack (corrections/lambda_runtime.py sends them), and answers with their results.
It reads the function's configuration again for every event, so that a deployment takes effect at once. It downloads code and
layers by GetFunction and GetLayerVersionByArn, so that the deployed zip runs. The same name in two Regions means two
functions.
"""

import json
import ssl
import threading
import time
import urllib.request
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from pathlib import Path
from typing import Any

from lab.local import places
from lab.local.clients import client
from lab.local.http_server import EndingServer
from lab.local.ministack import HOST
from lab.local.observer import Invocation, Observer
from lab.local.runtime import Environment, Outcome, Package, runtime_client
from lab.local.settings import Credentials, Settings

CONCURRENT = 8  # environments of one function at the same time; more events wait
CREDENTIALS_SECONDS = 3600
RETIRE_SECONDS = 2700  # an environment is retired before its credentials can expire during an invocation
DOWNLOAD_SECONDS = 60


class Functions:
    """All functions of one local AWS. `folder` must exist; logs are in `folder/logs/REGION/FUNCTION/`."""

    def __init__(self, folder: Path, observer: Observer | None = None) -> None:
        self._folder = folder
        self._observer = observer
        self._client = runtime_client(folder / "runtime-client")
        self._pools: dict[tuple[str, str], _Pool] = {}  # by Region and name
        self._lock = threading.Lock()
        self._settings: Settings | None = None
        self._server = _EventServer(self)
        self.url = f"http://{HOST}:{self._server.port}/"

    def serve(self, settings: Settings) -> None:
        """Takes events from now on. `settings`: where the functions are deployed."""
        self._settings = settings

    def invoke(self, function_arn: str, event: str, request_id: str) -> Outcome:
        """Runs one event to its end."""
        settings = self._settings
        if settings is None:
            raise RuntimeError("events are taken only once the local AWS has started")
        parts = function_arn.split(":")
        region, name = parts[3], parts[6]
        with self._lock:
            pool = self._pools.get((region, name))
            if pool is None:
                cloud = _Cloud(replace(settings, region=region))
                pool = _Pool(self._folder, name, self._client, cloud, self._observer)
                self._pools[region, name] = pool
        return pool.invoke(event, request_id)

    def close(self) -> None:
        """Ends every process."""
        self._server.end()
        for pool in self._pools.values():
            pool.close()


class _Cloud:
    """The Region where a function is deployed, and what its processes get from it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.region = settings.region
        self.lambda_ = client(settings, "lambda")
        self._sts = client(settings, "sts")

    def download(self, location: str) -> bytes:
        # MiniStack gives http URLs even where it serves https.
        url = location.replace("http://", "https://", 1)
        trust = ssl.create_default_context(cafile=self._settings.ca_bundle)
        with urllib.request.urlopen(url, timeout=DOWNLOAD_SECONDS, context=trust) as answer:  # noqa: S310  # https
            return bytes(answer.read())

    def surroundings(self, session: str, role_arn: str) -> dict[str, str]:
        """The variables that a function's process gets: its role's credentials, and the settings of the local AWS."""
        role = self._sts.assume_role(RoleArn=role_arn, RoleSessionName=session, DurationSeconds=CREDENTIALS_SECONDS)
        credentials = Credentials(
            role["Credentials"]["AccessKeyId"],
            role["Credentials"]["SecretAccessKey"],
            role["Credentials"]["SessionToken"],
        )
        return {
            **self._settings.with_credentials(credentials).environment(),
            "SSL_CERT_FILE": self._settings.ca_bundle,  # on AWS the machine trusts every certificate
        }


class _Pool:
    """The environments of one function: idle ones are used again, newest first, as Lambda seems to."""

    def __init__(self, folder: Path, name: str, client: Path, cloud: _Cloud, observer: Observer | None) -> None:
        self._name = name
        self._observer = observer
        self._client = client
        self._cloud = cloud
        self._code = folder / "code" / cloud.region / name  # not shared: others may unpack the same zip now
        self._logs = places.function_logs(folder, cloud.region, name)
        self._logs.mkdir(parents=True, exist_ok=True)
        self._code.mkdir(parents=True, exist_ok=True)
        self._change = threading.Condition()
        self._idle: list[tuple[str, Environment]] = []
        self._busy: set[Environment] = set()
        self._closed = False
        self._fetching = threading.Lock()

    def invoke(self, event: str, request_id: str) -> Outcome:
        deployed = self._cloud.lambda_.get_function(FunctionName=self._name)
        configuration = deployed["Configuration"]
        version = f"{configuration['CodeSha256']} {configuration['RevisionId']}"
        environment = self._take(version) or self._new(deployed)
        with self._change:
            self._busy.add(environment)
        invocation = Invocation(self._name, event, environment)
        try:
            if self._observer is not None:
                self._observer.began(invocation)
            outcome = environment.invoke(event, request_id)
            if self._observer is not None:
                self._observer.ended(invocation, outcome)
            return outcome
        finally:
            self._give_back(version, environment)

    def _take(self, version: str) -> Environment | None:
        """An idle environment of this version. None: the caller must make one, and there is room for it."""
        with self._change:
            while True:
                if self._closed:
                    raise RuntimeError("the local AWS is ending")
                usable = [entry for entry in self._idle if entry[0] == version and _fresh(entry[1])]
                for _, old in [entry for entry in self._idle if entry not in usable]:
                    old.kill()
                self._idle = usable
                if usable:
                    return self._idle.pop()[1]
                if len(self._busy) < CONCURRENT:
                    return None
                self._change.wait()

    def _give_back(self, version: str, environment: Environment) -> None:
        with self._change:
            self._busy.discard(environment)
            if environment.usable and not self._closed:
                self._idle.append((version, environment))
            else:
                environment.kill()
            self._write_pids()
            self._change.notify_all()

    def _new(self, deployed: Mapping[str, Any]) -> Environment:
        with self._fetching:  # two first events of a new version share one download
            package = self._package(deployed)
        log = self._logs / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:8]}.log"
        log.touch()
        variables = self._cloud.surroundings(self._name, deployed["Configuration"]["Role"])
        if self._observer is not None:
            variables = self._observer.variables(variables)
        environment = Environment(package, self._client, log, variables)
        self._write_pids(environment)
        return environment

    def _write_pids(self, *more: Environment) -> None:
        """Writes the ids of the living processes, for tests that kill a function in the middle of its work."""
        pids = [environment.pid for environment in [*self._busy, *more, *(idle for _, idle in self._idle)]]
        (self._logs / "pids.json").write_text(json.dumps(pids))

    def _package(self, deployed: Mapping[str, Any]) -> Package:
        configuration = deployed["Configuration"]
        task = self._unpack(configuration["CodeSha256"], [deployed["Code"]["Location"]])
        arns = [layer["Arn"] for layer in configuration.get("Layers", [])]
        versions = [self._cloud.lambda_.get_layer_version_by_arn(Arn=arn)["Content"] for arn in arns]
        layers = self._unpack(
            "+".join(version["CodeSha256"] for version in versions) or "no-layers",
            [version["Location"] for version in versions],
        )
        return Package(
            name=self._name,
            arn=configuration["FunctionArn"],
            handler=configuration["Handler"],
            task=task,
            layers=layers,
            timeout_seconds=configuration["Timeout"],
            memory_mb=configuration["MemorySize"],
            variables=configuration.get("Environment", {}).get("Variables", {}),
        )

    def _unpack(self, key: str, locations: list[str]) -> Path:
        folder = self._code / key.replace("/", "_").replace("=", "")
        if not folder.exists():
            draft = folder.with_name(f"{folder.name}.new")
            draft.mkdir()
            for location in locations:
                with zipfile.ZipFile(BytesIO(self._cloud.download(location))) as archive:
                    archive.extractall(draft)
            places.make_read_only(draft)
            draft.rename(folder)
        return folder

    def close(self) -> None:
        with self._change:
            self._closed = True
            for environment in [*self._busy, *(idle for _, idle in self._idle)]:
                environment.kill()
            self._change.notify_all()


def _fresh(environment: Environment) -> bool:
    return environment.usable and time.monotonic() - environment.started_at < RETIRE_SECONDS


class _EventServer(EndingServer):
    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        super().__init__(_EventHandler)


class _EventHandler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True  # headers and body are two packets: else the second waits 40 ms
    server: _EventServer

    def do_POST(self) -> None:
        event = self.rfile.read(int(self.headers["Content-Length"])).decode()
        outcome = self.server.functions.invoke(
            self.headers["X-Amzn-Lambda-Function-Arn"], event, self.headers["X-Amzn-Lambda-Request-Id"]
        )
        content = json.dumps({"payload": outcome.payload, "failed": outcome.failed, "log": outcome.log}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing: the journal and the functions' logs have it."""
