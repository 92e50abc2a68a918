"""What the people who operate the keys see: the watch's digest in their mailbox, and the inventory."""

import time
from pathlib import Path

from lab.demo.evidence import NotShown
from lab.local.mailbox import Mail, Mailbox
from lab.local.session import LocalAws
from lab.program import Program

WATCH = "imported-key-material-watch"
TOPIC = "on-call"
MAIL_SECONDS = 30
POLL_SECONDS = 0.1


class OnCall:
    """The person whom AlarmTopicArn reaches."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._mailbox = Mailbox(aws, TOPIC)

    @property
    def topic_arn(self) -> str:
        return self._mailbox.topic_arn

    def run_watch(self) -> Mail:
        """Runs the watch by hand. Returns its digest."""
        answer = self._aws.client("lambda").invoke(FunctionName=WATCH)
        if "FunctionError" in answer:
            raise NotShown(f"the watch failed: {answer['Payload'].read().decode()}")
        deadline = time.monotonic() + MAIL_SECONDS
        while time.monotonic() < deadline:
            for mail in self._mailbox.take():
                if mail.subject.startswith("Imported KMS keys"):  # others are alarms
                    return mail
            time.sleep(POLL_SECONDS)
        raise NotShown(f"no digest of the watch came within {MAIL_SECONDS} s")


def inventory(aws: LocalAws, folder: Path) -> str:
    """What `key-custodian inventory` prints."""
    done = Program(folder, aws.settings.environment()).run("inventory")
    if done.code != 0:
        raise NotShown(f"key-custodian inventory ended with code {done.code}: {done.err}")
    return done.text
