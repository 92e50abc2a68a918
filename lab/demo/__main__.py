"""Runs the acts in their order. Exit code 0 and `demo: ok`, or 1 and what to look at."""

import sys

from lab.demo.acts import Demo
from lab.demo.openssl import OpenSslFailed
from lab.demo.playing import Play

OPENING = """\
Custom::ImportedKeyMaterial on a local AWS: CloudFormation, KMS, Secrets Manager, Lambda and IAM on this machine, over TLS,
without Docker and without an account. The demo deploys the real application; nothing leaves 127.0.0.1."""


def acts(demo: Demo) -> None:
    demo.deploy_application()
    demo.prepare_secrets()
    demo.create_stacks()
    demo.show_that_kms_holds_it()
    demo.change_expiry()
    demo.warn_of_the_expiry()
    demo.list_all_keys()
    demo.refuse_a_wrong_secret()
    demo.refuse_without_consent()
    demo.delete_stacks()
    demo.look_for_leaks()


PLAY = Play(
    name="demo",
    opening=OPENING,
    begins="A local AWS starts",
    acts=lambda story, aws, folder: acts(Demo.of(story, aws, folder)),
    expected=(OpenSslFailed,),
)

if __name__ == "__main__":
    sys.exit(PLAY.run())
