"""The kinds of stacks that `make chaos` plays: each of `KINDS` is a function that prepares a story, and returns it."""

from collections.abc import Callable
from typing import Final

from lab.chaos.custodian import Custodian
from lab.chaos.material import EMPTY, Material
from lab.chaos.stories import KEY, Step, Story, declared, example, one

type Tell = Callable[[str, Custodian, str], Story]  # the stack's name, the custodian who prepares it, ServiceToken


# ----------------------------------------------------------------------------------------------------- examples/*.yaml


def symmetric(stack: str, custodian: Custodian, _token: str) -> Story:
    """Wrapped by kms:Encrypt; gets an expiry; a no-op (only ServiceTimeout changes); another expiry."""
    material, secret = custodian.symmetric("the symmetric material"), f"{stack}/material"
    version = custodian.store(secret, custodian.encrypted(material.content, secret), stack)
    pinned = {"SecretVersionId": version}
    holds = {KEY: one(material.name)}
    ids = {"SecretId": secret}

    def step(verb: str, days: int | None = None, **properties: str) -> Step:
        more = {"ValidForDays": str(days)} if days else {}
        template = example("symmetric.yaml", **pinned, **properties)
        return Step(verb, f"{verb}_COMPLETE", holds, template, ids | more, days=days)

    return Story(
        stack,
        "symmetric, wrapped",
        (
            step("CREATE"),
            step("UPDATE", days=30),
            step("UPDATE", days=30, ServiceTimeout="1800"),
            step("UPDATE", days=60, ServiceTimeout="1800"),
            Step("DELETE", "DELETE_COMPLETE", {KEY: one(EMPTY)}),
        ),
        (material,),
    )


def hmac(stack: str, custodian: Custodian, _token: str) -> Story:
    """Wrapped by OAEP; imported again by Trigger; the stack stays."""
    material, secret = custodian.mac("the HMAC material"), f"{stack}/material"
    custodian.store(secret, custodian.by_oaep(material.content), stack)
    return _imported_again(stack, "HMAC, wrapped, imported again", "hmac.yaml", material)


def rsa(stack: str, custodian: Custodian, _token: str) -> Story:
    """Wrapped as HSMs do it."""
    material, secret = custodian.rsa("the RSA key"), f"{stack}/material"
    custodian.store(secret, custodian.as_an_hsm(material.content), stack)
    story = _imported_again(stack, "RSA, wrapped by an HSM", "rsa-signing.yaml", material)
    end = Step("DELETE", "DELETE_COMPLETE", {KEY: one(EMPTY)})
    return Story(stack, story.kind, (story.steps[0], end), story.materials)


def p256(stack: str, custodian: Custodian, _token: str) -> Story:
    """Imported again by Trigger; the stack stays."""
    material, secret = custodian.p256("the P-256 key"), f"{stack}/material"
    custodian.store(secret, custodian.encrypted(material.content, secret), stack)
    return _imported_again(stack, "P-256, imported again", "ec-p256.yaml", material)


def _imported_again(stack: str, kind: str, template: str, material: Material) -> Story:
    ids, holds = {"SecretId": f"{stack}/material"}, {KEY: one(material.name)}
    again = example(template, Trigger="again")
    return Story(
        stack,
        kind,
        (
            Step("CREATE", "CREATE_COMPLETE", holds, example(template), ids),
            Step("UPDATE", "UPDATE_COMPLETE", holds, again, ids),
        ),
        (material,),
    )


def rotated_and_retained(stack: str, custodian: Custodian, _token: str) -> Story:
    """New material, staged, then rotated to; the stack goes, the key and its material stay."""
    first, second = custodian.symmetric("the first material"), custodian.symmetric("the second material")
    secret = f"{stack}/material"
    versions = [
        custodian.store(secret, custodian.encrypted(first.content, secret), stack),
        custodian.store_next(secret, custodian.encrypted(second.content, secret), "second"),
    ]
    template = example("rotation.yaml")
    ids = [{"SecretId": secret, "SecretVersionId": version} for version in versions]
    rotated = {KEY: one(second.name)}
    return Story(
        stack,
        "rotated, retained",
        (
            Step("CREATE", "CREATE_COMPLETE", {KEY: one(first.name)}, template, ids[0]),
            Step("UPDATE", "UPDATE_COMPLETE", {KEY: one(first.name)}, template, ids[1] | {"NewMaterial": "STAGE"}),
            Step("UPDATE", "UPDATE_COMPLETE", rotated, template, ids[1] | {"NewMaterial": "ROTATE"}),
            Step("DELETE", "DELETE_COMPLETE", rotated),
        ),
        (first, second),
    )


# ------------------------------------------------------------------------------------------- keys that no stack makes


def replaced(stack: str, custodian: Custodian, token: str) -> Story:
    """Another key under the same logical id: the old one is emptied; then the stack goes."""
    material, secret = custodian.symmetric("the material"), f"{stack}/material"
    custodian.store(secret, material.content, stack)
    keys = {name: custodian.key(material, stack) for name in ("A", "B")}
    here, gone = one(material.name), one(EMPTY)

    def on(name: str) -> str:
        return declared(token, {"Material": {"KeyId": keys[name], "SecretId": secret}})

    return Story(
        stack,
        "replaced by another key",
        (
            Step("CREATE", "CREATE_COMPLETE", {"A": here, "B": gone}, on("A")),
            Step("UPDATE", "UPDATE_COMPLETE", {"A": gone, "B": here}, on("B")),
            Step("DELETE", "DELETE_COMPLETE", {"A": gone, "B": gone}),
        ),
        (material,),
        keys,
        {"A": gone, "B": gone},
    )


def adopted(stack: str, custodian: Custodian, token: str) -> Story:
    """The key was in use before the stack, so its material stays, whatever happens to the stack."""
    material, secret = custodian.mac("the material of a key in use"), f"{stack}/material"
    custodian.store(secret, material.content, stack)
    key = custodian.key(material, stack)
    custodian.fill(key, material)
    holds = {"A": one(material.name)}
    properties = {"KeyId": key, "SecretId": secret}
    return Story(
        stack,
        "adopted",
        (
            Step("CREATE", "CREATE_COMPLETE", holds, declared(token, {"Material": properties})),
            Step("UPDATE", "UPDATE_COMPLETE", holds, declared(token, {"Material": properties | {"Trigger": "again"}})),
            Step("DELETE", "DELETE_COMPLETE", holds),
        ),
        (material,),
        {"A": key},
        holds,
    )


def removed(stack: str, custodian: Custodian, token: str) -> Story:
    """Two resources; one goes from the template, and its key is emptied; the other one stays."""
    mac, private = custodian.mac("the HMAC material"), custodian.p256("the P-256 key")
    custodian.store(f"{stack}/mac", mac.content, stack)
    custodian.store(f"{stack}/private", private.content, stack)
    keys = {"A": custodian.key(mac, stack), "B": custodian.key(private, stack)}
    both = {
        "Mac": {"KeyId": keys["A"], "SecretId": f"{stack}/mac"},
        "Private": {"KeyId": keys["B"], "SecretId": f"{stack}/private"},
    }
    gone = one(EMPTY)
    return Story(
        stack,
        "two resources, one of them removed",
        (
            Step("CREATE", "CREATE_COMPLETE", {"A": one(mac.name), "B": one(private.name)}, declared(token, both)),
            Step(
                "UPDATE",
                "UPDATE_COMPLETE",
                {"A": gone, "B": one(private.name)},
                declared(token, {"Private": both["Private"]}),
            ),
        ),
        (mac, private),
        keys,
        {"A": gone, "B": gone},
    )


# ---------------------------------------------------------------------------------------------- what goes wrong by itself


def refused(stack: str, custodian: Custodian, _token: str) -> Story:
    """The secret also holds a newline: the stack is rolled back, and the key stays empty."""
    material, secret = custodian.symmetric("the material with a newline"), f"{stack}/material"
    custodian.store(secret, custodian.encrypted(material.content + b"\n", secret), stack)
    nothing = {KEY: one(EMPTY)}
    return Story(
        stack,
        "refused",
        (
            Step("CREATE", "ROLLBACK_COMPLETE", nothing, example("symmetric.yaml"), {"SecretId": secret}, refused=True),
            Step("DELETE", "DELETE_COMPLETE", nothing),
        ),
        (material,),
    )


def rolled_back(stack: str, custodian: Custodian, _token: str) -> Story:
    """An update declares other bytes, which the key can't take: it is rolled back, and the key is as it was."""
    first, other = custodian.mac("the HMAC material"), custodian.mac("other HMAC material")
    for name, material in (("first", first), ("other", other)):
        custodian.store(f"{stack}/{name}", custodian.by_oaep(material.content), stack)
    holds, template = {KEY: one(first.name)}, example("hmac.yaml")
    return Story(
        stack,
        "an update undone",
        (
            Step("CREATE", "CREATE_COMPLETE", holds, template, {"SecretId": f"{stack}/first"}),
            Step("UPDATE", "UPDATE_ROLLBACK_COMPLETE", holds, template, {"SecretId": f"{stack}/other"}, refused=True),
            Step("DELETE", "DELETE_COMPLETE", {KEY: one(EMPTY)}),
        ),
        (first, other),
    )


def lost(stack: str, custodian: Custodian, _token: str) -> Story:
    """Somebody deletes the key's material; an update imports it again."""
    material, secret = custodian.symmetric("the material that was lost"), f"{stack}/material"
    custodian.store(secret, custodian.encrypted(material.content, secret), stack)
    ids, holds = {"SecretId": secret}, {KEY: one(material.name)}
    back = example("symmetric.yaml", Trigger="again")
    return Story(
        stack,
        "lost, and brought back",
        (
            Step("CREATE", "CREATE_COMPLETE", holds, example("symmetric.yaml"), ids),
            Step("UPDATE", "UPDATE_COMPLETE", holds, back, ids, before=custodian.lose),
        ),
        (material,),
    )


KINDS: Final[tuple[Tell, ...]] = (
    symmetric,
    replaced,
    hmac,
    rolled_back,
    adopted,
    p256,
    removed,
    rotated_and_retained,
    lost,
    rsa,
    refused,
)
