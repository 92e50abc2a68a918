"""What MiniStack 1.5.33 does not do as AWS does, and this project depends on: one module, one `apply`, for each.

Each correction names what AWS does and where that is known from. tests/lab/local/test_corrections.py shows for each that
MiniStack without it is still wrong there: when that test fails, the correction can go.
"""

import importlib

NAMES = (
    "lambda_runtime",
    "asynchronous_invocations",
    "custom_resources",
    "stack_statuses",
    "rollbacks",
    "generated_names",
    "strict_kms",
    "kms_resources",
    "kms_conditions",
    "secrets_under_keys",
    "secret_versions",
)


def apply() -> None:
    """Applies all of them."""
    for name in NAMES:
        importlib.import_module(f"lab.local.corrections.{name}").apply()
