"""Row 8 of the checks, by itself: bytes that no random number generator gave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imported_key_material.material.not_random import pattern_in
from lab.keys.random_keys import random_key, random_keys

RANDOM = bytes.fromhex("c3a1f00d5e8b7629d41c9aef03b658727be4510f2c9d86a83fe7145b90d2c86a")  # 32 bytes of openssl rand

CONSTANT = "all of its bytes are equal"
COUNTS = "its bytes count up or down in one constant step"
REPEATS = "it is a shorter sequence of bytes, repeated"
PADDED = "all bytes of one half are equal: a shorter key was padded"
FEW = "it has fewer than 8 different bytes"


@pytest.mark.parametrize("size", [16, 28, 32, 48, 64, 66, 128])
@given(value=st.integers(0, 255))
def test_one_value_all_along(size: int, value: int) -> None:
    assert pattern_in(bytes([value]) * size) == CONSTANT


@pytest.mark.parametrize("size", [16, 28, 32, 48, 64, 66, 128])
@given(start=st.integers(0, 255), step=st.integers(1, 255))
def test_a_count(size: int, start: int, step: int) -> None:
    assert pattern_in(bytes((start + step * n) % 256 for n in range(size))) == COUNTS


@pytest.mark.parametrize("size", [16, 28, 32, 48, 64, 66, 128])
def test_a_repetition_of_half_the_length_or_less(size: int) -> None:
    for period in range(2, size // 2 + 1):
        assert pattern_in(_repeated(period, size)) in (REPEATS, COUNTS)  # two bytes, repeated, may count by 128
    assert pattern_in(_repeated(size // 2 + 1, size)) == ""


def _repeated(period: int, size: int) -> bytes:
    return (random_key(period) * size)[:size]


@pytest.mark.parametrize("fill", [0x00, 0xFF, 0x20])
def test_half_of_a_key_that_was_padded_at_either_end(fill: int) -> None:
    half = RANDOM[:16]
    assert pattern_in(half + bytes([fill]) * 16) == PADDED
    assert pattern_in(bytes([fill]) * 16 + half) == PADDED
    assert pattern_in(half + bytes([fill]) * 15 + b"\x01") == ""
    assert pattern_in(half + b"\x01" + bytes([fill]) * 17) == PADDED  # an odd length: the check uses the shorter half


def test_few_different_values() -> None:
    assert pattern_in(b"abcdefgabcdfegabdcefgabgfedcabcd") == FEW
    assert pattern_in(b"abcdefghabcdfegabdcefgabgfedcabc") == ""


def test_a_short_value_is_judged_by_its_length_elsewhere() -> None:
    assert pattern_in(bytes(15)) == ""
    assert pattern_in(b"") == ""


@pytest.mark.parametrize("size", [16, 28, 32, 48, 64, 66])
def test_random_keys_pass(size: int) -> None:
    assert not [key for key in random_keys(size, 20_000) if pattern_in(key)]


def test_equal_first_and_last_bytes_are_no_pattern() -> None:
    """1 random key in 256 has them."""
    assert pattern_in(RANDOM[:31] + RANDOM[:1]) == ""
