"""What the probe runs: for each event it writes one object, events/..., and then answers as the property Answer says.

SUCCESS (default), FAILED; TWICE: FAILED first; NOTHING; LATER: SUCCESS after the seconds of After. OnDelete: for Delete.
Under the property Id, or the id that the resource has.
"""

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest

session = boto3.session.Session()
cfn = session.client("cloudformation")


def write(name: str, text: str) -> None:
    """PutObject. The boto3 of a layer may know no S3."""
    request = AWSRequest("PUT", os.environ["FILES"] + "/" + name, {"content-type": "text/plain"}, text.encode())
    credentials: Any = session.get_credentials()  # a function's role always has some
    S3SigV4Auth(credentials, "s3", os.environ["AWS_REGION"]).add_auth(request)
    send(str(request.url), text.encode(), dict(request.headers))


def send(url: str, body: bytes, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, data=body, headers=headers, method="PUT")  # noqa: S310  # https
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # https
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def ask(call: Any, **parameters: str) -> Any:
    try:
        return {**call(**parameters), "ResponseMetadata": None}
    except Exception as error:  # noqa: BLE001  # it is what was seen
        return {"error": getattr(error, "response", {"Error": {"Code": type(error).__name__}})["Error"]}


def handler(event: dict[str, Any], _context: object) -> str:
    now, url = time.time(), event.pop("ResponseURL", None)
    if url is None:  # the deployment tries it
        write("ready", "ready")
        return "ready"
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query))
    stack, name, properties = event["StackId"], event["LogicalResourceId"], event["ResourceProperties"]
    seen = {
        "event": event,
        "received_at": now,
        "url": {
            "host": parts.netloc,
            "query": sorted(query),
            **{k: query.get(k) for k in ("X-Amz-Date", "X-Amz-Expires")},
        },
        "stack": ask(cfn.describe_stacks, StackName=stack),
        "resource": ask(cfn.describe_stack_resource, StackName=stack, LogicalResourceId=name),
        "resources": ask(cfn.list_stack_resources, StackName=stack),
        "events": ask(cfn.describe_stack_events, StackName=stack),
    }
    file = f"{now:017.6f}-{event['RequestType']}-{event['RequestId']}"
    write(f"events/{file}", json.dumps(seen, default=str).replace(url, ""))
    deletes = event["RequestType"] == "Delete"
    answer = properties.get("OnDelete" if deletes else "Answer", "SUCCESS")
    id_ = event.get("PhysicalResourceId") or f"probe-{event['RequestId']}"
    body = {"Reason": "asked to", "PhysicalResourceId": id_ if deletes else properties.get("Id", id_)}
    body |= {k: event[k] for k in ("StackId", "RequestId", "LogicalResourceId")}
    if answer == "LATER":
        time.sleep(float(properties["After"]))
    for status in {"TWICE": ["FAILED", "SUCCESS"], "NOTHING": [], "LATER": ["SUCCESS"]}.get(answer, [answer]):
        code = send(url, json.dumps({"Status": status, **body}).encode(), {"content-type": ""})
        write(f"answers/{file}-{status}", str(code))
    return str(answer)
