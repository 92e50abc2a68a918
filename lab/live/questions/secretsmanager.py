"""Questions to Secrets Manager: texts of errors, and which keys an answer has."""

from collections.abc import Mapping
from typing import Any, Final

from lab.live.questions.question import Asked, Question, error_of, which_of

WORDS: Final = "it says the same in other words"
NO_VERSION: Final = "00000000-0000-4000-8000-000000000000"
CREATED_AGAIN: Final = b"again"


def _value(asked: Asked, secret: str, **more: str) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = asked.client("secretsmanager").get_secret_value(SecretId=secret, **more)
    return answer


def _error(asked: Asked, secret: str, **more: str) -> dict[str, str]:
    return error_of(lambda: _value(asked, secret, **more))


def _described(asked: Asked, secret: str) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = asked.client("secretsmanager").describe_secret(SecretId=secret)
    return answer


def _without_suffix(arn: str) -> str:
    return arn.rpartition("-")[0]


def _kind(answer: Mapping[str, Any]) -> dict[str, bool]:
    return which_of(answer, ("SecretBinary", "SecretString"))


def _create_again(asked: Asked) -> dict[str, str]:
    secrets = asked.client("secretsmanager")
    return error_of(lambda: secrets.create_secret(Name=asked.things.marked.name, SecretBinary=CREATED_AGAIN))


QUESTIONS: Final = (
    Question(
        "secretsmanager:value-of-unknown",
        "What does GetSecretValue say of a name that no secret has?",
        lambda asked: _error(asked, asked.things.name("secret")),
    ),
    Question(
        "secretsmanager:unknown",
        "What does DescribeSecret say of a name that no secret has?",
        lambda asked: error_of(lambda: _described(asked, asked.things.name("secret"))),
    ),
    Question(
        "secretsmanager:unknown-version",
        "What does GetSecretValue say of a version that the secret does not have?",
        lambda asked: _error(asked, asked.things.text.name, VersionId=NO_VERSION),
        not_local=WORDS,
    ),
    Question(
        "secretsmanager:no-previous",
        "What does GetSecretValue say if no version is AWSPREVIOUS?",
        lambda asked: _error(asked, asked.things.text.name, VersionStage="AWSPREVIOUS"),
        not_local=WORDS,
    ),
    Question(
        "secretsmanager:no-pending",
        "What does GetSecretValue say if no version is AWSPENDING?",
        lambda asked: _error(asked, asked.things.text.name, VersionStage="AWSPENDING"),
        not_local=WORDS,
    ),
    Question(
        "secretsmanager:no-value",
        "What does GetSecretValue say of a secret that has no value?",
        lambda asked: _error(asked, asked.things.bare.name),
        not_local="a secret without a value has an empty one there",
    ),
    Question(
        "secretsmanager:another-stage",
        "What does GetSecretValue say if the version exists, and does not have the stage?",
        lambda asked: _error(
            asked, asked.things.text.name, VersionId=asked.things.text.version, VersionStage="AWSPREVIOUS"
        ),
        not_local="it looks at the version and not at the stage",
    ),
    Question(
        "secretsmanager:put-again",
        "Which stages do the versions have after PutSecretValue?",
        lambda asked: {
            "first": _value(asked, asked.things.put_again.name, VersionId=asked.things.put_again.version)[
                "VersionStages"
            ],
            "second": _value(asked, asked.things.put_again.name)["VersionStages"],
        },
    ),
    Question(
        "secretsmanager:value-of-marked",
        "What does GetSecretValue say of a secret that is marked for deletion?",
        lambda asked: _error(asked, asked.things.marked.name),
    ),
    Question(
        "secretsmanager:marked",
        "Does DescribeSecret answer for a secret that is marked for deletion?",
        lambda asked: which_of(_described(asked, asked.things.marked.name), ("DeletedDate", "VersionIdsToStages")),
    ),
    Question(
        "secretsmanager:create-marked",
        "What does CreateSecret say of the name of a secret that is marked for deletion?",
        _create_again,
        not_local=WORDS,
    ),
    Question(
        "secretsmanager:no-tags",
        "Has DescribeSecret's answer Tags if the secret has no tag?",
        lambda asked: which_of(_described(asked, asked.things.bare.name), ("Tags",)),
        not_local="it always shows the list of tags",
    ),
    Question(
        "secretsmanager:no-versions",
        "Has DescribeSecret's answer VersionIdsToStages if the secret has no value?",
        lambda asked: which_of(_described(asked, asked.things.bare.name), ("VersionIdsToStages",)),
        not_local="a secret without a value has an empty one there",
    ),
    Question(
        "secretsmanager:without-suffix",
        "Is a secret found by its ARN without the suffix?",
        lambda asked: {"name": _value(asked, _without_suffix(asked.things.text.arn))["Name"]},
    ),
    Question(
        "secretsmanager:like-a-suffix",
        "The same, if the name ends like a suffix",
        lambda asked: _error(asked, _without_suffix(asked.things.like_a_suffix.arn)),
        not_local="it finds such a secret",
    ),
    Question(
        "secretsmanager:bytes",
        "Which of SecretBinary and SecretString has the answer for bytes?",
        lambda asked: _kind(_value(asked, asked.things.binary.name)),
    ),
    Question(
        "secretsmanager:text",
        "Which of SecretBinary and SecretString has the answer for a text?",
        lambda asked: _kind(_value(asked, asked.things.text.name)),
    ),
)
