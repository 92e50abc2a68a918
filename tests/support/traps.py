"""crhelper's traps, numbered as in docs/internals/crhelper.md. A test that guards against one, or shows it, cites it."""

from collections.abc import Callable


class Traps:
    """`@traps(7)` on a test; `names[7]` is then its name."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}

    def __call__[Test: Callable[..., None]](self, number: int) -> Callable[[Test], Test]:
        def note(test: Test) -> Test:
            if number in self.names:
                raise ValueError(f"Trap {number} has two tests: {self.names[number]} and {test.__name__}.")
            self.names[number] = test.__name__
            return test

        return note
