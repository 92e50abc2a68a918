"""Acts with only KMS: no application, no stack. The tests play them on the strict KMS, in virtual time."""

from collections.abc import Callable, Iterator
from typing import Final

from botocore.exceptions import ClientError

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_keys
from lab.live.act import Act
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged


def re_import(stage: Stage) -> Iterator[Finding]:
    """The same bytes are taken again, and others never, also after the material was deleted."""
    ours, others = (stage.secret_bytes(one) for one in random_keys(32, 2))
    kms = stage.client("kms")
    key = stage.made.key("re-import")
    import_material(kms, key, ours)
    again = _code(lambda: import_material(kms, key, ours))
    other = _code(lambda: import_material(kms, key, others))
    kms.delete_imported_key_material(KeyId=key)
    state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    afterwards = _code(lambda: import_material(kms, key, others))
    yield judged(
        "re-import-same",
        "KMS takes the same bytes again",
        f"the second import of the same bytes: {again}",
        holds=again == "success",
        again=again,
    )
    yield judged(
        "re-import-other",
        "KMS refuses other bytes with IncorrectKeyMaterialException, also after the material was deleted",
        f"other bytes: {other}; after the deletion: {afterwards}",
        holds=(other, afterwards) == ("IncorrectKeyMaterialException",) * 2,
        other=other,
        after_deletion=afterwards,
    )
    yield judged(
        "delete-empties",
        "After DeleteImportedKeyMaterial the key is PendingImport",
        f"the key is {state}",
        holds=state == "PendingImport",
        state=state,
    )


def _code(call: Callable[[], object]) -> str:
    """Calls it. Returns "success", or the error's code."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "success"


ACTS: Final[tuple[Act, ...]] = (
    Act(
        "re-import",
        "The same material again, and other material",
        ("re-import-same", "re-import-other", "delete-empties"),
        makes="1 key",
        deadline_seconds=60,
        play=re_import,
    ),
)
