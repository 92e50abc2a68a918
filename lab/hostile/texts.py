"""Secrets of text or of formless bytes, as large as a secret can be: PEM, JSON, base64, hex, UTF-16, wrapped."""

import base64
import string
from typing import Final

from lab.hostile.keys import dsa
from lab.hostile.row import SECRET_MOST_BYTES, Event, Hostile, noise, secret
from lab.keys import der
from lab.keys.at_rest import transport_key, wrapped
from lab.keys.private_keys import ec_key, pkcs8_pem
from lab.keys.random_keys import random_key
from lab.world import World

RSA, P256, SYMMETRIC, AES_WRAP = "RSA_2048", "ECC_NIST_P256", "SYMMETRIC_DEFAULT", "RSA_AES_KEY_WRAP_SHA_256"
BEGIN, END = "-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----\n"
OTHER_BLOCK = "-----BEGIN A1-----\n-----END A1-----\n"
DAMAGED: Final = "The PEM is damaged"
TOO_LONG: Final = "The material is 65536 bytes long"
NOISE = random_key(SECRET_MOST_BYTES // 2)


def with_parameters() -> str:
    """EC PARAMETERS of 48,000 bytes before a good key."""
    body = base64.encodebytes(der.sequence(der.octets(b"\1" * 47_000))).decode()
    return f"-----BEGIN EC PARAMETERS-----\n{body}-----END EC PARAMETERS-----\n{pkcs8_pem(ec_key())}"


def twice(count: int) -> str:
    return "{" + ",".join(f'"k{number % (count // 2)}":"v"' for number in range(count)) + "}"


def many_fields(count: int) -> str:
    return "{" + ",".join(f'"{number:05}":1' for number in range(count)) + "}"


def _wrapped(world: World, algorithm: str, material: bytes, spec: str) -> Event:
    unwrap = transport_key(world, algorithm)
    name = world.secret(wrapped(world, unwrap, algorithm, material)).name
    wrapping = {"Algorithm": algorithm, "KeyId": unwrap}
    return world.create_request(world.external_key(spec), SecretId=name, SecretWrapping=wrapping)


def _unopened(world: World, value: bytes | str) -> Event:
    wrapping = {"Algorithm": AES_WRAP, "KeyId": transport_key(world, AES_WRAP)}
    return world.create_request(world.external_key(), SecretId=world.secret(value).name, SecretWrapping=wrapping)


ROWS: Final[tuple[Hostile, ...]] = (
    # --- PEM
    secret("a thousand private keys", "The PEM holds 1200 private keys", lambda: (BEGIN + END) * 1_200, spec=RSA),
    secret("a thousand other blocks", "a block of another kind", lambda: OTHER_BLOCK * 1_700, spec=RSA),
    secret(
        "a thousand blocks of both kinds",
        "The PEM holds 500 private keys",
        lambda: (BEGIN + END) * 500 + OTHER_BLOCK * 900,
        spec=RSA,
    ),
    secret("blocks that only begin", "no matching END line", lambda: "-----BEGIN " * 5_957, spec=RSA),
    secret("a label without an end", DAMAGED, lambda: "-----BEGIN " + "A " * 32_000, spec=RSA),
    secret("labels of the longest kind", DAMAGED, lambda: f"-----BEGIN {'A-' * 32}--" * 800, spec=RSA),
    secret(
        "a header without an end",
        "PEM's block PRIVATE KEY",
        lambda: f"{BEGIN}Proc-Type: 4,{' ' * 65_000}{END}",
        spec=RSA,
    ),
    secret("headers", "PEM's block PRIVATE KEY", lambda: BEGIN + "Proc-Type:" * 6_500 + END, spec=RSA),
    secret(
        "headers with spaces between",
        "PEM's block PRIVATE KEY",
        lambda: BEGIN + ("Proc-Type:" + " " * 500) * 125 + END,
        spec=RSA,
    ),
    secret(
        "a block of noise",
        "The material is",
        lambda: BEGIN + base64.encodebytes(NOISE + NOISE[:15_000]).decode() + END,
        spec=RSA,
    ),
    secret(
        "parameters without an end before a key", "The EC PARAMETERS in the PEM are not of", with_parameters, spec=P256
    ),
    secret("a PEM in place of random bytes", "The secret holds a PEM", lambda: (BEGIN + END) * 1_200),
    # --- bytes and text
    secret("noise, repeated", TOO_LONG, lambda: NOISE + NOISE),
    secret("noise, all but repeated", TOO_LONG, lambda: NOISE + NOISE[:-1] + b"\0", spec="HMAC_512"),
    secret("all but constant", TOO_LONG, lambda: b"a" * (SECRET_MOST_BYTES - 2) + b"bc"),
    secret("a counter", TOO_LONG, lambda: bytes(range(256)) * 256),
    secret("zeros, for a private key", "neither a PEM nor DER", lambda: bytes(SECRET_MOST_BYTES), spec=RSA),
    secret(
        "UTF-16", "The material is 64002 bytes long", lambda: b"\xff\xfe" + "\u00e9\u4e00".encode("utf-16-le") * 16_000
    ),
    secret(
        "UTF-16, for a private key",
        "reads as text (UTF-16)",
        lambda: b"\xff\xfe" + "\u4e00\u4e01".encode("utf-16-le") * 16_000,
        spec=RSA,
    ),
    secret("UTF-8 of four bytes", "it has characters that base64 does not have", lambda: "\U0001f511" * 16_000),
    secret("surrogates", "it has characters that base64 does not have", lambda: "\ud800" * 20_000),
    secret(
        "white space of every kind", "it has characters that base64 does not have", lambda: "\u2028\u00a0\u3000" * 8_000
    ),
    secret("hex that may be base64", "hex digits only", lambda: "ab" * 32_768),
    secret(
        "hex",
        "The material is 32768 bytes long",
        lambda: noise("0123456789abcdef", SECRET_MOST_BYTES),
        MaterialEncoding="HEX",
    ),
    secret("hex that ends in another sign", "The text is not hex", lambda: "ab" * 32_767 + "x", MaterialEncoding="HEX"),
    secret("base64", "The material is 49152 bytes long", lambda: noise(string.ascii_letters, SECRET_MOST_BYTES)),
    secret("base64 that is cut off", "its length or its padding does not fit", lambda: "A" * 65_533),
    secret("padding", "its length or its padding does not fit", lambda: "=" * 65_536),
    secret("white space", "its length or its padding does not fit", lambda: " " * 65_535 + "A"),
    secret(
        "a TR-31 block without an end",
        "it has characters that base64 does not have",
        lambda: "D9999D0AB00E0000" + "{" * 65_000,
    ),
    secret(
        "a check value of an endless key",
        TOO_LONG,
        lambda: NOISE + NOISE,
        spec="HMAC_256",
        ExpectedCheckValue="HMAC:000000",
    ),
    # --- JSON
    secret("JSON: open objects", "not a JSON object", lambda: '{"a":' * 13_000, SecretJsonKey="a"),
    secret("JSON: nested objects", "is not a string", lambda: '{"a":' * 9_000 + "1" + "}" * 9_000, SecretJsonKey="a"),
    secret("JSON: open arrays", "not a JSON object", lambda: "[" * 65_000, SecretJsonKey="a"),
    secret(
        "JSON: arrays within the depth that is read",
        "is not a string",
        lambda: '{"a":' + "[" * 900 + "]" * 900 + "}",
        SecretJsonKey="a",
    ),
    secret("JSON: an endless integer", "not a JSON object", lambda: '{"a":' + "1" * 65_000 + "}", SecretJsonKey="a"),
    secret("JSON: an endless fraction", "is not a string", lambda: '{"a":1.' + "1" * 65_000 + "}", SecretJsonKey="a"),
    secret("JSON: an endless exponent", "is not a string", lambda: '{"a":1e999999999}', SecretJsonKey="a"),
    secret(
        "JSON: what is no number", "not a JSON object", lambda: '{"a":[' + "NaN," * 16_000 + "NaN]}", SecretJsonKey="a"
    ),
    secret("JSON: fields of one name", "two fields of the same name", lambda: twice(5_000), SecretJsonKey="k1"),
    secret("JSON: many fields", "no field of this name", lambda: many_fields(6_500), SecretJsonKey="a"),
    secret("JSON: many fields, and none is named", "nothing says which of its fields", lambda: many_fields(6_500)),
    secret(
        "JSON: escapes",
        "it has characters that base64 does not have",
        lambda: '{"a":"' + "\\u0000" * 10_000 + '"}',
        SecretJsonKey="a",
    ),
    secret(
        "JSON: a name without an end", "no field of this name", lambda: '{"' + "a" * 65_000 + '":""}', SecretJsonKey="a"
    ),
    # --- wrapped
    Hostile(
        "secret: DSA, wrapped",
        "KMS takes no private keys of this algorithm",
        lambda world: _wrapped(world, AES_WRAP, dsa(15_000), RSA),
    ),
    Hostile(
        "secret: noise, wrapped",
        "The material is 5800 bytes long",
        lambda world: _wrapped(world, AES_WRAP, NOISE[:5_800], "HMAC_512"),
    ),
    Hostile(
        "secret: a thousand private keys, wrapped",
        "The PEM holds 70 private keys",
        lambda world: _wrapped(world, AES_WRAP, (BEGIN + END).encode() * 70, RSA),
    ),
    Hostile(
        "secret: noise for what is wrapped",
        "wrapped material has at most 6144",
        lambda world: _unopened(world, NOISE + NOISE),
    ),
    Hostile(
        "secret: noise of the size of what is wrapped",
        "was refused with InvalidCiphertextException",
        lambda world: _unopened(world, NOISE[:6_144]),
    ),
    Hostile(
        "secret: JSON for what is wrapped",
        "nothing says which of its fields",
        lambda world: _unopened(world, many_fields(6_500)),
    ),
)
