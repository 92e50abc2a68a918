"""Findings as a text that a person understands at three in the morning: what is wrong, with which key, what to run. Pure.

SNS takes a subject of less than 100 ASCII characters, and a message of 262,144 bytes. Nobody reads so much: the first
`DETAILED_MAX` findings come with all details and their commands, the others with one line each. What would make the message
longer than `BODY_MAX_CHARACTERS` is counted. The most urgent come first, so a finding that is only counted today moves up when
others are mended.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from imported_key_material.aws.held_materials import HeldMaterial
from imported_key_material.key_id import Home
from imported_key_material.watch import advice
from imported_key_material.watch.advice import HOLDERS_MAX, STATES, moment
from imported_key_material.watch.findings import Finding

SUBJECT_MAX_CHARACTERS: Final = 99
BODY_MAX_CHARACTERS: Final = 100_000
DETAILED_MAX: Final = 25
_AROUND_CHARACTERS: Final = 2_000  # of the head and the end, and to spare
_ALIASES_MAX: Final = 3
_PAGE: Final = "docs/operations.md"


@dataclass(frozen=True, slots=True)
class Digest:
    """What SNS gets."""

    subject: str
    body: str


def digest(findings: Sequence[Finding], home: Home, at: datetime) -> Digest:
    """`findings`: at least one, the urgent ones first. `at`: the time of the look."""
    counted = _counted(findings)
    head = (
        f"KMS keys with imported key material in account {home.account}, Region {home.region}, on {moment(at)}:\n"
        f"{counted}."
    )
    tail = (
        f"All keys of this Region, with their materials, ends and stacks:\n"
        f"     key-custodian inventory --region {home.region}\n"
        f"{_PAGE} has more about each finding. Urgent findings are sent twice a day until they end, the others on Mondays."
    )
    detailed = ["\n".join(_detailed(number, one)) for number, one in enumerate(findings[:DETAILED_MAX], start=1)]
    short = _short(findings[DETAILED_MAX:], BODY_MAX_CHARACTERS - _AROUND_CHARACTERS - sum(map(len, detailed)))
    subject = f"Imported KMS keys: {counted} in {home.account} {home.region}"
    return Digest(subject[:SUBJECT_MAX_CHARACTERS], "\n\n".join((head, *detailed, *short, tail)) + "\n")


def _counted(findings: Sequence[Finding]) -> str:
    urgent = sum(finding.urgent for finding in findings)
    counted = urgent or len(findings)
    text = f"{counted:,} {'urgent ' if urgent else ''}{'finding' if counted == 1 else 'findings'}"
    return f"{text}, {len(findings) - urgent:,} other" if 0 < urgent < len(findings) else text


def _short(findings: Sequence[Finding], room_characters: int) -> Iterator[str]:
    """One block, with one line for each finding while there is room."""
    lines: list[str] = []
    for number, finding in enumerate(findings, start=DETAILED_MAX + 1):
        line = f"{number}. {_problem(finding)} {_key(finding)}"
        room_characters -= len(line) + 1
        if room_characters < 0:
            lines.append(f"And {len(findings) - len(lines):,} more, which this message has no room for.")
            break
        lines.append(line)
    if lines:
        yield "\n".join(lines)


def _detailed(number: int, finding: Finding) -> Iterator[str]:
    said = advice.of(finding)
    yield f"{number}. {_problem(finding)}"
    yield f"   Key:        {_key(finding)}"
    for holder in finding.holders[:HOLDERS_MAX]:
        yield f"   Stack:      {holder.stack}, resource {holder.logical_id}, last deployed on {moment(holder.since)}"
    if len(finding.holders) > HOLDERS_MAX:
        yield f"   Stack:      and {len(finding.holders) - HOLDERS_MAX} more resources"
    if not finding.holders:
        yield "   Stack:      none that the watch knows declares it"
    for material in finding.materials:
        yield f"   Material:   {_material(material, finding.found_at)}"
    yield f"   What to do: {said.what_to_do}"
    yield from (f"     {command}" for command in said.commands)


def _problem(finding: Finding) -> str:
    return f"{'URGENT: ' if finding.urgent else ''}{advice.of(finding).problem}"


def _key(finding: Finding) -> str:
    names = ", ".join(finding.aliases[:_ALIASES_MAX])
    more = ", ..." if len(finding.aliases) > _ALIASES_MAX else ""
    return f"{finding.key_id.arn} ({names}{more})" if names else finding.key_id.arn


def _material(material: HeldMaterial, now: datetime) -> str:
    end = material.expiry.valid_to
    if material.is_lost(now):
        ends = "not in the key" if end is None else f"expired on {moment(end)}"
    else:
        ends = "does not end" if end is None else f"ends on {moment(end)}"
    return f"{material.id} {STATES.get(material.state, material.state)}, {ends}"
