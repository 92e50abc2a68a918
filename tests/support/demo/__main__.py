"""The order of the acts. Exit code 0 and `demo: ok`, or 1 and what to look at."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from tests.support.demo.acts import Demo
from tests.support.demo.evidence import NotShown
from tests.support.demo.openssl import OpenSslFailed
from tests.support.demo.story import Story
from tests.support.local import places
from tests.support.local.deploy import SamFailed
from tests.support.local.ministack import DidNotStart
from tests.support.local.session import LocalAws, nothing
from tests.support.local.stacks import DidNotEnd

EXPECTED = (
    NotShown,
    OpenSslFailed,
    SamFailed,
    DidNotStart,
    DidNotEnd,
    ClientError,
    BotoCoreError,
    subprocess.TimeoutExpired,
    FileNotFoundError,  # a tool that is missing: places.py says how to install it
)
LOGS = places.REPOSITORY / "build" / "demo-logs"
OPENING = """\
Custom::ImportedKeyMaterial on a local AWS: CloudFormation, KMS, Secrets Manager, Lambda and IAM on this machine, over TLS,
without Docker and without an account. What is deployed is what you would deploy; nothing leaves 127.0.0.1."""


def main() -> int:
    story, failure = Story(sys.stdout), Story(sys.stderr)
    story.tell(OPENING)
    folder = places.temporary_folder("demo-custodian")
    try:
        play(story, folder)
    except EXPECTED as error:
        failure.tell(f"\ndemo: FAILED. {error}")
        if LOGS.exists():
            failure.tell(f"What was logged until then is in {LOGS.relative_to(places.REPOSITORY)}/.")
        return 1
    except KeyboardInterrupt:
        failure.tell("\ndemo: stopped.")
        return 130
    finally:
        places.remove_tree(folder)
    story.end("demo: ok")
    return 0


def play(story: Story, folder: Path) -> None:
    places.remove_tree(LOGS)
    with ExitStack() as afterwards:
        with story.act("A local AWS starts"):
            aws = afterwards.enter_context(LocalAws.shared(f"demo-{os.getpid()}", prepare=nothing))
            settings = aws.settings
            story.facts({"endpoint": settings.endpoint_url, "account": settings.account, "Region": settings.region})
        try:
            acts(Demo.of(story, aws, folder))
        except BaseException:
            aws.save_logs(LOGS)
            raise


def acts(demo: Demo) -> None:
    demo.deploy_application()
    demo.prepare_secrets()
    demo.create_stacks()
    demo.show_that_kms_holds_it()
    demo.change_expiry()
    demo.refuse_a_wrong_secret()
    demo.refuse_without_consent()
    demo.delete_stacks()
    demo.look_for_leaks()


if __name__ == "__main__":
    sys.exit(main())
