"""The world of the contract tests, for another process: strict KMS, Secrets Manager and CloudFormation over TLS.

Nothing is replayed: each call is carried out, so thousands of requests may differ. The function compares times with its own
real clock, so the world's clock is set to the real time before each call and each event (`now`).
"""

from datetime import UTC, datetime
from pathlib import Path

from lab.bench.server import Server
from lab.kms.wire import KmsWire
from lab.wire.transport import Request, Response, Service
from lab.world import World


class FarSide(Server):
    def __init__(self, certificate_chain: Path) -> None:
        self.world = World(start=datetime.now(UTC))
        self._kms = KmsWire(self.world.kms)
        super().__init__(certificate_chain)

    def now(self) -> datetime:
        self.world.clock.advance_to(datetime.now(UTC))
        return self.world.clock.now()

    def answer(self, request: Request) -> Response:
        self.now()
        return self._service(request).handle(request)

    def _service(self, request: Request) -> Service:
        target = request.headers.get("x-amz-target")
        if target is None:  # the Query protocol
            return self.world.cloudformation
        return self._kms if target.startswith("TrentService.") else self.world.secrets
