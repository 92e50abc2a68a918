"""A separate local AWS with the application deployed, and with the line between the function and AWS."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.chaos.director import Director
from lab.chaos.line import Line
from lab.local import deploy
from lab.local.functions import Functions
from lab.local.ministack import MiniStack
from lab.local.session import LocalAws

MEMORY_MB = 192  # 1.5 times what a request needs: a flood soon fills it


@contextmanager
def opened(folder: Path, director: Director) -> Iterator[LocalAws]:
    """`folder` must exist. The application must have been built."""
    line = Line(director)
    functions = Functions(folder, director)
    ministack = MiniStack(folder, runtime_url=functions.url, response_host=line.host)
    try:
        settings = ministack.start()
        settings.write(folder)
        line.lead_to(settings)
        director.lead_over(f"https://{line.host}")
        functions.serve(settings)
        deploy.deploy(settings)
        aws = LocalAws(folder)
        aws.client("lambda").update_function_configuration(FunctionName=deploy.FUNCTION, MemorySize=MEMORY_MB)
        yield aws
    finally:
        functions.close()
        ministack.stop()
        line.end()
