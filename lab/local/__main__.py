"""`make local`: a local AWS with the application deployed, to play with, until Ctrl-C.

Nothing of it stays: keys, secrets and stacks disappear with it.
"""

import os
import shlex
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from lab.local import deploy, places
from lab.local.locks import is_alive
from lab.local.session import LocalAws
from lab.local.settings import Settings

LOOK_SECONDS = 0.5

SETTINGS_FILE_NAME = "aws.sh"

# No page uses these names, so the pages' own commands can be tried in the same local AWS.
TRY = """\
# A transport key, and a secret that holds a key wrapped under it. The tag of both lets the stack "tryout" use them.
TRYOUT=$(aws kms create-key --tags TagKey=imported-key-material,TagValue=tryout --query KeyMetadata.KeyId --output text)
aws kms create-alias --alias-name alias/tryout-transport --target-key-id "$TRYOUT"
openssl rand 32 > tryout.bin
aws secretsmanager create-secret --name tryout/key --tags Key=imported-key-material,Value=tryout \\
  --secret-string "$(aws kms encrypt --key-id alias/tryout-transport --plaintext fileb://tryout.bin \\
    --encryption-context imported-key-material={account}/tryout/key --query CiphertextBlob --output text)"
rm tryout.bin

# A stack that declares it, and the key that then holds it.
aws cloudformation deploy --stack-name tryout --template-file examples/symmetric.yaml \\
  --parameter-overrides SecretId=tryout/key TransportKeyId=alias/tryout-transport
aws kms describe-key --key-id alias/tryout
aws cloudformation delete-stack --stack-name tryout
"""

DEPLOY_AGAIN = """\
export PATH={python}:$PATH SAM_CLI_TELEMETRY=0   # SAM builds with the python3.13 that it finds on PATH
{sam} build
{sam} deploy --no-confirm-changeset --parameter-overrides ResponseHost={host}

Keep the parameter ResponseHost. `sam deploy --guided` asks for it: type {host}. With Enter it becomes empty; then the
function answers nobody, and every stack hangs.
"""


def main() -> int:
    signalled = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        signalled.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    tell("Starting a local AWS, and deploying the application ...")
    with LocalAws.shared(f"local-{os.getpid()}") as aws:
        tell(invitation(aws.settings, write_settings(aws.settings)))
        while not signalled.wait(LOOK_SECONDS):
            if not is_alive(aws.folder):
                tell("The local AWS has ended by itself.")
                return 1
    tell("The local AWS has ended, and nothing is left of it.")
    return 0


def write_settings(settings: Settings) -> Path:
    """Writes a file to source in a shell, into the local AWS's own folder, which is removed at the end."""
    exports = (f"export {name}={shlex.quote(value)}\n" for name, value in settings.environment().items())
    path = Path(settings.folder) / SETTINGS_FILE_NAME
    path.write_text("".join(exports))
    return path


def example(settings: Settings) -> str:
    return TRY.format(account=settings.account)


def invitation(settings: Settings, settings_file: Path) -> str:
    """The text that says what to type in another terminal."""
    again = DEPLOY_AGAIN.format(python=places.base_python().parent, sam=places.sam(), host=settings.response_host)
    return f"""
Up. Ctrl-C ends it. In another terminal, in this folder:

source {shlex.quote(str(settings_file))}

Then `aws`, `sam` and every SDK in that terminal use the local AWS, at {settings.endpoint_url}, and nothing else.
To try it with the AWS CLI:

{example(settings)}
To deploy your changes of the application:

{again}
The function's logs are in {places.function_logs(Path(settings.folder), settings.region, deploy.FUNCTION)}/.
"""


def tell(text: str) -> None:
    print(text, file=sys.stdout, flush=True)  # noqa: T201  # what `make local` is for


if __name__ == "__main__":
    sys.exit(main())
