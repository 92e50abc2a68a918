"""A service with the JSON 1.1 protocol, around a function that runs one operation.

Every request gets an answer: a body that does not fit the model gives SerializationException, an unknown target
UnknownOperationException, an AwsError its refusal. Region and account come from the signature.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from lab.wire import aws_json
from lab.wire.transport import (
    DEFAULT_ACCOUNT,
    DEFAULT_REGION,
    AwsError,
    Caller,
    FaultAnswers,
    Refusal,
    Request,
    Response,
    caller_of,
)

Run = Callable[[str, Mapping[str, Any], Caller], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class JsonApi:
    """One service's protocol. `name`: as in botocore's events; `model`: as in botocore's data folder."""

    name: str
    model: str
    target_prefix: str
    operations: Container[str]
    fault_answers: FaultAnswers


class JsonService:
    """Requests without an account or Region count as from the defaults."""

    def __init__(
        self,
        api: JsonApi,
        run: Run,
        *,
        default_account: str = DEFAULT_ACCOUNT,
        default_region: str = DEFAULT_REGION,
    ) -> None:
        self.name = api.name
        self.fault_answers = api.fault_answers
        self._run = run
        self._model = aws_json.service_model(api.model)
        self._target_prefix = f"{api.target_prefix}."
        self._operations = api.operations
        self._defaults = {"default_account": default_account, "default_region": default_region}

    def operation(self, request: Request) -> str:
        target = request.headers.get("x-amz-target", "")
        return target.removeprefix(self._target_prefix) if target.startswith(self._target_prefix) else ""

    def refuse(self, refusal: Refusal) -> Response:
        return aws_json.refused(refusal)

    def handle(self, request: Request) -> Response:
        operation = self.operation(request)
        if operation not in self._operations:
            message = f"These tests' stand-in for {self.name} does not know {operation}." if operation else None
            return self.refuse(Refusal(400, "UnknownOperationException", message))
        shapes = self._model.operation_model(operation)
        try:
            params = aws_json.decode(shapes.input_shape, aws_json.loads(request.body))
            answer = self._run(operation, params, caller_of(request.headers, **self._defaults))
        except aws_json.SerializationError as error:
            return self.refuse(Refusal(400, "SerializationException", str(error)))
        except AwsError as error:
            return self.refuse(error.refusal)
        return aws_json.ok(shapes.output_shape, answer)
