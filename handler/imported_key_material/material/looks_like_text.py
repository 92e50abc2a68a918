"""Tells bytes that read as text: a passphrase, or base64 and hex digits that nobody decoded. Such bytes are guessable.

It must not hit a random key. 28 random bytes are printable ASCII once in 10^11; as UTF-8 they are text hardly more often. As
UTF-16 they would be printable once in 13 (most of its 65,536 code units are letters of some script), so that text is asked
for what text has: few scripts, and so few different upper bytes. A random key passes that test once in 10^9, and the one for
East Asian text (28 bytes, the first two of them a byte order mark) once in 10^8; a check value gets such a key through.
"""

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_WORDS = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
# Unicode blocks: punctuation and kana, CJK ideographs, Hangul syllables, full-width forms.
_EAST_ASIAN = (range(0x3000, 0x3100), range(0x4E00, 0xA000), range(0xAC00, 0xD7A4), range(0xFF00, 0xFFF0))


def text_in(data: bytes | bytearray | memoryview) -> str:
    """Names the encoding in which `data` reads as text, closing NULs and a byte order mark aside; "" if it does not."""
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
    """The text without closing NULs; "" if there is none. The exception, which carries the bytes along, ends here."""
    try:
        return str(data, encoding).rstrip("\0")
    except UnicodeDecodeError:
        return ""


def _is_text(text: str) -> bool:
    return bool(text) and all(character.isprintable() or character.isspace() for character in text)


def _has_few_scripts(text: str) -> bool:
    """At most half as many upper bytes as characters, each counted once: a script lies within a few blocks of 256."""
    characters = set(text)
    return 2 * len({ord(character) >> 8 for character in characters}) <= len(characters)


def _is_east_asian(text: str) -> bool:
    """Its thousands of signs have nearly a hundred upper bytes, so it is looked for behind a byte order mark alone."""
    return all(c.isascii() or any(ord(c) in block for block in _EAST_ASIAN) for c in text)
