"""An AWS that answers from a recording.

It answers in microseconds, where AWS takes milliseconds. So the function's own time has more weight here than on AWS. If a
function makes other calls than the recorded ones, or makes them in another order, the call is refused and `finish` raises. So
compared functions have made the same calls.
"""

import threading
from pathlib import Path

from lab.bench.recording import Exchange, Recording, operation_of
from lab.bench.server import Server
from lab.wire.transport import Request, Response

_NOT_RECORDED = Response(400, {}, b'{"__type": "NotInTheRecording"}')


class OtherCalls(Exception):
    """A function did not make the calls that were recorded."""


class Replay(Server):
    """Call `begin`, let a function run, call `finish`. This can be repeated."""

    def __init__(self, certificate_chain: Path) -> None:
        self._lock = threading.Lock()
        self._left: list[Exchange] = []
        self._unexpected: list[str] = []
        super().__init__(certificate_chain)

    def begin(self, recording: Recording) -> None:
        self._left = list(reversed(recording.exchanges))
        self._unexpected = []

    def finish(self) -> None:
        if self._unexpected or self._left:
            unexpected = ", ".join(self._unexpected) or "nothing"
            missing = ", ".join(exchange.operation for exchange in reversed(self._left)) or "nothing"
            raise OtherCalls(f"Called but not recorded: {unexpected}. Recorded but not called: {missing}.")

    def answer(self, request: Request) -> Response:
        operation = operation_of(request)
        with self._lock:
            if self._left and self._left[-1].operation == operation:
                return self._left.pop().response
            self._unexpected.append(operation)
        return _NOT_RECORDED
