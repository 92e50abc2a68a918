"""Several services behind one address, as for AWS_ENDPOINT_URL: the request's target names the service.

with KmsServer(OneEndpoint(sts, KmsWire(kms), secrets), faults=Faults()) as server: ...
"""

import threading
from typing import Final

from lab.wire.transport import FaultAnswers, Refusal, Request, Response, Service

REQUEST_ID: Final = "5a5b1a5e-7c1d-4f6e-9a51-{:012d}"


class OneEndpoint:
    """The first service gets requests that name no other service's operation. Keeps each request, and gives request ids."""

    name = "several services"

    def __init__(self, first: Service, *others: Service) -> None:
        self._first = first
        self._others = others
        self._at_work = threading.local()  # each connection has its own thread
        self.calls: list[str] = []
        self.bodies: list[bytes] = []  # the request bodies

    @property
    def fault_answers(self) -> FaultAnswers:
        """The fault answers of the service that was called last: a fault must use its protocol."""
        return self._asked_last().fault_answers

    def operation(self, request: Request) -> str:
        self._at_work.service = self._service(request)
        return self._asked_last().operation(request)

    def refuse(self, refusal: Refusal) -> Response:
        return self._asked_last().refuse(refusal)

    def _asked_last(self) -> Service:
        service: Service = self._at_work.service
        return service

    def handle(self, request: Request) -> Response:
        service = self._service(request)
        self.calls.append(f"{service.name}:{service.operation(request)}")
        self.bodies.append(request.body)
        answer = service.handle(request)
        headers = {**answer.headers, "x-amzn-RequestId": REQUEST_ID.format(len(self.calls))}
        return answer._replace(headers=headers)

    def _service(self, request: Request) -> Service:
        return next((one for one in self._others if one.operation(request)), self._first)
