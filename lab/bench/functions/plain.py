"""The cold start is compared with this function: it imports boto3, builds the same clients, makes the same calls, PUTs.

It runs with the application's own layer, under the same runtime client, with bytecode of the same kind. The application does
more: it reads the request, imports other libraries, checks, wraps and logs. The calls and the answer's body come in the event,
from the recording. The clients are equal to those of `imported_key_material.aws.clients`, timeouts and retries too
(tests/lab/bench/test_figures.py compares them).

Environment: PLAIN_CLIENTS, the names of the clients to build, separated by commas. Without it, all are built.
"""

import base64
import os
from collections.abc import Collection
from typing import Any

import boto3
import urllib3
from botocore.config import Config

CLIENTS = {  # as in `Clients` -> service, tries
    "kms": ("kms", 3),
    "kms_without_retries": ("kms", 1),
    "secrets": ("secretsmanager", 3),
    "cloudformation": ("cloudformation", 3),
}
CONNECT_TIMEOUT_SECONDS = 4
READ_TIMEOUT_SECONDS = 10


def make(session: Any, names: Collection[str] = CLIENTS) -> dict[str, Any]:
    return {
        name: session.client(
            service,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=READ_TIMEOUT_SECONDS,
                retries={"mode": "standard", "total_max_attempts": tries},
                use_fips_endpoint=False,
            ),
        )
        for name, (service, tries) in CLIENTS.items()
        if name in names
    }


clients = make(boto3.session.Session(), os.environ.get("PLAIN_CLIENTS", ",".join(CLIENTS)).split(","))


def handler(event: dict[str, Any], _context: object) -> int:
    for call in event["calls"]:
        parameters = {
            name: base64.b64decode(value["base64"]) if isinstance(value, dict) and "base64" in value else value
            for name, value in call["parameters"].items()
        }
        getattr(clients[call["client"]], call["method"])(**parameters)
    with urllib3.PoolManager(ca_certs=os.environ["AWS_CA_BUNDLE"]) as pool:
        response = pool.request("PUT", event["ResponseURL"], body=event["body"], headers={"content-type": ""})
    return response.status
