"""The program `key-custodian`: its commands, its exit codes, its output.

    exit 0  done, and every check passed
    exit 1  refused because of the material, a file, a key or AWS; or interrupted. Nothing was written, with four exceptions:
              - verify writes its receipt (--out) also if the verdict is not PROVED
              - put has done the steps before the failed step, and names them
              - inventory lists the accounts and Regions that it could read
              - if the report can't be printed (a closed pipe), the file or the version that it reports stays
    exit 2  a wrong call: an option is missing, unknown, has an invalid value, or does not go with another
    exit 3  verify, for a symmetric key: KMS shows the KeyMaterialId that is on paper. KMS does not prove that its
            bytes have the check value on paper

    stdout  the result: the report of a command, as text or with --json as one JSON object; the wrapped bytes with `--out -`
            (then the report goes to stderr)
    stderr  everything else: prompts, what was chosen and why, warnings, errors

Key material comes from a file, a pipe or a prompt, never from arguments or the environment, and no output holds it, except a
new component on its holder's screen. If a user gives a key as an argument all the same, no output repeats it, and it is not
sent to AWS. The error of a wrong call repeats none of its values. All output goes through `output.py`.

Each command is a module with a click command named `command`, imported when it is needed. A command raises `Refused` of the
function's own tree of errors; this module turns it into sentences and the exit code.

    check generate wrap split combine    the commands that need no network, except with a wrapping key in KMS
    put verify inventory           the commands that talk to AWS
    sources new_file               files, pipes and prompts in; files out
    wrapping_key key_wrap report   from checked material to the wrapped file, and the report about it
    report_file compared paper     the reports read again, and what verify compares a key with
    looks_wrapped                  wrapped material where a key is expected
    components new_components      the components of a split key: read and combined; made and shown
    content wrapped_file destination transport_key secret_plan storage verify_command
                                   what put looks at, plans, does and prints
    session evidence receipt       the calls to AWS, what the answers prove, and the receipt
    inventory_report               the list of keys as table, CSV or JSON
    options argument_types         options that commands share; what each option and argument takes
    words errors                   the checks' words for this tool's user; errors and exit codes
    output redaction               all output; what an error may repeat of the command line
    aws answers forms elsewhere    boto3, used only there; the forms of AWS's answers and names; calls to other addresses
"""

import contextlib
import difflib
import importlib
import io
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import IO, Any, NoReturn

import click

from imported_key_material.errors import ImportedKeyMaterialError
from key_custodian import output, redaction, version
from key_custodian.errors import REFUSED, lines_of

COMMANDS = ("check", "generate", "wrap", "split", "combine", "put", "verify", "inventory")  # in the order of use
_ARGUMENTS = f"{__name__}.arguments"  # key in click's context: the command line
_PR_SET_DUMPABLE = 4  # linux/prctl.h


class _Refusal(click.ClickException):
    """A refusal, shown on stderr. click exits with its exit code."""

    exit_code = REFUSED

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self._lines = lines

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002  # click's signature
        output.say(*self._lines, err=True)


class _WrongCall(click.UsageError):
    """click's error of a wrong call, printed by `output.py`."""

    def __init__(self, error: click.UsageError) -> None:
        super().__init__(error.format_message(), error.ctx)
        self._error = error

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002  # click's signature
        text = io.StringIO()
        self._error.show(text)
        output.say(*text.getvalue().expandtabs(2).splitlines(), err=True)


@contextlib.contextmanager
def _errors_as_sentences(arguments: Sequence[str]) -> Iterator[None]:
    """Turns errors into sentences. The error of a wrong call repeats none of its values."""
    try:
        yield
    except ImportedKeyMaterialError as error:
        raise _Refusal(lines_of(error)) from None
    except click.UsageError as error:
        raise _WrongCall(redaction.without_values(error, arguments)) from None


class _Context(click.Context):
    """Reports too many or too few arguments without quoting them, as click would."""

    def fail(self, message: str) -> NoReturn:  # noqa: ARG002  # click's signature
        raise redaction.UnknownWordError("The arguments do not match the usage above.", self)


class _Tool(click.Group):
    """Imports a command's module on demand, and shows errors as sentences that repeat no value."""

    context_class = _Context

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:
        with output.without(sys.argv[1:] if args is None else args):
            return super().main(args, *more, **extra)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        arguments = tuple(args)  # click empties the list
        with _errors_as_sentences(arguments):
            context = super().make_context(info_name, args, parent, **extra)
        context.meta[_ARGUMENTS] = arguments
        return context

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"key_custodian.{cmd_name}").command
        command.context_class = _Context
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchOption:
            raise
        except click.UsageError:
            near = difflib.get_close_matches(args[0].lower(), COMMANDS, n=1)  # only a command is repeated
            nearest = f" Did you mean {near[0]}?" if near else ""
            sentence = f"No such command.{nearest} The commands are {', '.join(COMMANDS)}."
            raise redaction.UnknownWordError(sentence, ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        with _errors_as_sentences(ctx.meta[_ARGUMENTS]):
            return super().invoke(ctx)


def _version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:  # noqa: FBT001  # click's signature
    if asked and not ctx.resilient_parsing:  # not while the shell completes a line
        output.say(version())
        ctx.exit()


@click.group(
    cls=_Tool,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
From a key file to a wrapped secret:
  key-custodian check key.bin --key-spec HMAC_256
  key-custodian wrap key.bin --key-spec HMAC_256 --wrapping-key transport.pem --out wrapped.bin

\b
A new key that nobody sees:
  key-custodian generate --key-spec SYMMETRIC_DEFAULT --wrapping-key transport.pem --out wrapped.bin

\b
`key-custodian COMMAND --help` shows a command's options and examples.
""",
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version.")
def cli() -> None:
    """Check, make, wrap, split, combine and store key material for AWS KMS.

    For those who hold key material that a CloudFormation stack is to import (Custom::ImportedKeyMaterial). The tool makes the
    same checks as the function that imports the material. Material is read from a file, a pipe or a prompt, never from the
    command line or the environment, and is never shown, except a new component to its holder.
    """


def _no_core_dump() -> None:
    """A crash of a library must not write the memory, which holds material, to the disk. Windows writes no core dumps.

    On Linux the limit is only for files. Against a program as core_pattern (core(5)), and against debuggers of the same user
    (ptrace(2)), the process must not be dumpable (prctl(2)).
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        resource = importlib.import_module("resource")
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with contextlib.suppress(ImportError, AttributeError, OSError):
            importlib.import_module("ctypes").CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _handle_signals() -> None:
    """Others act like Ctrl-C: buffers are wiped, the terminal echoes again, its screen and an unfinished file are erased."""
    for name in ("SIGTERM", "SIGHUP", "SIGQUIT"):  # Windows has only the first
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP on purpose
            signal.signal(number, signal.default_int_handler)


def main() -> NoReturn:
    _no_core_dump()
    _handle_signals()
    try:
        cli(prog_name="key-custodian")
    except Exception as error:  # noqa: BLE001  # a defect; the exception's text may hold anything
        import traceback  # noqa: PLC0415  # slow to load, and rarely needed

        output.say(
            "Traceback (without the exception's text, which might hold material):",
            *"".join(traceback.format_tb(error.__traceback__)).splitlines(),
            f"{type(error).__name__}: this is a defect of the tool; please report it with these lines.",
            err=True,
        )
        sys.exit(REFUSED)
    sys.exit(0)
