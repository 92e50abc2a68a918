"""`python -m lab.kms --port 8411 --rotation-seconds 2`: only the strict KMS, until SIGTERM or Ctrl-C.

stdout: one line when it is ready ("ready: http://127.0.0.1:8411 ..."), nothing else. Exit codes: 0 stopped, 1 the port is
taken, 2 a wrong option.
"""

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Sequence

from lab.clock import WallClock
from lab.kms.call import Timing
from lab.kms.quotas import Quotas
from lab.kms.server import KmsServer
from lab.kms.service import StrictKms
from lab.kms.wire import KmsWire
from lab.wire.transport import DEFAULT_ACCOUNT, DEFAULT_REGION


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    timing = Timing(
        rotation_seconds=(options.rotation_seconds, options.rotation_seconds),
        replica_creation_seconds=(options.replica_seconds, options.replica_seconds),
    )
    kms = StrictKms(WallClock(), seed=options.seed, timing=timing, quotas=Quotas() if options.quotas else None)
    wire = KmsWire(kms, default_account=options.account, default_region=options.region)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = KmsServer(wire, port=options.port)
    except OSError as error:
        sys.stderr.write(f"The port {options.port} can't be opened: {error.strerror}. Choose another with --port.\n")
        return 1
    with server:
        sys.stdout.write(f"ready: {server.url} (port {server.server_port})\n")
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.flush()
        stop.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.kms", description="A strict KMS on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument(
        "--rotation-seconds", type=float, default=90.0, help="how long a rotation takes (AWS: 60 to 180; default 90)"
    )
    parser.add_argument("--replica-seconds", type=float, default=5.0, help="how long a replica is Creating (default 5)")
    parser.add_argument("--seed", type=int, default=0, help="decides key ids, tokens and material ids (default 0)")
    parser.add_argument("--quotas", action="store_true", help="throttle as AWS does")
    parser.add_argument("--account", default=DEFAULT_ACCOUNT, help="of callers whose access key id is not 12 digits")
    parser.add_argument("--region", default=DEFAULT_REGION, help="of requests without a signature")
    return parser


if __name__ == "__main__":
    sys.exit(main())
