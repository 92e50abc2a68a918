"""Plays all stories at once, on their own local AWS, and judges the results.

    python -m lab.chaos --stacks 40 --seed 7      as `make chaos STACKS=40 SEED=7`

The application must have been built (`make build`). stdout: the seed first; each stack as it ends; then what is wrong, with
what happened to the stack's invocations; the last line has the counts. Exit codes: 0 nothing is wrong; 1 something is; 2 the
command is wrong; 3 the local AWS did not run. The seed decides what happens to which try of which request. Real processes
decide when it happens, and in which order.
"""

import argparse
import secrets
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from random import Random

from lab.chaos import theater, verdicts
from lab.chaos.custodian import Custodian
from lab.chaos.director import Director
from lab.chaos.fates import Fates
from lab.chaos.kinds import KINDS
from lab.chaos.playing import FAILED, Player, Wrong
from lab.local import deploy, places
from lab.local.ministack import DidNotStart
from lab.local.session import LocalAws

AT_ONCE = 8  # stacks; the local AWS runs as many processes of the function
LOGS = places.REPOSITORY / "build" / "chaos-logs"
WRONG, DID_NOT_RUN = 1, 3


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    _say(f"chaos: seed {options.seed}, {options.stacks} stacks")
    folder = places.temporary_folder("chaos")
    begun = time.monotonic()
    director = Director(Fates(options.seed))
    try:
        with theater.opened(folder, director) as aws:
            wrong = _play(aws, director, options.stacks, options.seed)
            if wrong:
                aws.save_logs(LOGS)
    except (DidNotStart, deploy.SamFailed) as error:
        _say(f"chaos: the local AWS does not run. {error}")
        return DID_NOT_RUN
    finally:
        places.remove_tree(folder)
    for one in wrong:
        _say(f"wrong: {one}")
    if wrong:
        _say(
            f"repeat: make chaos STACKS={options.stacks} SEED={options.seed}; logs: {LOGS.relative_to(places.REPOSITORY)}/"
        )
    _say(f"kills: {_counted(director.kills)}; faults: {_counted(director.faults)}; {time.monotonic() - begun:.0f} s")
    kills, faults = director.kills.total(), director.faults.total()
    _say(f"chaos: {options.stacks} stacks, {kills} kills, {faults} faults, {len(wrong)} wrong")
    return WRONG if wrong else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    def number(text: str) -> int:
        return int(text, 0)

    parser = argparse.ArgumentParser(prog="python -m lab.chaos", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stacks", type=number, default=40, help="how many stacks (default: 40)")
    parser.add_argument("--seed", type=number, default=secrets.randbits(32), help="default: another one each time")
    return parser.parse_args(arguments)


def _play(aws: LocalAws, director: Director, stacks: int, seed: int) -> list[str]:
    """Plays all stories to their end. Returns what is wrong, in words."""
    custodian = Custodian(aws, Random(seed))  # noqa: S311  # keys that protect nothing; a seed repeats them
    token = deploy.service_token(aws.settings)
    # Prepare one after the other, so that a seed gives each story the same material.
    players = [
        Player(aws, KINDS[number % len(KINDS)](f"chaos-{number + 1:02}", custodian, token), director.tried_again)
        for number in range(stacks)
    ]
    wrong = dict(_each(players, Player.play, director, tell=True))
    director.calm = True
    to_mend = [player for player in players if player.status in FAILED and player.story.name not in wrong]
    wrong |= dict(_each(to_mend, Player.mend, director, tell=True))
    director.wait_until_quiet()
    right = [player for player in players if player.story.name not in wrong]
    wrong |= dict(_each(right, lambda player: player.prove("after all was over"), director))
    _say(
        f"chaos: Lambda gave up {sum(player.given_up for player in players)} requests; {len(to_mend)} stacks were mended by "
        f"hand afterwards; {sum(len(player.kept) for player in players)} keys keep what an invocation that died had imported"
    )
    twice = [f"{name} answered twice" for name in director.answered_twice()]
    events = {player.story.name: player.all_events() for player in players}
    return [*wrong.values(), *twice, *verdicts.leaks(aws.folder, events, custodian.materials)]


def _each(
    players: list[Player], act: Callable[[Player], None], director: Director, *, tell: bool = False
) -> Iterator[tuple[str, str]]:
    """Yields each stack's name, with what is wrong with it."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(act, player): player for player in players}
        for ended in as_completed(running):
            player = running[ended]
            name, kind = player.story.name, player.story.kind
            try:
                ended.result()
            except Wrong as error:
                yield name, "\n  ".join([f"{name}, {kind}: {error}", *director.tale(name)])
            except Exception:  # noqa: BLE001  # a defect of this program: report it as one, and go on
                yield name, f"{name}, {kind}: the test itself failed\n{traceback.format_exc()}"
            else:
                if tell:
                    _say(f"{name}, {kind}: {', '.join(player.statuses)}")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.most_common() if count) or "none"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a program's output


if __name__ == "__main__":
    sys.exit(main())
