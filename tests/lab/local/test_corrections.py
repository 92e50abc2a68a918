"""Each correction of MiniStack (lab/local/corrections): what AWS does, and that plain MiniStack still does not.

Each test plays its situation twice, on the corrected MiniStack and on the plain one. If a new plain one does it right, its
assertion fails, and the correction can go.
"""

import calendar
import io
import json
import secrets
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from botocore.exceptions import ClientError

from lab.cloudformation import request_shape
from lab.local import journal, places
from lab.local.clients import client
from lab.local.ministack import MiniStack
from lab.local.scripted import NAME, Answer, CrashedOnPurpose, Event, Scripted
from lab.local.settings import REGION, Credentials, Settings
from lab.local.stacks import Stack, Stacks

pytestmark = pytest.mark.xdist_group("local-aws-corrections")  # two MiniStacks serve all tests of this file


class World:
    """One MiniStack, one scripted function behind a custom resource, and the calls to them."""

    def __init__(self, settings: Settings, function: Scripted) -> None:
        self.settings = settings
        self.function = function
        self.token = function.deploy(settings)
        self.stacks = Stacks(client(settings, "cloudformation"))

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        return client(self.settings.with_credentials(credentials or self.settings.credentials), service)

    def fresh(self) -> str:
        """Removes the last situation's records. Returns a new stack's name."""
        self.function.events.clear()
        self.function.puts.clear()
        self.function.play = lambda _event: {}
        return f"stack-{secrets.token_hex(4)}"

    def resource(self, *, after: str = "", **properties: Any) -> dict[str, Any]:
        resource = {"Type": "Custom::Thing", "Properties": {"ServiceToken": self.token, **properties}}
        return {**resource, "DependsOn": after} if after else resource

    def statuses(self, event: Event) -> tuple[str, str | None, dict[str, str]]:
        """What a function sees of its stack: the stack's status, its own resource's, and all resources' in the list."""
        cloudformation = self.stacks.cloudformation
        stack = cloudformation.describe_stacks(StackName=event["StackId"])["Stacks"][0]
        own = self.stacks.resource(event["StackId"], event["LogicalResourceId"])
        listed = cloudformation.list_stack_resources(StackName=event["StackId"])["StackResourceSummaries"]
        return (
            stack["StackStatus"],
            own and own["ResourceStatus"],
            {one["LogicalResourceId"]: one["ResourceStatus"] for one in listed},
        )

    def told(self) -> list[tuple[str, str, str | None]]:
        """The requests so far: type, logical id, physical id."""
        return [
            (event["RequestType"], event["LogicalResourceId"], event.get("PhysicalResourceId"))
            for event in self.function.events
        ]


@contextmanager
def world(*, plain: bool) -> Iterator[World]:
    folder = places.temporary_folder("corrections")
    function = Scripted()
    ministack = MiniStack(folder, proxies={NAME: function.url}, plain=plain, retry_seconds=0.1)
    try:
        yield World(ministack.start(), function)
    finally:
        ministack.stop()
        function.close()
        places.remove_tree(folder)


@pytest.fixture(scope="module")
def corrected():
    with world(plain=False) as one:
        yield one


@pytest.fixture(scope="module")
def plain():
    with world(plain=True) as one:
        yield one


# ------------------------------------------------------------------------------- the statuses that a function sees (rule 9)


def seen_during(one: World, request: str) -> tuple[str, str | None, dict[str, str]]:
    """What the resource A sees in the last request of this type, in a stack made, changed, renamed to B, deleted."""
    seen: dict[str, Any] = {}
    name = one.fresh()

    def play(event: Event) -> Answer:
        seen[event["RequestType"]] = one.statuses(event)
        return {"PhysicalResourceId": "the-id"}

    one.function.play = play
    one.stacks.create(name, {"Resources": {"A": one.resource(Version=1)}})
    if request == "Update":
        one.stacks.update(name, {"Resources": {"A": one.resource(Version=2)}})
    if request == "Delete":
        one.stacks.delete(name)
    if request == "Delete after a rename":
        one.stacks.update(name, {"Resources": {"B": one.resource(Version=1)}})
    return seen[request.split(maxsplit=1)[0]]


def test_during_its_create_a_resource_is_in_the_list(corrected, plain):
    assert seen_during(corrected, "Create") == (
        "CREATE_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
        {"A": "CREATE_IN_PROGRESS"},
    )
    assert seen_during(plain, "Create") == ("CREATE_IN_PROGRESS", None, {})


def test_during_its_update_a_resource_says_so(corrected, plain):
    assert seen_during(corrected, "Update") == (
        "UPDATE_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",
        {"A": "UPDATE_IN_PROGRESS"},
    )
    assert seen_during(plain, "Update") == ("UPDATE_IN_PROGRESS", "CREATE_COMPLETE", {"A": "CREATE_COMPLETE"})


def test_during_its_delete_a_resource_says_so(corrected, plain):
    assert seen_during(corrected, "Delete") == (
        "DELETE_IN_PROGRESS",
        "DELETE_IN_PROGRESS",
        {"A": "DELETE_IN_PROGRESS"},
    )
    assert seen_during(plain, "Delete") == ("DELETE_IN_PROGRESS", "CREATE_COMPLETE", {"A": "CREATE_COMPLETE"})


def test_after_a_rename_the_stack_cleans_up(corrected, plain):
    assert seen_during(corrected, "Delete after a rename") == (
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "DELETE_IN_PROGRESS",
        {"A": "DELETE_IN_PROGRESS", "B": "CREATE_COMPLETE"},
    )
    assert seen_during(plain, "Delete after a rename") == (
        "UPDATE_IN_PROGRESS",
        "CREATE_COMPLETE",
        {"A": "CREATE_COMPLETE", "B": "UPDATE_COMPLETE"},
    )


def test_a_status_is_as_old_as_its_request(corrected, plain):
    def ages(one: World) -> list[float]:
        """Seconds from each status to its request, whose time has whole seconds."""
        name, found = one.fresh(), []

        def play(event: Event) -> Answer:
            own = one.stacks.resource(event["StackId"], event["LogicalResourceId"])
            made_at = parse_qs(urlsplit(event["ResponseURL"]).query).get("X-Amz-Date")
            if own and made_at:
                made = calendar.timegm(time.strptime(made_at[0], "%Y%m%dT%H%M%SZ"))
                found.append(made - own["LastUpdatedTimestamp"].timestamp())
            return {}

        one.function.play = play
        one.stacks.create(name, {"Resources": {"A": one.resource(Version=1)}})
        one.stacks.update(name, {"Resources": {"A": one.resource(Version=2)}})
        return found

    assert [-1.5 < age < 1.5 for age in ages(corrected)] == [True, True]
    assert ages(plain) == []


def test_a_stack_that_is_being_deleted_shows_since_when(corrected, plain):
    def times(one: World) -> set[str]:
        name, found = one.fresh(), []
        one.function.play = lambda event: (
            found.append(one.stacks.cloudformation.describe_stacks(StackName=event["StackId"])["Stacks"][0]) or {}
        )
        one.stacks.create(name, {"Resources": {"A": one.resource()}})
        one.stacks.delete(name)
        return {key for key in found[-1] if key.endswith("Time")}

    assert times(corrected) == {"CreationTime", "LastUpdatedTime", "DeletionTime"}
    assert times(plain) == {"CreationTime", "LastUpdatedTime"}


def test_the_events_of_an_update_show_what_it_creates_and_cleans_up(corrected, plain):
    def events(one: World) -> list[str]:
        name = one.fresh()
        one.stacks.create(name, {"Resources": {"A": one.resource()}})
        return one.stacks.update(name, {"Resources": {"B": one.resource()}}).told()[1:-1]

    assert [event.partition(" ")[2] for event in events(corrected)] == [
        "CREATE_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "DELETE_IN_PROGRESS",
        "DELETE_COMPLETE",
    ]
    assert [event.partition(" ")[2] for event in events(plain)] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]


def ids_told(stack: Stack) -> list[tuple[str, str]]:
    """The statuses of A in a stack's events, with its ids."""
    return [
        (event["ResourceStatus"], event["PhysicalResourceId"])
        for event in stack.events
        if event["LogicalResourceId"] == "A"
    ]


@pytest.mark.parametrize(("fail", "ends"), [("", "CREATE_COMPLETE"), ("Create", "CREATE_FAILED")])
def test_while_an_answer_is_taken_over_the_resource_is_made_under_the_answered_id(corrected, plain, fail, ends):
    def made(one: World) -> list[Mapping[str, Any]]:
        name = one.fresh()
        one.function.play = failing
        stack = one.stacks.create(name, {"Resources": {"A": one.resource(Id="the-id", Fail=fail)}})
        return [event for event in stack.events if event["LogicalResourceId"] == "A"]

    first, second, third = made(corrected)[:3]
    assert [(one["ResourceStatus"], one["PhysicalResourceId"]) for one in (first, second, third)] == [
        ("CREATE_IN_PROGRESS", ""),
        ("CREATE_IN_PROGRESS", "the-id"),
        (ends, "the-id"),
    ]
    assert second["ResourceStatusReason"] == "Resource creation Initiated"
    assert 0.15 <= (third["Timestamp"] - second["Timestamp"]).total_seconds() <= 0.7
    assert [one["ResourceStatus"] for one in made(plain)[:2]] == ["CREATE_IN_PROGRESS", ends]


def test_a_replacement_is_reported_under_the_old_id_and_then_under_the_new_one(corrected, plain):
    def told(one: World) -> list[tuple[str, str]]:
        name = one.fresh()
        one.function.play = failing
        one.stacks.create(name, {"Resources": {"A": one.resource(Id="old")}})
        return ids_told(one.stacks.update(name, {"Resources": {"A": one.resource(Id="new")}}))

    assert told(corrected) == [
        ("UPDATE_IN_PROGRESS", "old"),
        ("UPDATE_IN_PROGRESS", "new"),
        ("UPDATE_COMPLETE", "new"),
        ("DELETE_IN_PROGRESS", "old"),
        ("DELETE_COMPLETE", "old"),
    ]
    assert told(plain)[:2] == [("UPDATE_IN_PROGRESS", ""), ("UPDATE_COMPLETE", "new")]


def test_a_resource_without_an_id_has_none_in_the_list(corrected, plain):
    def keys(one: World) -> set[str]:
        name, found = one.fresh(), []

        def play(event: Event) -> Answer:
            listed = one.stacks.cloudformation.list_stack_resources(StackName=event["StackId"])
            found.extend(listed["StackResourceSummaries"])
            return {}

        one.function.play = play
        one.stacks.create(name, {"Resources": {"A": one.resource(), "B": one.resource(after="A")}})
        return set(found[-1])  # of B while it is made

    assert "PhysicalResourceId" not in keys(corrected)
    assert "PhysicalResourceId" in keys(plain)  # of A: B is not listed yet


def test_a_stack_that_rolls_its_creation_back_shows_since_when(corrected, plain):
    def deletion_of(one: World) -> tuple[str, datetime | None, Any]:
        name = one.fresh()
        one.function.play = failing
        made = one.stacks.create(name, {"Resources": {"A": one.resource(Id="the-id", Fail="Create")}})
        begun = next(event for event in made.events if event["ResourceStatus"] == "ROLLBACK_IN_PROGRESS")
        shown = one.stacks.cloudformation.describe_stacks(StackName=made.stack_id)["Stacks"][0]
        return made.status, shown.get("DeletionTime"), begun["Timestamp"]

    status, deleted_at, begun_at = deletion_of(corrected)
    assert status == "ROLLBACK_COMPLETE"
    assert deleted_at == begun_at
    assert deletion_of(plain)[:2] == ("ROLLBACK_COMPLETE", None)


def test_a_stack_s_times_are_those_of_its_events(corrected):

    def pairs() -> list[bool]:
        name = corrected.fresh()
        made = corrected.stacks.create(name, {"Resources": {"A": corrected.resource(Version=1)}})
        updated = corrected.stacks.update(name, {"Resources": {"A": corrected.resource(Version=2)}})
        deleted = corrected.stacks.delete(name)
        [shown] = corrected.stacks.cloudformation.describe_stacks(StackName=made.stack_id)["Stacks"]
        first = [stack.events[0]["Timestamp"] for stack in (made, updated, deleted)]
        return [
            shown[key] == at for key, at in zip(("CreationTime", "LastUpdatedTime", "DeletionTime"), first, strict=True)
        ]

    assert [pairs() for _ in range(5)] == [[True] * 3] * 5


def test_a_stack_s_id_shows_its_time(corrected, plain):
    def unique_of(one: World) -> tuple[UUID, datetime]:
        stack = created(one, lambda _event: {})
        shown = one.stacks.cloudformation.describe_stacks(StackName=stack.stack_id)["Stacks"][0]
        return UUID(stack.stack_id.rsplit("/", 1)[-1]), shown["CreationTime"]

    unique, made_at = unique_of(corrected)
    assert unique.version == 1
    assert 0 < (made_at - request_shape.time_of(str(unique))).total_seconds() < 1
    assert unique_of(plain)[0].version == 4


# ------------------------------------------------------------------------------------------------ operations that fail


def failing(event: Event) -> Answer:
    """Fails the request that the property Fail names; the property Id is the physical id."""
    properties = event["ResourceProperties"]
    if properties.get("Fail") == event["RequestType"]:
        return {"Status": "FAILED", "Reason": "on purpose", "PhysicalResourceId": properties["Id"]}
    if event["RequestType"] == "Delete":
        return {}
    return {"PhysicalResourceId": properties["Id"]}


def test_a_failed_create_is_deleted_under_the_id_that_it_answered(corrected, plain):
    def told(one: World) -> list[Any]:
        name = one.fresh()
        one.function.play = failing
        one.stacks.create(name, {"Resources": {"A": one.resource(Id="failed-a", Fail="Create")}})
        return one.told()

    assert told(corrected) == [("Create", "A", None), ("Delete", "A", "failed-a")]
    assert told(plain) == [("Create", "A", None)]


def test_a_create_that_never_answers_is_deleted_under_a_made_up_id(corrected, plain):
    def reason(one: World) -> tuple[str, str]:
        name = one.fresh()
        one.function.play = lambda event: None if event["RequestType"] == "Create" else {}
        stack = one.stacks.create(name, {"Resources": {"A": one.resource(ServiceTimeout=1)}})
        return name, stack.reasons("A")[0]

    name, text = reason(corrected)
    assert text.startswith(
        "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId ["
    )
    [_create, (_delete, _logical_id, physical_id)] = corrected.told()
    assert physical_id is not None
    assert physical_id.startswith(f"{name}-A-")

    assert reason(plain)[1] == "Custom resource 'A' timed out after 1s waiting for ResponseURL callback"
    assert plain.told() == [("Create", "A", None)]


def replacement_that_fails(one: World) -> list[Any]:
    """A is replaced, then B fails: the requests of the update and its rollback."""
    name = one.fresh()
    one.function.play = failing
    one.stacks.create(name, {"Resources": {"A": one.resource(Id="old")}})
    one.function.events.clear()
    fails = one.resource(Id="failed-b", Fail="Create", after="A")
    stack = one.stacks.update(name, {"Resources": {"A": one.resource(Id="new"), "B": fails}})
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    return one.told()


def test_a_replacement_is_sent_back_before_the_new_one_is_deleted(corrected, plain):
    assert replacement_that_fails(corrected) == [
        ("Update", "A", "old"),
        ("Create", "B", None),
        ("Update", "A", "new"),
        ("Delete", "B", "failed-b"),
        ("Delete", "A", "new"),
    ]
    assert replacement_that_fails(plain) == [("Update", "A", "old"), ("Create", "B", None), ("Delete", "A", "new")]


def test_an_update_that_fails_under_another_id_is_sent_back_from_it(corrected, plain):
    def told(one: World) -> list[Any]:
        name = one.fresh()
        one.function.play = failing
        one.stacks.create(name, {"Resources": {"A": one.resource(Id="old")}})
        one.function.events.clear()
        one.stacks.update(name, {"Resources": {"A": one.resource(Id="other", Fail="Update")}})
        return one.told()

    assert told(corrected) == [("Update", "A", "old"), ("Update", "A", "other"), ("Delete", "A", "other")]
    assert told(plain) == [("Update", "A", "old"), ("Update", "A", "old")]


def test_a_clean_up_is_tried_three_times(corrected, plain):
    def deletes(one: World) -> int:
        name = one.fresh()
        one.function.play = failing
        one.stacks.create(name, {"Resources": {"A": one.resource(Id="a", Fail="Delete"), "B": one.resource(Id="b")}})
        one.stacks.update(name, {"Resources": {"B": one.resource(Id="b")}})
        return sum(event["RequestType"] == "Delete" for event in one.function.events)

    assert deletes(corrected) == 3
    assert deletes(plain) == 1


def test_what_a_resource_uses_that_could_not_be_deleted_stays(corrected, plain):
    def topic_after(one: World) -> str:
        name = one.fresh()
        one.function.play = failing
        using = one.resource(Id="a", Fail="Delete", Uses={"Ref": "Topic"})
        one.stacks.create(name, {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "A": using}})
        deleted = one.stacks.delete(name)
        return next(status for status in reversed(deleted.told()) if status.startswith("Topic "))

    assert topic_after(corrected) == "Topic DELETE_FAILED"
    assert topic_after(plain) == "Topic DELETE_COMPLETE"


def test_a_stack_whose_update_failed_without_a_rollback_can_be_updated_again(corrected, plain):
    def again(one: World) -> str:
        name = one.fresh()
        one.function.play = failing
        one.stacks.create(name, {"Resources": {"A": one.resource(Id="a", Version=1)}})
        fails = one.resource(Id="a", Version=2, Fail="Update")
        one.stacks.update(name, {"Resources": {"A": fails}}, DisableRollback=True)
        return one.stacks.update(name, {"Resources": {"A": one.resource(Id="a", Version=3)}}).status

    assert again(corrected) == "UPDATE_COMPLETE"
    assert corrected.function.events[-1]["OldResourceProperties"]["Version"] == "1"
    with pytest.raises(ClientError, match="is in UPDATE_FAILED state and cannot be updated"):
        again(plain)


# ------------------------------------------------------------------------------------------------------------- two Regions


def test_stacks_of_one_name_in_two_regions_make_roles_of_their_own(corrected, plain):
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    template = {
        "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": policy}},
        "Outputs": {"Role": {"Value": {"Ref": "Role"}}},
    }

    def roles(one: World) -> set[str]:
        name = one.fresh()
        made = [
            Stacks(client(one.settings, "cloudformation", region)).create(name, template)
            for region in (REGION, "eu-west-1")
        ]
        return {stack.outputs["Role"] for stack in made}

    assert len(roles(corrected)) == 2
    assert len(roles(plain)) == 1


# ------------------------------------------------------------------------------------------------------ requests and answers


def created(one: World, answer: Any, **properties: Any) -> Stack:
    """A stack of one resource. Its Create gets this answer, its Delete a plain one."""
    name = one.fresh()
    one.function.play = lambda event: answer(event) if event["RequestType"] == "Create" else {}
    return one.stacks.create(name, {"Resources": {"A": one.resource(**properties)}})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"Data": {"Long": "x" * 4096}}, "Response object is too long."),
        ({"PhysicalResourceId": ""}, "Invalid PhysicalResourceId"),
        ({"PhysicalResourceId": "x" * 1025}, "Invalid PhysicalResourceId"),
        ({"Status": "DONE"}, "Invalid Response object: 'DONE' is not a valid ResponseStatus"),
        ({"StackId": "another"}, "Invalid Response object: StackId is not the request's. (ours)"),
        ({"RequestId": "another"}, "Invalid Response object: RequestId is not the request's. (ours)"),
        ({"LogicalResourceId": "B"}, "Invalid Response object: LogicalResourceId is not the request's. (ours)"),
        (b"not JSON", "Invalid Response object: it is not JSON. (ours)"),
    ],
)
def test_an_answer_that_breaks_the_protocol_fails_the_resource(corrected, plain, answer, reason):
    assert created(corrected, lambda _event: answer).reasons("A") == [reason]
    assert created(plain, lambda _event: answer).status == "CREATE_COMPLETE"


def test_an_answer_of_4096_bytes_is_taken_and_one_more_is_not(corrected):
    def of_size(size: int) -> Any:
        def answer(event: Event) -> Answer:
            ids = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
            body = {"Status": "SUCCESS", "PhysicalResourceId": "the-id", **ids, "Data": {"Filling": ""}}
            body["Data"] = {"Filling": "x" * (size - len(json.dumps(body)))}
            return json.dumps(body).encode()

        return answer

    assert created(corrected, of_size(4096)).status == "CREATE_COMPLETE"
    assert created(corrected, of_size(4097)).reasons("A") == ["Response object is too long."]


def test_the_first_answer_counts(corrected, plain):
    def taken(one: World) -> str:
        def answers_twice(event: Event) -> Answer:
            one.function.put(event, {"PhysicalResourceId": "first"})
            return {"PhysicalResourceId": "second"}

        stack = created(one, answers_twice)
        resource = one.stacks.resource(stack.stack_id, "A")
        assert resource is not None
        return str(resource["PhysicalResourceId"])

    assert taken(plain) == "second"
    assert taken(corrected) == "first"
    heard = [entry["heard"] for entry in journal.read(_folder(corrected), "answer")][-2:]
    assert heard == [True, False]


def test_a_response_url_is_pre_signed(corrected, plain):
    def parts(one: World) -> tuple[str, list[str]]:
        created(one, lambda _event: {})
        url = urlsplit(one.function.events[0]["ResponseURL"])
        return url.scheme, sorted(parse_qs(url.query))

    assert parts(corrected) == (
        "https",
        [
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Date",
            "X-Amz-Expires",
            "X-Amz-Signature",
            "X-Amz-SignedHeaders",
        ],
    )
    assert parts(plain) == ("https", [])


def test_a_request_has_the_shape_of_recorded_ones(corrected, plain):
    def shape(one: World) -> tuple[bool, bool, str | None]:
        created(one, lambda _event: {}, ServiceTimeout=300)
        event = one.function.events[0]
        path = request_shape.path(event["StackId"], event["LogicalResourceId"], event["RequestId"])
        url = urlsplit(event["ResponseURL"])
        expires = parse_qs(url.query).get("X-Amz-Expires") in (["7200"], ["7199"])
        return url.path.endswith(path), expires, event.get("ServiceTimeout")

    assert shape(corrected) == (True, True, "300")
    assert shape(plain) == (False, False, None)


def test_an_answer_with_a_content_type_or_another_signature_is_not_stored(corrected, plain):
    def statuses(one: World) -> list[int]:
        found: list[int] = []

        def play(event: Event) -> Answer:
            url = event["ResponseURL"]
            found.append(one.function.put(event, {}, content_type="application/json"))
            found.append(one.function.put(event, {}, url=f"{url[:-4]}0000"))
            return {}

        created(one, play)
        return [*found, *one.function.puts]

    assert statuses(corrected) == [403, 403, 200]
    assert statuses(plain) == [200, 200, 200]


def test_a_function_that_crashes_is_called_again_twice(corrected, plain):
    def calls(one: World, crashes: int) -> tuple[str, int]:
        def play(_event: Event) -> Answer:
            if len(one.function.events) <= crashes:
                raise CrashedOnPurpose
            return {}

        return created(one, play, ServiceTimeout=2).status, len(one.function.events)

    assert calls(corrected, crashes=2) == ("CREATE_COMPLETE", 3)
    assert calls(plain, crashes=1) == ("ROLLBACK_COMPLETE", 1)


def test_service_timeout_runs_from_the_request_on(corrected, plain):
    def seconds(one: World) -> float:
        def play(_event: Event) -> Answer:
            time.sleep(4)
            return None

        begun = time.monotonic()
        created(one, play, ServiceTimeout=1)
        return time.monotonic() - begun

    assert seconds(corrected) < 3.5
    assert seconds(plain) > 3.9  # the invocation first, then ServiceTimeout


def test_an_answer_is_known_by_the_words_of_aws(corrected, plain):
    def reasons(one: World) -> list[str]:
        return created(one, lambda _event: {"Status": "FAILED", "Reason": "SecretId: nothing there."}).reasons("A")

    assert reasons(corrected) == [
        "Received response status [FAILED] from custom resource. Message returned: SecretId: nothing there. "
        f"(RequestId: {corrected.function.events[0]['RequestId']})"
    ]
    assert reasons(plain) == ["SecretId: nothing there."]


def test_a_failure_needs_a_reason(corrected, plain):
    def reasons(one: World) -> list[str]:
        return created(one, lambda _event: {"Status": "FAILED"}).reasons("A")

    assert reasons(corrected) == ["Invalid Response object: FAILED without a Reason. (ours)"]
    assert reasons(plain) == ["Custom resource reported FAILED"]


def test_a_service_token_cannot_be_changed(corrected, plain):
    def reason(one: World) -> str:
        name = one.fresh()
        one.stacks.create(name, {"Resources": {"A": one.resource()}})
        other = one.resource(ServiceToken=f"{one.token}-other")
        return one.stacks.update(name, {"Resources": {"A": other}}).reasons("A")[0]

    assert reason(corrected) == "Modifying service token is not allowed."
    assert reason(plain).startswith(f"Custom resource ServiceToken '{plain.token}-other' not found.")


# ------------------------------------------------------------------------------------------------------- the function's world


def test_plain_ministack_lends_a_function_its_own_packages(plain):
    """Only separate processes show what a layer lacks: tests/lab/local/test_runtime.py."""
    lambda_, code = plain.client("lambda"), io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr(
            "probe.py", "import ministack\n\ndef handler(_event, _context):\n    return ministack.__name__\n"
        )
    role = lambda_.get_function(FunctionName=NAME)["Configuration"]["Role"]
    lambda_.create_function(
        FunctionName="probe",
        Runtime="python3.13",
        Role=role,
        Handler="probe.handler",
        Code={"ZipFile": code.getvalue()},
    )

    answer = lambda_.invoke(FunctionName="probe", Payload=b"{}")

    assert (answer.get("FunctionError"), json.loads(answer["Payload"].read())) == (None, "ministack")


# ------------------------------------------------------------------------------------------------------- keys and rights


def test_a_key_without_material_that_a_stack_makes_is_pending_import(corrected, plain):
    def state(one: World) -> str:
        key = {"Type": "AWS::KMS::Key", "Properties": {"Origin": "EXTERNAL"}}
        stack = one.stacks.create(
            one.fresh(), {"Resources": {"Key": key}, "Outputs": {"Id": {"Value": {"Ref": "Key"}}}}
        )
        return str(one.client("kms").describe_key(KeyId=stack.outputs["Id"])["KeyMetadata"]["KeyState"])

    assert state(corrected) == "PendingImport"
    assert state(plain) == "Enabled"


def test_the_kms_is_the_strict_one(corrected, plain):
    def answer_to_an_alias(one: World) -> str:
        kms = one.client("kms")
        key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
        alias = f"alias/{secrets.token_hex(4)}"
        kms.create_alias(AliasName=alias, TargetKeyId=key)
        return refusal(
            kms.get_parameters_for_import,
            KeyId=alias,
            WrappingAlgorithm="RSAES_OAEP_SHA_256",
            WrappingKeySpec="RSA_2048",
        )

    assert answer_to_an_alias(corrected) == "NotFoundException"
    assert answer_to_an_alias(plain) == ""


def refusal(call: Any, **parameters: Any) -> str:
    """The code of the error that a call gets, or nothing."""
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def with_rights(one: World, *statements: Mapping[str, Any]) -> Credentials:
    """A user who has only these rights."""
    iam, name = one.client("iam"), f"user-{secrets.token_hex(4)}"
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **row} for row in statements]}
    iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def decrypt_with(one: World, condition: Mapping[str, Any]) -> str:
    """The result for a user with kms:Decrypt under this condition, who decrypts a ciphertext with the context a=b."""
    kms = one.client("kms")
    key = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "b"})["CiphertextBlob"]
    user = with_rights(one, {"Action": "kms:Decrypt", "Condition": condition})
    call = one.client("kms", user).decrypt
    return refusal(call, CiphertextBlob=blob, EncryptionContext={"a": "b"})


@pytest.mark.parametrize(
    ("condition", "other"),
    [
        ({"StringEquals": {"kms:EncryptionContext:a": "b"}}, {"StringEquals": {"kms:EncryptionContext:a": "c"}}),
        (
            {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "a"}},
            {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "c"}},
        ),
        (
            {"StringEquals": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}},
            {"StringEquals": {"kms:EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}},
        ),
        ({"StringEquals": {"kms:KeyOrigin": "AWS_KMS"}}, {"StringEquals": {"kms:KeyOrigin": "EXTERNAL"}}),
        ({"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}}, {"StringEquals": {"kms:KeySpec": "HMAC_256"}}),
        ({"StringEquals": {"kms:CallerAccount": "111122223333"}}, {"StringEquals": {"kms:CallerAccount": "1" * 12}}),
        ({"Null": {"kms:ViaService": "true"}}, {"Null": {"kms:ViaService": "false"}}),
    ],
)
def test_a_condition_on_a_kms_key_holds_or_not(corrected, condition, other):
    assert decrypt_with(corrected, condition) == ""
    assert decrypt_with(corrected, other) == "AccessDeniedException"


def test_plain_ministack_knows_no_condition_keys_of_kms(plain):
    assert decrypt_with(plain, {"StringEquals": {"kms:KeyOrigin": "AWS_KMS"}}) == "AccessDeniedException"


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("kms:WrappingAlgorithm", "RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1"),
        ("kms:WrappingKeySpec", "RSA_2048", "RSA_4096"),
        ("kms:KeyOrigin", "EXTERNAL", "AWS_KMS"),
        ("aws:ResourceTag/team", "blue", "red"),
    ],
)
def test_a_condition_on_the_parameters_for_an_import_holds_or_not(corrected, name, right, wrong):
    kms = corrected.client("kms")
    tags = [{"TagKey": "team", "TagValue": "blue"}]
    key = kms.create_key(Origin="EXTERNAL", Tags=tags)["KeyMetadata"]["KeyId"]

    def answer(value: str) -> str:
        rights = {"Action": "kms:GetParametersForImport", "Condition": {"StringEquals": {name: value}}}
        call = corrected.client("kms", with_rights(corrected, rights)).get_parameters_for_import
        return refusal(call, KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")

    assert answer(right) == ""
    assert answer(wrong) == "AccessDeniedException"


def test_rights_on_a_tagged_key_hold_when_it_is_called_by_its_alias(corrected, plain):
    def answer(one: World) -> str:
        kms, alias = one.client("kms"), f"alias/{secrets.token_hex(4)}"
        key = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=alias, TargetKeyId=key)
        rights = {"Action": "kms:DescribeKey", "Condition": {"StringEquals": {"aws:ResourceTag/team": "blue"}}}
        return refusal(one.client("kms", with_rights(one, rights)).describe_key, KeyId=alias)

    assert answer(corrected) == ""
    assert answer(plain) == "AccessDeniedException"


def test_a_key_policy_is_asked_as_well(corrected):
    nobody = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/nobody"}, "Action": "kms:*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**nobody, "Resource": "*"}]})
    key = corrected.client("kms").create_key(Policy=policy)["KeyMetadata"]["KeyId"]
    user = with_rights(corrected, {"Action": "kms:*"})

    assert refusal(corrected.client("kms", user).describe_key, KeyId=key) == "AccessDeniedException"


def test_a_secret_under_a_customers_key_needs_the_right_to_use_that_key(corrected, plain):
    def answers(one: World) -> list[str]:
        name = f"secret-{secrets.token_hex(4)}"
        key = one.client("kms").create_key()["KeyMetadata"]["Arn"]
        one.client("secretsmanager").create_secret(Name=name, SecretString="x", KmsKeyId=key)
        read = {"Action": "secretsmanager:GetSecretValue"}
        via = {"StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}}
        users = [
            with_rights(one, read),
            with_rights(one, read, {"Action": "kms:Decrypt", "Condition": via}),
        ]
        return [refusal(one.client("secretsmanager", user).get_secret_value, SecretId=name) for user in users]

    assert answers(corrected) == ["AccessDeniedException", ""]
    assert answers(plain) == ["", ""]


FIRST, SECOND, THIRD = (f"00000000-0000-4000-8000-00000000000{digit}" for digit in "123")


def test_a_version_has_the_id_that_its_maker_chose_and_is_made_once(corrected, plain):
    def answers(one: World) -> list[str]:
        aws, name = one.client("secretsmanager"), f"secret-{secrets.token_hex(4)}"
        made = aws.create_secret(Name=name, ClientRequestToken=FIRST, SecretBinary=b"x")["VersionId"]
        same = {"SecretId": name, "ClientRequestToken": made, "VersionStages": ["AWSCURRENT"]}
        return [
            str(made == FIRST),
            refusal(aws.create_secret, Name=name, ClientRequestToken=FIRST, SecretBinary=b"x"),
            refusal(aws.put_secret_value, **same, SecretBinary=b"x"),
            refusal(aws.put_secret_value, **same, SecretBinary=b"y"),
        ]

    assert answers(corrected) == ["True", "", "", "ResourceExistsException"]
    assert answers(plain) == ["False", "ResourceExistsException", "", ""]


def test_a_version_has_all_the_stages_that_were_asked_for_and_no_other_does(corrected, plain):
    def stages(one: World, *puts: tuple[str, list[str]]) -> list[list[str]]:
        aws, name = one.client("secretsmanager"), f"secret-{secrets.token_hex(4)}"
        first = aws.create_secret(Name=name, ClientRequestToken=FIRST, SecretBinary=b"x")["VersionId"]
        for token, asked in puts:
            aws.put_secret_value(SecretId=name, SecretBinary=b"y", ClientRequestToken=token, VersionStages=asked)
        shown = aws.describe_secret(SecretId=name)["VersionIdsToStages"]
        return [sorted(shown.get(id_, [])) for id_ in (first, *(token for token, _ in puts))]

    both = [(SECOND, ["AWSCURRENT", "own"])]
    assert stages(corrected, *both) == [["AWSPREVIOUS"], ["AWSCURRENT", "own"]]
    assert stages(plain, *both) == [["AWSPREVIOUS"], ["AWSCURRENT"]]
    moved = [(SECOND, ["own"]), (THIRD, ["own"])]
    assert stages(corrected, *moved) == [["AWSCURRENT"], [], ["own"]]
    assert stages(plain, *moved) == [["AWSCURRENT"], ["own"], ["own"]]


def _folder(one: World) -> Path:
    return Path(one.settings.folder)
