"""Custodians who each hold one component. Each makes it on a machine of their own, and later types it at the offline one."""

import re
from dataclasses import dataclass, field

from lab.ceremony.parties import Party
from lab.demo.evidence import NotShown
from lab.demo.story import INDENT
from lab.pages.command import Command
from lab.program import Program, Terminal, check_values_in

ERASED = "Then press Enter: the screen is erased "


@dataclass(slots=True)
class Holder:
    """A custodian with a separate machine. `sheet`: the component as it was on the screen; `check_value`: beside it."""

    machine: Party
    sheet: str = field(default="", repr=False)
    check_value: str = ""

    @property
    def name(self) -> str:
        return self.machine.name

    @property
    def component(self) -> bytes:
        return bytes.fromhex(self.sheet)

    def makes(self, command: Command) -> None:
        """Runs a command of the page at a terminal, and copies what the screen shows. Raises NotShown if it fails."""
        self.machine.ran.append(command.text)
        self.machine.story.tell(f"{INDENT}{self.name} $ {command.text}")
        program = Program(self.machine.folder, self.machine.environment)
        with program.at_terminal(*command.words({})[1:]) as terminal:
            try:
                terminal.waits_for(ERASED)
                terminal.types("")
                code = terminal.ends()
            except AssertionError:  # its text holds the screen
                raise NotShown(f"{self.name}: no component was shown") from None
        _, screen, rest = terminal.screens
        self.sheet = " ".join(re.findall(r"^ {4}([0-9A-F ]+)$", screen, re.MULTILINE))
        self.check_value = min(check_values_in(screen))
        if code != 0 or self.sheet in rest or command.missing(rest):
            raise NotShown(f"{self.name}: the command ended with {code}, or did not print what the page says")
        self.machine.story.say(f"{self.name} copies the component, which nobody else sees, and {self.check_value}.")

    def types(self, terminal: Terminal, number: int) -> None:
        terminal.waits_for(f"Component {number}, 64 hex digits (is not shown): ")
        terminal.types(self.sheet)
        terminal.waits_for(f"Check value of component {number}: {self.check_value}")
        terminal.waits_for("Is it the one on paper? [y/N]: ")
        terminal.types("y")


def combine(custodian: Party, command: Command, holders: tuple[Holder, ...], **values: str) -> None:
    """Runs a command of the page at a terminal, with the holders one after the other. Raises NotShown if it fails."""
    custodian.ran.append(command.text)
    custodian.story.tell(f"{INDENT}{custodian.name} $ {command.with_values(values)}")
    words = command.words(values)
    at = words.index(">")
    program = Program(custodian.folder, custodian.environment)
    with (
        (custodian.folder / words[at + 1]).open("wb") as report,
        program.at_terminal(*words[1:at], stdout=report.fileno()) as terminal,
    ):
        try:
            for number, holder in enumerate(holders, start=1):
                holder.types(terminal, number)
                custodian.story.say(
                    f"{holder.name} types component {number}, unseen, and compares {holder.check_value}."
                )
            code = terminal.ends()
        except AssertionError as error:
            raise NotShown(f"key-custodian combine did not go on as expected: {error}") from None
    screens = [check_values_in(screen) for screen in terminal.screens]
    together = [sum(holder.check_value in screen for holder in holders) for screen in screens]
    if code != 0 or max(together) > 1:
        raise NotShown(f"key-custodian combine ended with {code}; check values on one screen: {max(together)}")
    if missing := command.missing(terminal.screens[-1]):
        raise NotShown(f"key-custodian combine did not print what the page says: {missing[0]}")
    custodian.shows(terminal.screens[-1])
