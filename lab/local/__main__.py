"""`make local`: a local AWS with the application deployed, to play with, until Ctrl-C.

Nothing of it stays: keys, secrets and stacks end with it.
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

TRY = """\
# A secret that holds a wrapped key; its tag lets the stack "orders" use it, and so does the tag of the key that opens it.
TRANSPORT=$(aws kms create-key --tags TagKey=imported-key-material,TagValue=orders --query KeyMetadata.KeyId --output text)
aws kms create-alias --alias-name alias/transport --target-key-id "$TRANSPORT"
openssl rand 32 > material.bin
aws secretsmanager create-secret --name orders/master-key --tags Key=imported-key-material,Value=orders \\
  --secret-string "$(aws kms encrypt --key-id alias/transport --plaintext fileb://material.bin \\
    --encryption-context imported-key-material={account}/orders/master-key --query CiphertextBlob --output text)"
rm material.bin

# A stack that declares it, and the key that then holds it.
aws cloudformation deploy --stack-name orders --template-file examples/symmetric.yaml \\
  --parameter-overrides SecretId=orders/master-key
aws kms describe-key --key-id alias/orders
aws cloudformation delete-stack --stack-name orders
"""

DEPLOY_AGAIN = """\
export PATH={python}:$PATH SAM_CLI_TELEMETRY=0   # SAM builds with the python3.13 that it finds on PATH
{sam} build
{sam} deploy --no-confirm-changeset --parameter-overrides ResponseHost={host}
# With --guided, give {host} as ResponseHost. Without it the function sends no answer, and every stack hangs.
"""


def main() -> int:
    told = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        told.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    tell("Starting a local AWS, and deploying the application ...")
    with LocalAws.shared(f"local-{os.getpid()}") as aws:
        tell(invitation(aws.settings))
        while not told.wait(LOOK_SECONDS):
            if not is_alive(aws.folder):
                tell("The local AWS has ended by itself.")
                return 1
    tell("The local AWS has ended, and nothing of it is left.")
    return 0


def invitation(settings: Settings) -> str:
    """What to type in another terminal."""
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in settings.environment().items())
    again = DEPLOY_AGAIN.format(python=places.base_python().parent, sam=places.sam(), host=settings.response_host)
    return f"""
Up. Ctrl-C ends it. In another terminal, in this folder:

{exports}

To try it with the AWS CLI:

{TRY.format(account=settings.account)}
To deploy your changes of the application:

{again}
The function's logs are in {places.function_logs(Path(settings.folder), settings.region, deploy.FUNCTION)}/.
"""


def tell(text: str) -> None:
    print(text, file=sys.stdout, flush=True)  # noqa: T201  # what `make local` is for


if __name__ == "__main__":
    sys.exit(main())
