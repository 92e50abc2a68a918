"""Two resources of one stack hold one key, and declare different expiries: KMS keeps one, that of whichever imports last.

No declaration of that kind is right, and the lint rule E9907 finds it. The function does not see what the other one declares
(docs/internals/design.md, rule 4). It fails where KMS does not show the expiry that it has set, and a rollback says what has
changed.

Found by the simulation: both rolled back, each took the other's expiry back, and the log of the first did not say so.
"""

from datetime import UTC, datetime

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_keys
from lab.wire.faults import Moment
from tests.support.pinned import FIRST, LEFT, SECRET, V1, created

BYTES, OTHERS = random_keys(32, 2)
UNTIL = "2026-12-24T00:00:00Z"


def test_the_rollback_whose_expiry_is_taken_back_by_the_other_s_says_so(timeline):
    key = timeline.external_key("HMAC_256", "GENERATE_VERIFY_MAC")
    secret = timeline.secret(BYTES)
    first = timeline.declared(key, secret)
    other_bytes = timeline.declared(key, timeline.secret(OTHERS, "orders/other"))
    days, until = first | {"ValidForDays": "30"}, first | {"ValidTo": UNTIL}
    stack = timeline.stack()
    timeline.delivers("Create", "Until", 10.0)  # at once, KMS could not confirm the one that comes first
    timeline.at(10, lambda: stack.create({"Days": days, "Until": until}))
    timeline.delivers("Update", "Until", 1.0)  # the way forward, which fails
    timeline.delivers("Update", "Until", 10.0)  # the way back
    timeline.at(100, lambda: stack.update({"Days": first, "Until": other_bytes | {"ValidTo": UNTIL}}))
    # On its way back, once KMS has confirmed its import: the first VerifyMac comes before it.
    timeline.at(115, lambda: timeline.pauses("Update", "Days", "VerifyMac", Moment.AFTER, 30.0, skip=1))
    timeline.run()

    _, back = timeline.of("Update", "Days")
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "ImportKeyMaterial" in back.operations
    assert back.answer["Status"] == "SUCCESS"
    assert back.answer["Data"]["ValidTo"] == UNTIL  # what KMS shows: the other's
    assert timeline.call("DescribeKey", KeyId=key)["KeyMetadata"]["ValidTo"] == datetime(2026, 12, 24, tzinfo=UTC)
    assert (
        f'{LEFT} {{"problem": "The key\'s expiry was brought back, and something else has changed it since. Two resources that '
        'hold one key must declare the same expiry."}'
    ) in timeline.log.getvalue()


def test_a_rollback_that_went_forward_first_says_what_became_of_its_import(world):
    """The stack's status lags: it imports as an update does, another request changes the expiry, and then it is a rollback."""
    key, declared = created(world, ValidForDays="60"), {"SecretId": SECRET, "SecretVersionId": V1}
    world.update(key, **declared)
    event = world.update_request(key, rollback=True, ValidForDays="60", **declared)
    world.stack.status = "UPDATE_IN_PROGRESS"
    world.clock.after(100, lambda: setattr(world.stack, "status", "UPDATE_ROLLBACK_IN_PROGRESS"))

    def another(call, moment):
        if (call.operation, moment) == ("ImportKeyMaterial", Moment.AFTER):
            world.aws.hooks.remove(another)
            import_material(world.session().client("kms"), key, FIRST, ValidTo=datetime(2026, 12, 24, tzinfo=UTC))

    world.aws.hooks.append(another)
    answer = world.invoke(event)

    assert (answer["Status"], answer["Data"]["ValidTo"]) == ("SUCCESS", UNTIL)
    assert (
        'went forward, then saw the stack roll back {"problem": "KeyId: KMS took the material, and did not confirm it '
        f"in time: it shows the expiry {UNTIL}, and the expiry "
    ) in world.log.getvalue()


def test_of_two_that_are_created_at_once_the_one_whose_expiry_kms_does_not_keep_fails_and_says_why(timeline):
    """As far as the function sees it: it waits for the expiry that it has set, and KMS shows the other's."""
    key = timeline.external_key("HMAC_256", "GENERATE_VERIFY_MAC")
    declared = timeline.declared(key, timeline.secret(BYTES))
    stack = timeline.stack()
    timeline.at(10, lambda: stack.create({"Never": declared, "Until": declared | {"ValidTo": UNTIL}}))
    timeline.run()

    assert stack.status == "ROLLBACK_COMPLETE"
    failed = [one.answer["Reason"] for one in timeline.invocations if one.answer["Status"] == "FAILED"]
    assert failed == [
        f"KeyId: KMS took the material, and did not confirm it in time: it shows no expiry, and the expiry {UNTIL} was asked "
        "for. Resources that hold one key must declare the same expiry. KMS may hold the material already: a rollback or the "
        "next update handles it."
    ]


def test_a_rollback_that_nobody_disturbs_says_nothing(timeline):
    key = timeline.external_key("HMAC_256", "GENERATE_VERIFY_MAC")
    days = timeline.declared(key, timeline.secret(BYTES), ValidForDays="30")
    stack = timeline.stack()
    timeline.at(10, lambda: stack.create({"Days": days}))
    timeline.at(100, lambda: stack.update({"Days": days | {"ValidForDays": "60", "SecretId": "orders/none"}}))
    timeline.run()

    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert LEFT not in timeline.log.getvalue()
