"""What the probe runs: for each event it writes one object, events/STACK/..., and then answers as the property Answer says.

SUCCESS (default), FAILED, TWICE: FAILED first, NOTHING; OnDelete: for Delete. After: so many seconds later (not a Delete).
Under the property Id, or the id that the resource has. Bytes: so long. Patience: seconds in which it waits for its statuses.
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


def look(event: dict[str, Any]) -> dict[str, Any]:
    stack, name = event["StackId"], event["LogicalResourceId"]
    return {
        "looked_at": time.time(),
        "stack": ask(cfn.describe_stacks, StackName=stack),
        "resource": ask(cfn.describe_stack_resource, StackName=stack, LogicalResourceId=name),
        "resources": ask(cfn.list_stack_resources, StackName=stack),
        "events": ask(cfn.describe_stack_events, StackName=stack),
    }


def shows(seen: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether the statuses are this request's. Of a Delete only the events show it."""
    own = event["RequestType"].upper() + "_IN_PROGRESS"
    me = event["LogicalResourceId"], event.get("PhysicalResourceId", "")
    events = seen["events"].get("StackEvents", [])
    mine = [e["ResourceStatus"] for e in events if (e["LogicalResourceId"], e.get("PhysicalResourceId", "")) == me]
    status = seen["resource"].get("StackResourceDetail", {}).get("ResourceStatus")
    return mine[:1] == [own] and (own[0] == "D" or status == own)


def handler(event: dict[str, Any], _context: object) -> str:
    now, url = time.time(), event.pop("ResponseURL", None)
    if url is None:  # the deployment tries it
        write("ready", "ready")
        return "ready"
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query))
    kind, properties = event["RequestType"], event["ResourceProperties"]
    seen = look(event)
    while not (shown := shows(seen, event)) and time.time() < now + float(properties.get("Patience", 0)):
        time.sleep(1)
        seen = look(event)
    url_seen = {"host": parts.netloc, "query": sorted(query)}
    url_seen |= {k: query.get(k) for k in ("X-Amz-Date", "X-Amz-Expires")}
    seen |= {"event": event, "received_at": now, "shown": shown, "url": url_seen}
    file = f"{event['StackId'].split('/')[1]}/{now:017.6f}-{kind}-{event['RequestId']}"
    write(f"events/{file}", json.dumps(seen, default=str).replace(url, ""))
    deletes = kind == "Delete"
    answer = properties.get("OnDelete" if deletes else "Answer", "SUCCESS")
    id_ = event.get("PhysicalResourceId") or f"probe-{event['RequestId']}"
    body = {"Reason": "asked to", "PhysicalResourceId": id_ if deletes else properties.get("Id", id_)}
    body |= {k: event[k] for k in ("StackId", "RequestId", "LogicalResourceId")}
    if not deletes:
        time.sleep(float(properties.get("After", 0)))
    for status in {"TWICE": ["FAILED", "SUCCESS"], "NOTHING": []}.get(answer, [answer]):
        text = json.dumps({"Status": status, **body})
        text += " " * (int(properties.get("Bytes", 0)) - len(text) if not deletes else 0)
        code = send(url, text.encode(), {"content-type": ""})
        write(f"answers/{file}-{status}", str(code))
    return str(answer)
