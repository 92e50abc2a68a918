"""What the declared key and secret, and their tags, must be so that the function may import (E9903, W9904, W9909)."""

from collections.abc import Iterator
from typing import Any, Final

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from cfn_lint_imported_key_material._schema import SOURCE_URL, TAG, TYPE
from cfn_lint_imported_key_material._template import (
    KEY_TYPES,
    branches,
    named_resources,
    pairs,
    properties,
    written_out,
)

# Where the function reads the tag.
_SECRETS: Final = ("AWS::SecretsManager::Secret",)
_TAGGED: Final = (*KEY_TYPES, *_SECRETS)
_NAMED_BY: Final = (("KeyId", "key", KEY_TYPES), ("SecretId", "secret", _SECRETS))


class KeyOfOtherOrigin(CloudFormationLintRule):
    """By its declaration the key takes no imported material. (A replica has its primary's origin.)"""

    id = "E9903"
    shortdesc = "The key takes imported material"
    description = "Checks that the key that KeyId names, if it stands in the template, has Origin EXTERNAL"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", pair.name, "Properties", "KeyId"],
                f"KeyId: The Origin of {pair.key_name} is {origin}, and only a key with Origin EXTERNAL takes imported "
                "material.",
            )
            for pair in pairs(cfn)
            if pair.key["Type"] == "AWS::KMS::Key"
            and isinstance(origin := properties(pair.key).get("Origin", "AWS_KMS"), str)
            and origin != "EXTERNAL"
        ]


class NoConsent(CloudFormationLintRule):
    """Only a warning: the stack's own tags are set on key and secret, too, and no template shows those."""

    id = "W9904"
    shortdesc = f"The key and the secret have the tag {TAG}"
    description = (
        "Checks that the key and the secret that KeyId and SecretId name, if they stand in the template, name the stacks "
        "that may use them"
    )
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", name, "Properties", where],
                f"{where}: {owned} has no tag {TAG}, so this stack may not use it. Set it to !Ref AWS::StackName in the "
                f"{what}'s Tags.",
            )
            for name, material in cfn.get_resources(TYPE).items()
            for where, what, types in _NAMED_BY
            for owned, resource in named_resources(cfn, properties(material).get(where), types)
            if _shows_no_tag(properties(resource).get("Tags", []))
        ]


def _shows_no_tag(tags: object) -> bool:
    """False if a CloudFormation function may add the tag."""
    return isinstance(tags, list) and all(
        isinstance(tag, dict) and isinstance(tag.get("Key"), str) and tag["Key"] != TAG for tag in tags
    )


class NamesWithCommas(CloudFormationLintRule):
    """Only a warning: other names in the tag, without a comma, do count.

    No stack has a comma in its name. Secrets are checked, too, and also where the template has no material.
    """

    id = "W9909"
    shortdesc = f"The tag {TAG} separates names by spaces"
    description = "Finds commas between the names of stacks in the tag of keys and secrets"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", name, "Properties", "Tags", *path],
                f"Tags: The tag {TAG} has commas. Names are separated by spaces, not commas. Set the tag {TAG} to "
                f"'{' '.join(names.replace(',', ' ').split())}'.",
            )
            for name, resource in cfn.get_resources([*_TAGGED]).items()
            for path, names in _named_stacks(properties(resource).get("Tags"))
            if "," in names
        ]


def _named_stacks(tags: object) -> Iterator[tuple[tuple[Any, ...], str]]:
    """The tag's values, as far as they are written out, each with the path to it."""
    for number, tag in enumerate(tags if isinstance(tags, list) else ()):
        if isinstance(tag, dict) and tag.get("Key") == TAG:
            for path, value in branches(tag.get("Value"), (number, "Value")):
                if (names := written_out(value)) is not None:
                    yield path, names
