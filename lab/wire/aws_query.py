"""AWS's query protocol, by botocore's model of a service: a form in, XML out. It supports only flat parameters.

Source: Smithy 2.0, "AWS query protocol".
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, SubElement, tostring

from botocore.model import ServiceModel, Shape

from lab.wire.transport import Fault, FaultAnswers, Refusal, Response

_REQUEST_ID = "00000000-0000-4000-8000-000000000000"
_HEADERS = {"Content-Type": "text/xml"}
FAULT_ANSWERS: FaultAnswers = {
    Fault.THROTTLED: Refusal(400, "Throttling", "Rate exceeded"),
    Fault.INTERNAL_ERROR: Refusal(500, "InternalFailure", "An internal error occurred."),
    Fault.DEPENDENCY_TIMEOUT: Refusal(503, "ServiceUnavailable", "Service Unavailable"),
}


def parameters(body: bytes) -> dict[str, str]:
    """The form's fields, with Action and Version. Bytes that are not a form give none."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError:
        return {}


def ok(model: ServiceModel, operation: str, answer: Mapping[str, Any]) -> Response:
    shape = model.operation_model(operation).output_shape
    root = Element(f"{operation}Response", xmlns=model.metadata["xmlNamespace"])
    if shape is not None:
        _fill(SubElement(root, f"{operation}Result"), shape, answer)
    SubElement(SubElement(root, "ResponseMetadata"), "RequestId").text = _REQUEST_ID
    return Response(200, dict(_HEADERS), tostring(root))


def refused(refusal: Refusal) -> Response:
    root = Element("ErrorResponse")
    error = SubElement(root, "Error")
    SubElement(error, "Type").text = "Sender" if refusal.status < 500 else "Receiver"
    SubElement(error, "Code").text = refusal.code
    if refusal.message is not None:
        SubElement(error, "Message").text = refusal.message
    SubElement(root, "RequestId").text = _REQUEST_ID
    return Response(refusal.status, dict(_HEADERS), tostring(root))


def _fill(element: Element, shape: Any, value: Any) -> None:
    kind = shape.type_name
    if kind == "structure":
        for name, member in value.items():
            member_shape: Shape = shape.members[name]
            _fill(SubElement(element, member_shape.serialization.get("name", name)), member_shape, member)
    elif kind == "list":
        for member in value:
            _fill(SubElement(element, shape.member.serialization.get("name", "member")), shape.member, member)
    elif kind == "timestamp":
        element.text = value.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    elif kind == "boolean":
        element.text = "true" if value else "false"
    else:
        element.text = str(value)
