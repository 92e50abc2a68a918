"""Lambda's Runtime API: a function's process gets its invocations here, and sends their results.

Each process has its own server and port, as in a Lambda environment. Source: Lambda Developer Guide, "Using the Lambda runtime
API for custom runtimes".
"""

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Protocol

from lab.local.http_server import EndingServer

API = "/2018-06-01/runtime"


class Environment(Protocol):
    """The environment whose process calls. Its methods are called from the server's threads."""

    def next_invocation(self) -> tuple[Mapping[str, str], str] | None:
        """Blocks until there is an invocation. Returns its headers and its event; None: the environment ends."""

    def ended(self, request_id: str, payload: str, *, failed: bool) -> None:
        """An invocation's answer, or its error."""

    def did_not_init(self, payload: str) -> None:
        """The error that the function's module raised."""


class RuntimeApi(EndingServer):
    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        super().__init__(_Handler)


class _Handler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True  # headers and body are two packets: else the second waits 40 ms
    protocol_version = "HTTP/1.1"
    server: RuntimeApi

    def do_GET(self) -> None:
        if self.path != f"{API}/invocation/next":
            self._answer(404)
            return
        found = self.server.environment.next_invocation()
        if found is None:
            self.close_connection = True
            return
        headers, event = found
        self._answer(200, event, headers)

    def do_POST(self) -> None:
        payload = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        environment = self.server.environment
        match self.path.removeprefix(API).strip("/").split("/"):
            case ["invocation", request_id, "response"]:
                environment.ended(request_id, payload, failed=False)
            case ["invocation", request_id, "error"]:
                environment.ended(request_id, payload, failed=True)
            case ["init", "error"]:
                environment.did_not_init(payload)
            case _:
                self._answer(404)
                return
        self._answer(202)

    def _answer(self, status: int, body: str = "", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        content = body.encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing: the function has its own log."""
