"""The tag rule: the owners of a key or a secret name the stacks that may use it.

The function acts with its own rights for everyone who may deploy a stack. So the KMS key, the secret, and its transport
key must each carry the tag `imported-key-material`. Its value lists stack names, separated by spaces. A name that ends in
`/` stands for every stack whose name begins with what is before it; `/` by itself stands for every stack. The same rule
holds for import, rotation and removal (docs/internals/design.md, "Consent"). Pure.
"""

from collections.abc import Mapping

from imported_key_material.errors import Fault, Refused

TAG = "imported-key-material"
TAG_VALUE_MAX_CHARACTERS = 256  # the limit of KMS and of Secrets Manager


def allows(tag_value: str, stack_name: str) -> bool:
    """Whether a tag's value names the stack."""
    return any(
        stack_name.startswith(name[:-1]) if name.endswith("/") else stack_name == name for name in tag_value.split()
    )


def require(tags: Mapping[str, str], stack_name: str, *, where: str, what: str) -> None:
    """Raises Refused unless the tags of `what` ("the KMS key") name the stack."""
    value = tags.get(TAG, "")
    if allows(value, stack_name):
        return
    found = f"has the tag {TAG}, but it does not name the stack {stack_name}" if TAG in tags else f"has no tag {TAG}"
    hint, in_its_template = "", ""
    if TAG not in tags:
        in_its_template = " (in the stack's own template: !Ref AWS::StackName)"
        alike = next((key for key in tags if key.lower() == TAG), "")
        if alike:
            value, hint = tags[alike], f" It has a tag {alike}; the key is written in lower case."
    if "," in value:
        value, hint = " ".join(value.replace(",", " ").split()), f"{hint} Names are separated by spaces, not commas."
    wanted = value if allows(value, stack_name) else f"{value} {stack_name}".lstrip()
    if len(wanted) > TAG_VALUE_MAX_CHARACTERS:
        remedy = (
            f"The tag has no room for another name ({TAG_VALUE_MAX_CHARACTERS} characters): its owner can use a name that "
            f"ends in / for all stacks that begin alike."
        )
    else:
        remedy = f"If its owner agrees, set the tag {TAG} to '{wanted}'{in_its_template}."
    raise Refused(Fault(where, f"{what[0].upper()}{what[1:]} {found}, so this stack may not use it.{hint}", remedy))
