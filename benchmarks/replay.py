"""The AWS that a measured function meets: every service at one address, over TLS as on AWS, answering from a recording.

It answers in microseconds, where AWS takes milliseconds: what the function adds weighs more here than it ever does there.
A function that makes other calls than the recorded ones, or makes them in another order, is refused, and `finish` raises:
what is compared has made the same calls.
"""

import ssl
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from benchmarks.recording import Exchange, Recording, operation_of
from tests.support.local.http_server import EndingServer
from tests.support.transport import Request, Response

PATIENCE_SECONDS = 60
_NOT_RECORDED = Response(400, {}, b'{"__type": "NotInTheRecording"}')


class OtherCalls(Exception):
    """A function did not make the calls that were recorded."""


class Replay(EndingServer):
    """`begin`, let a function run, `finish`: as often as wanted."""

    def __init__(self, certificate_chain: Path) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate_chain)
        self._lock = threading.Lock()
        self._left: list[Exchange] = []
        self._unexpected: list[str] = []
        super().__init__(_Handler)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def begin(self, recording: Recording) -> None:
        self._left = list(reversed(recording.exchanges))
        self._unexpected = []

    def finish(self) -> None:
        if self._unexpected or self._left:
            unexpected = ", ".join(self._unexpected) or "nothing"
            missing = ", ".join(exchange.operation for exchange in reversed(self._left)) or "nothing"
            raise OtherCalls(f"Called and not recorded: {unexpected}. Recorded and not called: {missing}.")

    def answer(self, request: Request) -> Response:
        operation = operation_of(request)
        with self._lock:
            if self._left and self._left[-1].operation == operation:
                return self._left.pop().response
            self._unexpected.append(operation)
        return _NOT_RECORDED


class _Handler(BaseHTTPRequestHandler):
    server: Replay
    protocol_version = "HTTP/1.1"  # connections stay open, as boto3 expects
    disable_nagle_algorithm = True  # TLS's session tickets go out before the answer: else 40 ms pass between them
    wbufsize = -1  # an answer is one write

    def setup(self) -> None:
        self.request.settimeout(PATIENCE_SECONDS)
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = self.server.answer(Request("POST", self.path, headers, body))
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""
