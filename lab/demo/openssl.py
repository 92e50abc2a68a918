"""OpenSSL, as another implementation: makes the keys, wraps them, and checks what KMS computed."""

import subprocess
from pathlib import Path

SECONDS = 60


class OpenSslFailed(Exception):
    """OpenSSL failed. The text is OpenSSL's."""


def openssl(*arguments: str | Path, stdin: bytes = b"") -> bytes:
    """Runs one command; returns its standard output."""
    process = subprocess.run(  # noqa: S603  # our own arguments
        ["openssl", *map(str, arguments)],  # noqa: S607  # the first on PATH
        input=stdin,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    if process.returncode != 0:
        raise OpenSslFailed(f"openssl {arguments[0]}: {process.stderr.decode(errors='replace').strip()}")
    return process.stdout


def private_key(pem: Path, *options: str) -> Path:
    """Makes a private key. `options`: of genpkey."""
    pem.write_bytes(openssl("genpkey", *options))
    return pem


def as_der(pem: Path) -> bytes:
    """A private key as PKCS#8 DER, the form that KMS takes."""
    return openssl("pkcs8", "-topk8", "-nocrypt", "-in", pem, "-outform", "DER")


def public_der(pem: Path) -> bytes:
    """The public half of a private key, as SubjectPublicKeyInfo."""
    return openssl("pkey", "-in", pem, "-pubout", "-outform", "DER")


def oaep_sha256(public_key: Path, plaintext: bytes) -> bytes:
    """RSAES_OAEP_SHA_256. Both hashes must be named, since OpenSSL's default for both is SHA-1."""
    options = ("rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256")
    flags = [flag for option in options for flag in ("-pkeyopt", option)]
    return openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", public_key, *flags, stdin=plaintext)


def aes_key_wrap(aes_key: bytes, plaintext: Path) -> bytes:
    """RFC 5649, with the RFC's initial value. The demo uses this AES key once."""
    return openssl("enc", "-id-aes256-wrap-pad", "-K", aes_key.hex(), "-iv", "A65959A6", "-in", plaintext)


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    command = ("dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary")
    return openssl(*command, stdin=message)


def verify(public_pem: Path, message: Path, signature: Path, *options: str) -> bool:
    """Whether the signature is the key's. `options`: of dgst, for the padding."""
    try:
        openssl("dgst", "-sha256", "-verify", public_pem, *options, "-signature", signature, message)
    except OpenSslFailed:
        return False
    return True
