"""Split knowledge: reads each component of a key from its holder, compares its check value, and combines all by XOR.

A component is a random string as long as the key, so a single component reveals nothing about the key. It must pass the same
checks as a key: zeros, patterns and text are refused. Its check value is computed like a key's. The screen is cleared between
holders, so it never shows two check values together. No component is written here; `new_components.py` makes them.

Sources: NIST SP 800-57 part 1, split knowledge; ANSI X9.24-1 (components combined by XOR, check values).
"""

import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from imported_key_material.errors import CannotHappen, Refused
from imported_key_material.material import check_value, material_check
from imported_key_material.material.encoding import HEX
from imported_key_material.material.key_specs import KEY_SPECS, CipherKey, KeySpec, MacKey
from imported_key_material.material.material_check import CheckedMaterial
from key_custodian import output, sources
from key_custodian.errors import lines_of, refused
from key_custodian.words import OPTIONS, of_component

TYPED = "-"
TRIES = 3
FEWEST = 2
MOST = 9
SECRET_KEYS = tuple(name for name, spec in KEY_SPECS.items() if isinstance(spec.form, CipherKey | MacKey))
RESULT = "the combined material"
_NEW_ONES = "Make new components, each of a random generator."
_RESULT_WORDS = OPTIONS._replace(material=RESULT, random_bytes=_NEW_ONES)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One component as the options declare it. `source`: a file, or "-" for typed; `number` of `count`."""

    number: int
    count: int
    source: str
    check_value: str | None

    @property
    def is_typed(self) -> bool:
        return self.source == TYPED

    @property
    def name(self) -> str:
        return f"component {self.number}"


@contextmanager
def collect(spec: KeySpec, declared: Sequence[Declaration], *, encoding: str | None) -> Iterator[list[CheckedMaterial]]:
    """Reads all components, one holder after the other, and wipes them when the block ends. Refused (component n)."""
    if any(one.is_typed or one.check_value is None for one in declared) and not sources.at_terminal():
        problem = "There is no terminal at which components could be typed unseen, or check values be compared."
        remedy = "Run it at a terminal, or give --component and --component-check-value for each."
        raise refused(sources.PIPED, problem, remedy)
    found: list[CheckedMaterial] = []
    try:
        for one in declared:
            found.append(_ask_holder(spec, one, encoding) if one.is_typed else _read_file(spec, one, encoding))
            _require_new(found)
        yield found
    finally:
        for component in found:
            component.wipe()


def combine(
    spec: KeySpec, components: Sequence[CheckedMaterial], *, expected_check_value: str | None
) -> CheckedMaterial:
    """Returns the XOR of all, checked like any key. Refused where it is no valid key, or equals a component."""
    result = xor([component.encoded for component in components])
    try:
        if any(hmac.compare_digest(result, component.encoded) for component in components):
            problem = "It equals one of the components, so the holder of that component has the key."
            raise refused(RESULT, problem, _NEW_ONES)
        return material_check.check(bytes(result), spec, expected_check_value=expected_check_value, words=_RESULT_WORDS)
    finally:
        result[:] = bytes(len(result))


def xor(values: Sequence[bytes | bytearray]) -> bytearray:
    """Returns the XOR of values of one length, in a buffer that the caller wipes."""
    result = bytearray(len(values[0]))
    for value in values:
        for at, byte in enumerate(value):
            result[at] ^= byte
    return result


def _require_new(components: Sequence[CheckedMaterial]) -> None:
    """Compares the last component with the others: the same length, but other bytes."""
    last, number = components[-1].encoded, len(components)
    for earlier, component in enumerate(components[:-1], start=1):
        if len(component.encoded) != len(last):
            problem = f"It has {len(last)} bytes, and component {earlier} has {len(component.encoded)}."
            raise refused(f"component {number}", problem, "All components of a key are as long as the key.")
        if hmac.compare_digest(component.encoded, last):
            problem = f"It is the same as component {earlier}; the two would cancel each other out."
            raise refused(f"component {number}", problem, "Each holder gives a component of their own.")


# --------------------------------------------------------------------------------------------------------- one component


def _read_file(spec: KeySpec, declared: Declaration, encoding: str | None) -> CheckedMaterial:
    source = sources.read(declared.source, encoding=encoding, option="--component")
    component = _check(source.value, spec, declared, encoding)
    if declared.check_value is not None:
        output.say(f"{declared.name}: {declared.source} has the check value that was given.", err=True)
    elif not _confirm(declared, component):
        component.wipe()
        problem = f"The check value of {declared.source} is not that on paper."
        raise refused(declared.name, problem, "Look for the right file.")
    return component


def _ask_holder(spec: KeySpec, declared: Declaration, encoding: str | None) -> CheckedMaterial:
    """Lets a holder type the component. After a mistake the holder may try again."""
    output.say(
        f"Component {declared.number} of {declared.count}. Only its holder is at the screen and types it.", err=True
    )
    for left in reversed(range(TRIES)):
        component: CheckedMaterial | None = None
        try:
            component = _check(_ask(spec, declared, encoding), spec, declared, encoding or HEX)
        except Refused as error:
            output.say(*lines_of(error), err=True)
        if component is not None and _confirm(declared, component):
            return component
        if component is not None:
            component.wipe()
        if left:
            output.say(f"Once more, please ({left} of {TRIES} tries left).", err=True)
    problem = f"It was typed {TRIES} times, and never had the check value on paper."
    raise refused(declared.name, problem, "Nothing was written. Begin anew with the right components.")


def _ask(spec: KeySpec, declared: Declaration, encoding: str | None) -> str:
    more = " or more" if isinstance(spec.form, MacKey) else ""
    digits = f", {2 * size_bytes(spec)} hex digits{more}" if encoding in {None, HEX} else ""
    text = sources.ask(f"Component {declared.number}{digits} (is not shown)")
    return "".join(text.split())  # on paper the digits stand in groups


def size_bytes(spec: KeySpec) -> int:
    if isinstance(spec.form, CipherKey | MacKey):
        return spec.form.size_bytes
    raise CannotHappen(f"A key of {spec.name} has no components.")


def _check(value: bytes | str, spec: KeySpec, declared: Declaration, encoding: str | None) -> CheckedMaterial:
    words = of_component(declared.number).at(declared.name)
    return material_check.check(value, spec, encoding=encoding, expected_check_value=declared.check_value, words=words)


def _confirm(declared: Declaration, component: CheckedMaterial) -> bool:
    """Shows the check value to the holder, asks to compare it with paper, and clears the screen."""
    file = "" if declared.is_typed else f" ({declared.source})"
    values = check_value.compute_all(component.spec, component.encoded) if component.check_value else ()
    line = f"Check value of component {declared.number}{file}: {' or '.join(values) or declared.check_value}"
    if declared.check_value is not None:
        output.say(f"{line}, as given.", err=True)
        output.pause("Press Enter: the screen is cleared")
        right = True
    else:
        output.say(line, err=True)
        right = output.ask("Is it the one on paper?")
    output.clear()
    return right
