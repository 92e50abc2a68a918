"""Runs the acts in their order. Exit code 0 and `ceremony: ok`, or 1 and what failed."""

import sys

from lab.ceremony.acts import Ceremony
from lab.ceremony.page import NotOnThePageError
from lab.demo.playing import Play
from lab.keys.softhsm import SoftHsmMissingError

OPENING = """\
The key ceremony of docs/ceremony.md on a local AWS, by separate parties with separate permissions: each role has its policy of
examples/ceremony/, each command is from that page, and runs as a process with only the credentials of its party."""


def acts(ceremony: Ceremony) -> None:
    ceremony.deploy_application()
    ceremony.admit_parties()
    ceremony.make_transport_key()
    ceremony.wrap_a_key_file()
    ceremony.combine_components()
    ceremony.wrap_in_an_hsm()
    ceremony.store()
    ceremony.deploy_stacks()
    ceremony.take_receipts()
    ceremony.destroy()
    ceremony.audit()
    ceremony.refuse()
    ceremony.revoke_and_recover()
    ceremony.rotate()
    ceremony.look_for_leaks()


PLAY = Play(
    name="ceremony",
    opening=OPENING,
    begins="A local AWS starts, with IAM enforced",
    acts=lambda story, aws, folder: acts(Ceremony(story, aws, folder)),
    expected=(NotOnThePageError, SoftHsmMissingError),
)

if __name__ == "__main__":
    sys.exit(PLAY.run())
