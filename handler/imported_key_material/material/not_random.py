"""Tells bytes that no random number generator gave: constants, counters, repetitions, padded shorter keys.

For secret bytes, Ed25519 seeds and EC private values alike. It judges one value and knows nothing else of it. Nothing
stricter may stand here, since a refusal must not hit a real key: of random keys, 1 in 256 has equal first and last bytes, but
only 1 in 10^12 (16 bytes) to 10^36 (32 bytes) has fewer than 8 different values, and the other patterns are rarer still.
"""

from collections.abc import Callable
from itertools import pairwise

LEAST_DIFFERENT_VALUES = 8
LEAST_BYTES, MOST_BYTES = 16, 256  # others are refused for their length; of them, a pattern says nothing


def pattern_in(value: bytes | bytearray) -> str:
    """Names the pattern that `value` shows, as the end of a sentence ("..., and ..."); "" if it shows none."""
    if not LEAST_BYTES <= len(value) <= MOST_BYTES:
        return ""
    return next((words for shows, words in _PATTERNS if shows(value)), "")


def _is_constant(value: bytes | bytearray) -> bool:
    return len(set(value)) == 1


def _counts(value: bytes | bytearray) -> bool:
    """One constant step between neighbours, modulo 256."""
    return len({(after - before) % 256 for before, after in pairwise(value)}) == 1


def _repeats(value: bytes | bytearray) -> bool:
    """A period of half the length or less."""
    view = memoryview(value)  # no copies of the value are left behind
    return any(view[period:] == view[:-period] for period in range(1, len(view) // 2 + 1))


def _is_padded(value: bytes | bytearray) -> bool:
    view, half = memoryview(value), len(value) // 2
    return len(set(view[:half])) == 1 or len(set(view[-half:])) == 1


def _has_few_values(value: bytes | bytearray) -> bool:
    return len(set(value)) < LEAST_DIFFERENT_VALUES


# The most telling first: what is constant also repeats.
_PATTERNS: tuple[tuple[Callable[[bytes | bytearray], bool], str], ...] = (
    (_is_constant, "all of its bytes are equal"),
    (_counts, "its bytes count up or down in one constant step"),
    (_repeats, "it is a shorter sequence of bytes, repeated"),
    (_is_padded, "all bytes of one half are equal: a shorter key was padded"),
    (_has_few_values, f"it has fewer than {LEAST_DIFFERENT_VALUES} different bytes"),
)
