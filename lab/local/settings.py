"""How a client reaches the local AWS. The service writes it into a file, and users read it."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

REGION = "eu-central-1"
ACCOUNT = "111122223333"  # the account that AWS's own examples use
ADMIN_ACCESS_KEY = ACCOUNT  # MiniStack takes a 12-digit access key for the root user of that account
FILE_NAME = "settings.json"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials that an SDK signs with. MiniStack's are worth nothing anywhere else."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """Endpoint, certificate, Region and credentials. `response_host`: where ResponseURLs lead, `host:port`."""

    endpoint_url: str
    response_host: str
    ca_bundle: str
    folder: str
    region: str = REGION
    account: str = ACCOUNT
    credentials: Credentials = Credentials(ADMIN_ACCESS_KEY, "local")  # accepted only by the local AWS

    def with_credentials(self, credentials: Credentials) -> "Settings":
        return replace(self, credentials=credentials)

    def environment(self) -> dict[str, str]:
        """The variables that make any AWS SDK, the AWS CLI and SAM use the local AWS, and nothing else.

        They override the host's own AWS and certificate settings, also the shared files of ~/.aws.
        """
        variables = {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_CA_BUNDLE": self.ca_bundle,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_access_key,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if self.credentials.session_token:
            variables["AWS_SESSION_TOKEN"] = self.credentials.session_token
        return variables

    def write(self, folder: Path) -> None:
        """Writes the file in one step: a reader never sees half a file."""
        draft = folder / f"{FILE_NAME}.new"
        draft.write_text(json.dumps(asdict(self)))
        draft.rename(folder / FILE_NAME)

    @classmethod
    def read(cls, folder: Path) -> "Settings":
        values = json.loads((folder / FILE_NAME).read_text())
        return cls(**values | {"credentials": Credentials(**values["credentials"])})
