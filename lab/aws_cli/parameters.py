"""Turns the words of an `aws` command into a call, by botocore's own models. Nothing here calls AWS.

Values are written as for the AWS CLI: text, numbers, flags, JSON, `A=b,C=d`, several words for a list, file://, fileb://;
bytes that don't come from a file are base64, and what is streamed (the body of an object) is a file's name. Raises
WrongCallError for what the CLI would refuse: an unknown service, operation or option, a missing required option, a value of a
wrong type.
"""

import base64
import functools
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator

OWN_OPTIONS = frozenset({"query", "output", "region", "profile"})  # the CLI's own, beside the operation's options
OWN_FLAGS = frozenset({"no-cli-pager", "no-paginate"})  # they take no value
DEPLOY_TAKES = {"template-file", "stack-name", "role-arn"}  # the first two are required
DEPLOY_TAKES_MANY = {"parameter-overrides", "capabilities", "tags"}
DEPLOY_FLAGS = {"no-fail-on-empty-changeset", "fail-on-empty-changeset"}
ALIASES = {"s3api": "s3"}  # the CLI's own name of a service: its name elsewhere
NUMBERS: Mapping[str, type[int | float]] = {"integer": int, "long": int, "float": float, "double": float}
BY_PAIRS = {"map", "structure"}

Options = Mapping[str, list[str]]


class WrongCallError(Exception):
    """A command that the AWS CLI would not take."""


@dataclass(frozen=True, slots=True)
class Call:
    """`aws SERVICE OPERATION`. `places`: words behind it that belong to no option. `waiter`: the waiter's name, or "".

    `model`: None for `cloudformation deploy`, which is a command of the CLI and not an operation.
    """

    name: str
    service: str
    model: OperationModel | None
    options: Options
    places: tuple[str, ...] = ()
    waiter: str = ""

    @classmethod
    def of(cls, arguments: Sequence[str]) -> "Call":
        """`arguments`: without the `aws`."""
        match list(arguments):
            case ["cloudformation", "deploy", *rest]:
                return cls("aws cloudformation deploy", "cloudformation", None, *_deploy_options(rest))
            case [service, "wait", waiter, *rest]:
                model = _waited_for(service, waiter)
                return cls(f"aws {service} wait {waiter}", service, model, *_options(rest, model), waiter)
            case [service, operation, *rest]:
                model = _operation(service, operation)
                own_name = ALIASES.get(service, service)
                return cls(f"aws {service} {operation}", own_name, model, *_options(rest, model))
        raise WrongCallError(f"aws {' '.join(arguments)}: a service and an operation are missing")

    def parameters(self, folder: Path) -> dict[str, Any]:
        """The operation's parameters. `folder`: where file:// and fileb:// names are looked up."""
        if self.model is None:
            raise WrongCallError(f"{self.name} is no operation")
        members = _members(self.model)
        parameters: dict[str, Any] = {}
        for option, values in self.options.items():
            if option in OWN_OPTIONS | OWN_FLAGS:
                continue
            name, shape, is_negated = _member(members, option, self.name)
            parameters[name] = False if is_negated else _value(shape, values, folder, f"{self.name} --{option}")
        return parameters

    def validate(self, folder: Path) -> None:
        """Raises WrongCallError if a required parameter is missing, or a value has a wrong type.

        A value that contains a shell variable counts as right.
        """
        if self.model is None:
            if missing := {"template-file", "stack-name"} - self.options.keys():
                raise WrongCallError(f"{self.name}: without {', '.join(sorted(missing))}")
            return
        shape = self.model.input_shape
        parameters = replace(self, options=self._filled_in()).parameters(folder)
        found = ParamValidator().validate(parameters, shape) if shape else None
        if found and found.has_errors():
            raise WrongCallError(f"{self.name}: {found.generate_report()}")

    def _filled_in(self) -> Options:
        members = _members(self.model) if self.model else {}
        shapes = {option: shape for option, (_, shape) in members.items()}
        return {
            option: [_filled_in(shapes[option], value) if option in shapes else value for value in values]
            for option, values in self.options.items()
        }


# --------------------------------------------------------------------------------------------------- botocore's models


@functools.cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@functools.cache
def _operations(service: str) -> Mapping[str, OperationModel]:
    """The operations of a service, as the CLI writes their names."""
    try:
        model = _session().get_service_model(ALIASES.get(service, service))
    except UnknownServiceError:
        raise WrongCallError(f"aws {service}: there is no such service") from None
    return {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}


def _operation(service: str, operation: str) -> OperationModel:
    found = _operations(service).get(operation)
    if found is None:
        raise WrongCallError(f"aws {service} {operation}: there is no such operation")
    return found


def _waited_for(service: str, waiter: str) -> OperationModel:
    """The operation that a waiter calls repeatedly."""
    _operations(service)
    model = _session().get_waiter_model(service)
    names = {xform_name(name, "-"): name for name in model.waiter_names}
    if waiter not in names:
        raise WrongCallError(f"aws {service} wait {waiter}: there is nothing of this name to wait for")
    return _operation(service, xform_name(model.get_waiter(names[waiter]).operation, "-"))


def _members(model: OperationModel) -> dict[str, tuple[str, Shape]]:
    """The operation's parameters, by option."""
    shape = model.input_shape
    members = shape.members if isinstance(shape, StructureShape) else {}
    return {xform_name(name, "-"): (name, member) for name, member in members.items()}


def _member(members: Mapping[str, tuple[str, Shape]], option: str, call: str) -> tuple[str, Shape, bool]:
    """The parameter of an option, and whether the option negates it (`--no-enable-...`)."""
    if option in members:
        return (*members[option], False)
    positive = option.removeprefix("no-")
    if positive in members and members[positive][1].type_name == "boolean":
        return (*members[positive], True)
    raise WrongCallError(f"{call}: there is no option --{option}")


# ------------------------------------------------------------------------------------------------- options and values


def _options(words: list[str], model: OperationModel) -> tuple[Options, tuple[str, ...]]:
    members = _members(model)
    many = {option for option, (_, shape) in members.items() if shape.type_name in {"list", *BY_PAIRS}}
    flags = {option for option, (_, shape) in members.items() if shape.type_name == "boolean"}
    return _split(words, many, flags | {f"no-{flag}" for flag in flags})


def _deploy_options(words: list[str]) -> tuple[Options, tuple[str, ...]]:
    options, places = _split(words, DEPLOY_TAKES_MANY, DEPLOY_FLAGS)
    known = DEPLOY_TAKES | DEPLOY_TAKES_MANY | DEPLOY_FLAGS | OWN_OPTIONS | OWN_FLAGS
    if unknown := options.keys() - known:
        raise WrongCallError(f"aws cloudformation deploy: there is no option --{', --'.join(sorted(unknown))}")
    return options, places


def _split(words: list[str], many: set[str], flags: set[str]) -> tuple[Options, tuple[str, ...]]:
    """The options with their values, and the words that are no option's value. `many`: options that take several values."""
    options: dict[str, list[str]] = {}
    places: list[str] = []
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word.removeprefix("--")
            options[name] = []
        elif name and name not in flags | OWN_FLAGS and (name in many or not options[name]):
            options[name].append(word)
        else:
            places.append(word)
    return options, tuple(places)


def _value(shape: Shape, values: list[str], folder: Path, where: str) -> Any:
    """One option's value, converted to the shape that the operation takes."""
    if shape.type_name == "boolean":
        return True
    if not values:
        raise WrongCallError(f"{where}: the value is missing")
    texts = [_read(shape, value, folder) for value in values]
    try:
        return _typed(shape, texts)
    except ValueError as error:
        raise WrongCallError(f"{where}: {error}") from None


def _filled_in(shape: Shape, value: str) -> str:
    """Puts a valid value in place of a shell variable."""
    if "$" not in value:
        return value
    if _is_streamed(shape):
        return os.devnull
    if shape.type_name == "blob":
        return "MQ=="
    return "1" if shape.type_name in NUMBERS else value.ljust(shape.metadata.get("min", 0))


def _read(shape: Shape, value: str, folder: Path) -> Any:
    """Reads the file if the value names one (file://, fileb://, or streamed). Bytes stay bytes."""
    if _is_streamed(shape):
        return (folder / value).read_bytes()
    if value.startswith("fileb://"):
        return (folder / value.removeprefix("fileb://")).read_bytes()
    if value.startswith("file://"):
        text = (folder / value.removeprefix("file://")).read_text()
        return text.encode() if shape.type_name == "blob" else text
    return value


def _is_streamed(shape: Shape) -> bool:
    return bool(shape.serialization.get("streaming"))


def _typed(shape: Shape, texts: list[Any]) -> Any:
    """Raises ValueError."""
    first = texts[0]
    if isinstance(first, bytes):
        return first
    if shape.type_name == "blob":
        return base64.b64decode(first, validate=True)
    if shape.type_name in {"list", *BY_PAIRS} and first.lstrip().startswith(("{", "[")):
        parsed = json.loads(first)
        return [parsed] if shape.type_name == "list" and isinstance(parsed, dict) else parsed
    if isinstance(shape, ListShape):
        of_pairs = shape.member.type_name in BY_PAIRS
        return [_pairs(shape.member, text) if of_pairs else text for text in texts]
    if shape.type_name in BY_PAIRS:
        return _pairs(shape, ",".join(texts))
    return NUMBERS.get(shape.type_name, str)(first)


def _pairs(shape: Shape, text: str) -> dict[str, Any]:
    """`A=b,C=true`. Where a list belongs, the CLI takes one value for a list of one. Raises ValueError."""
    members = shape.members if isinstance(shape, StructureShape) else {}
    pairs = dict(pair.split("=", 1) for pair in text.split(","))
    return {name: _member_value(members[name], value) if name in members else value for name, value in pairs.items()}


def _member_value(shape: Shape, text: str) -> Any:
    """Raises ValueError."""
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if isinstance(shape, ListShape):
        return [text]
    return NUMBERS.get(shape.type_name, str)(text)
