"""Row 5 of the checks, its first half by itself: bytes that read as text."""

import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imported_key_material.material.looks_like_text import text_in
from lab.keys.random_keys import random_keys

PASSPHRASE = "correct horse battery staple 01"
CYRILLIC = "Пароль для ключа заказов в банке"
CHINESE = "密碼是一個很長的句子沒有人知道它是什麼意思"


@given(st.text(string.printable, min_size=1, max_size=80))
def test_printable_ascii_and_white_space_are_text(text: str) -> None:
    assert text_in(text.encode()) == "printable ASCII"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (PASSPHRASE.encode() + b"\n", "printable ASCII"),
        (PASSPHRASE.encode() + b"\0", "printable ASCII"),
        (PASSPHRASE.encode() + b"\0\0\0\0", "printable ASCII"),
        (b"\xef\xbb\xbf" + PASSPHRASE.encode(), "UTF-8"),
        (CYRILLIC.encode(), "UTF-8"),
        (CHINESE.encode(), "UTF-8"),
        ("Schlüssel für Aufträge".encode(), "UTF-8"),
        (PASSPHRASE.encode("utf-16-le"), "UTF-16"),
        (PASSPHRASE.encode("utf-16-be"), "UTF-16"),
        (PASSPHRASE.encode("utf-16-le") + b"\0\0", "UTF-16"),
        (PASSPHRASE.encode("utf-16"), "UTF-16"),  # with a byte order mark
        (b"\xfe\xff" + PASSPHRASE.encode("utf-16-be"), "UTF-16"),
        (CYRILLIC.encode("utf-16-le"), "UTF-16"),
        (b"\xff\xfe" + CHINESE.encode("utf-16-le"), "UTF-16"),
    ],
)
def test_text_in_the_encodings_that_editors_write(data: bytes, words: str) -> None:
    assert text_in(data) == words
    assert text_in(bytearray(data)) == words


@pytest.mark.parametrize(
    "data", [b"", bytes(32), b"\x7f" * 32, b"key\x1b[0m key key key", b"\xef\xbb\xbf", b"\xff\xfe"]
)
def test_control_characters_and_nothing_are_no_text(data: bytes) -> None:
    assert text_in(data) == ""


@pytest.mark.parametrize("size", [28, 32, 48, 64])
def test_random_keys_are_not_taken_for_text(size: int) -> None:
    """Without a second look, even UTF-16 by itself would hit 1 of 13 keys of 32 bytes: most code units are some letter."""
    assert not [key for key in random_keys(size, 20_000) if text_in(key)]
    assert text_in(secrets.token_bytes(size)) == ""


def test_random_keys_that_begin_with_a_byte_order_mark_are_not_taken_for_text() -> None:
    taken = [key for key in random_keys(26, 20_000) if text_in(b"\xff\xfe" + key)]
    assert len(taken) <= 10  # 1 in 8,000 of them; 1 in 10^8 of all keys
