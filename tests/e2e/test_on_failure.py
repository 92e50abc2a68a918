"""A function that really dies: killed at every try, or never loaded. Its stacks soon fail with the reason.

The tests deploy the application a second time, under another name: to kill its function disturbs no other test.
"""

import contextlib
import sys
import time

import pytest

from lab.keys.random_keys import random_key
from lab.local import deploy
from lab.local.locks import exclusive
from tests.support.killing import killed_at_every_try
from tests.support.scene import Scene

pytestmark = [
    pytest.mark.xdist_group("on-failure"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes that live"),
]

DOOMED = "doomed"
ON_FAILURE = f"{DOOMED}-on-failure"
HANDLER = "imported_key_material.app.handler"
CREATE_NOT_KNOWN = (
    "Whether the material was imported is not known. If it was, the key keeps it, and the Delete that follows does not "
    "remove it."
)


@pytest.fixture
def doomed(aws):
    """A second application, for one test at a time, whichever process that runs in. Its function may be killed."""
    with exclusive(aws.folder / f"{DOOMED}.lock"):
        if not deploy.is_deployed(aws.settings, DOOMED):
            deploy.deploy(aws.settings, {"FunctionName": DOOMED}, stack=DOOMED)
        yield deploy.service_token(aws.settings, stack=DOOMED)


@pytest.fixture
def scene(aws, doomed):
    made = Scene(aws)
    made.token = doomed
    return made


@contextlib.contextmanager
def not_loaded(aws):
    """The function's module can't be found."""
    lambda_ = aws.client("lambda")
    lambda_.update_function_configuration(FunctionName=DOOMED, Handler="imported_key_material.gone.handler")
    try:
        yield
    finally:
        lambda_.update_function_configuration(FunctionName=DOOMED, Handler=HANDLER)


def reason_without_lambdas_id(said):
    begin, _, request_id = said.rpartition(" Lambda's id of the request is ")
    assert len(request_id.rstrip(".")) == 36
    return begin


def test_a_function_that_is_killed_at_every_try_fails_its_stack_with_the_reason(aws, scene):
    secret = scene.secret(random_key(32))
    begun = time.monotonic()
    with killed_at_every_try(aws, DOOMED) as killed:
        stack = scene.create({"Key": scene.stack_key(), "Material": scene.material({"Ref": "Key"}, secret)})

    assert stack.status == "ROLLBACK_COMPLETE"
    assert reason_without_lambdas_id(scene.reason(stack)) == (
        "Lambda gave this Create request up after 2 tries: the function was killed in the middle of its work; most often it "
        f"has run out of memory. {CREATE_NOT_KNOWN} Run the deployment again. If it happens again, raise MemorySize in the "
        "application's template."
    )
    assert len(killed) == 4  # two tries of the Create, two of the rollback's Delete
    assert time.monotonic() - begun < 120
    create, delete = scene.answers()
    assert [(one["body"]["Status"], one["heard"]) for one in (create, delete)] == [("FAILED", True), ("SUCCESS", True)]
    assert delete["body"]["PhysicalResourceId"] == create["body"]["PhysicalResourceId"]
    assert "the key may hold material that no Delete removes" in aws.logs(ON_FAILURE)
    assert "X-Amz-Signature" not in aws.logs(ON_FAILURE)


def test_a_function_that_can_not_be_loaded_fails_an_update_and_its_rollback_which_can_be_continued(aws, scene):
    secret = scene.secret(random_key(32))
    key = scene.empty_key()
    assert scene.create({"Material": scene.material(key, secret)}).status == "CREATE_COMPLETE"

    with not_loaded(aws):
        stack = scene.update({"Material": scene.material(key, secret, Trigger="again")})

    assert stack.status == "UPDATE_ROLLBACK_FAILED"
    forward, back = (reason.partition("Message returned: ")[2] for reason in stack.reasons("Material"))
    told = (
        "Lambda gave this Update request up after 2 tries: the function's code could not be loaded. Whether material was "
        "imported is not known. If it was, the key keeps it. Build and deploy the application again; its log names what is "
        "missing."
    )
    assert forward.startswith(f"{told} Lambda's id")
    assert back.startswith(
        f"{told} The rollback stops here; aws cloudformation continue-update-rollback goes on with it. Lambda's id"
    )
    assert {answer["body"]["PhysicalResourceId"] for answer in scene.answers()} == {key}


def test_the_role_of_the_on_failure_function_touches_no_key_and_reads_no_secret(aws, doomed, scene):
    as_role = aws.as_role(aws.role_arn(ON_FAILURE))
    denied = {}
    for service, operation, request in [
        ("kms", "describe_key", {"KeyId": scene.key()}),
        ("secretsmanager", "get_secret_value", {"SecretId": scene.secret(b"x")}),
        ("cloudformation", "list_stack_resources", {"StackName": DOOMED}),
        ("lambda", "invoke", {"FunctionName": DOOMED, "Payload": b"{}"}),
    ]:
        client = deploy.client(as_role, service)
        with pytest.raises(client.exceptions.ClientError) as raised:
            getattr(client, operation)(**request)
        denied[operation] = raised.value.response["Error"]["Code"].removesuffix("Exception")

    assert set(denied.values()) == {"AccessDenied"}
