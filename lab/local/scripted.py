"""A function that a test plays: its events go to a URL, and the test's own code answers them.

For tests of the local AWS itself. The function is deployed (so that stacks find it), but MiniStack's proxy mode sends its
events to `url`. Answers are PUT to the ResponseURL, as by a custom resource.
"""

import io
import json
import ssl
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from lab.local.clients import client
from lab.local.http_server import EndingServer
from lab.local.ministack import HOST
from lab.local.settings import Settings

NAME = "scripted"
PUT_SECONDS = 10

type Event = dict[str, Any]
type Answer = Mapping[str, Any] | bytes | None


class Scripted:
    """One function. `play` returns the answer: fields to add to an ordinary SUCCESS, a raw body, or None for no answer."""

    def __init__(self, name: str = NAME) -> None:
        self.name = name
        self.play: Callable[[Event], Answer] = lambda _event: {}
        self.events: list[Event] = []
        self.puts: list[int] = []  # the HTTP statuses of the answers
        self._settings: Settings | None = None
        self._server = _Server(self)
        self.url = f"http://{HOST}:{self._server.port}/"

    def close(self) -> None:
        self._server.end()

    def deploy(self, settings: Settings) -> str:
        """Makes the function; returns its ARN, the ServiceToken."""
        self._settings = settings
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = client(settings, "iam").create_role(
            RoleName=self.name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("never_run.py", "")
        made = client(settings, "lambda").create_function(
            FunctionName=self.name,
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="never_run.handler",
            Code={"ZipFile": code.getvalue()},
        )
        return str(made["FunctionArn"])

    def handle(self, event: Event) -> bool:
        """Plays one event. Returns False if the invocation must fail."""
        self.events.append(event)
        try:
            answer = self.play(event)
        except CrashedOnPurpose:
            return False
        if answer is not None:
            self.puts.append(self.put(event, answer))
        return True

    def put(self, event: Event, answer: Mapping[str, Any] | bytes, *, url: str = "", content_type: str = "") -> int:
        """Sends an answer; returns the HTTP status."""
        if self._settings is None:
            raise RuntimeError("deploy() first")
        body = answer if isinstance(answer, bytes) else json.dumps({**success(event), **answer}).encode()
        request = urllib.request.Request(  # noqa: S310  # https, to the local AWS
            url or event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": content_type}
        )
        trust = ssl.create_default_context(cafile=self._settings.ca_bundle)
        try:
            with urllib.request.urlopen(request, timeout=PUT_SECONDS, context=trust) as response:  # noqa: S310  # as above
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code

    def wait_for_events(self, count: int, seconds: float = 30) -> list[Event]:
        deadline = time.monotonic() + seconds
        while len(self.events) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.events


class CrashedOnPurpose(Exception):
    """Raised by a `play` to fail the invocation."""


def success(event: Event) -> dict[str, Any]:
    """The simplest answer: the event's physical id, or an id made from the logical id."""
    return {
        "Status": "SUCCESS",
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "PhysicalResourceId": event.get("PhysicalResourceId", f"id-of-{event['LogicalResourceId']}"),
        "Data": {},
    }


class _Server(EndingServer):
    def __init__(self, function: Scripted) -> None:
        self.function = function
        super().__init__(_Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200 if self.server.function.handle(event) else 500)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""
