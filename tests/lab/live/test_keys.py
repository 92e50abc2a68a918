"""The acts with only KMS, on the strict KMS in virtual time: "as assumed", and "otherwise" for each planted deviation."""

import pytest

from lab.live.acts import keys
from lab.live.verdicts import Verdict
from lab.world import World
from tests.support.live import play


@pytest.mark.parametrize("act", keys.ACTS, ids=lambda act: act.name)
def test_on_the_strict_kms_everything_is_as_assumed(act, tmp_path):
    with World() as world:
        findings = play(act, world, tmp_path)

    assert {one.verdict for one in findings.values()} == {Verdict.AS_ASSUMED}, findings
