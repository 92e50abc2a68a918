"""`make chaos` in its shortest form: its own local AWS, one stack of each of five kinds, the function killed and cut off."""

import os
import re
import subprocess
import sys

import pytest

from lab.chaos.kinds import KINDS
from lab.local.places import REPOSITORY

pytestmark = [
    pytest.mark.xdist_group("chaos"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at the memory of processes"),
]

STACKS = 5
SEED = 16  # with this seed nothing waits for a minute: no late try of a request whose stack has moved on
SECONDS = 240  # for a busy machine; on an idle one it takes half a minute


def chaos(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "lab.chaos", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_stacks_come_to_their_end_though_the_function_is_killed_and_cut_off(aws):
    """`aws`: once it runs, nobody builds the application again."""
    done = chaos("--stacks", str(STACKS), "--seed", str(SEED))

    told = done.stdout.splitlines()
    assert told[0] == f"chaos: seed {SEED}, {STACKS} stacks"
    assert re.fullmatch(rf"chaos: {STACKS} stacks, [1-9]\d* kills, [1-9]\d* faults, 0 wrong", told[-1]), done.stdout
    assert (done.returncode, done.stderr) == (0, "")
    for number in range(STACKS):
        assert any(line.startswith(f"chaos-{number + 1:02}, ") for line in told)
    assert len(KINDS) > STACKS  # the full program plays all of them
