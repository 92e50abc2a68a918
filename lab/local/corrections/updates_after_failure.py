"""Takes an update of a stack whose last update failed with --disable-rollback, as CloudFormation does.

MiniStack refuses it. On AWS such a stack can be updated again ("Stack failure options" in the CloudFormation User Guide). What
it then calls the old properties is not known: here they are those from before the failed update.
"""

from typing import Any

from ministack.services.cloudformation import handlers

type Answer = tuple[int, dict[str, str], bytes]

_update_stack = handlers._update_stack


def apply() -> None:
    handlers._ACTION_HANDLERS["UpdateStack"] = update_stack


def update_stack(parameters: dict[str, Any]) -> Answer:
    stack = handlers._resolve_stack(handlers._p(parameters, "StackName"))
    if stack is None or stack["StackStatus"] != "UPDATE_FAILED":
        return _answer(parameters)
    stack["StackStatus"] = "UPDATE_COMPLETE"  # a status that MiniStack lets be updated
    try:
        return _answer(parameters)
    finally:
        if stack["StackStatus"] == "UPDATE_COMPLETE":  # it was refused for another reason
            stack["StackStatus"] = "UPDATE_FAILED"


def _answer(parameters: dict[str, Any]) -> Answer:
    status, headers, body = _update_stack(parameters)
    return status, headers, body
