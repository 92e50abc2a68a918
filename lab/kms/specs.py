"""One row per key spec: usages, algorithms, the material that it takes, and how it may be wrapped (C-1 to C-16).

Everything that depends on a key spec is read from here.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec

ENCRYPT, SIGN, MAC, AGREE = "ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"


class Kind(enum.Enum):
    SYMMETRIC = "symmetric"
    HMAC = "hmac"
    RSA = "rsa"
    EC = "ec"
    EDWARDS = "edwards"


@dataclass(frozen=True, slots=True)
class Spec:
    name: str
    kind: Kind
    algorithms: Mapping[str, tuple[str, ...]]  # by key usage, as DescribeKey lists them
    min_bytes: int = 0  # size of the raw material; 0 for private keys
    max_bytes: int = 0
    modulus_bits: int = 0
    curve: ec.EllipticCurve | None = None
    curve_oid: bytes = field(default=b"", repr=False)  # DER, as it stands in PKCS#8's AlgorithmIdentifier

    @property
    def is_secret(self) -> bool:
        return self.kind in (Kind.SYMMETRIC, Kind.HMAC)


OAEP = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")
AES_WRAP = ("RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256")
_RSA_SIGN = (
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
)


def _hmac(bits: int) -> Spec:
    """C-2."""
    algorithms = {MAC: (f"HMAC_SHA_{bits}",)}
    return Spec(f"HMAC_{bits}", Kind.HMAC, algorithms, min_bytes=bits // 8, max_bytes=128)


def _rsa(bits: int) -> Spec:
    """C-3."""
    return Spec(f"RSA_{bits}", Kind.RSA, {ENCRYPT: OAEP, SIGN: _RSA_SIGN}, modulus_bits=bits)


def _nist(name: str, curve: ec.EllipticCurve, ecdsa: str, oid: str) -> Spec:
    """C-4."""
    algorithms = {SIGN: (ecdsa,), AGREE: ("ECDH",)}
    return Spec(name, Kind.EC, algorithms, curve=curve, curve_oid=bytes.fromhex(oid))


_SECG = Spec(
    "ECC_SECG_P256K1",
    Kind.EC,
    {SIGN: ("ECDSA_SHA_256",)},
    curve=ec.SECP256K1(),
    curve_oid=bytes.fromhex("06052b8104000a"),
)
_EDWARDS = Spec("ECC_NIST_EDWARDS25519", Kind.EDWARDS, {SIGN: ("ED25519_SHA_512", "ED25519_PH_SHA_512")})
_SYMMETRIC = Spec("SYMMETRIC_DEFAULT", Kind.SYMMETRIC, {ENCRYPT: ("SYMMETRIC_DEFAULT",)}, min_bytes=32, max_bytes=32)
# In China SYMMETRIC_DEFAULT is SM4 (C-1).
_SYMMETRIC_CHINA = Spec("SYMMETRIC_DEFAULT", Kind.SYMMETRIC, _SYMMETRIC.algorithms, min_bytes=16, max_bytes=16)

SPECS: Mapping[str, Spec] = {
    spec.name: spec
    for spec in (
        _SYMMETRIC,
        _hmac(224),
        _hmac(256),
        _hmac(384),
        _hmac(512),
        _rsa(2048),
        _rsa(3072),
        _rsa(4096),
        _nist("ECC_NIST_P256", ec.SECP256R1(), "ECDSA_SHA_256", "06082a8648ce3d030107"),
        _nist("ECC_NIST_P384", ec.SECP384R1(), "ECDSA_SHA_384", "06052b81040022"),
        _nist("ECC_NIST_P521", ec.SECP521R1(), "ECDSA_SHA_512", "06052b81040023"),
        _SECG,
        _EDWARDS,
    )
}
CHINA = "aws-cn"
NO_IMPORT_PREFIXES = ("ML_DSA_", "ML_KEM_")  # C-6


def spec_of(name: str, partition: str) -> Spec:
    return _SYMMETRIC_CHINA if name == "SYMMETRIC_DEFAULT" and partition == CHINA else SPECS[name]


# ------------------------------------------------------------------------------------------- wrapping (C-10 to C-16)

WRAPPING_BITS: Mapping[str, int] = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}
_WRAPPING: Mapping[Kind, tuple[str, ...]] = {
    Kind.SYMMETRIC: OAEP,  # C-10
    Kind.HMAC: OAEP,  # C-11
    Kind.RSA: AES_WRAP,  # C-12
    Kind.EC: OAEP + AES_WRAP,  # C-13
    Kind.EDWARDS: OAEP + AES_WRAP,  # C-13
}
_NO_OAEP_UNDER_RSA_2048 = frozenset({"ECC_NIST_P521", "ECC_NIST_EDWARDS25519"})


def may_wrap(spec: Spec, algorithm: str, wrapping_key_spec: str, partition: str) -> bool:
    if wrapping_key_spec not in WRAPPING_BITS or algorithm not in _WRAPPING[spec.kind]:
        return False
    if algorithm in AES_WRAP and partition == CHINA:
        return False
    small = wrapping_key_spec == "RSA_2048" and spec.name in _NO_OAEP_UNDER_RSA_2048
    return not (small and algorithm in OAEP)
