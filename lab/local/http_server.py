"""An HTTP server on a free port of 127.0.0.1, in threads of its own, that ends at once.

`ThreadingHTTPServer.serve_forever` looks now and then whether it is to end; there is one server for every function process
here, and they end together.
"""

import contextlib
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab.local.ministack import HOST


class EndingServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__((HOST, 0), handler)
        threading.Thread(target=self._serve, daemon=True, name=type(self).__name__).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def _serve(self) -> None:
        while True:
            try:
                request, client = self.get_request()
            except OSError:
                return  # the socket is closed
            self.process_request(request, client)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is gone is no error: function processes are killed here."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # only shown

    def end(self) -> None:
        """Idempotent. What is being answered goes on."""
        with contextlib.suppress(OSError):  # macOS: a listening socket is not connected
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes up accept()
        self.server_close()
