"""The `aws` on a reader's PATH: a small program that sends its words to this process, where the stand-in answers.

Starting Python and boto3 for each command would take most of the time.
"""

import io
import json
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.aws_cli.cli import Cli
from lab.local.clients import client
from lab.local.settings import Settings

HOST = "127.0.0.1"

_PROGRAM = """\
#!{python} -IS
import json, os, socket, sys
with socket.create_connection(({host!r}, {port})) as service:
    service.sendall(json.dumps([sys.argv[1:], os.getcwd()]).encode())
    service.shutdown(socket.SHUT_WR)
    code, out, err = json.load(service.makefile())
sys.stderr.write(err)
sys.stdout.write(out)
sys.exit(code)
"""


@contextmanager
def aws_program(path: Path, settings: Settings) -> Iterator[None]:
    """Writes the program, which works until the end of the block."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            arguments, folder = json.load(self.rfile)
            out, err = io.StringIO(), io.StringIO()
            code = Cli(lambda *asked: client(settings, *asked), Path(folder), out, err).run(arguments)
            self.wfile.write(json.dumps([code, out.getvalue(), err.getvalue()]).encode())

    with socketserver.ThreadingTCPServer((HOST, 0), Handler) as service:
        path.write_text(_PROGRAM.format(python=sys.executable, host=HOST, port=service.server_address[1]))
        path.chmod(0o755)
        serving = threading.Thread(target=service.serve_forever, daemon=True, name="aws")
        serving.start()
        try:
            yield
        finally:
            service.shutdown()
            serving.join()
