"""Two people who each hold one component. Each types it at the custodian's terminal without seeing the other's."""

import secrets
from dataclasses import dataclass, field

from imported_key_material.material import check_value
from imported_key_material.material.key_specs import KEY_SPECS
from lab.ceremony.parties import Party
from lab.demo.evidence import NotShown
from lab.demo.story import INDENT
from lab.pages.command import Command
from lab.program import Program, Terminal, check_values_in

SPEC = KEY_SPECS["SYMMETRIC_DEFAULT"]


@dataclass(frozen=True, slots=True)
class Holder:
    """A component on paper, with its check value."""

    name: str
    component: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @property
    def check_value(self) -> str:
        return check_value.compute(SPEC, self.component)

    def types(self, terminal: Terminal, number: int) -> None:
        terminal.waits_for(f"Component {number}, 64 hex digits (is not shown): ")
        terminal.types(self.component.hex())
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
