"""Certificates for the tests' TLS servers. They are made when needed, so the repository holds no key."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@dataclass(frozen=True, slots=True)
class Certificate:
    """`chain` is what a server loads (key and certificate), `ca_bundle` what a client trusts."""

    chain: Path
    ca_bundle: Path

    @classmethod
    def made_in(cls, folder: Path, *, address: str = "127.0.0.1", key_identifiers: bool = True) -> "Certificate":
        """A certificate for `address`, from a new CA. Many private CAs leave the key identifiers out."""
        ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        ca = _signed("a CA for tests", ca_key, by="a CA for tests", signing_key=ca_key, identifiers=key_identifiers)
        own = _signed("a bucket", key, by="a CA for tests", signing_key=ca_key, identifiers=key_identifiers, at=address)
        chain, ca_bundle = folder / "chain.pem", folder / "ca.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain.write_bytes(private + own.public_bytes(Encoding.PEM))
        ca_bundle.write_bytes(ca.public_bytes(Encoding.PEM))
        return cls(chain, ca_bundle)


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    by: str,
    signing_key: ec.EllipticCurvePrivateKey,
    identifiers: bool,
    at: str = "",
) -> x509.Certificate:
    """A certificate for one day: for the address `at`, or a CA's if `at` is ""."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, by)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=not at, path_length=None), critical=True)
    )
    if at:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(at))]), critical=False)
    else:
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(usage, critical=True)
    if identifiers:
        subject = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
        builder = builder.add_extension(subject, critical=False).add_extension(issuer, critical=False)
    return builder.sign(signing_key, hashes.SHA256())
