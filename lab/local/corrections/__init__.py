"""Corrects MiniStack 1.5.33 where it differs from AWS and this project depends on it: one module, one `apply`, for each.

Each correction says what AWS does, and names the source. tests/lab/local/test_corrections.py and test_corrections_of_events.py
show for each that MiniStack is still wrong without it: when such a test fails, the correction can go.
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
    "function_metrics",
    "embedded_metrics",
    "alarms",
    "event_rules",
    "kms_events",
)


def apply() -> None:
    """Applies all corrections."""
    for name in NAMES:
        importlib.import_module(f"lab.local.corrections.{name}").apply()
