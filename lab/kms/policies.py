"""Key policies, as far as this KMS needs them: the default policy, their form, and whether they allow another account.

This KMS does not check rights inside an account (MiniStack checks them before it calls this KMS).
"""

import json
from typing import Any

from lab.kms.errors import KmsError
from lab.kms.store import partition_of


def default_policy(account: str, region: str) -> str:
    """The policy of a key that is created without one."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition_of(region)}:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]})


def require_well_formed(policy: str) -> None:
    try:
        document = json.loads(policy)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not _statements(document):
        raise KmsError("MalformedPolicyDocumentException", "The new key policy is not a valid policy document.")
    for statement in _statements(document):
        if statement.get("Effect") not in ("Allow", "Deny") or not {"Principal", "NotPrincipal"} & set(statement):
            raise KmsError("MalformedPolicyDocumentException", "The new key policy is not a valid policy document.")


def require_cross_account(policy: str | None, account: str, operation: str) -> None:
    """Raises AccessDeniedException unless a statement allows `operation` to `account` as a whole. `policy` None: no key."""
    if policy is not None and any(
        _allows(statement, account, operation) for statement in _statements(json.loads(policy))
    ):
        return
    raise KmsError(
        "AccessDeniedException",
        f"User: arn:aws:iam::{account}:root is not authorized to perform: kms:{operation} on this resource because the "
        "resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy "
        "explicitly denies access",
    )


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    statements = document.get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    return [statement for statement in statements if isinstance(statement, dict)]


def _allows(statement: dict[str, Any], account: str, operation: str) -> bool:
    principal = statement.get("Principal")
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    principals = named if isinstance(named, list) else [named]
    actions = statement.get("Action", [])
    actions = actions if isinstance(actions, list) else [actions]
    is_meant = any(name in ("*", account) or f"::{account}:" in str(name) for name in principals)
    return statement["Effect"] == "Allow" and is_meant and bool({f"kms:{operation}", "kms:*", "*"} & set(actions))
