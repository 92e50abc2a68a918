"""The acts that starve others: what they do to the quota. No stand-in plays them whole (see their rows in assumptions.toml)."""

import pytest
from botocore.exceptions import ClientError

from lab.kms.quotas import Quotas
from lab.live.acts.application import many
from lab.live.verdicts import Verdict
from lab.local.stacks import Stack
from lab.world import World
from tests.support.live import stage_of

NOTHING_LEFT = Quotas({"GetParametersForImport": 0.0}, burst_requests=0.0)


def test_a_caller_that_uses_up_the_quota_asks_once_and_does_not_pause():
    with World(quotas=NOTHING_LEFT) as world:
        key = world.external_key()
        kms = many.without_retries(world.session().client("kms"))

        with pytest.raises(ClientError, match="ThrottlingException"):
            kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")

        assert world.aws.count("GetParametersForImport") == 1


class Through:
    """A stack whose request gets through although others use up the quota."""

    @classmethod
    def begin(cls, *_):
        return cls()

    def at_rest(self):
        return Stack("ikm-live", "id", "CREATE_COMPLETE")

    def wait(self, _seconds):
        return self.at_rest()


def test_a_request_that_gets_through_shows_nothing_and_ends_the_act(tmp_path, monkeypatch):
    """Nothing was handed over: so nothing is known of Lambda's loop detection either."""
    monkeypatch.setattr(many, "OneStack", Through)
    monkeypatch.setattr(many, "_log_lines", lambda *_: [])
    monkeypatch.setattr(many, "STARVE_CALLERS", 0)
    monkeypatch.setattr("lab.live.stage.Stage.material", lambda *_, **__: {})
    monkeypatch.setattr("lab.live.made.Made.secret", lambda *_, **__: ("secret", "version"))

    with World() as world, stage_of(world, tmp_path) as stage:
        began = stage.now()
        findings = list(many.handing_over(stage))

        assert (stage.now() - began).total_seconds() < 60
    assert {one.assumption: one.verdict for one in findings} == {
        "handed-over": Verdict.NOT_SEEN,
        "no-recursion-stopped": Verdict.NOT_SEEN,
    }
