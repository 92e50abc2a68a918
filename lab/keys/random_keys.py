"""Random bytes that are the same in every run, so that a test with thousands of keys either always passes or never."""

import random
from collections.abc import Iterator


def random_keys(size_bytes: int, count: int) -> Iterator[bytes]:
    draw = random.Random(size_bytes)  # noqa: S311  # repeatable on purpose; these keys protect nothing
    for _ in range(count):
        yield draw.randbytes(size_bytes)


def random_key(size_bytes: int) -> bytes:
    return next(random_keys(size_bytes, 1))
