"""Acts with more deployments of the application, so that the first is not disturbed: each has a name of the run.

They wait for AWS most of the time, so they run side by side. Not at rest at the end are stacks whose function failed: cleaning
deletes them by the run's list.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from lab.live import application, side_by_side
from lab.live.act import Act
from lab.live.application import Application
from lab.live.one_stack import OneStack, reason, seconds_of_all
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged, not_seen
from lab.local.stacks import DidNotEnd, Stack

MATERIAL_BYTES: Final = 32
DEPLOY_SECONDS: Final = 120.0
STACK_SECONDS: Final = 90.0
GIVEN_UP_SECONDS: Final = 150.0  # two tries, one minute apart
SHORT_TIMEOUT_SECONDS: Final = 60  # ServiceTimeout of a resource whose function will be missing
LATE_SECONDS: Final = 30
UNTIL_IT_FAILS: Final = "DO_NOTHING"  # a rollback's Delete would be given up, too, and only take time
LOADED: Final = "imported_key_material.app.handler"
NOT_LOADED: Final = "imported_key_material.gone.handler"
LITTLE_MEMORY_MB: Final = 128


def play(stage: Stage) -> Iterator[Finding]:
    yield from side_by_side.play(stage, (given_up, replaced, another_architecture))


# ------------------------------------------------------------------------------------------------ what Lambda gives up


def given_up(stage: Stage) -> Iterator[Finding]:
    """One function, broken in three ways, one after the other; at last it is deleted before a stack that uses it."""
    app = _deployed(stage, "app2")
    lambda_ = stage.client("lambda")
    lambda_.put_function_concurrency(FunctionName=app.function, ReservedConcurrentExecutions=0)
    never_run, failed = _fails(stage, app, "concurrency", ServiceTimeout=str(SHORT_TIMEOUT_SECONDS))
    yield _given_up("given-up-concurrency", failed, "reserved concurrency is 0")
    lambda_.delete_function_concurrency(FunctionName=app.function)
    _configure(stage, app, Handler=NOT_LOADED)
    _, failed = _fails(stage, app, "not-loaded")
    yield _given_up("given-up-not-loaded", failed, "code could not be loaded")
    _configure(stage, app, Handler=LOADED, MemorySize=LITTLE_MEMORY_MB)
    _, ended = _fails(stage, app, "memory")
    yield _with_little_memory(ended)
    lambda_.delete_function(FunctionName=app.function)
    yield _without_function(never_run)


def _fails(stage: Stage, app: Application, suffix: str, **more: Any) -> tuple[OneStack, Stack]:
    """A stack of this application, and how its creation ended: failed, most likely."""
    resources = _Declared.make(stage, suffix).resources(app, **more)
    stack = OneStack.begin(stage, suffix, resources, OnFailure=UNTIL_IT_FAILS)
    return stack, stack.wait(GIVEN_UP_SECONDS)


def _with_little_memory(stack: Stack) -> Finding:
    told = reason(stack)
    works = stack.status == "CREATE_COMPLETE"
    return judged(
        "given-up-memory",
        f"With {LITTLE_MEMORY_MB} MB the function imports the material, or the stack fails with the sentence about memory",
        f"the stack is {stack.status}. {told}",
        holds=works or "run out of memory" in told,
        status=stack.status,
        seconds=seconds_of_all(stack),
        works=works,
    )


def _without_function(stack: OneStack) -> Finding:
    failed = stack.delete(SHORT_TIMEOUT_SECONDS + STACK_SECONDS)
    seconds, told = seconds_of_all(failed), reason(failed)
    return judged(
        "function-gone",
        "Without its function a stack's Delete fails, after ServiceTimeout at the latest",
        f"after {seconds:.0f} s the stack is {failed.status}. {told}",
        holds=failed.status == "DELETE_FAILED" and seconds <= SHORT_TIMEOUT_SECONDS + LATE_SECONDS,
        status=failed.status,
        seconds=seconds,
        reason=told,
        service_timeout=SHORT_TIMEOUT_SECONDS,
    )


def _given_up(assumption: str, stack: Stack, sentence: str) -> Finding:
    told = reason(stack)
    seconds = seconds_of_all(stack)
    return judged(
        assumption,
        f"The on-failure function answers within {GIVEN_UP_SECONDS:.0f} seconds: {sentence}",
        f"after {seconds:.0f} s the stack is {stack.status}. {told}",
        holds="Lambda gave this Create request up" in told and sentence in told,
        status=stack.status,
        seconds=seconds,
    )


def _configure(stage: Stage, app: Application, **changes: Any) -> None:
    """Changes the function's configuration, and waits until Lambda uses it."""
    lambda_ = stage.client("lambda")
    lambda_.update_function_configuration(FunctionName=app.function, **changes)

    def done() -> bool | None:
        shown = lambda_.get_function_configuration(FunctionName=app.function)
        return True if shown.get("LastUpdateStatus", "Successful") == "Successful" else None

    if stage.wait_for(done, STACK_SECONDS) is None:
        raise DidNotEnd(f"Lambda has not changed {app.function}")


# ------------------------------------------------------------------------------------------- upgrades, deleted and back


def replaced(stage: Stage) -> Iterator[Finding]:
    """The application is deployed again with a change; then it is deleted, and deployed again under its name."""
    app = _deployed(stage, "app3")
    served = _Declared.make(stage, "served")
    stack = OneStack.begin(stage, "served", served.resources(app))
    created = stack.wait(STACK_SECONDS)
    if created.status != "CREATE_COMPLETE":
        why = f"the stack is {created.status}: {reason(created)}"
        yield from (not_seen(one, why) for one in ("upgraded", "deployed-again"))
        return
    yield _upgraded(stage, app, stack, served)
    _stack_of(stage, app).delete(DEPLOY_SECONDS)
    again = _deployed(stage, "app3")
    deleted = stack.delete(STACK_SECONDS)
    yield judged(
        "deployed-again",
        "Deployed again under the same name, the application has the same ServiceToken, and serves its old stacks",
        f"the ServiceToken is {'the same' if again.token == app.token else 'another'}; the old stack is {deleted.status}. "
        f"{reason(deleted)}",
        holds=again.token == app.token and deleted.status == "DELETE_COMPLETE",
        status=deleted.status,
        same_token=again.token == app.token,
    )


def _upgraded(stage: Stage, app: Application, stack: OneStack, served: "_Declared") -> Finding:
    _change(stage, app, LogLevel="WARNING")
    updated = stack.update(served.resources(app, Trigger="upgraded"), STACK_SECONDS)
    return judged(
        "upgraded",
        "A stack keeps working after the application was deployed again with another setting",
        f"the stack is {updated.status}. {reason(updated)}",
        holds=updated.status == "UPDATE_COMPLETE",
        status=updated.status,
    )


# --------------------------------------------------------------------------------------------------------- architecture


def another_architecture(stage: Stage) -> Iterator[Finding]:
    """x86_64 to arm64 and back, while a stack exists."""
    if stage.account.is_local:
        yield not_seen(
            "architecture-switched", "The local AWS can't show it: it runs functions on this machine's processor."
        )
        return
    app = _deployed(stage, "app4")
    declared = _Declared.make(stage, "architecture")
    stack = OneStack.begin(stage, "architecture", declared.resources(app))
    statuses = [stack.wait(STACK_SECONDS).status]
    for architecture in ("arm64", "x86_64"):
        _change(stage, app, Architecture=architecture)
        statuses.append(stack.update(declared.resources(app, Trigger=architecture), STACK_SECONDS).status)
    yield judged(
        "architecture-switched",
        "A stack keeps working while the application changes from x86_64 to arm64 and back",
        f"the stack was {', then '.join(statuses)}",
        holds=statuses == ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE"],
        statuses=statuses,
    )


# ----------------------------------------------------------------------------------------------------------------- parts


@dataclass(frozen=True, slots=True)
class _Declared:
    """A key and a secret that the stack of this name may use."""

    stage: Stage
    key: str
    secret: str
    version: str

    @classmethod
    def make(cls, stage: Stage, suffix: str) -> "_Declared":
        name = stage.made.name(suffix)
        material = stage.secret_bytes(secrets.token_bytes(MATERIAL_BYTES))
        return cls(stage, stage.made.key(suffix, tag=name), *stage.made.secret(suffix, material, tag=name))

    def resources(self, app: Application, **more: Any) -> dict[str, Any]:
        """A material that this deployment of the application serves."""
        return {"Material": self.stage.material(self.key, self.secret, self.version, ServiceToken=app.token, **more)}


def _deployed(stage: Stage, suffix: str) -> Application:
    stack = OneStack(stage, application.copy(stage.made, stage.application, suffix))
    made = stack.wait(DEPLOY_SECONDS)
    if made.status != "CREATE_COMPLETE":
        raise DidNotEnd(f"the application's stack is {made.status}: {' '.join(made.reasons())}")
    return application.look(stage.made, stack.name)


def _change(stage: Stage, app: Application, **parameters: str) -> None:
    """Changes parameters of a deployment. Raises DidNotEnd if that fails."""
    stack = _stack_of(stage, app)
    before = stack.events_so_far()
    application.change(stage.made, app.stack, parameters)
    changed = stack.wait(DEPLOY_SECONDS, before)
    if changed.status != "UPDATE_COMPLETE":
        raise DidNotEnd(f"the application's stack is {changed.status}: {' '.join(changed.reasons())}")


def _stack_of(stage: Stage, app: Application) -> OneStack:
    found = stage.client("cloudformation").describe_stacks(StackName=app.stack)["Stacks"][0]
    return OneStack(stage, found["StackId"])


ACTS: Final[tuple[Act, ...]] = (
    Act(
        "more-deployments",
        "What Lambda gives up; a function that is missing; upgrades; another architecture",
        (
            "given-up-concurrency",
            "given-up-not-loaded",
            "given-up-memory",
            "upgraded",
            "function-gone",
            "deployed-again",
            "architecture-switched",
        ),
        makes="the application 3 times more, 5 stacks, 5 keys, 5 secrets",
        deadline_seconds=245,
        play=play,
        dollars=0.05,
        short=False,
    ),
)
