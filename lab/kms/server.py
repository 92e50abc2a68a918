"""The strict KMS over HTTP on 127.0.0.1, for the AWS CLI, boto3 and other clients of KMS.

One thread per connection; the KMS itself runs one call at a time. A connection fault (`faults.py`) closes the connection
without an answer, like a lost connection. Plain http: the caller sets AWS_ENDPOINT_URL_KMS.
"""

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from lab.wire.faults import ConnectionLost, Faults
from lab.wire.transport import Request, Response, Service

HOST = "127.0.0.1"
MAX_BODY_BYTES = 1_000_000  # KMS's own requests end far below
IDLE_SECONDS = 60
_ALIVE = Response(HTTPStatus.OK, {"Content-Type": "text/plain"}, b"strict KMS\n")


class KmsServer(ThreadingHTTPServer):
    """`with KmsServer(wire) as server:` serves until the block ends. Port 0: a free one, see `url`."""

    daemon_threads = True

    def __init__(self, service: Service, *, port: int = 0, faults: Faults | None = None) -> None:
        self.service = service
        self.faults = faults or Faults()
        super().__init__((HOST, port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: KmsServer
    protocol_version = "HTTP/1.1"  # connections stay open, as boto3 expects
    timeout = IDLE_SECONDS
    server_version, sys_version = "StrictKms", ""

    def do_GET(self) -> None:  # http.server's name
        self._send(_ALIVE)

    def do_POST(self) -> None:  # http.server's name
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self._send(Response(HTTPStatus.LENGTH_REQUIRED, {}, b""))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request("POST", self.path, headers, self.rfile.read(int(length)))
        try:
            operation = self.server.service.operation(request)
            response = self.server.faults.carry(self.server.service, request, operation)
        except ConnectionLost:
            self.close_connection = True
            return
        self._send(response)

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:
        """Prints nothing: requests may hold key material."""
