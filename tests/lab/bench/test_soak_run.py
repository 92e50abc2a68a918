"""`make soak` in its shortest form: the built function keeps nothing, and a function that keeps something is found.

The test runs the built application, not the source. It does not judge latency, which depends on the other tests on the
machine.
"""

import re
import textwrap

import pytest

from lab.bench import soak
from lab.bench.stage import stage
from lab.local.places import REPOSITORY

REQUESTS = 200

LEAKING = """
    import socket

    import probed

    kept, opened = [], []


    class Circle:
        def __init__(self):
            self.itself, self.bytes = self, bytearray(100_000)


    def handler(event, context):
        kept.append(Circle())
        if not opened and len(kept) > 100:
            opened.append(socket.socket())
        return probed.handler(event, context)
"""
WITHOUT_A_LOOK_AT_GARBAGE = """
    import gc

    from imported_key_material import app


    def handler(event, context):
        gc.disable()
        if not event.get("probe"):
            return app.handler(event, context)
        return {"objects": 0, "collecting": gc.isenabled()}
"""


@pytest.fixture
def ready(aws):
    """`aws`: once it runs, nobody builds the application again while it is copied."""
    with stage(REPOSITORY / ".aws-sam" / "build") as ready:
        yield ready


def planted(ready, tmp_path, name, text):
    module = tmp_path / f"{name}.py"
    module.write_text(textwrap.dedent(text))
    return ready.beside(module)


def test_hundreds_of_requests_leave_nothing_in_the_process(ready):
    seen = soak.soak(ready, REQUESTS)

    assert seen.requests == REQUESTS
    assert seen.growth < soak.GROWTH_MOST, seen.line()
    assert seen.left_open.total() == 0, seen.line()
    assert seen.kept < soak.KEPT_MOST, seen.line()


def test_a_function_that_keeps_memory_objects_and_a_socket_is_found_out(ready, tmp_path):
    seen = soak.soak(ready, REQUESTS, planted(ready, tmp_path, "leaking", LEAKING))

    assert seen.faults[:3] == [
        "memory grew by more than 5%",
        "left open: {'socket': 1}",
        "more than 0.1 objects a request are kept",
    ]


def test_a_function_that_leaves_its_garbage_where_it_is_is_found_out(ready, tmp_path):
    package = planted(ready, tmp_path, "hoarding", WITHOUT_A_LOOK_AT_GARBAGE)

    with pytest.raises(soak.WentWrong, match=re.escape("The function's process does not collect garbage: ")):
        soak.soak(ready, REQUESTS, package)
