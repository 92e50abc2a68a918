"""Corrects MiniStack 1.5.33 where it differs from AWS and this project depends on it: one module, one `apply`, for each.

Each correction says what AWS does, and names the source. tests/lab/local/test_corrections.py shows for each that MiniStack is
still wrong without it: when that test fails, the correction can go.
"""

import importlib

NAMES = (
    "lambda_runtime",
    "asynchronous_invocations",
    "custom_resources",
    "stack_statuses",
    "rollbacks",
    "updates_after_failure",
    "generated_names",
    "strict_kms",
    "kms_resources",
    "kms_conditions",
    "secrets_under_keys",
    "secret_versions",
)


def apply() -> None:
    """Applies all corrections."""
    for name in NAMES:
        importlib.import_module(f"lab.local.corrections.{name}").apply()
