"""Split knowledge: makes components, shows each to its holder or writes it to a new file, and reports their check values.

A component of a new key is random. A key that exists is split: all components but the last are random, and the last is the XOR
of the key and the others. Any components but one fit every key equally well, so they reveal nothing about it.

A component is shown only at a terminal, in hex, on a screen that is erased when its holder presses Enter. Nothing else shows
it: no report, no error, no standard error. Its check values are those that `combine` shows.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from imported_key_material.material import check_value, material_check
from imported_key_material.material.key_specs import KeySpec
from imported_key_material.material.material_check import CheckedMaterial
from key_custodian import components, new_file, output
from key_custodian.errors import refused
from key_custodian.report import row
from key_custodian.words import OPTIONS

GROUP_DIGITS: Final = 4
LINE_GROUPS: Final = 4
NAME: Final = "the new component"
_COPY: Final = "Copy both onto paper. Then press Enter: the screen is erased"
_SPARE_ROWS: Final = 2  # for the cursor after Enter
_NAME_FILES: Final = "name a new file for each component with --out."
RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class ComponentReport:
    """What everybody may know of a component. `file`: "" if it was shown, or sent to standard output."""

    key_spec: str
    component_bytes: int
    check_values: tuple[str, ...]
    file: str = ""

    @classmethod
    def of(cls, component: CheckedMaterial, out: str | None) -> "ComponentReport":
        shown = check_values(component)
        file = "" if out in {None, new_file.STDOUT} else str(out)
        return cls(component.spec.name, len(component.encoded), shown, file)

    def to_json(self) -> dict[str, Any]:
        return {
            "key_spec": self.key_spec,
            "component_bytes": self.component_bytes,
            "check_values": list(self.check_values),
            "file": self.file or None,
        }

    def lines(self) -> list[str]:
        return [
            *row("Key spec", self.key_spec),
            *row("Component", f"{self.component_bytes} bytes{f', {self.file}' if self.file else ''}"),
            *row("Check value", *self.check_values),
        ]


def make(spec: KeySpec) -> CheckedMaterial:
    """Returns a random component of a new key."""
    return _checked(bytearray(os.urandom(components.size_bytes(spec))), spec)


def split(key: CheckedMaterial, count: int, *, random_bytes: RandomBytes = os.urandom) -> list[CheckedMaterial]:
    """Returns components whose XOR is the key, each as long as the key. `random_bytes` makes all but the last."""
    others = [bytearray(random_bytes(len(key.encoded))) for _ in range(count - 1)]
    return [_checked(value, key.spec) for value in (*others, components.xor([key.encoded, *others]))]


def _checked(value: bytearray, spec: KeySpec) -> CheckedMaterial:
    """The check takes a longer HMAC key only with its check value."""
    usual = len(value) == components.size_bytes(spec)
    expected = None if usual else check_value.compute(spec, value)
    return material_check.check(value, spec, expected_check_value=expected, words=OPTIONS.at(NAME))


def check_values(component: CheckedMaterial) -> tuple[str, ...]:
    return check_value.compute_all(component.spec, component.encoded)


# ----------------------------------------------------------------------------------------------------------- on a screen


def require_screen() -> None:
    """Refused where `show` could not erase what it shows. Called before there is a component."""
    rule = "a component is shown only on a screen that is erased afterwards."
    for name, stream in (("input", sys.stdin), ("output", sys.stdout), ("error", sys.stderr)):
        if not stream.isatty():
            problem = f"It is no terminal, and {rule}"
            raise refused(f"standard {name}", problem, f"Use a terminal without pipes, or {_NAME_FILES}")
        if not os.path.sameopenfile(sys.stdin.fileno(), stream.fileno()):
            problem = "It is another terminal than standard input, and a component is shown only where its holder sits."
            raise refused(f"standard {name}", problem, f"Use one terminal, or {_NAME_FILES}")
    if not output.can_erase():
        raise refused("TERM", f"This terminal can't erase its screen, and {rule}", f"Use another, or {_NAME_FILES}")


def require_room(spec: KeySpec, size_bytes: int, name: str) -> None:
    """Refused where the window would hide a part of a component of this size. Called before there is one."""
    columns, rows = output.window()
    lines = [*_lines(spec, bytes(size_bytes), check_value.compute_all(spec, bytes(size_bytes)), name), _COPY]
    needed = sum(max(1, -(-len(line) // columns)) for line in lines) + _SPARE_ROWS
    if rows < needed:
        problem = f"It has {rows} lines, and the component needs {needed}."
        raise refused("the window", problem, f"Make the window larger, or {_NAME_FILES}")


def show(component: CheckedMaterial, name: str) -> None:
    """Shows it to its holder until Enter. `name`: "component 1 of 2"."""
    with output.erased_screen():
        output.say(*_lines(component.spec, component.encoded, check_values(component), name))
        output.pause(_COPY)


def _lines(spec: KeySpec, value: bytes | bytearray, values: Sequence[str], name: str) -> list[str]:
    return [
        f"{name.capitalize()} of {spec.a_key}. Only its holder is at the screen.",
        "",
        *(f"    {line}" for line in in_groups(value)),
        "",
        f"Its check value: {' or '.join(values)}",
    ]


def in_groups(value: bytes | bytearray) -> Sequence[str]:
    """Hex in groups that people can copy; `combine` takes them as they stand."""
    digits, width = value.hex().upper(), GROUP_DIGITS * LINE_GROUPS
    lines = (digits[at : at + width] for at in range(0, len(digits), width))
    return [" ".join(line[at : at + GROUP_DIGITS] for at in range(0, len(line), GROUP_DIGITS)) for line in lines]
