"""STS's GetCallerIdentity, over the query protocol. Credentials are not checked."""

from typing import Final

from lab.wire import aws_json, aws_query
from lab.wire.transport import Fault, FaultAnswers, Refusal, Request, Response, caller_of

USER: Final = "custodian"
FAULT_ANSWERS: FaultAnswers = {
    Fault.THROTTLED: Refusal(400, "Throttling", "Rate exceeded"),
    Fault.INTERNAL_ERROR: Refusal(500, "InternalFailure", "An internal error occurred."),
    Fault.DEPENDENCY_TIMEOUT: Refusal(503, "ServiceUnavailable", "Service Unavailable"),
}


class Sts:
    name = "sts"
    fault_answers = FAULT_ANSWERS

    def operation(self, request: Request) -> str:
        return aws_query.parameters(request.body).get("Action", "")

    def refuse(self, refusal: Refusal) -> Response:
        return aws_query.refused(refusal)

    def handle(self, request: Request) -> Response:
        operation = self.operation(request)
        if operation != "GetCallerIdentity":
            return self.refuse(
                Refusal(400, "InvalidAction", f"These tests' stand-in for STS does not know {operation}.")
            )
        account = caller_of(request.headers).account
        answer = {"UserId": account, "Account": account, "Arn": f"arn:aws:iam::{account}:user/{USER}"}
        return aws_query.ok(aws_json.service_model("sts"), operation, answer)
