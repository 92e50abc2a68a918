"""People's actions: each method is a step of a plan."""

from collections.abc import Callable
from functools import partial
from typing import Any

from lab.simulation.engine import Stack
from lab.simulation.estate import CONSENT, REGIONS
from lab.simulation.plan import Deployment
from lab.simulation.scheduler import Task
from lab.simulation.watch import TAG
from lab.simulation.world import World
from lab.wire.transport import AwsError

# From the end of one operation to the next one of the same stack: no person and no pipeline is faster.
REACTION_SECONDS = 3.0


class People:
    def __init__(self, world: World) -> None:
        self._world = world
        self._last: dict[tuple[str, int], Task] = {}  # each stack's last deployment

    def do(self, name: str, run: Callable[[], object]) -> Task:
        """Runs it as a task. An exception in it ends the history."""

        def guarded() -> None:
            try:
                run()
            except Exception as error:
                self._world.scheduler.broken = self._world.scheduler.broken or error
                raise

        return self._world.scheduler.spawn(name, guarded)

    # ---------------------------------------------------------------------------------------------------------- stacks

    def deploy(self, deployment: Deployment) -> None:
        """Each deployment waits for the end of the stack's previous one, also if that fails."""
        whose = deployment.stack, deployment.region
        before = self._last.get(whose)

        def run() -> None:
            if before is not None:
                before.done.wait()
            self._world.scheduler.sleep(REACTION_SECONDS)
            self._operate(self._world.stack(*whose), deployment)

        self._last[whose] = self.do(f"deploy {deployment.stack}", run)

    def deployed(self) -> None:
        """Waits until every deployment is over. Only a task may call it."""
        for task in list(self._last.values()):
            task.done.wait()

    def _operate(self, stack: Stack, deployment: Deployment) -> None:
        template = self._world.estate.template(deployment.resources, deployment.region)
        retained = frozenset(template) if deployment.retained else frozenset()
        keep_failed = deployment.keep_failed
        if deployment.how == "delete":
            if stack.at_rest and stack.status not in ("NONE", "DELETE_COMPLETE", "UPDATE_ROLLBACK_FAILED"):
                stack.delete(skip_failed=stack.status == "DELETE_FAILED")
        elif deployment.how == "roll back":
            if stack.status in ("UPDATE_FAILED", "CREATE_FAILED"):
                stack.roll_back()
        elif stack.status == "NONE":
            stack.create(template, keep_failed=keep_failed, retained=retained)
        elif stack.stands or (stack.status in ("CREATE_FAILED", "UPDATE_FAILED") and keep_failed):
            stack.update(template, keep_failed=keep_failed, retained=retained)
        elif stack.status in ("CREATE_FAILED", "UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED"):
            stack.roll_back()
        elif stack.status in ("ROLLBACK_FAILED", "DELETE_FAILED"):
            stack.delete()

    def cancel(self) -> None:
        for stack in self._world.stacks.values():
            if stack.status in ("UPDATE_IN_PROGRESS", "CREATE_IN_PROGRESS"):
                stack.cancel()

    def delete_during_create(self) -> None:
        for stack in self._world.stacks.values():
            stack.delete_during_create()

    def skip(self) -> None:
        """continue-update-rollback --resources-to-skip with all that failed."""
        self._continue(skip=True)

    def continue_rollback(self) -> None:
        self._continue(skip=False)

    def _continue(self, *, skip: bool) -> None:
        for whose, stack in self._world.stacks.items():
            if stack.status == "UPDATE_ROLLBACK_FAILED":
                skipped = frozenset(stack.resources) if skip else frozenset()
                self._last[whose] = self.do(f"continue {stack.name}", partial(stack.roll_back, skipped))

    def deny(self, operation: str) -> None:
        self._world.tell("person", f"takes {operation} from the function's role")
        self._world.faults.denied.add(operation)

    def allow(self) -> None:
        self._world.faults.denied.clear()

    # -------------------------------------------------------------------------------------------- by lambda:InvokeFunction

    def replay(self, number: int) -> None:
        """Sends a request once more, however old it is."""
        events = [sent.event for stack in self._world.watch.stacks for sent in stack.requests.sent.values()]
        if events:
            event = events[number % len(events)]
            self._world.tell("person", f"sends {event['RequestType']} {event['LogicalResourceId']} once more")
            self._world.functions[event["StackId"].split(":")[3]].invoke_now(event)

    def redeliver(self) -> None:
        """Sends each Delete of a stack that cleans up once more."""
        for stack in self._world.stacks.values():
            if stack.status.endswith("_CLEANUP_IN_PROGRESS"):
                for sent in list(stack.requests.sent.values()):
                    if sent.event["RequestType"] == "Delete":
                        self._world.functions[stack.region].invoke_now(sent.event)

    def forge(self, number: int) -> None:
        """Somebody sends a Delete for a complete resource. (During its own operation it would look like a real one.)"""
        held = [
            (stack, one) for stack in self._world.stacks.values() for one in stack.resources.values() if stack.stands
        ]
        if held:
            stack, resource = held[number % len(held)]
            self._world.tell("person", f"forges Delete {resource.logical_id} of {stack.name}")
            id_ = resource.physical_id
            properties = resource.properties
            event = stack.requests.event("Delete", stack.id, resource.logical_id, properties, PhysicalResourceId=id_)
            self._world.functions[stack.region].invoke_now(event)

    # ------------------------------------------------------------------------------------------------------------ keys

    def _try(self, operation: str, key: int, region: int, **params: Any) -> None:
        """A person ignores an error, and goes on."""
        world, arn = self._world, self._world.estate.arn(key, region)
        said = ""
        try:
            world.watch.person(arn, lambda: world.estate.call_kms(operation, region, KeyId=arn, **params))
        except AwsError as error:
            said = f": {error.code}"
        world.tell("person", f"{operation} {world.estate.name_of(arn)}{said}")

    def disable(self, key: int, region: int) -> None:
        self._try("DisableKey", key, region)

    def enable(self, key: int, region: int) -> None:
        self._try("EnableKey", key, region)

    def lose(self, key: int, region: int) -> None:
        self._try("DeleteImportedKeyMaterial", key, region)

    def lose_all(self, key: int, region: int) -> None:
        """Deletes each material that the key holds, by its id."""
        for id_ in self._world.watch.truth.holdings(self._world.estate.arn(key, region)):
            self._try("DeleteImportedKeyMaterial", key, region, KeyMaterialId=id_)

    def schedule(self, key: int, region: int) -> None:
        self._try("ScheduleKeyDeletion", key, region, PendingWindowInDays=7)

    def unschedule(self, key: int, region: int) -> None:
        self._try("CancelKeyDeletion", key, region)

    def untag(self, key: int, region: int) -> None:
        self._try("TagResource", key, region, Tags=[{"TagKey": TAG, "TagValue": "payments"}])

    def retag(self, key: int, region: int) -> None:
        self._try("TagResource", key, region, Tags=[{"TagKey": TAG, "TagValue": CONSENT}])

    def replicate(self, key: int, _region: int = 1) -> None:
        tags = [{"TagKey": TAG, "TagValue": CONSENT}]
        self._try("ReplicateKey", key, 0, ReplicaRegion=REGIONS[1], Tags=tags)

    # --------------------------------------------------------------------------------------------------------- secrets

    def break_secret(self, key: int, region: int = 0) -> None:
        self._world.tell("person", f"marks secret-{key} for deletion")
        self._world.secrets_manager.mark_for_deletion(self._world.estate.secrets[key, region])

    def mend_secret(self, key: int, region: int = 0) -> None:
        self._world.tell("person", f"mends secret-{key}")
        secret = self._world.estate.secrets[key, region]
        self._world.secrets_manager.restore(secret)
        secret.tags = {TAG: CONSENT}

    def untag_secret(self, key: int, region: int = 0) -> None:
        self._world.tell("person", f"takes the tag from secret-{key}")
        self._world.estate.secrets[key, region].tags = {}

    def move_secret(self, key: int, region: int = 0) -> None:
        """Moves AWSCURRENT to the next good version."""
        secret, versions = self._world.estate.secrets[key, region], self._world.estate.versions[key]
        now = secret.version_of("AWSCURRENT")
        there = [id_ for id_ in versions[:-1] if id_ in secret.versions]
        if now in there:
            moved = there[(there.index(now) + 1) % len(there)]
            self._world.tell("person", f"moves AWSCURRENT of secret-{key} to version {versions.index(moved)}")
            self._world.secrets_manager.move_stage(secret, "AWSCURRENT", moved)

    def lose_version(self, key: int, region: int = 0) -> None:
        """The first version loses its staging labels (the next version gets AWSCURRENT), and Secrets Manager drops it."""
        secret, (version, following, *_) = self._world.estate.secrets[key, region], self._world.estate.versions[key]
        if version not in secret.versions:
            return
        self._world.tell("person", f"secret-{key} loses its version 0")
        if secret.version_of("AWSCURRENT") == version:
            self._world.secrets_manager.move_stage(secret, "AWSCURRENT", following)
        secret.versions[version].stages.clear()
        self._world.secrets_manager.forget_version(secret, version)
