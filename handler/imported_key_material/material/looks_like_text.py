"""Recognizes bytes that read as text: a passphrase, or base64 or hex that nobody decoded. Such bytes are guessable.

It must not refuse a random key. 28 random bytes are printable ASCII once in 10^11, and UTF-8 text hardly more often. As UTF-16
they would be printable once in 13, since most of its 65,536 code units are letters of some script. So UTF-16 must also have
few different upper bytes, as text of few scripts has. A random key passes this test once in 10^9. It passes the test for East
Asian text (28 bytes that begin with a byte order mark) once in 10^8. A declared check value lets such a key pass.
"""

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_WORDS = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
# Unicode blocks: punctuation and kana, CJK ideographs, Hangul syllables, full-width forms.
_EAST_ASIAN = (range(0x3000, 0x3100), range(0x4E00, 0xA000), range(0xAC00, 0xD7A4), range(0xFF00, 0xFFF0))


def text_in(data: bytes | bytearray | memoryview) -> str:
    """Names the encoding in which `data` reads as text; "" if it does not. Ignores a byte order mark and NULs at the end."""
    view = memoryview(data)
    for bom, name in _BOMS:
        if view[: len(bom)] == bom:
            text = _decode(view[len(bom) :], name)
            if _is_text(text) and (name == "utf-8" or _has_few_scripts(text) or _is_east_asian(text)):
                return _WORDS[name]
    text = _decode(view, "utf-8")
    if _is_text(text):
        return "printable ASCII" if text.isascii() else "UTF-8"
    for name in ("utf-16-le", "utf-16-be"):
        text = _decode(view, name)
        if _is_text(text) and _has_few_scripts(text):
            return _WORDS[name]
    return ""


def _decode(data: memoryview, encoding: str) -> str:
    """The text without NULs at the end; "" if there is none. The exception ends here, since it holds the bytes."""
    try:
        return str(data, encoding).rstrip("\0")
    except UnicodeDecodeError:
        return ""


def _is_text(text: str) -> bool:
    return bool(text) and all(character.isprintable() or character.isspace() for character in text)


def _has_few_scripts(text: str) -> bool:
    """At most half as many different upper bytes as different characters: a script lies in a few blocks of 256."""
    characters = set(text)
    return 2 * len({ord(character) >> 8 for character in characters}) <= len(characters)


def _is_east_asian(text: str) -> bool:
    """Its thousands of characters have nearly a hundred upper bytes, so this test needs a byte order mark before the text."""
    return all(c.isascii() or any(ord(c) in block for block in _EAST_ASIAN) for c in text)
