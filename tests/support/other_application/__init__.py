"""A local AWS that behaves otherwise than the acts with the application assume: one deviation for each of their assumptions.

Each has a stage of its own, and changes nothing that another stage sees: its role, its function, or what its own clients
show. So all of them can be played at the same time.

    stages.py         the stages
    first_stacks.py   the role, and what a first stack meets
    deployments.py    what Lambda gives up, and more deployments
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.support.other_application import deployments, first_stacks
from tests.support.other_application.stages import Findings, Stages


@dataclass(frozen=True)
class Deviation:
    """`assumptions`: those that are otherwise then, and no other that the deviation's act settles."""

    play: Callable[[Stages], Findings]
    assumptions: frozenset[str]

    @property
    def name(self) -> str:
        return self.play.__name__


DEVIATIONS = tuple(
    Deviation(play, frozenset(assumptions))
    for play, assumptions in (
        (first_stacks.a_secret_s_tag_that_never_counts, ["secret-just-tagged"]),
        (first_stacks.secrets_that_everybody_may_read, ["secret-missing", "secret-untagged"]),
        (first_stacks.a_key_s_tag_that_never_counts, ["key-just-tagged"]),
        (first_stacks.a_key_that_does_not_encrypt, ["first-key"]),
        (first_stacks.a_kms_that_keeps_the_old_expiry_and_the_material, ["first-key-expiry", "first-key-deleted"]),
        (first_stacks.a_rollback_that_does_not_end_well, ["rollback-completes"]),
        (first_stacks.a_function_that_says_that_nobody_waits, ["first-key-wanted", "rollback-wanted"]),
        (
            deployments.an_on_failure_destination_that_is_not_reached_and_a_function_that_stays,
            ["given-up-concurrency", "given-up-not-loaded", "given-up-memory", "function-gone"],
        ),
        (
            deployments.an_upgrade_that_breaks_the_function_and_a_name_that_is_not_given_again,
            ["upgraded", "deployed-again"],
        ),
    )
)
