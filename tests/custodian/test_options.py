"""The options of a command as one value: click's values have the names and the types that mypy sees."""

import typing

import click
import pytest

from key_custodian import combine, generate, inventory, key_wrap, put, verify, wrap

COMMANDS = [
    (put.command, put.PutOptions),
    (verify.command, verify.VerifyOptions),
    (inventory.command, inventory.InventoryOptions),
]


def given_by(parameter):
    """Click's value for an option: a flag's is a bool, a repeatable option's a tuple, a missing option's None."""
    if getattr(parameter, "is_flag", False):
        return bool
    if parameter.multiple if isinstance(parameter, click.Option) else False:
        return tuple[str, ...]
    return str if parameter.required else str | None


@pytest.mark.parametrize(("command", "options"), COMMANDS, ids=[command.name for command, _ in COMMANDS])
def test_the_typed_options_are_those_that_click_gives(command, options):
    assert typing.get_type_hints(options) == {one.name: given_by(one) for one in command.params}


@pytest.mark.parametrize("command", [generate.command, wrap.command, combine.command], ids=lambda one: one.name)
def test_whatever_wraps_gets_the_options_of_wrapping_as_one_value(command):
    typed = typing.get_type_hints(key_wrap.WrapOptions)

    assert {one.name: given_by(one) for one in command.params if one.name in typed} == typed


@pytest.mark.parametrize(("command", "options"), COMMANDS, ids=[command.name for command, _ in COMMANDS])
def test_none_of_them_has_a_default_of_its_own(command, options):
    """A field that click does not fill must be an error, not a silent default."""
    with pytest.raises(TypeError, match="missing"):
        options(**{one.name: None for one in command.params[1:]})
