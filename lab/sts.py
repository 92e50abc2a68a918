"""STS's GetCallerIdentity, over the query protocol. Credentials are not checked."""

from typing import Final

from lab.wire import aws_json, aws_query
from lab.wire.transport import Refusal, Request, Response, caller_of

USER: Final = "custodian"


class Sts:
    name = "sts"
    fault_answers = aws_query.FAULT_ANSWERS

    def operation(self, request: Request) -> str:
        """Only its own, so that it may share an address with another service of this protocol."""
        action = aws_query.parameters(request.body).get("Action", "")
        return action if action == "GetCallerIdentity" else ""

    def refuse(self, refusal: Refusal) -> Response:
        return aws_query.refused(refusal)

    def handle(self, request: Request) -> Response:
        operation = self.operation(request)
        if not operation:
            return self.refuse(
                Refusal(400, "InvalidAction", "These tests' stand-in for STS only knows GetCallerIdentity.")
            )
        account = caller_of(request.headers).account
        answer = {"UserId": account, "Account": account, "Arn": f"arn:aws:iam::{account}:user/{USER}"}
        return aws_query.ok(aws_json.service_model("sts"), operation, answer)
