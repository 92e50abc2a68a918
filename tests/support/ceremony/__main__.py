"""The order of the acts. Exit code 0 and `ceremony: ok`, or 1 and what failed."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from tests.support.ceremony.acts import Ceremony
from tests.support.ceremony.page import NotOnThePageError
from tests.support.demo.evidence import NotShown
from tests.support.demo.story import Story
from tests.support.local import places
from tests.support.local.deploy import SamFailed
from tests.support.local.ministack import DidNotStart
from tests.support.local.session import LocalAws, nothing
from tests.support.local.stacks import DidNotEnd
from tests.support.softhsm import SoftHsmMissingError

EXPECTED = (
    NotShown,
    NotOnThePageError,
    SoftHsmMissingError,
    SamFailed,
    DidNotStart,
    DidNotEnd,
    ClientError,
    BotoCoreError,
    subprocess.TimeoutExpired,
    FileNotFoundError,  # a tool that is missing: places.py says how to install it
)
LOGS = places.REPOSITORY / "build" / "ceremony-logs"
OPENING = """\
The key ceremony of docs/ceremony.md on a local AWS, by separate parties with separate permissions: each role has the policy
of that page, each command is one of that page, and runs as a process with the credentials of its party alone."""


def main() -> int:
    story, failure = Story(sys.stdout), Story(sys.stderr)
    story.tell(OPENING)
    folder = places.temporary_folder("ceremony")
    try:
        play(story, folder)
    except EXPECTED as error:
        failure.tell(f"\nceremony: FAILED. {error}")
        if LOGS.exists():
            failure.tell(f"What was logged until then is in {LOGS.relative_to(places.REPOSITORY)}/.")
        return 1
    except KeyboardInterrupt:
        failure.tell("\nceremony: stopped.")
        return 130
    finally:
        places.remove_tree(folder)
    story.end("ceremony: ok")
    return 0


def play(story: Story, folder: Path) -> None:
    places.remove_tree(LOGS)
    with ExitStack() as afterwards:
        with story.act("A local AWS starts, with IAM enforced"):
            aws = afterwards.enter_context(LocalAws.shared(f"ceremony-{os.getpid()}", prepare=nothing))
            settings = aws.settings
            story.facts({"endpoint": settings.endpoint_url, "account": settings.account, "Region": settings.region})
        try:
            acts(Ceremony(story, aws, folder))
        except BaseException:
            aws.save_logs(LOGS)
            raise


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


if __name__ == "__main__":
    sys.exit(main())
