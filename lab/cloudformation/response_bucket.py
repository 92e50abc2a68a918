"""Takes answers: CloudFormation's bucket on 127.0.0.1, and a proxy on the way to it.

A real TLS server with its own certificate, on a free port. It takes what is PUT, and then behaves as the test says: one
behavior for each request, in order, and 200 when they are used up. S3, a proxy or the network is known to do each of these, or
a hostile server could do it.
"""

import contextlib
import select
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Self

HOST = "127.0.0.1"
_PATIENCE_SECONDS = 30.0  # no behavior lasts longer


@dataclass(frozen=True, slots=True)
class Received:
    """One PUT as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


type Behavior = Callable[["_Exchange"], None]


def status(code: int, **headers: str) -> Behavior:
    """Answers with this status, and closes."""

    def behave(exchange: _Exchange) -> None:
        exchange.send_response_only(code)
        for name, text in headers.items():
            exchange.send_header(name.replace("_", "-"), text)
        exchange.send_header("Content-Length", "0")
        exchange.end_headers()

    return behave


def reset(exchange: "_Exchange") -> None:
    """Takes the body, and resets the connection in place of an answer: the PUT has taken effect, its answer is lost."""
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.connection.close()


def silence(exchange: "_Exchange") -> None:
    """Takes the body, and says nothing for as long as the other side listens."""
    exchange.wait_until_gone(_PATIENCE_SECONDS)


def drip(exchange: "_Exchange") -> None:
    """Answers with one byte of a header every 50 ms, so that no single read ever times out."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
    end = time.monotonic() + _PATIENCE_SECONDS
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            exchange.wfile.write(b"x")
            time.sleep(0.05)


def endless_body(exchange: "_Exchange") -> None:
    """Answers 200 with a body that does not end."""
    exchange.send_response_only(200)
    exchange.end_headers()
    end = time.monotonic() + _PATIENCE_SECONDS
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            exchange.wfile.write(b"x" * 65536)


class ResponseBucket:
    """`with ResponseBucket(certificate) as bucket:`; `received` holds what was PUT."""

    def __init__(self, certificate: Path) -> None:
        self.received: list[Received] = []
        self._behaviors: deque[Behavior] = deque()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server = _Server((HOST, 0), _Exchange)
        self._server.bucket = self
        self._server.context = context
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def netloc(self) -> str:
        return f"{HOST}:{self._server.server_address[1]}"

    def url(self, target: str) -> str:
        return f"https://{self.netloc}{target}"

    def will(self, *behaviors: Behavior) -> None:
        self._behaviors.extend(behaviors)

    def take(self, received: Received) -> Behavior:
        self.received.append(received)
        return self._behaviors.popleft() if self._behaviors else status(200)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    bucket: ResponseBucket
    context: ssl.SSLContext

    def handle_error(self, *_: object) -> None:
        """Prints nothing: clients that go away in the middle are what the tests want."""


class _Exchange(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True  # else TLS's session tickets delay the answer by 40 ms
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        self.request.settimeout(_PATIENCE_SECONDS)
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()
        with contextlib.suppress(OSError):
            self.request.close()

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): text for name, text in self.headers.items()}
        self.close_connection = True
        self.server.bucket.take(Received(self.path, headers, body))(self)

    def wait_until_gone(self, seconds: float) -> None:
        readable, _, _ = select.select([self.connection], [], [], seconds)
        if readable:
            with contextlib.suppress(OSError):
                self.connection.recv(1)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def connect_proxy() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """An HTTP proxy that knows CONNECT.

    Yields its `host:port`, and the list of (target, Proxy-Authorization) that it fills.
    """
    tunnels: list[tuple[str, str]] = []

    class Tunnel(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            tunnels.append((self.path, self.headers.get("Proxy-Authorization", "")))
            host, port = self.path.split(":")
            with socket.create_connection((host, int(port)), timeout=_PATIENCE_SECONDS) as far:
                self.send_response_only(200)
                self.end_headers()
                self.wfile.flush()
                _pass_on(self.connection, far)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with socketserver.ThreadingTCPServer((HOST, 0), Tunnel) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"{HOST}:{server.server_address[1]}", tunnels
        finally:
            server.shutdown()
            thread.join()


def _pass_on(near: socket.socket, far: socket.socket) -> None:
    other = {near: far, far: near}
    end = time.monotonic() + _PATIENCE_SECONDS
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            for one in select.select([near, far], [], [], 0.5)[0]:
                data = one.recv(65536)
                if not data:
                    return
                other[one].sendall(data)
