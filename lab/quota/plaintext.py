"""How often a request reads a secret, and for how long an invocation holds plaintext: what a crowd must not drive up.

Held is what the function has from the service's answer (GetSecretValue's, or Decrypt's) to its own wipe. A value of which no
material was made, or that was never wiped, is held to the end of its invocation. Copies that libraries make are not seen.
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
    """`material`: kept, so that no other object gets its id."""

    material: CheckedMaterial
    since: datetime
    invocation: int


class Plaintext:
    """`current`: the number of the invocation that runs."""

    def __init__(self, clock: Now, current: Callable[[], int]) -> None:
        self.reads: Counter[tuple[str, str, str]] = Counter()  # by request, secret and version
        self.longest_seconds = 0.0
        self._clock = clock
        self._current = current
        self._answered: dict[int, datetime] = {}  # by invocation: the first answer of which no material was made yet
        self._held: dict[int, _Held] = {}  # by the material's identity

    @property
    def reads_most(self) -> int:
        """Of one version of one secret, by all invocations of one request."""
        return max(self.reads.values(), default=0)

    def secret_read(self, request_id: str, secret: str, version_id: str) -> None:
        self.reads[request_id, secret, version_id] += 1
        self.answered()

    def answered(self) -> None:
        """A service has answered with plaintext, or with what will be."""
        self._answered.setdefault(self._current(), self._clock.now())

    def ended(self, invocation: int) -> None:
        """Nothing of an invocation that is over can be used any more."""
        since = self._answered.pop(invocation, None)
        if since is not None:
            self._let_go(since)
        for id_ in [id_ for id_, held in self._held.items() if held.invocation == invocation]:
            self._let_go(self._held.pop(id_).since)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While it is open each CheckedMaterial tells when it is made, and when it is wiped."""
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
