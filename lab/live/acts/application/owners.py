"""Acts about what owners allow: secrets that are missing, not tagged, just tagged or of another account; the role's rights."""

import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final

from imported_key_material.consent import TAG
from lab.live import side_by_side
from lab.live.act import Act, Needs
from lab.live.made import Made, key_policy
from lab.live.one_stack import OneStack, reason, seconds_of
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged, not_seen
from lab.local.stacks import Stack
from lab.role_calls import Call, Place, needed, refused

MATERIAL_BYTES: Final = 32
STACK_SECONDS: Final = 70.0
PATIENCE_SECONDS: Final = 20.0  # for a tag that is missing, or that IAM does not see yet
THREE_CAUSES: Final = "IAM answers this in three cases"  # aws/secret_errors.py
UNTIL_IT_FAILS: Final = "DO_NOTHING"  # a rollback would only take time

# ----------------------------------------------------------------------------------------------------------- secrets


def secrets_of_all_kinds(stage: Stage) -> Iterator[Finding]:
    yield from side_by_side.play(stage, (missing, untagged, just_tagged))


def missing(stage: Stage) -> Iterator[Finding]:
    stack = _stack(stage, "missing", stage.made.name("nowhere"), str(_NO_VERSION))
    yield _three_causes("secret-missing", "a secret that does not exist", stack)


def untagged(stage: Stage) -> Iterator[Finding]:
    secret, version = stage.made.secret("untagged", _material(stage))
    yield _three_causes("secret-untagged", "a secret without the tag", _stack(stage, "untagged", secret, version))


def just_tagged(stage: Stage) -> Iterator[Finding]:
    """Tagged within a second before the deployment."""
    secret, version = stage.made.secret("just-tagged", _material(stage))
    key = stage.made.key("just-tagged", tag=stage.made.name("just-tagged"))
    tag = {"Key": TAG, "Value": stage.made.name("just-tagged")}
    stage.client("secretsmanager").tag_resource(SecretId=secret, Tags=[tag])
    stack = _stack(stage, "just-tagged", secret, version, key)
    took = seconds_of(stack, "Material")
    yield judged(
        "secret-just-tagged",
        f"A secret that was tagged a moment ago is read within the {PATIENCE_SECONDS:.0f} seconds that the function waits",
        f"the stack is {stack.status}; the resource took {took:.0f} s. {reason(stack)}",
        holds=stack.status == "CREATE_COMPLETE",
        status=stack.status,
        seconds_of_material=took,
    )


_NO_VERSION: Final = "00000000-0000-4000-8000-000000000000"


def _stack(stage: Stage, suffix: str, secret: str, version: str, key: str = "") -> Stack:
    used = key or stage.made.key(suffix, tag=stage.made.name(suffix))
    resources = {"Material": stage.material(used, secret, version)}
    return OneStack.begin(stage, suffix, resources, OnFailure=UNTIL_IT_FAILS).wait(STACK_SECONDS)


def _three_causes(assumption: str, what: str, stack: Stack) -> Finding:
    told = reason(stack)
    return judged(
        assumption,
        f"For {what} AWS answers AccessDeniedException, and the error tells the three causes",
        told or f"the stack is {stack.status}",
        holds=THREE_CAUSES in told,
        status=stack.status,
        access_denied="AccessDenied" in told,
    )


def _material(stage: Stage) -> bytes:
    return stage.secret_bytes(secrets.token_bytes(MATERIAL_BYTES))


def foreign(stage: Stage) -> Iterator[Finding]:
    """A secret of another account, under a key of that account; both policies name the function's role."""
    other = stage.other_account
    if other is None:
        yield not_seen("secret-foreign-tags", Needs.OTHER_ACCOUNT.value)
        return
    there = Made(other, stage.made.run, stage.made.list)
    role = stage.application.role_arn
    opens = key_policy(other, _statement(role, ["kms:Decrypt"]))
    key = there.key("foreign", Origin="AWS_KMS", Policy=opens)
    name, version = there.secret("foreign", _material(stage), tag=stage.made.name("foreign"), KmsKeyId=key)
    manager = other.client("secretsmanager")
    reads = _statement(role, ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"])
    manager.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(_policy(reads)))
    stack = _stack(stage, "foreign", manager.describe_secret(SecretId=name)["ARN"], version)
    yield judged(
        "secret-foreign-tags",
        "DescribeSecret shows the tags of another account's secret, and the function reads it",
        f"the stack is {stack.status}. {reason(stack)}",
        holds=stack.status == "CREATE_COMPLETE",
        status=stack.status,
    )


def _policy(statement: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement]}


def _statement(role_arn: str, actions: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": role_arn}, "Action": actions, "Resource": "*"}


# ------------------------------------------------------------------------------------------------------------ the role


def role_actions(stage: Stage) -> Iterator[Finding]:
    """Asks IAM about the deployed role, call by call: simulated, nothing is called."""
    account, function = stage.account, stage.application.function
    place = Place(
        account.number,
        account.region,
        function,
        log_stream=f"arn:{account.partition}:logs:{account.region}:{account.number}:log-group:/aws/lambda/{function}:log-stream:x",
        partition=account.partition,
    )
    iam, role = stage.client("iam"), stage.application.role_arn
    missing_ = [name for name, call in needed(place).items() if not _allowed(iam, role, call)]
    too_much = [name for name, call in refused(place).items() if _allowed(iam, role, call)]
    yield judged(
        "role-allows",
        "IAM allows each call that the function makes, with the tags and contexts that AWS supplies",
        f"not allowed: {', '.join(missing_) or 'none'}",
        holds=not missing_,
        not_allowed=missing_,
    )
    yield judged(
        "role-refuses",
        "IAM refuses each call that the function must not be able to make, such as an import into a key without the tag",
        f"allowed all the same: {', '.join(too_much) or 'none'}",
        holds=not too_much,
        allowed=too_much,
    )


def _allowed(iam: Any, role: str, call: Call) -> bool:
    answer = iam.simulate_principal_policy(
        PolicySourceArn=role,
        ActionNames=[call.action],
        ResourceArns=[call.resource],
        ContextEntries=[_entry(name, value) for name, value in call.context.items()],
    )
    return str(answer["EvaluationResults"][0]["EvalDecision"]) == "allowed"


def _entry(name: str, value: str | tuple[str, ...]) -> Mapping[str, Any]:
    many = isinstance(value, tuple)
    return {
        "ContextKeyName": name,
        "ContextKeyType": "stringList" if many else "string",
        "ContextKeyValues": list(value) if many else [value],
    }


ACTS: Final[tuple[Act, ...]] = (
    Act(
        "secrets",
        "Secrets that are missing, not tagged, or just tagged",
        ("secret-missing", "secret-untagged", "secret-just-tagged"),
        makes="3 stacks, 3 keys, 2 secrets",
        deadline_seconds=55,
        play=secrets_of_all_kinds,
        dollars=0.02,
        short=False,
    ),
    Act(
        "foreign-secret",
        "A secret of another account",
        ("secret-foreign-tags",),
        makes="1 stack, 1 key; in the other account 1 key and 1 secret",
        deadline_seconds=45,
        play=foreign,
        needs=Needs.OTHER_ACCOUNT,
        not_local="secrets of another account do not work there.",
    ),
    Act(
        "role-actions",
        "The role, call by call, by iam:SimulatePrincipalPolicy",
        ("role-allows", "role-refuses"),
        makes="nothing",
        deadline_seconds=15,
        play=role_actions,
        dollars=0.0,
        not_local="its SimulatePrincipalPolicy ignores the context of a call.",
    ),
)
