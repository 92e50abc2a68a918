"""The entry point of the Lambda function: the real clock, the real clients, the real log.

Environment (template.yaml sets it):
    APPLICATION_VERSION   a field of every log line
    RESPONSE_HOST         another host:port that a ResponseURL may name, for a local AWS; "" everywhere else
    FIPS_SERVICES         services whose FIPS endpoints are used, separated by commas; "" for none
"""

import gc

gc.disable()  # while modules load: the collector took a tenth of a cold start

import os
from typing import Final

import boto3
from aws_lambda_powertools import Logger

from imported_key_material.aws import boto_session, clients, metrics
from imported_key_material.clock import SystemClock
from imported_key_material.cloudformation.delivery import Delivery, Https
from imported_key_material.cloudformation.responder import Responder
from imported_key_material.safe_log import quieten_libraries
from imported_key_material.wiring import Wiring

PACKAGE: Final = "imported_key_material"


def _from_environment() -> Responder:
    quieten_libraries()  # first: at DEBUG the libraries log secrets and the event
    session = boto3.session.Session()
    services = boto_session.services(os.environ.get("FIPS_SERVICES", ""))
    clock = SystemClock()
    wiring = Wiring(
        clients.make(session, services),
        clock=clock,
        put=Delivery(clock, Https()),
        # It has the package's name, so that the loggers of all modules write through it, as JSON.
        log=Logger(service=PACKAGE, version=os.environ.get("APPLICATION_VERSION")),
        dns_suffix=boto_session.dns_suffix(session),
        response_host=os.environ.get("RESPONSE_HOST", ""),
        meter=metrics.EmbeddedMetrics(),
    )
    return wiring.responder()


handler: Final = _from_environment()

gc.freeze()  # the collector skips the loaded modules from now on
gc.enable()
