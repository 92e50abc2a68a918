"""Recognizes bytes that did not come from a random generator: constants, counters, repetitions, padded shorter keys.

It serves secret bytes, Ed25519 seeds and EC private values, and looks only at the value. It must not be stricter, so that it
never refuses a random key: 1 random key in 256 has equal first and last bytes, but only 1 in 10^12 (16 bytes) to 10^36
(32 bytes) has fewer than 8 different values, and the other patterns are rarer.
"""

from collections.abc import Callable
from itertools import pairwise

LEAST_DIFFERENT_VALUES = 8
LEAST_BYTES, MOST_BYTES = 16, 256  # other lengths are refused anyway, and a pattern in them shows nothing


def pattern_in(value: bytes | bytearray) -> str:
    """Names the pattern of `value`, as the end of a sentence ("..., and ..."); "" if it has none."""
    if not LEAST_BYTES <= len(value) <= MOST_BYTES:
        return ""
    return next((words for shows, words in _PATTERNS if shows(value)), "")


def _is_constant(value: bytes | bytearray) -> bool:
    return len(set(value)) == 1


def _counts(value: bytes | bytearray) -> bool:
    """Neighbours differ by one constant step, modulo 256."""
    return len({(after - before) % 256 for before, after in pairwise(value)}) == 1


def _repeats(value: bytes | bytearray) -> bool:
    """The period is half the length or less."""
    view = memoryview(value)  # slices of a view copy nothing
    return any(view[period:] == view[:-period] for period in range(1, len(view) // 2 + 1))


def _is_padded(value: bytes | bytearray) -> bool:
    view, half = memoryview(value), len(value) // 2
    return len(set(view[:half])) == 1 or len(set(view[-half:])) == 1


def _has_few_values(value: bytes | bytearray) -> bool:
    return len(set(value)) < LEAST_DIFFERENT_VALUES


# The most specific first: a constant also repeats.
_PATTERNS: tuple[tuple[Callable[[bytes | bytearray], bool], str], ...] = (
    (_is_constant, "all of its bytes are equal"),
    (_counts, "its bytes count up or down in one constant step"),
    (_repeats, "it is a shorter sequence of bytes, repeated"),
    (_is_padded, "all bytes of one half are equal: a shorter key was padded"),
    (_has_few_values, f"it has fewer than {LEAST_DIFFERENT_VALUES} different bytes"),
)
