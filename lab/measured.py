"""What a function in a simulated world measures, in order."""

from imported_key_material.meter import Change, Ended, Meter, Unmetered, Waited


class Measured:
    """A `Meter` that keeps what it gets, in order, and passes it on to `further`."""

    def __init__(self) -> None:
        self.waits: list[Waited] = []
        self.changes: list[Change] = []
        self.ends: list[Ended] = []
        self.further: Meter = Unmetered()

    def waited(self, waited: Waited) -> None:
        self.waits.append(waited)
        self.further.waited(waited)

    def changed(self, change: Change) -> None:
        self.changes.append(change)
        self.further.changed(change)

    def ended(self, ended: Ended) -> None:
        self.ends.append(ended)
        self.further.ended(ended)
