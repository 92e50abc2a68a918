"""An HTTP server on a free port of 127.0.0.1, in its own threads, that ends at once.

`ThreadingHTTPServer.serve_forever` only polls whether it must end. Here every function process has a server, so ending all of
them would take long.
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
        """A client that is gone is no error, since function processes are killed here."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # only shown

    def end(self) -> None:
        """Idempotent. Requests that are being answered go on."""
        with contextlib.suppress(OSError):  # macOS: a listening socket is not connected
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes up accept()
        self.server_close()
