"""The acts with only KMS, on the strict KMS in virtual time: "as assumed", and "otherwise" for each planted deviation."""

import pytest

from lab.kms import Lag
from lab.live.acts.kms import ACTS as KMS_ACTS
from lab.live.verdicts import Verdict
from lab.world import World
from tests.support.live import play
from tests.support.other_kms import DEVIATIONS

OTHER_REGION = "eu-west-1"
BY_ASSUMPTION = {assumption: act for act in KMS_ACTS for assumption in act.settles}


@pytest.mark.parametrize("act", KMS_ACTS, ids=lambda act: act.name)
def test_on_the_strict_kms_everything_is_as_assumed(act, tmp_path):
    with World() as world:
        findings = play(act, world, tmp_path, OTHER_REGION)

    assert {one.verdict for one in findings.values()} == {Verdict.AS_ASSUMED}, findings


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("act", KMS_ACTS, ids=lambda act: act.name)
def test_what_kms_shows_late_is_no_finding(act, seed, tmp_path):
    with World(seed=seed, lag=Lag(probability=0.3, max_seconds=3.0)) as world:
        findings = play(act, world, tmp_path, OTHER_REGION)

    assert {one.verdict for one in findings.values()} == {Verdict.AS_ASSUMED}, findings


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda one: one.assumption)
def test_a_planted_deviation_is_reported_by_its_assumption_and_no_other(deviation, tmp_path, monkeypatch):
    with World() as world:
        deviation.plant(world, monkeypatch)

        findings = play(BY_ASSUMPTION[deviation.assumption], world, tmp_path, OTHER_REGION)

    otherwise = {id_ for id_, one in findings.items() if one.verdict is Verdict.OTHERWISE}
    assert otherwise == {deviation.assumption, *deviation.also}, findings


def test_each_assumption_has_a_planted_deviation():
    assert {one.assumption for one in DEVIATIONS} == set(BY_ASSUMPTION)
