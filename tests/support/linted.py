"""Templates as cfn-lint sees them: a good declaration, and what cfn-lint with our rules finds in one."""

import contextlib
import functools
import re
from pathlib import Path
from typing import Any, Final

import cfnlint.api
import cfnlint.core

LINT: Final = Path(__file__).resolve().parents[2] / "lint"
_OURS: Final = re.compile(r"[EW]99\d\d|W103[01]")

KEY: Final = """\
  Key:
    Type: AWS::KMS::Key
    Properties:
      Origin: EXTERNAL
      Tags: [{Key: imported-key-material, Value: !Ref AWS::StackName}]
"""
GOOD: Final = """\
  Material:
    Type: Custom::ImportedKeyMaterial
    Properties:
      ServiceToken: !ImportValue imported-key-material-ServiceToken
      KeyId: !GetAtt Key.Arn
      SecretId: orders/master-key
"""
# Only a deployment knows which branch of !If [Never, ..] holds.
NEVER: Final = "Parameters:\n  Other: {Type: String}\nConditions:\n  Never: !Equals [!Ref Other, x]\n"


@functools.cache
def rules() -> Any:
    """cfn-lint's own rules and ours. To load them takes most of a test's time."""
    return cfnlint.core.get_rules([str(LINT)], [], [])


def linted(template: str, rules: Any, regions: tuple[str, ...] = ("eu-central-1",)) -> list[str]:
    """What cfn-lint finds with the rules, as "E9901 sentence".

    cfn-lint reads .cfnlintrc of the folder that it runs in: the repository's own would load our rules a second time.
    """
    with contextlib.chdir(LINT):
        matches = cfnlint.api.lint(template, rules=rules, regions=[*regions])
    return [f"{match.rule.id} {match.message}" for match in matches]


def findings(
    resources: str, before: str = "", after: str = "", regions: tuple[str, ...] = ("eu-central-1",)
) -> list[str]:
    """Our rules' findings; a finding of another cfn-lint rule is a mistake in the test."""
    template = f"AWSTemplateFormatVersion: '2010-09-09'\n{before}Resources:\n{resources}{after}"
    found = linted(template, rules(), regions)
    others = [text for text in found if not _OURS.match(text)]
    if others:
        raise ValueError(f"not of our rules: {others}")
    return found


def with_property(lines: str) -> list[str]:
    """The findings for the good declaration with lines added."""
    return findings(KEY + GOOD + lines, before=NEVER if "Never" in lines else "")
