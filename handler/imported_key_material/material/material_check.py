"""Key material that passed every check. Nothing else may be imported.

An import is permanent, and KMS refuses bad material without a reason. So the import takes only `CheckedMaterial`, and only
`check` makes it (docs/internals/design.md, rule 3). An error names everything that is wrong at once. No error holds material,
and no exception that might hold some is left on `__cause__` or `__context__`.

Plaintext lives as short as Python allows. Our own buffers are wiped, and searches in them use views, not copies. The rest can't
be wiped and is dropped right after use: `bytes` and `str` that boto3 returns for a secret and for KMS's answer; text that is
decoded (base64, hex, JSON, PEM), and bytes that are tested as text; the numbers and encodings that libraries make of a key.
"""

from contextlib import suppress
from typing import Final, NoReturn, final

from imported_key_material.errors import CannotHappen, Fault, Faults, Refused
from imported_key_material.material import (
    check_value,
    pem,
    private_key,
    private_key_rules,
    secret_key_rules,
    secret_value,
)
from imported_key_material.material.check_value import ExpectedCheckValue
from imported_key_material.material.encoding import BASE64, HEX, RAW, hex_or_base64
from imported_key_material.material.key_specs import CipherKey, EcKey, EdwardsKey, KeySpec, MacKey, RsaKey
from imported_key_material.material.pem import PemKey
from imported_key_material.material.secret_value import PemValue, RawValue
from imported_key_material.material.words import PROPERTIES, Words


class _Passed:
    """The right to make CheckedMaterial. It never leaves this module."""


_PASSED: Final = _Passed()


@final
class CheckedMaterial:
    """One key's material, valid for its key spec. Only `check` makes it.

    Not a dataclass, since loggers and encoders read its fields. It shows nothing, and can't be changed, copied or pickled.
    `spec`; `public_key`: SubjectPublicKeyInfo in DER, None for secret keys; `public_exponent`: of an RSA key, else None;
    `check_value`: computed, such as "CMAC:377822C093", "" for a key that may be guessable; `verified_check_value`: the
    ExpectedCheckValue that was compared, as declared, else "".
    """

    __slots__ = ("_encoded", "_frozen", "check_value", "public_exponent", "public_key", "spec", "verified_check_value")

    def __init__(  # noqa: PLR0913  # only one place calls it, with keywords
        self,
        passed: _Passed,
        *,
        spec: KeySpec,
        encoded: bytearray,
        check_value: str,
        verified_check_value: str,
        public_key: bytes | None = None,
        public_exponent: int | None = None,
    ) -> None:
        if passed is not _PASSED:
            raise TypeError("Only material_check.check makes CheckedMaterial.")
        self.spec: Final = spec
        self.public_key: Final = public_key
        self.public_exponent: Final = public_exponent
        self.check_value: Final = check_value
        self.verified_check_value: Final = verified_check_value
        self._encoded: Final = encoded
        self._frozen: Final = True

    @property
    def encoded(self) -> bytearray:
        """What KMS gets: the raw bytes of a secret key, else PKCS#8 in DER. ValueError after `wipe`."""
        if not any(self._encoded):  # no check lets zeros pass
            raise ValueError("The material was wiped.")
        return self._encoded

    def mac(self, message: bytes) -> bytes:
        """Returns the HMAC of `message` with this key (RFC 2104). ValueError for a key that makes no MACs."""
        if isinstance(self.spec.form, MacKey):
            return check_value.hmac_digest(self.encoded, message, self.spec.form.hash_name)
        raise ValueError(f"The material of {self.spec.a_key} makes no MACs.")

    def wipe(self) -> None:
        """Overwrites the material with zeros. It can't be used afterwards."""
        _wipe(self._encoded)

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(self, "_frozen"):
            raise AttributeError("CheckedMaterial can't be changed.")
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"<CheckedMaterial {self.spec.name}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("CheckedMaterial is neither copied nor pickled.")


def check(  # noqa: PLR0913  # keywords
    source: bytes | bytearray | str,
    spec: KeySpec,
    *,
    encoding: str | None = None,
    json_key: str | None = None,
    expected_check_value: str | None = None,
    words: Words = PROPERTIES,
    unwrapped: bool = False,
) -> CheckedMaterial:
    """Returns the material that a secret holds, decoded, checked and encoded for KMS.

    `source`: SecretBinary (bytes) or SecretString (str); a bytearray is not copied: it becomes the material, or is wiped.
    `encoding`: MaterialEncoding. None: bytes are RAW, a value with a PEM header is PEM, other text is BASE64.
    `json_key`: SecretJsonKey. `expected_check_value`: ExpectedCheckValue. `unwrapped`: the bytes were wrapped, so
    MaterialEncoding does not describe them.

    Refused with every fault of the material, its encoding, its JSON key and its check value, in these `words`.
    """
    faults = Faults()
    expected: ExpectedCheckValue | None = None
    if expected_check_value is not None:
        with faults.collected():
            expected = check_value.check_expected_form(expected_check_value, spec, words=words)
    checked: CheckedMaterial | None = None
    found = Faults()
    try:
        with found.collected():
            value = secret_value.read(source, encoding=encoding, json_key=json_key, words=words)
            checked = _check(value, spec, expected, words)
        with faults.collected():
            if found and isinstance(source, bytes) and encoding in (None, RAW) and not unwrapped:
                _refuse_undecoded(source, spec, expected, words)
            found.raise_if_any()
    finally:
        if isinstance(source, bytearray) and (checked is None or checked.encoded is not source):
            _wipe(source)
    if faults and checked is not None:
        checked.wipe()
    faults.raise_if_any()
    if checked is None:
        raise CannotHappen("There is no material, and no fault.")
    return checked


def _refuse_undecoded(source: bytes, spec: KeySpec, expected: ExpectedCheckValue | None, words: Words) -> None:
    """Refused (material) where the bytes are no valid key, but the hex or base64 text of a key that passes every check."""
    if not source.isascii():
        return
    for name in (HEX, BASE64):  # hex first: most hex is also valid base64
        checked: CheckedMaterial | None = None
        with suppress(Refused):
            value = secret_value.read(source, encoding=name, json_key=None, words=words)
            checked = _check(value, spec, expected, words)
        if checked is not None:
            checked.wipe()
            problem = f"The bytes are a text that nobody decoded: {spec.a_key} in {name}."
            raise Refused(Fault(words.material, problem, f"Set {words.encoding} to {name}, or {words.decode}."))


def _check(
    value: RawValue | PemValue, spec: KeySpec, expected: ExpectedCheckValue | None, words: Words
) -> CheckedMaterial:
    form = spec.form
    if isinstance(form, CipherKey | MacKey):
        return _check_secret_key(value, spec, form, expected, words)
    return _check_private_key(value, spec, form, expected, words)


def _check_secret_key(
    value: RawValue | PemValue,
    spec: KeySpec,
    form: CipherKey | MacKey,
    expected: ExpectedCheckValue | None,
    words: Words,
) -> CheckedMaterial:
    if isinstance(value, PemValue):
        problem = f"The {words.holder} holds a PEM, and {spec.a_key} is random bytes."
        remedy = f"Name the {words.holder} that holds the right key, or {words.another_key}."
        raise Refused(Fault(words.material, problem, remedy))
    try:
        verdict = secret_key_rules.check(value.data, spec, form, expected, may_be_hex=value.may_be_hex, words=words)
    except Refused:
        _wipe(value.data)
        raise
    return CheckedMaterial(
        _PASSED,
        spec=spec,
        encoded=value.data,
        check_value=verdict.check_value,
        verified_check_value=verdict.verified_check_value,
    )


def _check_private_key(
    value: RawValue | PemValue,
    spec: KeySpec,
    form: RsaKey | EcKey | EdwardsKey,
    expected: ExpectedCheckValue | None,
    words: Words,
) -> CheckedMaterial:
    found: PemKey | None = None
    if isinstance(value, PemValue):
        found = pem.private_key(value.text, words=words)
        data = found.der
    elif value.may_be_hex:
        _wipe(value.data)
        raise Refused(hex_or_base64(words))  # never a key: base64 of a key in DER begins with M
    else:
        data = value.data
    try:
        key = private_key.load(data, words=words)
        faults = list(private_key_rules.faults_of(key, spec, form, pem=found, words=words))
    finally:
        _wipe(data)
    public_key = private_key_rules.public_key(key)
    if expected is not None and not expected.matches(public_key):
        faults.append(check_value.differs(spec, public_key, words=words))
    if faults:
        raise Refused(*faults)
    return CheckedMaterial(
        _PASSED,
        spec=spec,
        encoded=private_key_rules.pkcs8(key),
        check_value=check_value.compute(spec, public_key),
        verified_check_value=expected.text if expected is not None else "",
        public_key=public_key,
        public_exponent=private_key_rules.public_exponent(key),
    )


def _wipe(buffer: bytearray) -> None:
    buffer[:] = bytes(len(buffer))
