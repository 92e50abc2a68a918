"""Values that the schema takes, and that the function refuses by what else the template shows (E9908, E9910)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from cfnlint.helpers import REGION_PRIMARY
from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from cfn_lint_imported_key_material._schema import PROPERTIES, SOURCE_URL, TYPE
from cfn_lint_imported_key_material._template import SUB_VARIABLE, branches, pairs, properties, written_out

_REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]{2,10}){1,3}-\d{1,2}")


class SecretOfOtherRegion(CloudFormationLintRule):
    """The ARN of the function or of the key shows the function's Region. Without these, the Regions of --regions count.

    cfn-lint's default is us-east-1. So us-east-1 by itself says nothing: perhaps nobody gave a Region.
    """

    id = "E9908"
    shortdesc = "The secret is in the Region of the function"
    description = "Compares the Region in SecretId's ARN with that of ServiceToken or KeyId, or with --regions"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", name, "Properties", "SecretId"],
                f"SecretId: The secret is in another Region ({region}), and the function reads secrets only in its own "
                f"({' or '.join(own)}). Name a secret in the stack's Region; aws secretsmanager "
                "replicate-secret-to-regions replicates this one there.",
            )
            for name, material in cfn.get_resources(TYPE).items()
            if (region := _region_of(properties(material).get("SecretId"), "secretsmanager"))
            and (own := _regions_of_the_function(material, cfn.regions))
            and region not in own
        ]


def _regions_of_the_function(material: Mapping[str, Any], given: list[str]) -> list[str]:
    """Empty where they are not known. `given`: by --regions; a condition may keep the resource out of them."""
    declared = properties(material)
    for name, service in (("ServiceToken", "lambda"), ("KeyId", "kms")):
        if region := _region_of(declared.get(name), service):
            return [region]
    return [] if given == [REGION_PRIMARY] or "Condition" in material else given


def _region_of(value: object, service: str) -> str:
    """The Region in an ARN that is written out; "" for everything else."""
    parts = SUB_VARIABLE.sub("$", written_out(value) or "").split(":")
    is_arn = len(parts) > 5 and parts[0] == "arn" and parts[2] == service
    return parts[3] if is_arn and _REGION.fullmatch(parts[3]) else ""


class _Form(NamedTuple):
    """A check value's prefix, how many hex digits follow it, and the words for both."""

    prefix: str
    digits: range
    words: str


_CMAC: Final = _Form("CMAC", range(6, 11, 2), "CMAC: and 6 to 10 hex digits (an even number)")
_ECB: Final = _Form("ECB", range(6, 7), "ECB: and 6 hex digits")
_HMAC: Final = _Form("HMAC", range(6, 11, 2), "HMAC: and 6 to 10 hex digits (an even number)")
_SHA256: Final = _Form("SHA256", range(64, 65), "SHA256: and 64 hex digits")
_ALL: Final = (_CMAC, _ECB, _HMAC, _SHA256)
# By the beginning of the key spec.
_FORMS: Final = {"SYMMETRIC_DEFAULT": (_CMAC, _ECB), "HMAC_": (_HMAC,), "RSA_": (_SHA256,), "ECC_": (_SHA256,)}


class CheckValueOfNoKind(CloudFormationLintRule):
    """Such as KCV:, as many HSMs call it: that does not say which of two ways the check value was computed."""

    id = "E9910"
    shortdesc = "ExpectedCheckValue is a check value of the key's kind"
    description = "Checks the prefix and the number of digits; by the KeySpec, if the key stands in the template"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        specs = dict(_known_specs(cfn))
        return [
            RuleMatch(["Resources", name, "Properties", "ExpectedCheckValue", *path], _no_check_value(*known))
            for name, material in cfn.get_resources(TYPE).items()
            for path, value in branches(properties(material).get("ExpectedCheckValue"))
            if isinstance(value, str)
            and re.search(PROPERTIES["ExpectedCheckValue"]["pattern"], value)  # else E9901 finds it
            and not _fits(value, (known := specs.get(name, ("", _ALL)))[1])
        ]


def _known_specs(cfn: Template) -> Iterator[tuple[str, tuple[str, tuple[_Form, ...]]]]:
    """By a material's name: the spec of its key, and the forms of that spec's check values."""
    for pair in pairs(cfn):
        spec = properties(pair.key).get("KeySpec", "SYMMETRIC_DEFAULT")
        is_sure = pair.key["Type"] == "AWS::KMS::Key" and "Fn::If" not in properties(pair.material)["KeyId"]
        forms = next((forms for start, forms in _FORMS.items() if str(spec).startswith(start)), ())
        if is_sure and isinstance(spec, str) and forms:
            yield pair.name, (spec, forms)


def _fits(value: str, forms: tuple[_Form, ...]) -> bool:
    prefix, _, digits = value.upper().partition(":")
    return any(prefix == form.prefix and len(digits) in form.digits for form in forms)


def _no_check_value(spec: str, forms: tuple[_Form, ...]) -> str:
    of_what = f" of a key of spec {spec}" if spec else ""
    return f"ExpectedCheckValue: The value is not a check value{of_what}. Write {', or '.join(form.words for form in forms)}."
