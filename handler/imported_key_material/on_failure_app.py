"""The entry point of the on-failure function: the real clock, the only client that it needs, the real log.

Environment (template.yaml sets it): APPLICATION_VERSION, RESPONSE_HOST and FIPS_SERVICES, as in `app.py`.
"""

import os
from typing import Final, cast

import boto3
from aws_lambda_powertools import Logger

from imported_key_material.aws import boto_session
from imported_key_material.aws.cloudformation_reads import CloudFormation
from imported_key_material.clock import SystemClock
from imported_key_material.cloudformation.delivery import Delivery, Https
from imported_key_material.cloudformation.on_failure import OnFailure
from imported_key_material.safe_log import quieten_libraries

PACKAGE: Final = "imported_key_material"


def _from_environment() -> OnFailure:
    quieten_libraries()  # first: at DEBUG the libraries log secrets and the event
    session = boto3.session.Session()
    fips_services = boto_session.services(os.environ.get("FIPS_SERVICES", ""))
    client = session.client("cloudformation", config=boto_session.config("cloudformation", fips_services))
    clock = SystemClock()
    return OnFailure(
        cast("CloudFormation", client),
        clock,
        Delivery(clock, Https()),
        # It has the package's name, so that the loggers of all modules write through it, as JSON.
        Logger(service=PACKAGE, version=os.environ.get("APPLICATION_VERSION")),
        boto_session.dns_suffix(session),
        os.environ.get("RESPONSE_HOST", ""),
    )


handler: Final = _from_environment()
