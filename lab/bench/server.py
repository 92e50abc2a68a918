"""The AWS of a measured function: every service at one address, over TLS as on AWS. The subclass answers.

It runs in the measuring process, so its memory and time never count as the function's.
"""

import ssl
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from lab.local.http_server import EndingServer
from lab.wire.transport import Request, Response

PATIENCE_SECONDS = 60


class Server(EndingServer, ABC):
    def __init__(self, certificate_chain: Path) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate_chain)
        super().__init__(_Handler)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """Called in the connection's thread."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"  # connections stay open, as boto3 expects
    disable_nagle_algorithm = True  # else TLS's session tickets delay the answer by 40 ms
    wbufsize = -1  # an answer is one write

    def setup(self) -> None:
        self.request.settimeout(PATIENCE_SECONDS)
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.request.close()  # the server closes only the plain socket, which TLS has detached

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
