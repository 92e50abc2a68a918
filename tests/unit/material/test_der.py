"""Reads a container once and without a copy: the results are views of the buffer, so one wipe wipes them all."""

from collections.abc import Iterator

import pytest

from imported_key_material.material.der import Container, Element, NotDerError, Shape, read, without_filling
from lab.keys import der
from lab.keys.private_keys import ec_key, pkcs8_der, rsa_key, traditional_der

RSA_OID, EC_OID = der.oid(der.ID_RSA)[2:], der.oid(der.ID_EC)[2:]


def all_elements(shape: Shape) -> Iterator[Element]:
    yield from (*shape.parts, *shape.parameters)
    if shape.inner is not None:
        yield from all_elements(shape.inner)


def test_pkcs8_is_read_down_to_the_parts_of_the_key_within() -> None:
    shape = read(pkcs8_der(ec_key()))

    assert (shape.container, shape.algorithm) == (Container.PKCS8, EC_OID)
    assert [element.identifier() for element in shape.parameters] == [der.oid(der.P256)[2:]]
    assert shape.inner is not None
    assert shape.inner.container is Container.SEC1


def test_pkcs1_has_nothing_within() -> None:
    shape = read(traditional_der(rsa_key()))

    assert (shape.container, shape.algorithm, shape.parameters, shape.inner) == (Container.PKCS1, b"", (), None)


def test_one_layer_is_read_however_deep_they_go() -> None:
    nested = b""
    while len(nested) < 65_000:
        nested = der.pkcs8(der.ID_RSA, der.null(), nested)

    shape = read(nested)

    assert (shape.container, shape.algorithm) == (Container.PKCS8, RSA_OID)
    assert shape.inner is not None
    assert (shape.inner.container, shape.inner.inner) == (Container.PKCS8, None)


@pytest.mark.parametrize("source", [pkcs8_der(ec_key()), pkcs8_der(rsa_key()), traditional_der(rsa_key())])
def test_what_is_found_is_wiped_with_the_buffer(source: bytes) -> None:
    buffer = bytearray(source)
    shape = read(buffer)
    assert any(any(element.content) for element in all_elements(shape))

    buffer[:] = bytes(len(buffer))

    assert not any(any(element.content) for element in all_elements(shape))


@pytest.mark.parametrize("filling", [0, 3])
def test_what_is_left_without_its_filling_is_wiped_with_the_buffer(filling: int) -> None:
    source = der.sequence(der.octets(b"k" * (12 - filling)))
    buffer = bytearray(source + bytes(filling))
    view = without_filling(buffer)
    assert bytes(view) == source

    buffer[:] = bytes(len(buffer))

    assert not any(view)


def test_an_identifier_that_is_longer_than_any_is_none() -> None:
    """Only the identifier is copied. In bytes that only look like a container it may be anything."""
    shape = read(der.sequence(der.integer(0), der.sequence(der.tlv(0x06, b"k" * 17)), der.octets(b"")))

    assert (shape.container, shape.algorithm) == (Container.PKCS8, b"")


@pytest.mark.parametrize("source", [b"", b"x", b"\x30", b"\x30\x80", b"\x30\x01\x02"])
def test_what_is_no_der_is_reported(source: bytes) -> None:
    with pytest.raises(NotDerError):
        read(source)
