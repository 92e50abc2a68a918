"""What is a request of CloudFormation to this function, and what is not; where its answer may be sent."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imported_key_material.cloudformation.request import NotARequest, RequestType, read, response_hosts
from imported_key_material.key_id import Home
from lab.cloudformation.events import (
    BUCKET,
    HOME,
    KEY_ARN,
    REQUEST_ID,
    SERVICE_TOKEN,
    SIGNATURE,
    STACK_ID,
    TARGET,
    event,
    request,
)

CANARY = "sk4Vt9QbZr7Lw2Xc"
HOSTS = response_hosts(HOME, "amazonaws.com")


def refusal(event_):
    with pytest.raises(NotARequest) as refused:
        read(event_, HOME, HOSTS)
    assert refused.value.__context__ is None
    return str(refused.value)


# ------------------------------------------------------------------------------------------------------- what it holds


def test_a_create_becomes_a_request():
    read_ = request("Create")

    assert read_.type is RequestType.CREATE
    assert read_.request_id == REQUEST_ID
    assert read_.stack_id == STACK_ID
    assert read_.stack_name == "orders"
    assert read_.logical_id == "Material"
    assert read_.properties == {"ServiceToken": SERVICE_TOKEN, "KeyId": KEY_ARN, "SecretId": "orders/master-key"}
    assert read_.old_properties == {}
    assert read_.physical_id is None
    assert read_.made_at == datetime(2026, 12, 1, 11, 59, 55, tzinfo=UTC)
    assert read_.response_url == f"https://{BUCKET}{TARGET}&X-Amz-Signature={SIGNATURE}"


def test_an_update_also_has_its_id_and_its_old_properties():
    read_ = request("Update")

    assert (read_.type, read_.physical_id) == (RequestType.UPDATE, KEY_ARN)
    assert read_.old_properties == {
        "ServiceToken": SERVICE_TOKEN,
        "KeyId": KEY_ARN,
        "SecretId": "orders/old-master-key",
    }


def test_a_delete_needs_no_properties_so_that_old_ones_can_not_block_it():
    read_ = request("Delete", ResourceProperties=None)

    assert (read_.type, read_.physical_id, read_.properties) == (RequestType.DELETE, KEY_ARN, {})
    assert read_.service_timeout_seconds == 3600


def test_the_physical_id_of_a_create_is_not_believed():
    assert request("Create", PhysicalResourceId=KEY_ARN).physical_id is None


def test_a_request_that_changed_nothing_is_answered_under_its_id_or_one_that_says_so():
    assert request("Update").fallback_id == KEY_ARN
    assert request("Delete", PhysicalResourceId="orders-Material-1ABCDEF").fallback_id == "orders-Material-1ABCDEF"
    assert request("Create").fallback_id == f"not-imported:Material:{REQUEST_ID}"
    assert request("Update").not_imported_id == f"not-imported:Material:{REQUEST_ID}"


def test_neither_a_property_nor_the_url_shows_in_the_repr_of_a_request():
    shown = repr(
        request(
            "Update", ResourceProperties={"SecretId": CANARY, CANARY: "x"}, OldResourceProperties={"Trigger": CANARY}
        )
    )

    assert shown.startswith("Request(type=<RequestType.UPDATE: 'Update'>, request_id='5e4d3c2b-")
    assert CANARY not in shown
    assert SIGNATURE not in shown
    assert "X-Amz" not in shown
    assert BUCKET not in shown


@pytest.mark.parametrize(
    "resource_type", ["Custom::X", f"Custom::{'x' * 60}", "Custom::a_b@c-1", "AWS::CloudFormation::CustomResource"]
)
def test_every_type_that_a_custom_resource_may_have_is_taken(resource_type):
    assert request("Create", ResourceType=resource_type).type is RequestType.CREATE


def test_a_request_is_at_home_where_its_stack_is():
    assert request("Update").home == HOME


# ------------------------------------------------------------------------------------------------------ what is missing


@pytest.mark.parametrize("not_an_object", [None, "Create", 17, [], [event("Create")], b"{}", True])
def test_what_is_not_an_object_is_not_a_request(not_an_object):
    assert refusal(not_an_object) == "The event is not a CloudFormation request: it is not an object."


ALWAYS = ["RequestType", "ResponseURL", "StackId", "RequestId", "LogicalResourceId", "ResourceType"]
NEEDED = {
    "Create": [*ALWAYS, "ResourceProperties"],
    "Update": [*ALWAYS, "ResourceProperties", "PhysicalResourceId"],
    "Delete": [*ALWAYS, "PhysicalResourceId"],
}


@pytest.mark.parametrize(("request_type", "name"), [(type_, name) for type_, names in NEEDED.items() for name in names])
def test_a_request_without_one_of_its_fields_is_none(request_type, name):
    incomplete = event(request_type)
    del incomplete[name]

    assert refusal(incomplete) == (f"The event is not a CloudFormation request: {name} is missing or malformed.")


MALFORMED = {
    "RequestType": ["", "create", "Delete ", "Read", f"Create{CANARY}"],
    "StackId": [
        "",
        "orders",
        STACK_ID + "\n",
        STACK_ID.rsplit("/", 1)[0],
        STACK_ID + "/more",
        STACK_ID.replace("stack/orders", "stack/"),
        STACK_ID.replace("stack/orders", f"stack/{'s' * 129}"),
        STACK_ID.replace("stack/orders", "stack/or ders"),
        STACK_ID.replace("stack/", "changeSet/"),
        STACK_ID.replace(":cloudformation:", ":lambda:"),
        STACK_ID.replace("111122223333", "11112222333"),
        STACK_ID.replace("arn:aws", "arn:AWS"),
    ],
    "RequestId": ["", "r" * 129, "a/b", "a b", "a\n", f"{CANARY}|"],
    "LogicalResourceId": ["", "L" * 256, "Material-1", "Mat erial", "Mäterial", "Material\n", "../Material"],
    "ResourceType": ["", "Custom::", f"Custom::{'x' * 61}", "AWS::KMS::Key", "Custom::a/b", "custom::X", "Custom::X\n"],
    "PhysicalResourceId": ["", "x" * 1025, "é", "\x01" * 1024, "\x7f", "two\nlines", "x\n", "\ud800"],
    "ResponseURL": [
        "",
        f"http://{BUCKET}/x",
        f"HTTPS://{BUCKET}/x",
        f"https://{BUCKET}/a b",
        f" https://{BUCKET}/x",
        f"https://{BUCKET}/x\n",
        f"ftp://{BUCKET}/x",
        f"//{BUCKET}/x",
        BUCKET,
        "https://",
        f"https://{BUCKET}/{'x' * 8000}",
    ],
    "ResourceProperties": [],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in MALFORMED.items() for value in values])
def test_a_field_of_the_wrong_form_is_named_and_not_quoted(name, value):
    assert (
        refusal(event("Update") | {name: value})
        == f"The event is not a CloudFormation request: {name} is missing or malformed."
    )


@pytest.mark.parametrize("name", MALFORMED)
@pytest.mark.parametrize("value", [17, 1.5, True, [], ["Create"], b"Create", ()])
def test_a_field_of_the_wrong_type_is_named(name, value):
    assert refusal(event("Update") | {name: value}) == (
        f"The event is not a CloudFormation request: {name} is missing or malformed."
    )


@pytest.mark.parametrize("name", [name for name in MALFORMED if name != "ResourceProperties"])
def test_an_object_is_no_text(name):
    assert refusal(event("Update") | {name: {"a": CANARY}}) == (
        f"The event is not a CloudFormation request: {name} is missing or malformed."
    )


def test_old_properties_that_are_no_object_are_no_request():
    assert refusal(event("Update", OldResourceProperties="x")) == (
        "The event is not a CloudFormation request: OldResourceProperties is missing or malformed."
    )


def test_properties_of_the_wrong_type_are_named():
    assert refusal(event("Create", ResourceProperties="x")) == (
        "The event is not a CloudFormation request: ResourceProperties is missing or malformed."
    )


@pytest.mark.parametrize("physical_id", ["x" * 1024, '"' * 1024, " ", "~", "orders-Material-1ABCDEF", KEY_ARN])
def test_any_id_of_printable_ascii_is_taken(physical_id):
    """Ours, and those that CloudFormation makes up. An answer has room for each (test_answer.py)."""
    assert request("Delete", PhysicalResourceId=physical_id).physical_id == physical_id


@pytest.mark.parametrize(
    "stack_id",
    [
        STACK_ID.replace("111122223333", "999988887777"),
        STACK_ID.replace("eu-central-1", "eu-central-2"),
        STACK_ID.replace("arn:aws:", "arn:aws-cn:"),
    ],
)
def test_a_stack_of_another_account_region_or_partition_is_not_served(stack_id):
    assert refusal(event("Delete", StackId=stack_id)) == (
        "The event's StackId belongs to another account or Region than this function."
    )


@given(
    st.dictionaries(
        st.sampled_from([*event("Update"), "ServiceToken", "Other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=5,
        ),
    )
)
def test_whatever_comes_is_a_request_or_is_refused_in_words(changes):
    with suppress(NotARequest):
        assert 1 <= read(event("Update") | changes, HOME, HOSTS).service_timeout_seconds <= 3600


# -------------------------------------------------------------------------------------------------- when it was made


def made_at(query):
    return request("Create", ResponseURL=f"https://{BUCKET}/x{query}").made_at


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?Expires=1496900000&AWSAccessKeyId=AKIAEXAMPLE&Signature=x",  # SigV2
        "?X-Amz-Date=",
        "?X-Amz-Date",
        "?x-amz-date=20261201T115955Z",
        "?X-Amz-Date=20261301T115955Z",
        "?X-Amz-Date=20261201T115955",
        "?X-Amz-Date=20261201T115955Zx",
        "?X-Amz-Date=2026-12-01T11:59:55Z",
        f"?X-Amz-Date={CANARY}",
        "#X-Amz-Date=20261201T115955Z",
    ],
)
def test_a_url_that_does_not_tell_its_time_is_a_request_all_the_same(query):
    assert made_at(query) is None


@pytest.mark.parametrize(
    "query",
    ["?X-Amz-Date=20261201T115955Z", "?a=b&X-Amz-Date=20261201T115955Z&c=d", "?X-Amz-Date=20261201%54115955%5A"],
)
def test_the_time_of_a_signed_url_is_utc(query):
    assert made_at(query) == datetime(2026, 12, 1, 11, 59, 55, tzinfo=UTC)


# ---------------------------------------------------------------------------------------- how long it may be waited for


@pytest.mark.parametrize(
    ("declared", "seconds"),
    [
        ("120", 120),
        ("3600", 3600),
        (300, 300),
        ("1", 1),
        ("0", 3600),
        ("-5", 3600),
        ("3601", 3600),
        ("7200", 3600),
        ("", 3600),
        ("12.5", 3600),
        ("ten", 3600),
        (None, 3600),
        (True, 3600),
        ([], 3600),
        ({"Ref": "Timeout"}, 3600),
        ("9" * 5000, 3600),
        (1e400, 3600),
    ],
)
def test_a_service_timeout_of_any_shape_gives_seconds_that_cloudformation_may_wait(declared, seconds):
    """The property; and the event's own field, where it was recorded (June 2024 and later)."""
    of_property = event("Delete", ServiceTimeout=None) | {"ResourceProperties": {"ServiceTimeout": declared}}
    of_event = event("Delete") | {"ServiceTimeout": declared}

    assert read(of_property, HOME, HOSTS).service_timeout_seconds == seconds
    assert read(of_event, HOME, HOSTS).service_timeout_seconds == seconds


@pytest.mark.parametrize(
    ("of_event", "of_property", "seconds"),
    [
        ("300", "300", 300),
        ("120", "600", 120),
        ("600", "120", 120),
        ("300", None, 300),
        (None, "300", 300),
        ("0", "300", 300),
        ("300", "an hour", 300),
        ("7200", {"Ref": "Timeout"}, 3600),
    ],
)
def test_of_two_service_timeouts_the_smaller_valid_one_counts(of_event, of_property, seconds):
    made = event("Create") | {"ServiceTimeout": of_event, "ResourceProperties": {"ServiceTimeout": of_property}}

    assert read(made, HOME, HOSTS).service_timeout_seconds == seconds


def test_without_a_service_timeout_it_is_cloudformation_s_own():
    assert request("Create").service_timeout_seconds == 3600


# ----------------------------------------------------------------------------------------- where the answer may be sent

OWN = "cloudformation-custom-resource-response-eucentral1"
FORMS = [".s3", ".s3-fips", ".s3.dualstack", ".s3-fips.dualstack", ".s3-eu-central-1"]


@pytest.mark.parametrize("label", ["", ".eu-central-1"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("port", ["", ":443"])
def test_cloudformation_s_own_bucket_is_known_in_all_its_forms(form, label, port):
    assert HOSTS(f"https://{OWN}{form}{label}.amazonaws.com{port}{TARGET}")


@pytest.mark.parametrize(
    ("home", "dns_suffix", "host"),
    [
        (
            Home("aws-cn", "cn-north-1", "111122223333"),
            "amazonaws.com.cn",
            "cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn",
        ),
        (
            Home("aws-us-gov", "us-gov-west-1", "111122223333"),
            "amazonaws.com",
            "cloudformation-custom-resource-response-usgovwest1.s3-fips.us-gov-west-1.amazonaws.com",
        ),
        (
            Home("aws", "us-east-1", "111122223333"),
            "amazonaws.com",
            "cloudformation-custom-resource-response-useast1.s3.amazonaws.com",
        ),
    ],
)
def test_in_china_and_govcloud_it_is_known_under_their_own_names(home, dns_suffix, host):
    hosts = response_hosts(home, dns_suffix)

    assert hosts(f"https://{host}/x")
    assert not hosts(f"https://{BUCKET}/x")


def test_china_s_bucket_is_not_one_outside_china():
    china = response_hosts(Home("aws-cn", "cn-north-1", "111122223333"), "amazonaws.com.cn")

    assert not china("https://cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com/x")
    assert not HOSTS(f"https://{BUCKET}.cn/x")


STRANGE = {
    "another bucket": "https://orders-bucket.s3.eu-central-1.amazonaws.com/x",
    "a bucket that begins alike": f"https://{OWN}-evil.s3.eu-central-1.amazonaws.com/x",
    "a bucket that ends alike": f"https://evil-{OWN}.s3.eu-central-1.amazonaws.com/x",
    "a label before the bucket": f"https://evil.{OWN}.s3.eu-central-1.amazonaws.com/x",
    "another Region's bucket": "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/x",
    "another Region's label": f"https://{OWN}.s3.eu-west-1.amazonaws.com/x",
    "another Region's dash": f"https://{OWN}.s3-eu-west-1.amazonaws.com/x",
    "two Region's labels": f"https://{OWN}.s3.eu-central-1.eu-central-1.amazonaws.com/x",
    "an access point": f"https://{OWN}.s3-accesspoint.eu-central-1.amazonaws.com/x",
    "an accelerator": f"https://{OWN}.s3-accelerate.amazonaws.com/x",
    "a website": f"https://{OWN}.s3-website.eu-central-1.amazonaws.com/x",
    "another service": f"https://{OWN}.sqs.eu-central-1.amazonaws.com/x",
    "the bucket in the path": f"https://s3.eu-central-1.amazonaws.com/{OWN}/x",
    "a longer domain": f"https://{BUCKET}.evil.com/x",
    "a domain that begins alike": f"https://{BUCKET}evil.com/x",
    "China's": f"https://{BUCKET}.cn/x",
    "no dot": f"https://{BUCKET.replace('.amazonaws', 'xamazonaws')}/x",
    "any character for a dot": f"https://{BUCKET.replace('.s3', 'xs3')}/x",
    "any character for the last dot": f"https://{BUCKET.replace('.com', 'xcom')}/x",
    "a dot at the end": f"https://{BUCKET}./x",
    "user info": f"https://me@{BUCKET}/x",
    "a user and a password": f"https://me:x@{BUCKET}/x",
    "an empty user": f"https://@{BUCKET}/x",
    "the host as a user": f"https://{BUCKET}@evil.com/x",
    "the host and a port as a user": f"https://{BUCKET}:443@evil.com/x",
    "a backslash before the user": f"https://{BUCKET}\\@evil.com/x",
    "a backslash behind the host": f"https://{BUCKET}\\.evil.com/x",
    "another port": f"https://{BUCKET}:8443/x",
    "port 0": f"https://{BUCKET}:0/x",
    "a port that reads like 443": f"https://{BUCKET}:0443/x",
    "a port in other digits": f"https://{BUCKET}:\uff14\uff14\uff13/x",
    "a port that is none": f"https://{BUCKET}:x/x",
    "a port that is empty": f"https://{BUCKET}:/x",
    "http": f"http://{BUCKET}/x",
    "no scheme": f"//{BUCKET}/x",
    "another scheme": f"file://{BUCKET}/x",
    "one slash": f"https:/{BUCKET}/x",
    "three slashes": f"https:///{BUCKET}/x",
    "the host in the query": f"https://evil.com?{BUCKET}/x",
    "the host in the fragment": f"https://evil.com#{BUCKET}/x",
    "the host in the path": f"https://evil.com/{BUCKET}/x",
    "percent-encoded dots": f"https://{BUCKET.replace('.', '%2E')}/x",
    "a percent-encoded slash": f"https://{BUCKET}%2F.evil.com/x",
    "a percent-encoded at": f"https://{BUCKET}%40evil.com/x",
    "upper case": f"https://{BUCKET.upper()}/x",
    "full-width letters": f"https://{BUCKET.replace('amazonaws', '\uff41mazonaws')}/x",
    "a full-width dot": f"https://{BUCKET.replace('.s3', '\uff0es3')}/x",
    "an ideographic full stop": f"https://{BUCKET.replace('.s3', '\u3002s3')}/x",
    "a Cyrillic letter": f"https://{BUCKET.replace('amazonaws', '\u0430mazonaws')}/x",
    "a Kelvin sign": f"https://{BUCKET.replace('cloud', '\u212acloud')}/x",
    "a soft hyphen": f"https://{BUCKET.replace('s3', 's\u00ad3')}/x",
    "a character that becomes a slash": f"https://{BUCKET}\u2100.evil.com/x",
    "a NUL": f"https://{BUCKET}\0.evil.com/x",
    "a NUL at the end": f"https://{BUCKET}\0/x",
    "brackets": f"https://[{BUCKET}]/x",
    "an unclosed bracket": f"https://[{BUCKET}/x",
    "an address": "https://169.254.169.254/x",
    "IPv6": "https://[::1]/x",
    "no host": "https:///x",
    "nothing": "",
}  # fmt: skip


@pytest.mark.parametrize("url", STRANGE.values(), ids=STRANGE)
def test_no_other_host_is_answered(url):
    assert not HOSTS(url)


@pytest.mark.parametrize(
    "url", [url for url in STRANGE.values() if url.startswith("https://") and url.isprintable() and " " not in url]
)
def test_an_event_with_another_host_is_no_request_and_the_url_is_not_quoted(url):
    assert refusal(event("Create", ResponseURL=url)) == (
        "The event's ResponseURL does not lead to CloudFormation in this Region. If this is a local AWS, deploy the "
        "application with its host as the parameter ResponseHost."
    )


def test_the_host_of_a_local_aws_is_answered_only_where_it_is_declared():
    local = response_hosts(HOME, "amazonaws.com", "127.0.0.1:4566")

    assert local("https://127.0.0.1:4566/bucket/x?X-Amz-Signature=y")
    assert local(f"https://{BUCKET}/x")
    for url in (
        "http://127.0.0.1:4566/x",
        "https://127.0.0.1:4567/x",
        "https://127.0.0.1/x",
        "https://me@127.0.0.1:4566/x",
        "https://127.0.0.1:4566.evil.com/x",
        "https://127.0.0.1:4566@evil.com/x",
        "https:///x",
    ):
        assert not local(url)
    assert not HOSTS("https://127.0.0.1:4566/bucket/x")


def test_a_request_is_plain_json_as_lambda_hands_it_over():
    assert read(json.loads(json.dumps(event("Update"))), HOME, HOSTS) == request("Update")


@pytest.mark.parametrize("unique", ["a\ud800b", "a\x1bb", "a\x9bb", "a\u202eb", "a b", "", "a" * 65, "a.b"])
def test_the_unique_part_of_a_stack_id_has_letters_digits_and_hyphens_only(unique):
    stack = STACK_ID.rsplit("/", 1)[0]

    assert refusal(event("Create", StackId=f"{stack}/{unique}")) == (
        "The event is not a CloudFormation request: StackId is missing or malformed."
    )
