"""Acts about the bytes themselves: one private key in several encodings, and lengths of HMAC keys.

The product sends what the library writes, always the same for the same key. So it depends on none of these answers, but a key
whose material another tool imported can be imported again only if KMS compares the numbers, or the encodings are the same.
"""

from collections.abc import Iterator, Mapping
from math import lcm
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from imported_key_material.material.key_specs import AES_WRAP_SHA_256, KEY_SPECS, MacKey
from lab.keys import der
from lab.keys.private_keys import E, ec_key, ed25519_key, pkcs8_der, point, rsa_key
from lab.keys.random_keys import random_key
from lab.live.act import Act
from lab.live.acts.kms.by_hand import OTHER_BYTES, SUCCESS, UNREADABLE, ByHand, Sealer
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged

RSA, EC, ED25519 = "RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"
# An attribute as some HSMs write it behind the key (RFC 5208, section 5): X.509's key usage, for signatures.
_KEY_USAGE: Final = der.sequence(der.oid("2.5.29.15"), der.tlv(0x31, der.bits(b"\x80")))
_ATTRIBUTES: Final = der.tlv(0xA0, _KEY_USAGE)


def rsa_encodings(private: RSAPrivateKey) -> Mapping[str, bytes]:
    """The same RSA key in other PKCS#8 encodings than the library's."""
    numbers = private.private_numbers()
    p, q, d = numbers.p, numbers.q, numbers.d
    period = lcm(p - 1, q - 1)  # exponents that differ by it do the same
    plain = der.rsa_numbers(p, q, E, d)
    other_d = d - period if d > period else d + period
    return {
        "the primes in the other order": _rsa(der.rsa_numbers(q, p, E, d)),
        "another private exponent": _rsa(der.rsa_numbers(p, q, E, other_d)),
        "with attributes": _rsa(plain, behind=_ATTRIBUTES),
    }


def _rsa(numbers: tuple[int, ...], behind: bytes = b"") -> bytes:
    return der.pkcs8(der.ID_RSA, der.null(), der.pkcs1(numbers), behind=behind)


def ec_encodings(private: EllipticCurvePrivateKey) -> Mapping[str, bytes]:
    """The same P-256 key in other PKCS#8 encodings than the library's."""
    value = private.private_numbers().private_value
    scalar, public = value.to_bytes(32, "big"), point(value, private.curve)
    twice_named = der.sec1(scalar, curve=der.P256, point=public)
    return {
        "without the public point": der.ec_pkcs8(scalar),
        "with the curve named twice": der.pkcs8(der.ID_EC, der.oid(der.P256), twice_named),
    }


def private_keys(stage: Stage) -> Iterator[Finding]:
    """Whether KMS compares a private key's DER or its numbers, and which Ed25519 encodings it reads."""
    kms = ByHand.of(stage)
    for assumption, spec, plain, others in (
        ("rsa-der-or-numbers", RSA, pkcs8_der(rsa_key()), rsa_encodings(rsa_key())),
        ("ec-der-or-numbers", EC, pkcs8_der(ec_key()), ec_encodings(ec_key())),
    ):
        sealer = kms.sealer(stage.made.key(f"encoding-{spec[:3].lower()}", spec), AES_WRAP_SHA_256)
        first = _import(kms, sealer, plain)
        codes = {what: _import(kms, sealer, encoding) for what, encoding in others.items()}
        again = _import(kms, sealer, plain)
        yield judged(
            assumption,
            f"KMS compares the DER: it refuses the same key in another encoding with {OTHER_BYTES}",
            f"the first import: {first}; {_listed(codes)}; the first encoding again: {again}",
            holds=(first, again) == (SUCCESS, SUCCESS) and set(codes.values()) == {OTHER_BYTES},
            first=first,
            others=codes,
            again=again,
        )
    yield _ed25519(kms)


def _ed25519(kms: ByHand) -> Finding:
    private = ed25519_key()
    public = private.public_key().public_bytes_raw()
    sealer = kms.sealer(kms.stage.made.key("encoding-ed25519", ED25519), AES_WRAP_SHA_256)
    version_2 = _import(kms, sealer, der.ed25519(private.private_bytes_raw(), version=1, public_key=public))
    version_1 = _import(kms, sealer, pkcs8_der(private))
    return judged(
        "ed25519-encodings",
        "KMS reads an Ed25519 key in PKCS#8 version 1, and not in version 2 with the public key",
        f"version 2: {version_2}; version 1, afterwards: {version_1}",
        holds=(version_2, version_1) == (UNREADABLE, SUCCESS),
        version_2=version_2,
        version_1=version_1,
    )


def hmac_lengths(stage: Stage) -> Iterator[Finding]:
    """128 bytes are taken for each HMAC spec. One byte more, and one byte less than the hash has, are refused."""
    kms, codes = ByHand.of(stage), dict[str, dict[str, str]]()
    for name, form in ((spec.name, spec.form) for spec in KEY_SPECS.values()):
        if isinstance(form, MacKey):
            sealer = kms.sealer(stage.made.key(f"length-{name.lower().replace('_', '-')}", name))
            sizes = (form.size_bytes - 1, form.most_bytes + 1, form.most_bytes)
            codes[name] = {str(size): _import(kms, sealer, random_key(size)) for size in sizes}
    wrong = {
        name: by_size for name, by_size in codes.items() if list(by_size.values()) != [UNREADABLE, UNREADABLE, SUCCESS]
    }
    yield judged(
        "hmac-lengths",
        f"KMS takes 128 bytes for each HMAC key spec, and refuses 129, and one byte less than the hash has ({UNREADABLE})",
        f"otherwise: {'; '.join(f'{name}: {_listed(by_size)}' for name, by_size in wrong.items()) or 'none'}",
        holds=bool(codes) and not wrong,
        codes=codes,
    )


def _import(kms: ByHand, sealer: Sealer, material: bytes) -> str:
    kms.stage.secret_bytes(material)
    return kms.code(lambda: sealer.import_(material))


def _listed(codes: Mapping[str, str]) -> str:
    return "; ".join(f"{what}: {code}" for what, code in codes.items())


ACTS: Final[tuple[Act, ...]] = (
    Act(
        "private-keys",
        "One private key in several encodings",
        ("rsa-der-or-numbers", "ec-der-or-numbers", "ed25519-encodings"),
        makes="3 keys",
        deadline_seconds=30,
        play=private_keys,
    ),
    Act(
        "hmac-lengths",
        "The lengths of HMAC keys",
        ("hmac-lengths",),
        makes="4 keys",
        deadline_seconds=25,
        play=hmac_lengths,
    ),
)
