"""Planted bugs: for each rule at least one, which the simulation must find, or its silence means nothing.

`rules`: the rules that may break. `seeds`: how many seeds the search may use, several times what it needed when this was
written. `found_by`: the seed that found the bug then. It is played first, which saves hundreds of histories; if it finds
nothing any more, all others are played. The bugs themselves are in `plants.py` and `plants_of_answers.py`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from lab.simulation import plants
from lab.simulation import plants_of_answers as answers
from lab.simulation.drawing import draw
from lab.simulation.history import play
from lab.simulation.scripts import (
    Script,
    failed_and_kept,
    in_two_regions,
    refilled_in_a_clean_up,
    rotated_and_cancelled,
    two_expiries,
)

Plant = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Mutation:
    """`script`: all plans follow it, for a bug that shows only in one situation."""

    plant: Plant
    rules: frozenset[int]
    seeds: int
    script: Script | None = None
    found_by: int = 0


def _any(*rules: int) -> frozenset[int]:
    return frozenset(rules)


MUTATIONS: dict[str, Mutation] = {
    "delete not guarded": Mutation(plants.delete_not_guarded, _any(1), 200),
    "answers twice": Mutation(plants.answers_twice, _any(6), 5),
    "imports before the check": Mutation(plants.imports_before_the_check, _any(4), 50),
    "id moves with the material": Mutation(plants.id_moves_with_the_material, _any(1, 2, 3), 50),
    "rollback validates": Mutation(plants.rollback_validates, _any(7), 50, found_by=14),
    "Disabled key imported into": Mutation(plants.disabled_key_is_imported_into, _any(7), 300, found_by=86),
    "rotates again after success": Mutation(plants.rotates_again_after_success, _any(7), 50, found_by=13),
    "tag not checked": Mutation(plants.tag_not_checked, _any(4), 100),
    "holder not looked up": Mutation(plants.holder_not_looked_up, _any(2), 100),
    "consent of another stack": Mutation(plants.consent_of_another_stack, _any(4), 200),
    "STAGE rotates": Mutation(plants.stage_rotates, _any(7), 50, found_by=6),
    "pending deleted while a rotation is under way": Mutation(
        plants.pending_deleted_at_once, _any(7), 200, rotated_and_cancelled
    ),
    "wanted not asked": Mutation(plants.wanted_not_asked, _any(4), 20),
    "a clean-up's Delete is believed without its event": Mutation(
        plants.clean_up_believed, _any(1), 80, refilled_in_a_clean_up, found_by=21
    ),
    "DELETE_COMPLETE is taken for DELETE_IN_PROGRESS": Mutation(
        plants.deleted_is_being_deleted, _any(1), 80, refilled_in_a_clean_up, found_by=20
    ),
    "ARN for an adopted key": Mutation(plants.arn_for_an_adopted_key, _any(1), 100),
    "material left at Delete": Mutation(plants.material_left_at_delete, _any(5), 100, found_by=43),
    "success before it is confirmed": Mutation(answers.success_before_confirmed, _any(3), 200),
    "expiry forgotten": Mutation(answers.expiry_forgotten, _any(3), 50),
    "a failed Create loses the ARN": Mutation(answers.failed_create_loses_the_arn, _any(6), 300, found_by=126),
    "material in the key is said to be removed": Mutation(answers.held_is_said_to_be_removed, _any(6), 50),
    "material logged": Mutation(answers.material_logged, _any(8), 5),
    "ResponseURL in an exception": Mutation(answers.url_in_an_exception, _any(8), 100),
    "leaves without a word": Mutation(answers.leaves_without_a_word, _any(6), 50),
    "a failed update is forgotten": Mutation(
        answers.failed_before_is_forgotten, _any(3), 50, failed_and_kept, found_by=22
    ),
    "events that can't be read are believed": Mutation(
        answers.unreadable_is_no_failure, _any(3), 300, failed_and_kept, found_by=41
    ),
    "an expiry is taken back in silence": Mutation(
        answers.expiry_is_taken_back_in_silence, _any(3), 300, two_expiries, found_by=155
    ),
    "a rotation between is forgotten": Mutation(
        answers.rotation_between_is_forgotten, _any(5), 300, rotated_and_cancelled, found_by=20
    ),
    "earlier material keeps its expiry": Mutation(
        answers.earlier_material_keeps_its_expiry, _any(3), 600, found_by=424
    ),
    "rollback is silent": Mutation(answers.rollback_is_silent, _any(3), 200, found_by=35),
    "attributes as declared": Mutation(answers.attributes_as_declared, _any(3), 50),
    "no time for the answer": Mutation(answers.no_time_for_the_answer, _any(6), 50, in_two_regions, found_by=17),
}


def seed_that_finds(mutation: Mutation) -> int | None:
    """A seed that breaks one of the mutation's rules: `found_by` if it still does; None if no seed does."""
    with mutation.plant():
        for seed in sorted(range(mutation.seeds), key=lambda seed: seed != mutation.found_by):
            violation = play(draw(seed, mutation.script)).violation
            if violation is not None and violation.rule in mutation.rules:
                return seed
    return None
