"""The acts with the probe, played on a local AWS of their own, without the application: the probe needs only boto3."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from importlib import metadata
from pathlib import Path

from lab.live import probe
from lab.live.account import LocalAccount
from lab.live.act import Act
from lab.live.made import Made
from lab.live.questions.stand_ins import RUN
from lab.live.run_list import RunList
from lab.live.stage import Shared, Stage
from lab.live.verdicts import Finding
from lab.local import places
from lab.local.service import running

_PACKAGES = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
_MODELS = ("cloudformation", "endpoints.json", "partitions.json", "sdk-default-configuration.json", "_retry.json")


@contextmanager
def shared_on(deviations: Sequence[str] = ()) -> Iterator[Shared]:
    """A local AWS with these deviations, and the probe deployed in it."""
    folder = places.temporary_folder("live")
    try:
        with running(folder, deviations) as (settings, _has_ended):
            account = LocalAccount(settings)
            shared = Shared(Made(account, RUN, RunList(folder / RUN)))
            layer = account.client("lambda").publish_layer_version(
                LayerName="boto3", Content={"ZipFile": boto3_layer()}
            )
            deployed = probe.deploy(shared.made, shared.bucket, [layer["LayerVersionArn"]])
            vars(shared)["probe"] = deployed  # in place of a probe that needs the application
            yield shared
    finally:
        places.remove_tree(folder)


def play_at_once(acts: Sequence[Act], shared: Shared) -> dict[str, Finding]:
    """The findings of all acts, by assumption. Each assumption that they settle has one."""
    with ThreadPoolExecutor(len(acts)) as threads:
        findings = [one for found in threads.map(lambda act: _play(act, shared), acts) for one in found]
    by_assumption = {one.assumption: one for one in findings}
    expected = [assumption for act in acts for assumption in act.settles]
    if sorted(expected) != sorted(one.assumption for one in findings):
        raise AssertionError(f"the acts settle {expected}, and found {sorted(by_assumption)}")
    return by_assumption


def _play(act: Act, shared: Shared) -> list[Finding]:
    until = shared.made.account.now() + timedelta(seconds=act.deadline_seconds)
    return list(act.play(Stage(shared.made, shared, until)))


def boto3_layer() -> bytes:
    """A layer's zip with this environment's boto3, and only the models that the probe needs."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for package in _PACKAGES:
            for file in metadata.files(package) or []:
                is_model = file.parts[:2] in (("botocore", "data"), ("boto3", "data"))
                if file.suffix == ".pyc" or (is_model and file.parts[2] not in _MODELS):
                    continue
                path = Path(str(file.locate()))
                if path.is_file() and ".." not in file.parts:
                    archive.write(path, f"python/{file}")
    return content.getvalue()
