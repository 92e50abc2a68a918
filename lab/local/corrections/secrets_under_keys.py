"""Lets a caller read a secret under a customer's KMS key only if the caller may use that key.

MiniStack lets every caller with secretsmanager:GetSecretValue read it. On AWS Secrets Manager calls kms:Decrypt with the
reader's own rights, with kms:ViaService and the secret's ARN in the encryption context (Secrets Manager User Guide, "Secret
encryption and decryption in AWS Secrets Manager"). The secret itself stays in MiniStack: this checks only the right.
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.core.router import extract_access_key_id
from ministack.services import secretsmanager

from lab.kms import KeyState
from lab.local.corrections import strict_kms
from lab.local.corrections.kms_conditions import encryption_context_keys

_handle_request = secretsmanager.handle_request


def apply() -> None:
    secretsmanager.handle_request = handle_request


async def handle_request(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
) -> Any:
    if headers.get("x-amz-target", "").endswith(".GetSecretValue"):
        refused = _refusal(extract_access_key_id(headers, query) or "", body)
        if refused is not None:
            return refused
    return await _handle_request(method, path, headers, body, query)


def _refusal(access_key_id: str, body: bytes) -> tuple[int, dict[str, str], bytes] | None:
    try:
        _, secret = secretsmanager._resolve(json.loads(body)["SecretId"])
    except (ValueError, KeyError, TypeError):
        return None  # Secrets Manager itself will refuse it
    if not secret or not secret.get("KmsKeyId") or "alias/aws/" in secret["KmsKeyId"]:
        return None
    key = strict_kms.key(secret["KmsKeyId"])
    if key is None or key.state is not KeyState.ENABLED:
        return _answer(
            "DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key."
        )
    version = json.loads(body).get("VersionId", "")
    context = {"SecretARN": secret["ARN"], **({"SecretVersionId": version} if version else {})}
    denied = iam_evaluator.enforce(
        access_key_id,
        "kms:Decrypt",
        "kms",
        get_region(),
        key.arn,
        {
            "kms:ViaService": f"secretsmanager.{get_region()}.amazonaws.com",
            "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            **encryption_context_keys(context),
        },
    )
    return _answer("AccessDeniedException", "Access to KMS is not allowed") if denied else None


def _answer(code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    body = json.dumps({"__type": code, "message": message}).encode()
    return 400, {"Content-Type": "application/x-amz-json-1.1"}, body
