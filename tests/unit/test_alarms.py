"""What AlarmTopicArn switches on in template.yaml: the watch, its rules, the alarms. For the watch's role see test_role.py."""

import json
import re

import pytest

from lab.application import ACCOUNT, REGION, TEMPLATE, Application
from tests.unit.test_docs import anchors
from tests.unit.test_template import BOUNDARY, LOG_KEY, TOPIC, VERSION

ALARM, PERMISSION, RULE = "AWS::CloudWatch::Alarm", "AWS::Lambda::Permission", "AWS::Events::Rule"
OPERATIONS = TEMPLATE.parent / "docs" / "operations.md"
TEMPLATE_MOST_BYTES = 45_000  # CloudFormation takes 51,200 without a bucket; the rest is for what SAM puts into it


def with_topic(**parameters):
    return Application(AlarmTopicArn=TOPIC, **parameters)


def logical_ids(application, type_):
    return {name for name, resource in application.resources.items() if resource["Type"] == type_}


# ----------------------------------------------------------------------------------------------------- on and off


def test_without_a_topic_no_resource_of_the_watch_and_no_alarm_is_deployed():
    without, with_ = Application(), with_topic(AlarmOnFailedRequests="true")
    added = {name: resource for name, resource in with_.resources.items() if name not in without.resources}

    assert all(name.startswith("Watch") or resource["Type"] == ALARM for name, resource in added.items())
    assert {name: with_.resources[name] for name in without.resources} == without.resources
    assert with_.outputs == without.outputs
    assert len(added) == 9 + 10 + 1  # function, configuration, log group, role, three rules with permissions; alarms


def test_failed_requests_raise_an_alarm_only_where_that_is_asked_for():
    more = logical_ids(with_topic(AlarmOnFailedRequests="true"), ALARM) - logical_ids(with_topic(), ALARM)

    assert more == {"FailedRequestsAlarm"}
    assert logical_ids(Application(AlarmOnFailedRequests="true"), ALARM) == set()


def test_the_template_has_room_left_below_cloudformation_s_limit_of_51_200_bytes():
    assert len(json.dumps(Application().template, separators=(",", ":"))) < TEMPLATE_MOST_BYTES


# ---------------------------------------------------------------------------------------------------------- the watch


def test_the_watch_is_the_first_function_s_neighbour():
    application = with_topic(FunctionName="keys", VpcSubnetIds="subnet-0a", VpcSecurityGroupIds="sg-0c")
    first, watch = application.properties("Function"), application.properties("WatchFunction")

    assert watch["FunctionName"] == "keys-watch"
    assert watch["Handler"] == "imported_key_material.watch_app.handler"
    assert watch["Role"] == "GetAtt(AWS::IAM::Role:WatchRole.Arn)"
    assert watch["LoggingConfig"] == {"LogGroup": "Ref(AWS::Logs::LogGroup:WatchLogGroup)"}
    alike = ("Architectures", "Code", "Layers", "Runtime", "Tags", "VpcConfig")
    assert {name: watch[name] for name in alike} == {name: first[name] for name in alike}
    assert watch["Timeout"] >= 600  # 10,000 keys


def test_the_watch_s_log_group_and_role_are_as_those_of_the_others():
    application = with_topic(
        FunctionName="keys", LogRetentionDays="30", LogGroupKmsKeyArn=LOG_KEY, PermissionsBoundaryArn=BOUNDARY
    )

    assert application.properties("WatchLogGroup") == {
        "LogGroupName": "/aws/lambda/keys-watch",
        "RetentionInDays": "30",
        "KmsKeyId": LOG_KEY,
    }
    assert application.properties("WatchRole")["PermissionsBoundary"] == BOUNDARY
    assert "PermissionsBoundary" not in with_topic().properties("WatchRole")


def test_the_environment_holds_what_the_watch_reads():
    watch = with_topic(FunctionName="keys", ExpiryWarningDays="60", FipsServices="kms,sns", LogLevel="ERROR")

    assert watch.properties("WatchFunction")["Environment"]["Variables"] == {
        "ALARM_TOPIC_ARN": TOPIC,
        "APPLICATION_VERSION": VERSION,
        "EXPIRY_WARNING_DAYS": "60",
        "SERVICE_TOKEN_EXPORT": watch.outputs["ServiceToken"]["Export"]["Name"],
        "FIPS_SERVICES": "kms,sns",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
        "POWERTOOLS_METRICS_NAMESPACE": "ImportedKeyMaterial",
        "POWERTOOLS_SERVICE_NAME": "keys",
    }


def rules():
    application = with_topic()
    return {name: application.properties(name) for name in logical_ids(application, RULE)}


def test_the_watch_runs_every_twelve_hours():
    assert rules()["WatchFunctionSchedule"]["ScheduleExpression"] == "cron(0 6,18 * * ? *)"


def test_kms_s_own_events_and_those_of_a_trail_invoke_the_watch():
    patterns = {name: rule["EventPattern"] for name, rule in rules().items() if "EventPattern" in rule}

    assert patterns["WatchFunctionKmsEvents"] == {
        "source": ["aws.kms"],
        "detail-type": ["KMS Imported Key Material Expiration", "KMS CMK Rotation", "KMS CMK Deletion"],
    }
    detail = patterns["WatchFunctionTrailEvents"]["detail"]
    assert detail["eventName"] == [
        "DeleteImportedKeyMaterial",
        "DisableKey",
        "ScheduleKeyDeletion",
        "DeleteExpiredKeyMaterial",
    ]
    issuers = [one["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] for one in detail["$or"]]
    assert issuers == [[{"anything-but": ["GetAtt(AWS::IAM::Role:Role.Arn)"]}], [{"exists": False}]]
    assert set(patterns) == {"WatchFunctionKmsEvents", "WatchFunctionTrailEvents"}


def test_each_rule_invokes_the_watch_and_only_these_rules_may():
    application, watch = with_topic(), "GetAtt(AWS::Lambda::Function:WatchFunction.Arn)"
    for name, rule in rules().items():
        assert [target["Arn"] for target in rule["Targets"]] == [watch], name
        assert "RoleArn" not in rule["Targets"][0], name
    permissions = [application.properties(name) for name in logical_ids(application, PERMISSION)]
    assert {one["SourceArn"] for one in permissions} == {f"GetAtt({RULE}:{name}.Arn)" for name in rules()}
    assert {one["Principal"] for one in permissions} == {"events.amazonaws.com"}


# --------------------------------------------------------------------------------------------------------- the alarms


def alarms():
    application = with_topic(AlarmOnFailedRequests="true")
    return {name: application.properties(name) for name in sorted(logical_ids(application, ALARM))}


def as_a_row(alarm):
    dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
    of = dimensions.get("FunctionName", "").removeprefix("Ref(AWS::Lambda::Function:").removesuffix(")")
    assert alarm["EvaluationPeriods"] * alarm["Period"] <= 86_400  # CloudWatch's limit
    return (
        f"{alarm['MetricName']} {of}".strip(),
        f"{alarm['Statistic']} {alarm['ComparisonOperator']} {alarm['Threshold']}",
        (alarm["Period"], alarm["EvaluationPeriods"]),
        alarm["TreatMissingData"],
    )


MORE = "Sum GreaterThanThreshold 0"
ROWS = [
    ("AsyncEventAge Function", "Maximum GreaterThanThreshold 600000", (300, 1), "notBreaching"),
    ("DestinationDeliveryFailures Function", MORE, (300, 1), "notBreaching"),
    # An error has the time at which its invocation began: 15 minutes back, where it ran out of time.
    ("Errors Function", MORE, (3600, 1), "notBreaching"),
    ("Errors OnFailureFunction", MORE, (3600, 1), "notBreaching"),
    ("Errors WatchFunction", MORE, (3600, 1), "notBreaching"),
    ("Invocations OnFailureFunction", MORE, (300, 1), "notBreaching"),
    ("Invocations WatchFunction", "Sum LessThanThreshold 1", (86_400, 1), "breaching"),
    ("QuotaGivenUp", MORE, (300, 1), "notBreaching"),
    ("Requests", MORE, (300, 1), "notBreaching"),
    ("Throttles Function", MORE, (60, 5), "notBreaching"),
]


def test_the_alarms_are_these():
    assert sorted(map(as_a_row, alarms().values())) == ROWS


def test_the_alarm_on_errors_outlives_the_longest_invocation():
    application = with_topic()
    for of in ("Function", "OnFailureFunction", "WatchFunction"):
        (alarm,) = [
            one
            for one in alarms().values()
            if one["MetricName"] == "Errors" and one["Dimensions"][0]["Value"] == f"Ref(AWS::Lambda::Function:{of})"
        ]
        assert alarm["Period"] > 2 * application.properties(of)["Timeout"], of


def test_the_application_s_own_metrics_are_found_by_their_dimensions():
    own = {one["MetricName"]: one for one in alarms().values() if one["Namespace"] != "AWS/Lambda"}
    variables = with_topic().properties("Function")["Environment"]["Variables"]
    service = {"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}

    assert {one["Namespace"] for one in own.values()} == {variables["POWERTOOLS_METRICS_NAMESPACE"]}
    assert own["QuotaGivenUp"]["Dimensions"] == [service]
    assert own["Requests"]["Dimensions"] == [service, {"Name": "Outcome", "Value": "FAILED"}]


def test_every_alarm_goes_to_the_topic_and_nothing_else_does():
    for name, alarm in alarms().items():
        assert alarm["AlarmActions"] == [TOPIC], name
        assert not {"OKActions", "InsufficientDataActions"} & set(alarm), name


def test_an_alarm_s_name_begins_with_the_function_s():
    application = with_topic(FunctionName="keys")

    names = {application.properties(name)["AlarmName"] for name in logical_ids(application, ALARM)}
    assert {name.split("-")[0] for name in names} == {"keys"}
    assert len(names) == 9


@pytest.mark.parametrize("name", sorted(alarms()))
def test_an_alarm_s_description_says_what_happened_and_names_the_section_that_says_what_to_do(name):
    found = re.fullmatch(r"([A-Z].{10,100}): docs/operations\.md#([a-z-]+)", alarms()[name]["AlarmDescription"])

    assert found
    assert found[2] in anchors(OPERATIONS)


def test_every_section_about_an_alarm_has_its_alarm_and_says_where_to_look():
    text = OPERATIONS.read_text().partition("## What each alarm means\n")[2].partition("\n## ")[0]
    sections = dict(one.split("\n", 1) for one in re.split(r"^### ", text, flags=re.MULTILINE)[1:])
    by_anchor = {one["AlarmDescription"].rpartition("#")[2]: one for one in alarms().values()}
    application = with_topic()
    logs = {application.properties(name)["LogGroupName"] for name in logical_ids(application, "AWS::Logs::LogGroup")}

    assert len(sections) == len(by_anchor) == 10
    for heading, body in sections.items():
        alarm = by_anchor[re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-")]
        assert f"`{alarm['AlarmName']}`" in body, heading
        named = set(re.findall(r"^Log: `(.+)`\.$", body, re.MULTILINE))
        assert named <= logs, heading
        assert named or "$ aws " in body or "](#" in body, heading


# -------------------------------------------------------------------------------------------------------- the version


def test_the_version_of_pyproject_is_an_output_a_tag_and_a_variable_of_each_function():
    application = with_topic()

    assert application.outputs["Version"]["Value"] == VERSION
    for name in ("Function", "OnFailureFunction", "WatchFunction"):
        properties = application.properties(name)
        assert {"Key": "imported-key-material-version", "Value": VERSION} in properties["Tags"]
        assert properties["Environment"]["Variables"]["APPLICATION_VERSION"] == VERSION


def test_the_topic_s_policy_is_never_touched():
    assert not [one for one in with_topic().resources.values() if one["Type"].startswith("AWS::SNS::")]
    assert tuple(TOPIC.split(":")[4:2:-1]) == (ACCOUNT, REGION)
