"""As a process it takes credentials, Region, endpoint and certificate from the environment, as the AWS CLI does."""

import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from lab.aws_cli.cli import Cli


def main(arguments: list[str]) -> int:
    session = boto3.session.Session()
    config = Config(proxies={})

    def client(service: str, region: str) -> Any:
        return session.client(  # type: ignore[call-overload]  # the stubs know literal names only
            service, config=config, region_name=region or None
        )

    return Cli(client, Path(), sys.stdout, sys.stderr).run(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
