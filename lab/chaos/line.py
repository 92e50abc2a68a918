"""The line between the function and its AWS: a TLS server in front of MiniStack that harms calls as its judge says.

Every call of the function's processes and every PUT of an answer passes here. Harm comes before the effect (MiniStack never
sees the call) or after it (MiniStack has carried it out, and the answer is lost). `Judge` decides what happens to which call;
this module only does it.
"""

import http.client
import socket
import ssl
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from lab.chaos.fates import Harm, Strike
from lab.local.http_server import EndingServer
from lab.local.settings import Settings
from lab.wire import aws_json, aws_query
from lab.wire.faults import Moment
from lab.wire.transport import Refusal, Response

ANSWER_PATH: Final = "/_ministack/cfn-response/"
PATIENCE_SECONDS: Final = 60.0  # for the caller and for MiniStack
FLOOD_BYTES_MAX: Final = 2**30
FLOOD_PIECE: Final = b" " * 2**16
ERROR_CODES: Final[Mapping[str, str]] = {"kms": "KMSInternalException", "secretsmanager": "InternalServiceError"}


@dataclass(frozen=True, slots=True)
class Passing:
    """One call on the line. `access_key` shows whose process it is. For an answer it is "", and `request_id` shows it."""

    service: str  # as in the signature's scope; "answer" for a PUT to the bucket
    operation: str
    access_key: str = ""
    request_id: str = ""


class Judge(Protocol):
    """Called from the line's threads."""

    def strikes(self, passing: Passing) -> Mapping[Moment, Strike]:
        """The strikes for this call, at most one for each moment."""

    def kill(self, passing: Passing) -> None:
        """Kills the process whose call this is."""

    def answered(self, passing: Passing, body: bytes, *, confirmed: bool) -> None:
        """An answer has arrived at CloudFormation's bucket. `confirmed`: its sender knows that."""


class Line(EndingServer):
    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self._settings: Settings | None = None
        self._context: ssl.SSLContext | None = None
        super().__init__(_Handler)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def lead_to(self, settings: Settings) -> None:
        """Leads to MiniStack. Its certificate holds for this line, too: it names the address, and no port."""
        certificate = Path(settings.ca_bundle)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        self._settings, self._context = settings, context

    def context(self) -> ssl.SSLContext:
        if self._context is None:
            raise ConnectionError("the line does not lead to an AWS yet")
        return self._context

    def far_side(self) -> http.client.HTTPSConnection:
        if self._settings is None:
            raise ConnectionError("the line does not lead to an AWS yet")
        trust = ssl.create_default_context(cafile=self._settings.ca_bundle)
        target = urlsplit(self._settings.endpoint_url)
        return http.client.HTTPSConnection(target.hostname or "", target.port, timeout=PATIENCE_SECONDS, context=trust)


class _Cut(Exception):
    """The connection was cut on purpose."""


class _Handler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"
    server: Line
    connection: ssl.SSLSocket

    def setup(self) -> None:
        self.request.settimeout(PATIENCE_SECONDS)
        self.request = self.server.context().wrap_socket(self.request, server_side=True)
        super().setup()
        self._far = self.server.far_side()

    def finish(self) -> None:
        self._far.close()
        try:
            super().finish()
            self.request.close()
        except (OSError, ValueError):
            pass  # it was cut

    def do_POST(self) -> None:
        self._carry()

    def do_PUT(self) -> None:
        self._carry()

    def do_GET(self) -> None:
        self._carry()

    def _carry(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        passing = _passing(self.path, self.headers, body)
        strikes = self.server.judge.strikes(passing)
        try:
            struck = self._meet(passing, strikes.get(Moment.BEFORE))
            if struck is not None:
                self._send(struck)
                return
            answer = self._fetch(body)
            after = strikes.get(Moment.AFTER)
            if passing.service == "answer" and answer.status < 300:
                self.server.judge.answered(passing, body, confirmed=after is None)
            self._send(self._meet(passing, after) or answer)
        except _Cut:
            self.close_connection = True

    def _fetch(self, body: bytes) -> Response:
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        self._far.request(self.command, self.path, body=body, headers=headers)
        answer = self._far.getresponse()
        content = answer.read()
        kept = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() not in {"content-length", "connection", "transfer-encoding", "date", "server"}
        }
        return Response(answer.status, kept, content)

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    def _meet(self, passing: Passing, strike: Strike | None) -> Response | None:
        """Returns the answer to send in place of MiniStack's, or None: the call goes on. Raises _Cut."""
        match strike:
            case None:
                return None
            case Strike(harm=Harm.SLOW, seconds=seconds):
                time.sleep(seconds)
                return None
            case Strike(harm=Harm.ERROR | Harm.THROTTLE as harm):
                return _refused(passing, harm)
            case Strike(harm=Harm.STALL, seconds=seconds):
                time.sleep(seconds)
            case Strike(harm=Harm.KILL):
                self.server.judge.kill(passing)
            case Strike(harm=Harm.FLOOD):
                self._flood()
        self._reset()
        raise _Cut

    def _flood(self) -> None:
        """Sends an endless answer. An SDK reads all of it, and runs out of memory."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\n\r\n")
        for _ in range(FLOOD_BYTES_MAX // len(FLOOD_PIECE)):
            try:
                self.wfile.write(FLOOD_PIECE)
            except OSError:
                return  # the process has died

    def _reset(self) -> None:
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        except OSError:
            pass  # the other side has closed it already

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing: the requests on this line are secret."""


def _passing(path: str, headers: Message, body: bytes) -> Passing:
    if path.startswith(ANSWER_PATH):
        name = unquote(urlsplit(path).path.removeprefix(ANSWER_PATH))
        return Passing("answer", "PUT", request_id=name.rpartition("|")[2])
    credential = headers.get("Authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
    access_key, service = (credential[0], credential[3]) if len(credential) == 5 else ("", "")
    operation = headers.get("X-Amz-Target", "").rpartition(".")[2]
    if not operation and service == "cloudformation":
        operation = "".join(parse_qs(body.decode(errors="replace")).get("Action", []))
    return Passing(service, operation, access_key)


def _refused(passing: Passing, harm: Harm) -> Response:
    if passing.service == "answer":
        return Response(503, {"Content-Type": "application/xml"}, b"<Error><Code>SlowDown</Code></Error>")
    if harm is Harm.THROTTLE:
        code = "Throttling" if passing.service == "cloudformation" else "ThrottlingException"
        refusal = Refusal(400, code, "Rate exceeded")
    else:
        refusal = Refusal(500, ERROR_CODES.get(passing.service, "InternalFailure"), "An internal error occurred.")
    return aws_query.refused(refusal) if passing.service == "cloudformation" else aws_json.refused(refusal)
