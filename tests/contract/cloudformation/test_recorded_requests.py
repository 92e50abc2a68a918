"""The stand-ins make requests like recorded ones of CloudFormation. Other requests would hide what AWS does."""

import re
from datetime import UTC, datetime
from random import Random
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from imported_key_material.cloudformation.request import read, response_hosts
from imported_key_material.key_id import Home
from lab.clock import VirtualClock
from lab.cloudformation import request_shape
from lab.cloudformation.events import event
from lab.cloudformation.stack_reads import CloudFormation
from lab.simulation.requests import Requests
from lab.world import World

PROPERTIES = {"KeyId": "1234", "SecretId": "orders/master-key", "ServiceTimeout": "300"}
HOME = Home(partition="aws", region="eu-central-1", account="111122223333")


def of_events(kind: str) -> dict[str, Any]:
    return event(kind, ResourceProperties=request_shape.with_service_token(PROPERTIES, "arn"))


def of_world(kind: str) -> dict[str, Any]:
    world = World()
    world.stack.set("Material", "CREATE_COMPLETE", world.clock.now(), type="Custom::X", physical_id="1234")
    world.before["Material"] = request_shape.with_service_token(PROPERTIES, "arn")
    return world.event(kind, "Material", PROPERTIES)


def of_simulation(kind: str) -> dict[str, Any]:
    clock = VirtualClock()
    stack = CloudFormation(clock).stack("orders", region=HOME.region, account=HOME.account)
    clock.advance(3)
    requests = Requests(cast("Any", clock), Random(1), cast("Any", None), HOME.account, lambda _: None)  # noqa: S311  # ids
    more: dict[str, Any] = {} if kind == "Create" else {"PhysicalResourceId": "1234"}
    if kind == "Update":
        more["OldResourceProperties"] = PROPERTIES
    return requests.event(kind, stack.id, "Material", PROPERTIES, **more)


EACH_STAND_IN = pytest.mark.parametrize("made", [of_events, of_world, of_simulation])
EACH_KIND = pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])


@EACH_STAND_IN
@EACH_KIND
def test_a_request_has_the_keys_of_recorded_ones_and_no_others(made, kind):
    """Public events of seven Regions, 2016 to 2024."""
    keys = {
        *("RequestType", "ServiceToken", "ResponseURL", "StackId", "RequestId", "LogicalResourceId", "ResourceType"),
        *("ResourceProperties", "ServiceTimeout"),
    }
    own = {"Create": set(), "Update": {"PhysicalResourceId", "OldResourceProperties"}, "Delete": {"PhysicalResourceId"}}

    assert set(made(kind)) == keys | own[kind]


@EACH_STAND_IN
def test_the_service_token_stands_in_the_old_properties_too(made):
    update = made("Update")

    assert update["ResourceProperties"]["ServiceToken"]
    assert update["OldResourceProperties"]["ServiceToken"]


@EACH_STAND_IN
@EACH_KIND
def test_service_timeout_stands_at_the_top_as_text_beside_the_property(made, kind):
    request = made(kind)

    assert request["ServiceTimeout"] == request["ResourceProperties"]["ServiceTimeout"] == "300"
    assert read(request, HOME, response_hosts(HOME, "amazonaws.com")).service_timeout_seconds == 300


@EACH_STAND_IN
def test_a_response_url_s_path_encodes_colons_and_bars_and_no_slashes(made):
    request = made("Create")
    url = urlsplit(request["ResponseURL"])

    assert url.path == "/" + "%7C".join(
        (request["StackId"].replace(":", "%3A"), request["LogicalResourceId"], request["RequestId"])
    )
    assert unquote(url.path) == f"/{request['StackId']}|Material|{request['RequestId']}"
    assert list(parse_qs(url.query)) == [
        *("X-Amz-Algorithm", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires", "X-Amz-Credential"),
        "X-Amz-Signature",
    ]


def test_a_response_url_lives_for_two_hours_or_a_second_less():
    world = World()
    requests = [world.event("Create", "Material", PROPERTIES) for _ in range(20)]

    assert {re.search(r"X-Amz-Expires=(\d+)", one["ResponseURL"])[1] for one in requests} == {"7199", "7200"}


@EACH_STAND_IN
def test_a_stack_s_id_shows_the_time_and_its_first_create_comes_seconds_later(made):
    """Recorded (2018 to 2024): X-Amz-Date is 1.7 s and more after the time in the StackId."""
    request = made("Create")
    date = parse_qs(urlsplit(request["ResponseURL"]).query)["X-Amz-Date"][0]
    made_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    assert (made_at - request_shape.time_of(request["StackId"].rsplit("/", 1)[-1])).total_seconds() >= 1.7
