"""What KMS takes as imported material: one row per key spec, and how each may be wrapped.

Everything that depends on a key spec comes from a row here; no other module compares key specs. The rows are valid outside
China. For China `key_spec` changes them: SYMMETRIC_DEFAULT is an SM4 key of 16 bytes, and there is no RSA_AES_KEY_WRAP_*.
`material_check.py` checks the material itself; `wrapping.py` wraps it.

Sources: AWS KMS Developer Guide, "Importing key material"; API reference, GetParametersForImport;
docs/internals/kms-contract.md.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from imported_key_material.errors import Fault, Faults, Refused

CHINA = "aws-cn"  # the partition of the Regions in China, as ARNs name it

# ---------------------------------------------------------------------------------------------- how material is wrapped

OAEP_SHA_1 = "RSAES_OAEP_SHA_1"
OAEP_SHA_256 = "RSAES_OAEP_SHA_256"
AES_WRAP_SHA_1 = "RSA_AES_KEY_WRAP_SHA_1"
AES_WRAP_SHA_256 = "RSA_AES_KEY_WRAP_SHA_256"
WRAPPING_ALGORITHMS = (OAEP_SHA_256, OAEP_SHA_1, AES_WRAP_SHA_256, AES_WRAP_SHA_1)
WRAPPING_KEY_SPECS = ("RSA_2048", "RSA_3072", "RSA_4096")

# What OAEP carries: the modulus less two hashes less two bytes (RFC 8017, section 7.1.1).
OAEP_CAPACITY_BYTES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        OAEP_SHA_256: MappingProxyType({"RSA_2048": 190, "RSA_3072": 318, "RSA_4096": 446}),
        OAEP_SHA_1: MappingProxyType({"RSA_2048": 214, "RSA_3072": 342, "RSA_4096": 470}),
    }
)

# --------------------------------------------------------------------------------------------------- what material is


class Kind(enum.Enum):
    """What the bytes are. It decides which checks apply, and how the import is confirmed."""

    SYMMETRIC = "symmetric"
    HMAC = "HMAC"
    RSA = "RSA"
    EC = "EC"
    EDWARDS = "Ed25519"


@dataclass(frozen=True, slots=True)
class CipherKey:
    """Raw bytes of one length, for one block cipher."""

    kind: ClassVar[Kind] = Kind.SYMMETRIC
    size_bytes: int
    cipher: str  # "AES" or "SM4"


@dataclass(frozen=True, slots=True)
class MacKey:
    """Raw bytes as long as the hash's output; KMS takes longer keys, up to `most_bytes`."""

    kind: ClassVar[Kind] = Kind.HMAC
    size_bytes: int
    hash_name: str  # as hashlib names it
    most_bytes: int = 128


@dataclass(frozen=True, slots=True)
class RsaKey:
    """A private key of two primes (RFC 8017); the modulus has exactly `modulus_bits`."""

    kind: ClassVar[Kind] = Kind.RSA
    modulus_bits: int


@dataclass(frozen=True, slots=True)
class EcKey:
    """A private key on a named curve (RFC 5915). `oid` is the curve's object identifier, in DER with tag and length."""

    kind: ClassVar[Kind] = Kind.EC
    curve: ec.EllipticCurve
    curve_words: str
    oid: bytes
    pkcs8_bytes: int  # of the DER that the library writes: named curve, with the public point

    @property
    def scalar_bytes(self) -> int:
        """The length of a private value: the group order's (RFC 5915, section 3)."""
        return (self.curve.group_order.bit_length() + 7) // 8


@dataclass(frozen=True, slots=True)
class EdwardsKey:
    """An Ed25519 private key: a seed of 32 bytes (RFC 8032, section 5.1.5; its container: RFC 8410, section 7)."""

    kind: ClassVar[Kind] = Kind.EDWARDS
    seed_bytes: int = 32
    pkcs8_bytes: int = 48


Form = CipherKey | MacKey | RsaKey | EcKey | EdwardsKey


class KeySpec(NamedTuple):
    """One KeySpec of KMS. `wrapping`: the algorithms that KMS takes for it, best first."""

    name: str
    form: Form
    usages: tuple[str, ...]
    wrapping: tuple[str, ...]
    no_oaep_under: tuple[str, ...] = ()  # wrapping key specs under which KMS refuses OAEP, whatever the size

    @property
    def kind(self) -> Kind:
        return self.form.kind

    @property
    def most_bytes(self) -> int | None:
        """The most bytes of encoded material; None for RSA, for which there is no OAEP."""
        if isinstance(self.form, RsaKey):
            return None
        if isinstance(self.form, EcKey | EdwardsKey):
            return self.form.pkcs8_bytes
        return self.form.most_bytes if isinstance(self.form, MacKey) else self.form.size_bytes

    @property
    def a_key(self) -> str:
        """For use in a sentence, such as "an HMAC_256 key"."""
        return f"{'a' if self.name.startswith('S') else 'an'} {self.name} key"

    @property
    def mac_algorithm(self) -> str:
        """The MacAlgorithm of GenerateMac and VerifyMac; "" for keys that make no MACs."""
        return self.name.replace("HMAC_", "HMAC_SHA_") if self.kind is Kind.HMAC else ""


_ENCRYPT = ("ENCRYPT_DECRYPT",)
_MAC = ("GENERATE_VERIFY_MAC",)
_SIGN = ("SIGN_VERIFY",)
_RSA = ("ENCRYPT_DECRYPT", "SIGN_VERIFY")
_NIST = ("SIGN_VERIFY", "KEY_AGREEMENT")

_OAEP = (OAEP_SHA_256, OAEP_SHA_1)
_AES_WRAP = (AES_WRAP_SHA_256, AES_WRAP_SHA_1)
_EITHER = (OAEP_SHA_256, AES_WRAP_SHA_256, OAEP_SHA_1, AES_WRAP_SHA_1)

_P256 = EcKey(ec.SECP256R1(), "P-256", bytes.fromhex("06082a8648ce3d030107"), 138)  # 1.2.840.10045.3.1.7
_P384 = EcKey(ec.SECP384R1(), "P-384", bytes.fromhex("06052b81040022"), 185)  # 1.3.132.0.34
_P521 = EcKey(ec.SECP521R1(), "P-521", bytes.fromhex("06052b81040023"), 241)  # 1.3.132.0.35
_P256K1 = EcKey(ec.SECP256K1(), "secp256k1", bytes.fromhex("06052b8104000a"), 135)  # 1.3.132.0.10

_ROWS = (
    #       key spec                 material                 usages    wrapping   OAEP not under
    KeySpec("SYMMETRIC_DEFAULT", CipherKey(32, "AES"), _ENCRYPT, _OAEP),
    KeySpec("HMAC_224", MacKey(28, "sha224"), _MAC, _OAEP),
    KeySpec("HMAC_256", MacKey(32, "sha256"), _MAC, _OAEP),
    KeySpec("HMAC_384", MacKey(48, "sha384"), _MAC, _OAEP),
    KeySpec("HMAC_512", MacKey(64, "sha512"), _MAC, _OAEP),
    KeySpec("RSA_2048", RsaKey(2048), _RSA, _AES_WRAP),
    KeySpec("RSA_3072", RsaKey(3072), _RSA, _AES_WRAP),
    KeySpec("RSA_4096", RsaKey(4096), _RSA, _AES_WRAP),
    KeySpec("ECC_NIST_P256", _P256, _NIST, _EITHER),
    KeySpec("ECC_NIST_P384", _P384, _NIST, _EITHER),
    KeySpec("ECC_NIST_P521", _P521, _NIST, _EITHER, no_oaep_under=("RSA_2048",)),
    KeySpec("ECC_SECG_P256K1", _P256K1, _SIGN, _EITHER),
    KeySpec("ECC_NIST_EDWARDS25519", EdwardsKey(), _SIGN, _EITHER, no_oaep_under=("RSA_2048",)),
)
KEY_SPECS: Mapping[str, KeySpec] = MappingProxyType({row.name: row for row in _ROWS})

_NOT_IMPORTABLE = (
    ("ML_DSA_", "KMS takes no imported material for ML-DSA keys."),
    ("ML_KEM_", "KMS takes no imported material for ML-KEM keys."),
    ("SM2", "SM2 keys, which exist only in China, are not imported by this resource."),
)
_IMPORTABLE = "symmetric, HMAC, RSA, ECC_NIST_P256, _P384, _P521, ECC_SECG_P256K1 and ECC_NIST_EDWARDS25519"


def key_spec(name: str, *, partition: str = "aws") -> KeySpec:
    """Returns the row of the KeySpec that DescribeKey shows. Refused (KeyId) where KMS takes no material for it."""
    for prefix, rule in _NOT_IMPORTABLE:
        if name.startswith(prefix):
            remedy = f"Name a key of another key spec: {_IMPORTABLE}."
            raise Refused(Fault("KeyId", f"The key's spec is {name}. {rule}", remedy))
    if name not in KEY_SPECS:
        remedy = f"Name a key of a known key spec: {_IMPORTABLE}."
        raise Refused(Fault("KeyId", "The key's spec is not one that this resource knows.", remedy))
    return _in_china(KEY_SPECS[name]) if partition == CHINA else KEY_SPECS[name]


def _in_china(spec: KeySpec) -> KeySpec:
    """There SYMMETRIC_DEFAULT is SM4, and RSA_AES_KEY_WRAP_* does not exist: it takes RSA private keys only with SM2PKE."""
    wrapping = tuple(algorithm for algorithm in spec.wrapping if algorithm in OAEP_CAPACITY_BYTES)
    if not wrapping:
        problem = f"The key's spec is {spec.name}, and in China KMS takes RSA private keys wrapped with SM2PKE only."
        raise Refused(Fault("KeyId", problem, "This resource has no SM2PKE: import this key by hand."))
    form = CipherKey(16, "SM4") if isinstance(spec.form, CipherKey) else spec.form
    return spec._replace(form=form, wrapping=wrapping)


# ------------------------------------------------------------------------------------------------ choosing the wrapping


def choose_wrapping(spec: KeySpec, *, algorithm: str | None, wrapping_key_spec: str, size_bytes: int | None) -> str:
    """Returns the WrappingAlgorithm to ask GetParametersForImport for: the declared one, or else the best possible one.

    `size_bytes`: length of the encoded material; None if it is not known yet: then only the table is checked.
    Refused (WrappingAlgorithm, WrappingKeySpec) where KMS would refuse, or where the material is too long for OAEP.
    """
    _check_names(spec, algorithm, wrapping_key_spec)
    candidates = spec.wrapping if algorithm is None else (algorithm,)
    obstacles = [_obstacle(spec, candidate, wrapping_key_spec, size_bytes) for candidate in candidates]
    for candidate, obstacle in zip(candidates, obstacles, strict=True):
        if not obstacle:
            return candidate
    where = "WrappingKeySpec" if algorithm is None else "WrappingAlgorithm"
    raise Refused(Fault(where, obstacles[0], _way_out(spec, candidates[0], size_bytes)))


def _way_out(spec: KeySpec, algorithm: str, size_bytes: int | None) -> str:
    larger = [name for name in WRAPPING_KEY_SPECS if not _obstacle(spec, algorithm, name, size_bytes)]
    others = [name for name in spec.wrapping if name not in OAEP_CAPACITY_BYTES]
    ways = [f"WrappingKeySpec to {name}" for name in larger[-1:]]
    ways += [f"WrappingAlgorithm to {name}" for name in others[:1]]
    return f"Set {', or '.join(ways)}." if ways else ""


def _check_names(spec: KeySpec, algorithm: str | None, wrapping_key_spec: str) -> None:
    faults = Faults()
    taken = f"Set one of {', '.join(spec.wrapping)}, or leave WrappingAlgorithm out."
    if algorithm == "RSAES_PKCS1_V1_5":
        faults.add("WrappingAlgorithm", "RSAES_PKCS1_V1_5 is no longer taken by KMS (since October 2023).", taken)
    elif algorithm is not None and algorithm not in WRAPPING_ALGORITHMS:
        faults.add("WrappingAlgorithm", "The value is not a wrapping algorithm that this resource knows.", taken)
    elif algorithm is not None and algorithm not in spec.wrapping:
        faults.add("WrappingAlgorithm", f"KMS does not take {algorithm} for {spec.name} keys here.", taken)
    if wrapping_key_spec not in WRAPPING_KEY_SPECS:
        one_of = f"Set one of {', '.join(WRAPPING_KEY_SPECS)}, or leave it out: RSA_4096 is the default."
        faults.add("WrappingKeySpec", "The value is not a wrapping key spec that this resource knows.", one_of)
    faults.raise_if_any()


def _obstacle(spec: KeySpec, algorithm: str, wrapping_key_spec: str, size_bytes: int | None) -> str:
    """Why this algorithm is not possible under this wrapping public key; "" where it is."""
    if algorithm not in OAEP_CAPACITY_BYTES:
        return ""
    if wrapping_key_spec in spec.no_oaep_under:
        return f"KMS does not take {spec.name} keys by {algorithm} under an {wrapping_key_spec} wrapping public key."
    capacity_bytes = OAEP_CAPACITY_BYTES[algorithm][wrapping_key_spec]
    if size_bytes is not None and size_bytes > capacity_bytes:
        return (
            f"{algorithm} under an {wrapping_key_spec} wrapping public key carries {capacity_bytes} bytes at most, "
            f"and the material has {size_bytes}."
        )
    return ""
