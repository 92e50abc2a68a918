"""Looks whether an exception holds a canary anywhere that a logger, a debugger or a careless handler may look.

Text, arguments and attributes of the exception and of every exception on `__cause__` and `__context__`, `from None` or not. A
traceback's frames are not looked at: they hold the caller's own variables.
"""

import base64
from collections.abc import Iterator


def forms(canary: bytes) -> Iterator[str]:
    """The ways in which bytes get into text."""
    yield canary.hex()
    yield canary.hex().upper()
    yield base64.b64encode(canary).decode().rstrip("=")
    yield base64.urlsafe_b64encode(canary).decode().rstrip("=")
    yield ", ".join(str(byte) for byte in canary)
    yield repr(canary)[2:-1]
    yield canary.decode("latin-1")


def assert_untraceable(error: BaseException, *canaries: bytes | str) -> None:
    """Fails if `error` carries one of the canaries, or another exception that does."""
    kept = "\n".join(_texts(error))
    for canary in canaries:
        for form in forms(canary.encode() if isinstance(canary, str) else canary):
            if form in kept:
                raise AssertionError(f"the exception carries the canary as {form[:8]}...")


def _texts(error: BaseException) -> Iterator[str]:
    linked: BaseException | None
    for linked in _chain(error):
        yield str(linked)
        yield repr(linked)
        for attribute in (*linked.args, *_attributes(linked)):
            yield repr(attribute)
            yield str(attribute)


def _attributes(error: BaseException) -> Iterator[object]:
    yield from vars(error).values()
    for name in ("doc", "object", "msg", "reason"):  # of JSONDecodeError and UnicodeDecodeError
        yield getattr(error, name, "")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is not None and id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [current.__cause__, current.__context__]
