"""The program that runs MiniStack: corrects it first, then starts it. Runs in MiniStack's own environment.

    python -m lab.local.strict_main [--plain | DEVIATION ...]

`--plain` leaves MiniStack as it is: a test shows with it that MiniStack still needs the corrections. DEVIATION: the name of a
deviation from AWS that a test plants (deviations/). The process ends when its
standard input ends, because then its starter is gone.
"""

import importlib.metadata
import os
import signal
import sys
import threading

import ministack.app

from lab.local import corrections, deviations

MINISTACK_VERSION = (
    "1.5.33"  # the corrections replace functions of this version; another version may have other functions
)


def main() -> None:
    version = importlib.metadata.version("ministack")
    if version != MINISTACK_VERSION:
        raise SystemExit(f"MiniStack {version} is installed, but the corrections are for {MINISTACK_VERSION}.")
    plain, planted = sys.argv[1:] == ["--plain"], sys.argv[1:]
    del sys.argv[1:]  # else MiniStack would read them, too
    threading.Thread(target=_end_with_standard_input, daemon=True, name="end-with-stdin").start()

    ministack.app._port_is_bindable = _only_its_own_port  # noqa: SLF001  # it has no setting for this
    if not plain:
        corrections.apply()
        deviations.apply(planted)
    ministack.app.main()


def _only_its_own_port(_host: str, _port: int) -> bool:
    """MiniStack also opens port 443 for Cognito if it can. Two local AWSes would collide there."""
    return False


def _end_with_standard_input() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
