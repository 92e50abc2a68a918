"""Counts how often a request reads a secret, and for how long an invocation holds plaintext. A crowd must not raise these.

A value is held from the service's answer (GetSecretValue or Decrypt) until the function wipes it. A value that became no
material, or was never wiped, is held to the end of its invocation. Copies that libraries make are not seen.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest.mock import patch

from imported_key_material.material.material_check import CheckedMaterial
from lab.clock import Now


@dataclass(slots=True)
class _Held:
    """`material`: the reference keeps other objects from getting its id."""

    material: CheckedMaterial
    since: datetime
    invocation: int


class Plaintext:
    """`current`: returns the number of the running invocation."""

    def __init__(self, clock: Now, current: Callable[[], int]) -> None:
        self.reads: Counter[tuple[str, str, str]] = Counter()  # by request, secret and version
        self.longest_seconds = 0.0
        self._clock = clock
        self._current = current
        self._answered: dict[int, datetime] = {}  # by invocation: the first answer that has not become material yet
        self._held: dict[int, _Held] = {}  # by the material's id()

    @property
    def reads_most(self) -> int:
        """The most reads of one version of one secret by one request, over all its invocations."""
        return max(self.reads.values(), default=0)

    def secret_read(self, request_id: str, secret: str, version_id: str) -> None:
        self.reads[request_id, secret, version_id] += 1
        self.answered()

    def answered(self) -> None:
        """A service has answered with plaintext, or with a value that becomes plaintext."""
        self._answered.setdefault(self._current(), self._clock.now())

    def ended(self, invocation: int) -> None:
        """The invocation has ended, and holds nothing any more."""
        since = self._answered.pop(invocation, None)
        if since is not None:
            self._let_go(since)
        for id_ in [id_ for id_, held in self._held.items() if held.invocation == invocation]:
            self._let_go(self._held.pop(id_).since)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Inside this block, each CheckedMaterial reports when it is made and when it is wiped."""
        make: Any = CheckedMaterial.__init__
        wipe = CheckedMaterial.wipe

        def made(material: CheckedMaterial, *args: Any, **kwargs: Any) -> None:
            make(material, *args, **kwargs)
            invocation, now = self._current(), self._clock.now()
            self._held[id(material)] = _Held(material, self._answered.pop(invocation, now), invocation)

        def wiped(material: CheckedMaterial) -> None:
            wipe(material)
            held = self._held.pop(id(material), None)
            if held is not None:
                self._let_go(held.since)

        with ExitStack() as stack:
            stack.enter_context(patch.object(CheckedMaterial, "__init__", made))
            stack.enter_context(patch.object(CheckedMaterial, "wipe", wiped))
            yield

    def _let_go(self, since: datetime) -> None:
        self.longest_seconds = max(self.longest_seconds, (self._clock.now() - since).total_seconds())
