"""The stand-in of the AWS CLI takes what the CLI takes, and refuses what it would refuse."""

import re

import pytest

from lab.aws_cli.parameters import Call, WrongCallError

TWO_TAGS = [{"TagKey": "a"}, {"TagKey": "b"}]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("kmz describe-key", "aws kmz: there is no such service"),
        ("kms describe-keys", "aws kms describe-keys: there is no such operation"),
        ("kms", "aws kms: a service and an operation are missing"),
        ("kms describe-key --key k", "aws kms describe-key: there is no option --key"),
        ("kms describe-key --key-id", "aws kms describe-key --key-id: the value is missing"),
        ("kms describe-key", 'aws kms describe-key: Missing required parameter in input: "KeyId"'),
        ("kms encrypt --key-id k --plaintext -", "aws kms encrypt --plaintext: Only base64 data is allowed"),
        ("kms tag-resource --key-id k --tags a", "aws kms tag-resource --tags: "),
        (
            "kms tag-resource --key-id k --tags Key=a,Value=b",
            'aws kms tag-resource: Missing required parameter in Tags[0]: "TagKey"',
        ),
        (
            "logs filter-log-events --log-group-name g --limit many",
            "aws logs filter-log-events --limit: invalid literal for int() with base 10: 'many'",
        ),
        ("cloudformation deploy --stack-name s", "aws cloudformation deploy: without template-file"),
        ("cloudformation deploy --stack s", "aws cloudformation deploy: there is no option --stack"),
        (
            "cloudformation wait stack-gone",
            "aws cloudformation wait stack-gone: there is nothing of this name to wait for",
        ),
    ],
)
def test_a_call_that_the_cli_would_not_take_is_reported(tmp_path, command, told):
    with pytest.raises(WrongCallError, match=f"^{re.escape(told)}"):
        Call.of(command.split()).validate(tmp_path)


@pytest.mark.parametrize(
    ("command", "parameters"),
    [
        ("kms encrypt --key-id k --plaintext MQ==", {"KeyId": "k", "Plaintext": b"1"}),
        ("kms encrypt --key-id k --plaintext fileb://f --query Q", {"KeyId": "k", "Plaintext": b"text"}),
        (
            "kms encrypt --key-id k --plaintext MQ== --encryption-context a=b/c,d=e",
            {"KeyId": "k", "Plaintext": b"1", "EncryptionContext": {"a": "b/c", "d": "e"}},
        ),
        ('kms tag-resource --tags [{"TagKey":"a","TagValue":"b"}]', {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        ('kms tag-resource --tags {"TagKey":"a"} --region eu-west-1', {"Tags": [{"TagKey": "a"}]}),
        ("kms create-key --multi-region --tags TagKey=a TagKey=b", {"MultiRegion": True, "Tags": TWO_TAGS}),
        ("kms create-key --no-multi-region --policy file://f", {"MultiRegion": False, "Policy": "text"}),
        ("kms schedule-key-deletion --key-id k --pending-window-in-days 7", {"KeyId": "k", "PendingWindowInDays": 7}),
        ("s3api put-object --bucket b --key k --body f", {"Bucket": "b", "Key": "k", "Body": b"text"}),
        ("lambda invoke --function-name f answer.json", {"FunctionName": "f"}),
        ("cloudformation wait stack-delete-complete --stack-name s", {"StackName": "s"}),
        (
            "lambda create-code-signing-config --allowed-publishers SigningProfileVersionArns=a",
            {"AllowedPublishers": {"SigningProfileVersionArns": ["a"]}},
        ),
        (
            "cloudformation create-stack-set --stack-set-name s --auto-deployment Enabled=true",
            {"StackSetName": "s", "AutoDeployment": {"Enabled": True}},
        ),
        (
            "cloudformation delete-stack-instances --stack-set-name s --operation-preferences MaxConcurrentCount=2",
            {"StackSetName": "s", "OperationPreferences": {"MaxConcurrentCount": 2}},
        ),
    ],
)  # fmt: skip
def test_values_are_taken_as_the_cli_takes_them(tmp_path, command, parameters):
    (tmp_path / "f").write_text("text")

    assert Call.of(command.split()).parameters(tmp_path) == parameters
