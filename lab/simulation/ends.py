"""Judges stacks at rest, and the end of a history: rules 2, 8 and 9 of docs/internals/simulation.md."""

import base64
from collections.abc import Iterable, Iterator

from imported_key_material.cloudformation.delivery import DeliveryFailed
from imported_key_material.errors import ImportedKeyMaterialError, Leave
from lab.simulation.engine import Stack
from lab.simulation.functions import Crash, OutOfTime
from lab.simulation.notes import uuid_of
from lab.simulation.requests import SIGNATURE
from lab.simulation.resources import Resource
from lab.simulation.watch import Watch


class Ends:
    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._truth = watch.truth
        self.slow = False  # calls take seconds: then nothing is promised about the time of an invocation's end

    def held_key(self, stack: Stack, resource: Resource) -> str | None:
        """The ARN of the key that a resource holds; None if it holds none."""
        account = stack.id.split(":")[4]
        arn = f"arn:aws:kms:{stack.region}:{account}:key/{uuid_of(resource.physical_id)}"
        return arn if resource.physical_id in (arn, uuid_of(arn)) and self._truth.key(arn) is not None else None

    def standing(self) -> Iterator[tuple[Stack, Resource, str]]:
        """Each complete resource of a finished stack, with its key."""
        for stack in self._watch.stacks:
            for resource in stack.resources.values() if stack.stands else ():
                arn = self.held_key(stack, resource)
                if arn is not None and resource.status.endswith("_COMPLETE"):
                    yield stack, resource, arn

    def rest(self, stack: Stack) -> None:
        """Rule 2: a key in use holds its material, unless a person, its expiry or another stack took it away."""
        for its, resource, arn in self.standing():
            if its is not stack:
                continue
            for material in self._truth.missing(arn):
                if not self._is_excused(arn, material.id, stack):
                    name = self._watch.name_of(arn)
                    raise self._watch.broken(
                        2, f"{stack.name}.{resource.logical_id} stands, and {name} lacks its material"
                    )

    def _is_excused(self, arn: str, material_id: str, stack: Stack) -> bool:
        """Whether the material's expiry, a person, or another stack removed it last (rule 4 judges consent)."""
        self._truth.note_expiry(arn)
        who = self._truth.ledger(arn).removed_by.get(material_id)
        return who is not None and who != stack.id

    def over(self) -> None:
        """Rule 9: every stack has reached a final state, and nothing is under way."""
        for stack in self._watch.stacks:
            if not stack.at_rest:
                raise self._watch.broken(9, f"{stack.name} stays {stack.status}")
            self.rest(stack)
        for invocation in self._watch.invocations():
            if isinstance(invocation.error, OutOfTime) and not self.slow:
                raise self._watch.fault(6, invocation, "lives, and has no answer when Lambda's time for it is over")
            # If the on-failure function can't find something out, it raises, and Lambda tries again.
            ends = (Crash, DeliveryFailed, Leave, *((ImportedKeyMaterialError,) if invocation.on_failure else ()))
            if invocation.error is not None and not isinstance(invocation.error, ends):
                raise self._watch.fault(6, invocation, f"ends with {type(invocation.error).__name__}")
        if self._watch.scheduler.alive:
            names = ", ".join(task.name for task in self._watch.scheduler.alive)
            raise self._watch.broken(9, f"the world has stopped, and these still wait: {names}")

    def leaks(self, answers: Iterable[str], secrets: Iterable[bytes]) -> None:
        """Rule 8: no material, no secret, no ResponseURL in any answer, log or exception."""
        invocations = list(self._watch.invocations())
        logs = (line for one in invocations for line in one.log)
        errors = (text for one in invocations if one.error is not None for text in _words(one.error))
        everything = "\n".join([*answers, *logs, *errors])
        if SIGNATURE in everything:
            raise self._watch.broken(8, "a ResponseURL got out")
        for secret in secrets:
            for form in forms(secret):
                if form in everything:
                    raise self._watch.broken(8, "material got out")


def forms(secret: bytes) -> Iterator[str]:
    """How the middle of the bytes looks in a text: so a container, a prefix or another base64 alignment does not hide them."""
    core = secret[
        -24:
    ]  # for an elliptic curve's PKCS#8: inside the private value or the public point; for a secret: most of it
    yield core.hex()
    yield core.hex().upper()
    yield core.decode("latin-1")
    yield repr(core)[2:-1]
    yield str(list(core))[1:-1]
    for skip in range(3):  # base64 has three alignments; the groups at both ends may differ
        aligned = core[skip : skip + (len(core) - skip) // 3 * 3]
        yield base64.b64encode(aligned).decode()
        yield base64.urlsafe_b64encode(aligned).decode()


def _words(error: BaseException) -> Iterator[str]:
    """All texts of an exception and of its causes."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield repr(one)
        yield str(vars(one))
        waiting += [one.__cause__, one.__context__]
