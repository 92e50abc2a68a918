"""An act with the probe: which id a rollback deletes whose Update answers another id than it came with."""

from collections.abc import Iterator
from typing import Final

from lab.live.act import Act
from lab.live.acts.cloudformation.played import Played
from lab.live.questions.stacks import NO_KEY
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged, not_seen

ASSUMPTION: Final = "rollback-deletes-new-id"


def play(stage: Stage) -> Iterator[Finding]:
    """An update replaces the probe's resource, and then fails; the rollback's Update answers the first id again."""
    played = Played(stage, "rollback-ids")
    played.create({"Probe": stage.probe.resource(Id="before")})
    played.end()
    alias = {"AliasName": f"alias/{stage.made.name('rollback-ids')}", "TargetKeyId": NO_KEY}
    broken = {"Type": "AWS::KMS::Alias", "DependsOn": "Probe", "Properties": alias}
    played.update({"Probe": stage.probe.resource(Id="after"), "Broken": broken})
    ended = played.end()
    received = played.received()
    updates = [one.physical_id for one in received if one.type == "Update"]
    if ended.status != "UPDATE_ROLLBACK_COMPLETE" or len(updates) != 2:
        yield not_seen(ASSUMPTION, f"no rollback with an Update: the stack is {ended.status}, Updates of {updates}")
        return
    deleted = [one.physical_id for one in received if one.type == "Delete"]
    yield judged(
        ASSUMPTION,
        "The rollback's Update comes with the new id; that id is deleted, and the first one is not",
        f"the Updates came with {updates}; deleted: {deleted}",
        holds=updates == ["before", "after"] and deleted == ["after"],
        updates=updates,
        deleted=deleted,
    )


ACTS: Final = (
    Act(
        "rollback-ids",
        "What a rollback deletes that answers the first id again",
        (ASSUMPTION,),
        makes="1 stack",
        deadline_seconds=150,
        play=play,
        short=False,
    ),
)
