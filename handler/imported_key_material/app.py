"""The entry point of the Lambda function: the real clock, the real clients, the real log.

Environment (template.yaml sets it):
    RESPONSE_HOST   host:port that is accepted for a ResponseURL besides CloudFormation's own; "" but on a local AWS
    FIPS_SERVICES   services whose FIPS endpoints are used, separated by commas; "" for none
"""

import gc

gc.disable()  # Skip the collector while modules load: it took a tenth of a cold start.

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
    quieten_libraries()  # before anything talks: at DEBUG they would log what passes through them
    session = boto3.session.Session()
    services = boto_session.services(os.environ.get("FIPS_SERVICES", ""))
    clock = SystemClock()
    wiring = Wiring(
        clients.make(session, services),
        clock=clock,
        put=Delivery(clock, Https()),
        # Named like the package, so that every module's own logger writes through it, as JSON.
        log=Logger(service=PACKAGE),
        dns_suffix=boto_session.dns_suffix(session),
        response_host=os.environ.get("RESPONSE_HOST", ""),
        meter=metrics.write,
    )
    return wiring.responder()


handler: Final = _from_environment()

gc.freeze()  # what was loaded stays: the collector skips it later, too
gc.enable()
