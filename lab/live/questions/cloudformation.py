"""Questions to CloudFormation: texts of errors, what is shown of a stack that is gone, and of a resource without an id."""

from itertools import groupby, pairwise
from typing import Any, Final

from lab.live.questions.question import Asked, Question, error_of, which_of
from lab.live.questions.stacks import BROKEN, REMOVED, RESOURCE, About

WORDS: Final = "it says the same in other words"
UPDATED: Final = "its stacks always have LastUpdatedTime"
NOBODY: Final = "Nobody"
TIMES: Final = ("CreationTime", "LastUpdatedTime", "DeletionTime")


def _stack(asked: Asked, name: str) -> dict[str, Any]:
    found: dict[str, Any] = asked.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return found


def _error_of_stack(asked: Asked, name: str) -> dict[str, str]:
    return error_of(lambda: _stack(asked, name))


def _error_of_events(asked: Asked, name: str) -> dict[str, str]:
    return error_of(lambda: asked.client("cloudformation").describe_stack_events(StackName=name))


def _resource(asked: Asked, name: str, logical_id: str = RESOURCE) -> dict[str, Any]:
    answer = asked.client("cloudformation").describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
    found: dict[str, Any] = answer["StackResourceDetail"]
    return found


def _error_of_resource(asked: Asked, name: str, logical_id: str = RESOURCE) -> dict[str, str]:
    return error_of(lambda: _resource(asked, name, logical_id))


def _events(asked: Asked, about: About) -> list[dict[str, Any]]:
    """The first page, the newest first."""
    return list(asked.client("cloudformation").describe_stack_events(StackName=about.id)["StackEvents"])


def _listed(asked: Asked, about: About) -> dict[str, dict[str, Any]]:
    answer = asked.client("cloudformation").list_stack_resources(StackName=about.id)
    return {one["LogicalResourceId"]: one for one in answer["StackResourceSummaries"]}


def _of_resource(asked: Asked, about: About, logical_id: str) -> list[dict[str, Any]]:
    """The resource's events, the oldest first."""
    return [one for one in reversed(_events(asked, about)) if one["LogicalResourceId"] == logical_id]


def _short(one: dict[str, Any]) -> dict[str, Any]:
    return {"status": one["ResourceStatus"], "type": one["ResourceType"], "has_id": bool(one["PhysicalResourceId"])}


def _time_of(asked: Asked, about: About, status: str, field: str) -> dict[str, bool]:
    """Whether the stack shows as `field` when its own first event of this status was."""
    newest_first = [
        one["Timestamp"]
        for one in _events(asked, about)
        if one["ResourceStatus"] == status and one["PhysicalResourceId"] == about.id
    ]
    return {"same_millisecond": newest_first[-1:] == [_stack(asked, about.id)[field]]}


def _newest(asked: Asked) -> dict[str, Any]:
    events = _events(asked, asked.stacks.standing)
    falling = all(later["Timestamp"] >= earlier["Timestamp"] for later, earlier in pairwise(events))
    return {"newest_first": falling, "newest": _short(events[0]), "oldest": _short(events[-1])}


def _first_event(asked: Asked) -> dict[str, Any]:
    first = _of_resource(asked, asked.stacks.standing, RESOURCE)[0]
    return {"status": first["ResourceStatus"], "id": first.get("PhysicalResourceId", "no such key")}


def _review(asked: Asked) -> dict[str, Any]:
    about = asked.stacks.reviewed
    stack = _stack(asked, about.id)
    return {"status": stack["StackStatus"], **which_of(stack, TIMES), "resources": sorted(_listed(asked, about))}


def _rolled_back(asked: Asked) -> dict[str, Any]:
    listed = _listed(asked, asked.stacks.rolled_back)
    return {
        name: {"status": one["ResourceStatus"], "has_key_of_id": "PhysicalResourceId" in one}
        for name, one in sorted(listed.items())
    }


def _second_status(asked: Asked) -> list[dict[str, Any]]:
    """Without those that are like the one before: AWS may show a status again with more details."""
    return [one for one, _ in groupby(_short(one) for one in _of_resource(asked, asked.stacks.standing, RESOURCE))]


QUESTIONS: Final = (
    Question(
        "cloudformation:unknown-stack",
        "What does DescribeStacks say of a name that no stack has?",
        lambda asked: _error_of_stack(asked, asked.things.name("stack")),
    ),
    Question(
        "cloudformation:events-of-unknown-stack",
        "What does DescribeStackEvents say of a name that no stack has?",
        lambda asked: _error_of_events(asked, asked.things.name("stack")),
    ),
    Question(
        "cloudformation:resource-of-unknown-stack",
        "What does DescribeStackResource say of a name that no stack has?",
        lambda asked: _error_of_resource(asked, asked.things.name("stack")),
        not_local=WORDS,
    ),
    Question(
        "cloudformation:resources-of-unknown-stack",
        "What does ListStackResources say of a name that no stack has?",
        lambda asked: error_of(
            lambda: asked.client("cloudformation").list_stack_resources(StackName=asked.things.name("stack"))
        ),
        not_local=WORDS,
    ),
    Question(
        "cloudformation:unknown-resource",
        "What does DescribeStackResource say of a resource that the template does not have?",
        lambda asked: _error_of_resource(asked, asked.stacks.standing.name, NOBODY),
        not_local=WORDS,
    ),
    Question(
        "cloudformation:unknown-resource-by-id",
        "The same, if the stack is asked for by its id",
        lambda asked: _error_of_resource(asked, asked.stacks.standing.id, NOBODY),
        not_local=WORDS,
    ),
    Question(
        "cloudformation:stack-by-id",
        "Does DescribeStacks take a stack's id?",
        lambda asked: {
            "status": (stack := _stack(asked, asked.stacks.standing.id))["StackStatus"],
            "name": stack["StackName"],
        },
    ),
    Question(
        "cloudformation:resource-by-stack-id",
        "Does DescribeStackResource take a stack's id?",
        lambda asked: {
            name: _resource(asked, asked.stacks.standing.id)[name] for name in ("LogicalResourceId", "ResourceStatus")
        },
    ),
    Question(
        "cloudformation:deleted-by-name",
        "What does DescribeStacks say of a deleted stack's name?",
        lambda asked: _error_of_stack(asked, asked.stacks.deleted.name),
    ),
    Question(
        "cloudformation:deleted-by-id",
        "What does DescribeStacks say of a deleted stack's id?",
        lambda asked: {
            "status": (stack := _stack(asked, asked.stacks.deleted.id))["StackStatus"],
            **which_of(stack, TIMES),
        },
        not_local=UPDATED,
    ),
    Question(
        "cloudformation:events-of-deleted-by-name",
        "What does DescribeStackEvents say of a deleted stack's name?",
        lambda asked: _error_of_events(asked, asked.stacks.deleted.name),
        not_local="it finds the events of a deleted stack by its name, too",
    ),
    Question(
        "cloudformation:events-of-deleted-by-id",
        "What is the newest event of a deleted stack?",
        lambda asked: _short(_events(asked, asked.stacks.deleted)[0]),
    ),
    Question("cloudformation:order-of-events", "Which event comes first, and whose is it?", _newest),
    Question(
        "cloudformation:first-event-of-resource",
        "What is PhysicalResourceId in the first event of a resource?",
        _first_event,
    ),
    Question(
        "cloudformation:second-status",
        "Which statuses does a resource have while it is created, and with an id?",
        _second_status,
        not_local="only a custom resource has the second status there",
    ),
    Question(
        "cloudformation:times-of-created",
        "Which times does a stack show that was only created?",
        lambda asked: which_of(_stack(asked, asked.stacks.standing.id), TIMES),
        not_local=UPDATED,
    ),
    Question(
        "cloudformation:creation-time",
        "Is CreationTime the time of the stack's first event?",
        lambda asked: _time_of(asked, asked.stacks.standing, "CREATE_IN_PROGRESS", "CreationTime"),
    ),
    Question(
        "cloudformation:updated-time",
        "Is LastUpdatedTime the time of the event UPDATE_IN_PROGRESS?",
        lambda asked: _time_of(asked, asked.stacks.updated, "UPDATE_IN_PROGRESS", "LastUpdatedTime"),
    ),
    Question(
        "cloudformation:deletion-time",
        "Is DeletionTime the time of the event DELETE_IN_PROGRESS?",
        lambda asked: _time_of(asked, asked.stacks.deleted, "DELETE_IN_PROGRESS", "DeletionTime"),
    ),
    Question(
        "cloudformation:deletion-time-of-rollback",
        "Is DeletionTime of a stack that was rolled back the time of ROLLBACK_IN_PROGRESS, and does it stay?",
        lambda asked: _time_of(asked, asked.stacks.rolled_back, "ROLLBACK_IN_PROGRESS", "DeletionTime"),
    ),
    Question(
        "cloudformation:removed-resource",
        "What does DescribeStackResource say of a resource that an update has removed?",
        lambda asked: _error_of_resource(asked, asked.stacks.updated.name, REMOVED),
        not_local=WORDS,
    ),
    Question(
        "cloudformation:rolled-back-resource",
        "What does DescribeStackResource say of a resource whose creation failed, once that is rolled back?",
        lambda asked: _error_of_resource(asked, asked.stacks.rolled_back.name, BROKEN),
        not_local=WORDS,
    ),
    Question(
        "cloudformation:rolled-back-resources",
        "What does ListStackResources list after a rollback to nothing, and has it an id of what never had one?",
        _rolled_back,
        not_local="it forgets the resources of a stack that is rolled back",
    ),
    Question(
        "cloudformation:in-review",
        "What does a stack show for which only a change set was made?",
        _review,
        not_local=UPDATED,
    ),
)
