"""The entry point of the watch: the real clock, the clients that it needs, the real log.

Environment (template.yaml sets it):
    ALARM_TOPIC_ARN        the topic that gets the digests
    EXPIRY_WARNING_DAYS    how many days before its end a key is reported
    SERVICE_TOKEN_EXPORT   the name of the exported ServiceToken, which the stacks import
    APPLICATION_VERSION, FIPS_SERVICES   as in `app.py`
"""

import os
from typing import Final, cast

import boto3
from aws_lambda_powertools import Logger

from imported_key_material.aws import boto_session
from imported_key_material.clock import SystemClock
from imported_key_material.safe_log import quieten_libraries
from imported_key_material.watch import metrics
from imported_key_material.watch.calls import Clients, CloudFormation, Kms, Sns
from imported_key_material.watch.run import Settings, Watch

PACKAGE: Final = "imported_key_material"


def _from_environment() -> Watch:
    quieten_libraries()  # first: at DEBUG the libraries log whole answers
    session = boto3.session.Session()
    services = boto_session.services(os.environ.get("FIPS_SERVICES", ""))
    clients = Clients(
        cast("Kms", session.client("kms", config=boto_session.config("kms", services))),
        cast(
            "CloudFormation", session.client("cloudformation", config=boto_session.config("cloudformation", services))
        ),
        cast("Sns", session.client("sns", config=boto_session.config("sns", services))),
    )
    settings = Settings(
        os.environ["ALARM_TOPIC_ARN"],
        int(os.environ["EXPIRY_WARNING_DAYS"]),
        os.environ["SERVICE_TOKEN_EXPORT"],
    )
    # The log has the package's name: the loggers of all modules write through it, as JSON.
    log = Logger(service=PACKAGE, version=os.environ.get("APPLICATION_VERSION"))
    return Watch(clients, settings, SystemClock(), log, metrics.write)


handler: Final = _from_environment()
