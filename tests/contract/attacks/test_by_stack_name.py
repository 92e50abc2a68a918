"""Attacks with a forged StackId: consent is for the stack's name, and the function reads the name from the StackId.

The attacker has the stack orders, and invokes the function with a Create for the victim's key and secret, which name only
payments.
"""

import pytest

from lab.keys.random_keys import random_key
from lab.world import ACCOUNT, REGION, TYPE

THEIRS = random_key(32)


def forged(world, stack_id):
    """A Create for the victim's key and secret, under another StackId."""
    key = world.external_key(tag="payments")
    world.secret(THEIRS, "payments/master-key", tag="payments")
    event = world.create_request(key, SecretId="payments/master-key")
    return event | {"StackId": stack_id}


@pytest.mark.parametrize(
    "name",
    [
        "payments%2F",
        "pay\u200bments",
        "p\u0430yments",
        "payments ",
        "payments\n",
        "/payments",
        "../orders",
        "",
        "payments/x/y",
    ],
)
def test_a_stack_id_with_an_odd_name_is_no_request(world, name):
    event = forged(world, world.stack.id.replace("stack/orders/", f"stack/{name}/"))

    assert world.invoke(event) is None
    assert world.aws.calls == []


def test_the_victim_s_name_before_the_unique_part_of_one_s_own_stack_is_not_the_victim(world):
    """As far as we know, CloudFormation compares the name too. The function does not rely on that: it compares itself."""
    event = forged(world, world.stack.id.replace("stack/orders/", "stack/payments/"))
    strict = world.cloudformation._find  # made lenient: it finds a stack by only the unique part
    world.cloudformation._find = lambda _reference, caller, *more: strict(world.stack.id, caller, *more)
    before = world.snapshot()

    answer = world.invoke(event)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        "CloudFormation does not know the stack of this request under this StackId. Nothing was imported."
    )
    assert world.aws.count("GetSecretValue") == 0
    assert world.snapshot() == before


def test_the_id_of_a_deleted_stack_speaks_for_nobody(world):
    gone = world.cloudformation.stack("payments", status="DELETE_COMPLETE", region=REGION, account=ACCOUNT)
    event = forged(world, gone.id)
    gone.set("Material", "CREATE_IN_PROGRESS", world.clock.now(), type=TYPE)
    before = world.snapshot()

    answer = world.invoke(event)

    assert answer["Reason"] == (
        "CloudFormation does not wait for this Create request: the stack is DELETE_COMPLETE. Nothing was imported."
    )
    assert world.snapshot() == before


def test_a_stack_of_another_account_or_region_speaks_for_nobody_here(world):
    for elsewhere in ((REGION, "999988887777"), ("eu-west-1", ACCOUNT)):
        stack = world.cloudformation.stack("payments", region=elsewhere[0], account=elsewhere[1])

        assert world.invoke(forged(world, stack.id)) is None
    assert world.aws.calls == []
