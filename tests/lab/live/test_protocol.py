"""The acts with the probe, on a local AWS with all deviations planted at once: they find each "otherwise", and nothing else.

Without deviations all is as assumed: test_application.py plays these acts in the short form of the whole program.
"""

from pathlib import Path

import pytest

from lab.live import probe
from lab.live.acts.cloudformation import answers, clocks, failures, requests
from lab.live.verdicts import Verdict
from tests.support.live_local import play_at_once, shared_on

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("live-protocol")]

ACTS = [act for act in (*clocks.ACTS, *requests.ACTS, *answers.ACTS, *failures.ACTS) if not act.not_local]
NOT_LOCAL = {"list-while-created", "last-operations"}

DEVIATIONS = {  # planted (lab/local/deviations/): which assumption it breaks
    "statuses_after_their_requests": "status-before-request",
    "statuses_that_lag": "status-lag",
    "updates_that_begin_after_their_requests": "stack-status-first",
    "no_events_of_a_clean_up": "delete-event-first",
    "replaced_ids_are_shown": "clean-up-replaced",
    "removed_resources_are_forgotten_at_once": "clean-up-removed",
    "removed_resources_are_never_forgotten": "removed-forgotten",
    "answers_are_taken_over_unseen": "create-taken-over",
    "rollbacks_go_forward_again": "rollback-update",
    "the_id_of_a_failed_answer_is_dropped": "failed-id-kept",
    "service_timeout_only_at_the_top": "service-timeout-place",
    "response_urls_for_an_hour": "response-url",
    "no_service_token_in_the_old_properties": "service-token-twice",
    "truth_values_stay": "scalars-as-text",
    "a_new_key_in_events": "request-keys",
    "random_stack_ids": "stack-id-time",
    "half_of_service_timeout": "service-timeout-ends",
    "another_text_for_no_answer": "no-answer-text",
    "the_last_answer_counts": "first-answer-counts",
    "answers_of_4097_bytes_are_taken": "longest-answer",
    "old_properties_of_the_failed_update": "old-properties-after-failure",
    "failed_updates_are_complete_in_events": "failure-in-events",
    "a_clean_up_is_not_tried_again": "clean-up-tries",
}


def of(verdict, findings):
    return {one.assumption: one.seen for one in findings.values() if one.verdict is verdict}


def test_each_planted_deviation_is_told_as_otherwise_and_nothing_else_is():
    with shared_on(list(DEVIATIONS)) as shared:
        findings = play_at_once(ACTS, shared)

    assert set(of(Verdict.OTHERWISE, findings)) == set(DEVIATIONS.values())
    assert set(of(Verdict.NOT_SEEN, findings)) == NOT_LOCAL


def test_each_deviation_is_planted_and_each_assumption_has_one():
    settled = {assumption for act in ACTS for assumption in act.settles}

    assert set(DEVIATIONS.values()) == settled - NOT_LOCAL


def test_the_probe_fits_into_a_template():
    source = Path(probe.__file__).with_name("probe_function.py").read_text()

    assert probe.bare(source) == probe.CODE
    assert len(probe.CODE.encode()) < probe.INLINE_MAX_BYTES
