"""Acts with only KMS: new keys, re-import, deletion, import tokens."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from imported_key_material.aws.calls import CONSISTENCY_PATIENCE_SECONDS
from imported_key_material.aws.consent_tags import MISSING_SECONDS
from imported_key_material.consent import TAG
from lab.keys.random_keys import random_key, random_keys
from lab.live.act import Act
from lab.live.acts.kms.by_hand import (
    DISABLED,
    EMPTY,
    ENABLED,
    INVALID,
    OTHER_BYTES,
    SUCCESS,
    UNREADABLE,
    ByHand,
    code_of,
)
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged, not_seen

# ------------------------------------------------------------------------------------------------------------ new keys

NEW_KEYS: Final = 3


@dataclass(slots=True)
class _Known:
    """How often KMS was asked until it knew a new key. `seconds`: how long that took; None: it never did."""

    tries: int = 0
    seconds: float | None = None


def new_keys(stage: Stage) -> Iterator[Finding]:
    """What KMS shows of a key that was made a moment ago, and of a tag that was set a moment ago."""
    key, seen = "", list[tuple[str, _Known]]()
    for number in range(NEW_KEYS):
        key = stage.made.key(f"new-{number}")
        seen += [(operation, _until_known(stage, call)) for operation, call in _first_calls(stage, key)]
        if any(known.seconds is None for _, known in seen):
            break
    late = sorted({operation for operation, known in seen if known.seconds is None})
    tries = max(known.tries for _, known in seen)
    yield judged(
        "new-key-visible",
        f"KMS knows a new key in every call, within {CONSISTENCY_PATIENCE_SECONDS:.0f} seconds",
        f"at most {tries} tries were needed; not known in time: {', '.join(late) or 'none'}",
        holds=not late,
        calls=[{"operation": operation, "tries": one.tries, "seconds": one.seconds} for operation, one in seen],
    )
    if late:
        yield not_seen("tag-shown", "KMS did not know the key in time")
        return
    kms = ByHand.of(stage)
    kms.known(lambda: kms.client.tag_resource(KeyId=key, Tags=[{"TagKey": TAG, "TagValue": "nobody"}]))
    started = stage.now()

    def look() -> bool | None:
        tags = kms.known(lambda: kms.client.list_resource_tags(KeyId=key))["Tags"]
        return any(tag["TagKey"] == TAG for tag in tags) or None

    shown = stage.wait_for(look, MISSING_SECONDS)
    seconds = round((stage.now() - started).total_seconds(), 1)
    yield judged(
        "tag-shown",
        f"ListResourceTags shows a tag within {MISSING_SECONDS:.0f} seconds after TagResource",
        f"the tag was shown after {seconds} s" if shown else f"the tag was not shown for {seconds} s",
        holds=bool(shown),
        seconds=seconds,
    )


def _first_calls(stage: Stage, key: str) -> list[tuple[str, Callable[[], Any]]]:
    kms, oaep = stage.client("kms"), {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
    return [
        ("GetParametersForImport", lambda: kms.get_parameters_for_import(KeyId=key, **oaep)),
        ("ListResourceTags", lambda: kms.list_resource_tags(KeyId=key)),
        ("DescribeKey", lambda: kms.describe_key(KeyId=key)),
    ]


def _until_known(stage: Stage, call: Callable[[], Any]) -> _Known:
    started, known = stage.now(), _Known()

    def look() -> bool | None:
        known.tries += 1
        return None if code_of(call) == "NotFoundException" else True

    if stage.wait_for(look, CONSISTENCY_PATIENCE_SECONDS):
        known.seconds = round((stage.now() - started).total_seconds(), 1)
    return known


# ----------------------------------------------------------------------------------------------------------- re-import


def re_import(stage: Stage) -> Iterator[Finding]:
    """The same bytes are taken again, and others never, also after the material was deleted."""
    ours, others = (stage.secret_bytes(one) for one in random_keys(32, 2))
    kms = ByHand.of(stage)
    key = stage.made.key("re-import")
    kms.import_(key, ours)
    kms.becomes(key, ENABLED)
    again = kms.code(lambda: kms.import_(key, ours))
    other = kms.code(lambda: kms.import_(key, others))
    kms.known(lambda: kms.client.delete_imported_key_material(KeyId=key))
    state = kms.becomes(key, EMPTY)["KeyState"]
    afterwards = kms.code(lambda: kms.import_(key, others))
    yield judged(
        "re-import-same",
        "KMS takes the same bytes again",
        f"the second import of the same bytes: {again}",
        holds=again == SUCCESS,
        again=again,
    )
    yield judged(
        "re-import-other",
        f"KMS refuses other bytes with {OTHER_BYTES}, also after the material was deleted",
        f"other bytes: {other}; after the deletion: {afterwards}",
        holds=(other, afterwards) == (OTHER_BYTES,) * 2,
        other=other,
        after_deletion=afterwards,
    )
    yield judged(
        "delete-empties",
        "After DeleteImportedKeyMaterial the key is PendingImport",
        f"the key is {state}",
        holds=state == EMPTY,
        state=state,
    )


# ------------------------------------------------------------------------------------------------- deletion and tokens

NEVER_IMPORTED: Final = "0" * 64  # a KeyMaterialId


def deletion(stage: Stage) -> Iterator[Finding]:
    """Deletions that have nothing to delete, and the way back."""
    material = stage.secret_bytes(random_key(32))
    kms = ByHand.of(stage)
    key = stage.made.key("deletion")
    kms.describe(key)

    def delete(**more: str) -> str:
        return kms.code(lambda: kms.client.delete_imported_key_material(KeyId=key, **more))

    never = delete()
    kms.import_(key, material)
    kms.becomes(key, ENABLED)
    unknown = delete(KeyMaterialId=NEVER_IMPORTED)
    once, twice = delete(), delete()
    yield judged(
        "delete-empty-key",
        "DeleteImportedKeyMaterial of a key without material is a success",
        f"before the first import: {never}; once: {once}; once more: {twice}",
        holds={never, once, twice} == {SUCCESS},
        never=never,
        twice=twice,
    )
    yield judged(
        "delete-unknown-material",
        f"The deletion of a material that the key never had is a {INVALID}",
        f"KMS answered {unknown}",
        holds=unknown == INVALID,
        code=unknown,
    )
    kms.becomes(key, EMPTY)
    code = kms.code(lambda: kms.import_(key, material))
    restored = kms.becomes(key, ENABLED)["KeyState"]
    yield judged(
        "restored-by-import",
        "A key without material is Enabled again after the same bytes were imported",
        f"the import: {code}; the key is {restored}",
        holds=restored == ENABLED,
        code=code,
        state=restored,
    )
    if restored != ENABLED:
        yield not_seen("import-enables", "the key was not Enabled, so it could not be disabled")
        return
    kms.at_rest(lambda: kms.client.disable_key(KeyId=key))
    kms.becomes(key, DISABLED)
    code = kms.code(lambda: kms.import_(key, material))
    enabled = kms.becomes(key, ENABLED)["KeyState"]
    yield judged(
        "import-enables",
        "An import into a Disabled key enables it",
        f"the import: {code}; the key is {enabled}",
        holds=enabled == ENABLED,
        code=code,
        state=enabled,
    )


def tokens(stage: Stage) -> Iterator[Finding]:
    """An import token may be used more than once, but only for its own key."""
    material = stage.secret_bytes(random_key(32))
    kms = ByHand.of(stage)
    key, other_key = stage.made.key("token"), stage.made.key("token-other")
    foreign = kms.sealer(other_key)
    older = kms.sealer(key)
    newer = kms.sealer(key)
    refused = kms.code(lambda: newer.import_(material[:-1]))
    first = kms.code(lambda: newer.import_(material))
    second = kms.code(lambda: newer.import_(material))
    with_older = kms.code(lambda: older.import_(material))
    with_foreign = kms.code(lambda: replace(foreign, key=key).import_(material))
    yield judged(
        "refused-import-spends-nothing",
        f"KMS refuses 31 bytes with {UNREADABLE}, and the same token works afterwards",
        f"31 bytes: {refused}; then 32 bytes with the same token: {first}",
        holds=(refused, first) == (UNREADABLE, SUCCESS),
        refused=refused,
        afterwards=first,
    )
    yield judged(
        "token-twice",
        "An import token works more than once, also after a newer token was given out",
        f"the same token again: {second}; an older token: {with_older}",
        holds=(second, with_older) == (SUCCESS, SUCCESS),
        again=second,
        older=with_older,
    )
    yield judged(
        "token-of-another-key",
        "A token of another key is refused with InvalidImportTokenException",
        f"KMS answered {with_foreign}",
        holds=with_foreign == "InvalidImportTokenException",
        code=with_foreign,
    )


ACTS: Final[tuple[Act, ...]] = (
    Act(
        "new-keys",
        "When KMS shows a new key, and a new tag",
        ("new-key-visible", "tag-shown"),
        makes=f"{NEW_KEYS} keys",
        deadline_seconds=125,
        play=new_keys,
    ),
    Act(
        "re-import",
        "The same material again, and other material",
        ("re-import-same", "re-import-other", "delete-empties"),
        makes="1 key",
        deadline_seconds=40,
        play=re_import,
    ),
    Act(
        "deletion",
        "Deletion without material, and the way back",
        ("delete-empty-key", "delete-unknown-material", "restored-by-import", "import-enables"),
        makes="1 key",
        deadline_seconds=40,
        play=deletion,
    ),
    Act(
        "tokens",
        "Import tokens: twice, older, of another key",
        ("refused-import-spends-nothing", "token-twice", "token-of-another-key"),
        makes="2 keys",
        deadline_seconds=25,
        play=tokens,
    ),
)
