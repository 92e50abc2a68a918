"""Checks symmetric and HMAC keys: their length, and whether they look random.

KMS takes any bytes of the right length, permanently. So this module refuses what a person stored by mistake: text that was not
decoded, a passphrase, a trailing newline, a private key, zeros, a shorter key that was padded. Bytes that are only improbable
pass with a matching ExpectedCheckValue, since somebody compared it. Then no check value is computed, since the key may be
guessable. Patterns are refused even with a matching check value.

Sources: RFC 2104, sections 2 and 3 (key lengths of HMAC); AWS KMS Developer Guide, "Importing key material", requirements.
"""

from typing import NamedTuple

from imported_key_material.errors import Fault, Refused
from imported_key_material.material import check_value, der
from imported_key_material.material.check_value import ExpectedCheckValue
from imported_key_material.material.encoding import hex_or_base64
from imported_key_material.material.key_specs import CipherKey, KeySpec, MacKey
from imported_key_material.material.looks_like_text import text_in
from imported_key_material.material.not_random import pattern_in
from imported_key_material.material.words import Words

SecretForm = CipherKey | MacKey


class Verdict(NamedTuple):
    """The result for a key that passed. `check_value`: computed, "" where a matching ExpectedCheckValue overrode a doubt."""

    check_value: str
    verified_check_value: str


def check(
    key: bytearray,
    spec: KeySpec,
    form: SecretForm,
    expected: ExpectedCheckValue | None,
    *,
    may_be_hex: bool,
    words: Words,
) -> Verdict:
    """Checks the decoded bytes. Refused (material, check value) with all faults at once.

    `may_be_hex`: they were decoded from base64 text that may also be hex.
    """
    if not key:
        raise Refused(Fault(words.material, "The material is empty.", words.instead(form.size_bytes)))
    comparable = isinstance(form, MacKey) or len(key) == form.size_bytes
    matches = expected is not None and comparable and expected.matches(key)
    if may_be_hex and not matches:
        # Nobody knows what the bytes are, so no other check makes sense.
        remark = "" if expected is None else f", and then {words.the_check_value} does not match"
        raise Refused(hex_or_base64(words, remark))
    pattern, foreign = pattern_in(key), _foreign(key, spec, words)
    faults, doubts = _length(key, spec, form, words, is_pattern=bool(pattern), is_foreign=bool(foreign))
    doubts += foreign
    if pattern:
        problem = f"The material is not random: {pattern}."
        faults.append(Fault(words.material, problem, words.instead(form.size_bytes)))
    if not matches:
        faults += doubts
    if expected is not None and comparable and not matches:
        faults.append(check_value.differs(spec, key, words=words))
    if faults:
        raise Refused(*faults)
    doubtful = bool(doubts) or may_be_hex
    return Verdict(
        check_value="" if doubtful else check_value.compute(spec, key),
        verified_check_value=expected.text if expected is not None and matches else "",
    )


def _length(
    key: bytearray, spec: KeySpec, form: SecretForm, words: Words, *, is_pattern: bool, is_foreign: bool
) -> tuple[list[Fault], list[Fault]]:
    """Returns the faults of the length, and the doubts that a matching check value would remove.

    The remedy must not be a new key if the bytes are the key in another form: text or a container (`is_foreign`: another
    fault has the remedy), or long random bytes, which are most often wrapped.
    """
    size, right, where = len(key), form.size_bytes, words.material
    looks_random, make_one = not is_pattern and not is_foreign, "" if is_foreign else words.instead(right)
    if size == right:
        return [], []
    if isinstance(form, CipherKey):
        problem = f"The material is {size} bytes long, and {spec.a_key} takes exactly {right}."
        if looks_random and size > 2 * right:
            remedy = f"{words.if_wrapped} If it is not, name the {words.holder} that holds the key."
            return [Fault(where, problem, remedy)], []
        return [Fault(where, problem, _newline_perhaps(size, right) or make_one)], []
    if right < size <= form.most_bytes:
        problem = (
            f"The material is {size} bytes long, and {spec.a_key} takes {right}; a length up to {form.most_bytes} bytes "
            f"is taken with a matching {words.check_value}."
        )
        way_out = f"{words.store} {right} bytes, or declare {words.the_check_value} if the key is really so long."
        return [], [
            Fault(where, problem, _newline_perhaps(size, right) or _filled_perhaps(key, right, words) or way_out)
        ]
    problem = f"The material is {size} bytes long, and {spec.a_key} takes {right} to {form.most_bytes}."
    if size < right:
        return [Fault(where, problem, make_one)], []
    hash_name = form.hash_name.upper().replace("SHA", "SHA-")
    hashed = f"If it is the key itself, store its {hash_name} hash, which gives the same MACs (RFC 2104)."
    return [Fault(where, problem, f"{words.if_wrapped} {hashed}" if looks_random else hashed)], []


def _newline_perhaps(size: int, right: int) -> str:
    """One or two extra bytes are most often a line break."""
    return "Often a newline was stored, too: write it with printf, not echo." if size - right in (1, 2) else ""


def _filled_perhaps(key: bytearray, right: int, words: Words) -> str:
    """SoftHSM2 and others pad a key to a multiple of 8 bytes before they wrap it by AES (RFC 3394's semiblocks)."""
    if len(key) % 8 or len(key) - right >= 8 or any(key[right:]):
        return ""
    return (
        "It ends in zeros: some HSMs pad a key to a multiple of 8 bytes before they wrap it. "
        f"Declare {words.the_check_value} that the HSM shows: an HMAC key makes the same MACs with these zeros."
    )


def _foreign(key: bytearray, spec: KeySpec, words: Words) -> list[Fault]:
    """Text, or a container of a key, is hardly ever meant as raw key bytes."""
    text = text_in(key)
    if text:
        problem = (
            f"The material reads as text ({text}), and {spec.a_key} is random bytes: a passphrase, or base64 or hex "
            "that was not decoded."
        )
        way_out = (
            f"{words.store_or_wrap} the bytes themselves, or declare {words.the_check_value} if the key is really text. "
            f"{words.encoding} says how a {words.holder}'s text is encoded."
        )
        return [Fault(words.material, problem, way_out)]
    try:
        container = der.read(key).container
    except der.NotDerError:
        return []
    if container is None:
        return []
    problem = f"The material is {container.value}, and {spec.a_key} is random bytes."
    really = f"declare {words.the_check_value} if it is really raw key bytes"
    way_out = f"Name another {words.holder} or {words.another_key}, or {really}."
    return [Fault(words.material, problem, way_out)]
