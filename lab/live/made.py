"""Makes what a run needs, and deletes it: each thing is noted in the run's list first.

Keys are scheduled for deletion in seven days, which costs nothing. Everything else is deleted at once.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from imported_key_material.consent import TAG
from lab.live.account import Account, RealAccount
from lab.live.run_list import PREFIX, RunList, Thing
from lab.local.stacks import DidNotEnd, Stack, Stacks

RUN_TAG: Final = "ikm-live"
DAYS_UNTIL_DELETION: Final = 7
DELETE_SECONDS: Final = 900
POLL_SECONDS: Final = 3.0
LOCAL_POLL_SECONDS: Final = 0.1
SERVICE_TIMEOUT: Final = "300"  # a missing function hangs its Delete for as long


@dataclass(frozen=True, slots=True)
class Made:
    """Makes things whose names begin with PREFIX and the run. `suffix` is the rest of a name."""

    account: Account
    run: str
    list: RunList

    def name(self, suffix: str) -> str:
        return f"{PREFIX}{self.run}-{suffix}"

    def note(self, kind: str, suffix: str, region: str = "") -> str:
        """Notes what the caller is about to make, and returns its name. `region`: "" for the account's own."""
        account = self.account
        where = region or account.region
        return self.list.note(Thing(kind, self.name(suffix), where, account.number, account.profile)).name

    def stacks(self, wait_seconds: float = DELETE_SECONDS) -> Stacks:
        poll_seconds = LOCAL_POLL_SECONDS if self.account.is_local else POLL_SECONDS
        client = self.account.client("cloudformation")
        return Stacks(client, wait_seconds=wait_seconds, poll_seconds=poll_seconds)

    # ------------------------------------------------------------------------------------------------------ keys

    def key(
        self,
        suffix: str,
        spec: str = "SYMMETRIC_DEFAULT",
        usage: str = "",
        *,
        tag: str = "",
        region: str = "",
        **more: Any,
    ) -> str:
        """The ARN of a new key, Origin EXTERNAL unless `more` says otherwise. `tag`: the consent tag's value; "": no tag."""
        name = self.note("key", suffix, region)
        tags = [{"TagKey": RUN_TAG, "TagValue": self.run}, *([{"TagKey": TAG, "TagValue": tag}] if tag else [])]
        parameters = {"Origin": "EXTERNAL", "KeySpec": spec, "KeyUsage": usage or _usage(spec), "Description": name}
        made = self.account.client("kms", region or None).create_key(**parameters | more, Tags=tags)
        return str(made["KeyMetadata"]["Arn"])

    def replica(self, primary: str, suffix: str, region: str) -> str:
        """The ARN of a new replica in `region`. KMS shows its description, which cleaning looks for, up to a minute later."""
        name = self.note("key", suffix, region)
        tags = [{"TagKey": RUN_TAG, "TagValue": self.run}]
        made = self.account.client("kms").replicate_key(
            KeyId=primary, ReplicaRegion=region, Description=name, Tags=tags
        )
        return str(made["ReplicaKeyMetadata"]["Arn"])

    # --------------------------------------------------------------------------------------------------- secrets

    def secret(self, suffix: str, value: bytes | str, *, tag: str = "", **more: str) -> tuple[str, str]:
        """The name of a new secret, and its version's id. `tag`: as for `key`. `more`: parameters of CreateSecret."""
        name = self.note("secret", suffix)
        tags = [{"Key": RUN_TAG, "Value": self.run}, *([{"Key": TAG, "Value": tag}] if tag else [])]
        content = {"SecretBinary": value} if isinstance(value, bytes) else {"SecretString": value}
        made = self.account.client("secretsmanager").create_secret(Name=name, Tags=tags, **content, **more)
        return name, str(made["VersionId"])

    # ---------------------------------------------------------------------------------------------------- stacks

    def stack(
        self, suffix: str, resources: Mapping[str, Any], outputs: Mapping[str, Any] | None = None, **more: Any
    ) -> Stack:
        """Creates a stack, and waits for its end. `more`: other parameters of CreateStack."""
        template = {"Resources": dict(resources), **({"Outputs": dict(outputs)} if outputs else {})}
        return self.stacks().create(self.note("stack", suffix), template, **more)

    def bucket(self, suffix: str) -> str:
        name = self.note("bucket", suffix)
        region = self.account.region
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.account.client("s3").create_bucket(Bucket=name, **where)
        return name


def new_run() -> str:
    return secrets.token_hex(4)


def _usage(spec: str) -> str:
    if spec == "SYMMETRIC_DEFAULT":
        return "ENCRYPT_DECRYPT"
    return "GENERATE_VERIFY_MAC" if spec.startswith("HMAC") else "SIGN_VERIFY"


# ----------------------------------------------------------------------------------------------------------- cleaning


@dataclass(frozen=True, slots=True)
class Left:
    """A thing that cleaning could not remove, and why."""

    thing: Thing
    why: str


type OtherAccounts = Callable[[str, str], Account]  # a profile's, in a Region


def clean(account: Account, things: Iterable[Thing], other: OtherAccounts = RealAccount.of_profile) -> Iterator[Left]:
    """Deletes what a run made: stacks first, because what they use must still work; then the application; then the rest.

    `account`: the run's own. What was made in another account is deleted with the profile that the list names.
    """
    by_profile: dict[str, list[Thing]] = {}
    for thing in things:
        by_profile.setdefault(thing.profile, []).append(thing)
    for profile, found in by_profile.items():
        try:
            there = other(profile, account.region) if profile else account
        except (ClientError, BotoCoreError) as error:
            yield from (Left(thing, f"profile {profile} can't be used: {error}") for thing in found)
            continue
        ours = [thing for thing in found if thing.account == there.number]
        strange = f"These credentials are of account {there.number}, and it was made in account "
        yield from (Left(thing, strange + thing.account) for thing in found if thing not in ours)
        yield from _clean_account(there, ours)


def _clean_account(account: Account, things: Iterable[Thing]) -> Iterator[Left]:
    keys: dict[str, dict[str, Thing]] = {}  # by Region, by name
    others = []
    for thing in things:
        if thing.kind == "key":
            keys.setdefault(thing.region, {})[thing.name] = thing
        else:
            others.append(thing)
    for thing in sorted(others, key=lambda one: list(_DELETE).index(one.kind)):
        try:
            _DELETE[thing.kind](account, thing)
        except (ClientError, BotoCoreError, DidNotEnd) as error:
            yield Left(thing, str(error))
    for region, named in keys.items():
        yield from _delete_keys(account, region, named)


def _delete_stack(account: Account, thing: Thing) -> None:
    """Deletes it twice at most: the second time it keeps what could not be deleted, such as a resource without its function."""
    cloudformation = account.client("cloudformation", thing.region)
    for retain in (False, True):
        found = _stack(cloudformation, thing.name)
        if found is None:
            return
        kept = _not_deleted(cloudformation, thing.name) if retain else []
        more: dict[str, Any] = {"RetainResources": kept} if kept else {}
        _wait_at_rest(account, cloudformation, found["StackId"])
        cloudformation.delete_stack(StackName=thing.name, **more)
        if _wait_at_rest(account, cloudformation, found["StackId"], begun_by="DELETE_") in ("DELETE_COMPLETE", ""):
            return
    raise DidNotEnd(f"stack {thing.name} could not be deleted")


def _stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # there is none
            return None
        raise
    return None if found["StackStatus"] == "DELETE_COMPLETE" else found


def _not_deleted(cloudformation: Any, name: str) -> list[str]:
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return [one["LogicalResourceId"] for one in resources if one["ResourceStatus"] == "DELETE_FAILED"]


def _wait_at_rest(account: Account, cloudformation: Any, stack_id: str, begun_by: str = "") -> str:
    """The stack's status once nothing is in progress; "" if it is gone. A status that begins otherwise is older."""
    end = time.monotonic() + DELETE_SECONDS
    while time.monotonic() < end:
        found = _stack(cloudformation, stack_id)
        if found is None:
            return ""
        status = str(found["StackStatus"])
        at_rest = not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS"
        if at_rest and status.startswith(begun_by):
            return status
        account.sleep(LOCAL_POLL_SECONDS if account.is_local else POLL_SECONDS)
    raise DidNotEnd(f"stack {stack_id} is still in progress after {DELETE_SECONDS} s")


def _delete_secret(account: Account, thing: Thing) -> None:
    try:
        account.client("secretsmanager", thing.region).delete_secret(
            SecretId=thing.name, ForceDeleteWithoutRecovery=True
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise


def _delete_keys(account: Account, region: str, things: Mapping[str, Thing]) -> Iterator[Left]:
    """Finds keys by their descriptions: when a name was noted its key had no id yet. A Region may have thousands of keys, so
    it is read once. `things`: by name.
    """
    kms = account.client("kms", region)
    try:
        found = [one for one in _described(kms) if one.get("Description") in things]
    except (ClientError, BotoCoreError) as error:
        yield from (Left(thing, str(error)) for thing in things.values())
        return
    for metadata in found:
        try:
            for replica in _replicas(metadata):
                _schedule_deletion(account.client("kms", replica["Region"]), replica["Arn"])
            _schedule_deletion(kms, metadata["Arn"])
        except (ClientError, BotoCoreError) as error:
            yield Left(things[metadata["Description"]], str(error))


def _described(kms: Any) -> Iterator[dict[str, Any]]:
    for page in kms.get_paginator("list_keys").paginate():
        for one in page["Keys"]:
            try:
                yield kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"]
            except ClientError:  # somebody else's key, which nobody lets us look at
                continue


def _replicas(metadata: Mapping[str, Any]) -> list[dict[str, str]]:
    """A primary's replicas. A replica that KMS is still making has no description yet, so only its primary shows it."""
    regions = metadata.get("MultiRegionConfiguration", {})
    found: list[dict[str, str]] = regions["ReplicaKeys"] if regions.get("MultiRegionKeyType") == "PRIMARY" else []
    return found


def _schedule_deletion(kms: Any, key: str) -> None:
    """No error if it is scheduled already."""
    try:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=DAYS_UNTIL_DELETION)
    except ClientError as error:
        if error.response["Error"]["Code"] != "KMSInvalidStateException":
            raise
        state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        if state not in ("PendingDeletion", "PendingReplicaDeletion"):
            raise


def _delete_bucket(account: Account, thing: Thing) -> None:
    s3 = account.client("s3", thing.region)
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=thing.name):
            for one in page.get("Contents", []):
                s3.delete_object(Bucket=thing.name, Key=one["Key"])
        s3.delete_bucket(Bucket=thing.name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchBucket", "404"):
            raise


_DELETE: Final = {
    "stack": _delete_stack,
    "application": _delete_stack,
    "secret": _delete_secret,
    "bucket": _delete_bucket,
}


def key_policy(account: Account, *statements: Mapping[str, Any]) -> str:
    """A key policy that lets the account's administrators do everything, and more statements."""
    root = f"arn:{account.partition}:iam::{account.number}:root"
    owner = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [owner, *statements]})
