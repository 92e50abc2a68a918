"""examples/sign-release.sh, with another `aws`: each call is one that the CLI takes, and each signed zip gets its name back."""

import os
import subprocess

from lab.aws_cli.parameters import Call
from lab.local import places

SCRIPT = places.REPOSITORY / "examples" / "sign-release.sh"
AWS = """\
#!/bin/bash
printf '%s\\t' "$@" >> "$CALLS"; echo >> "$CALLS"
case "$2" in head-object) echo version-of-$6;; start-signing-job) echo job-1;; wait) [ "$5" != "$FAILED" ];; esac
"""


def signed(tmp_path, failed=""):
    """Exit code, and the calls as lists of words."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "aws").write_text(AWS)
    (tmp_path / "bin" / "aws").chmod(0o755)
    for name in ("Dependencies-1.zip", "Function-2.zip"):
        (tmp_path / name).write_bytes(b"")
    environment = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "FAILED": failed,
    }
    command = ["/bin/bash", SCRIPT, "bucket", "profile"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False)
    return done.returncode, [line.split("\t")[:-1] for line in (tmp_path / "calls").read_text().splitlines()]


def test_each_zip_is_signed_and_gets_its_name_back_below_another_prefix(tmp_path):
    code, calls = signed(tmp_path)

    assert code == 0
    copied = [call[call.index("--key") + 1] for call in calls if call[1] == "copy-object"]
    assert copied == ["signed/Dependencies-1.zip", "signed/Function-2.zip"]
    assert [call[:2] for call in calls[:4]] == [
        ["s3api", "head-object"],
        ["signer", "start-signing-job"],
        ["signer", "wait"],
        ["s3api", "copy-object"],
    ]


def test_each_call_is_one_that_the_cli_takes(tmp_path):
    _, calls = signed(tmp_path)

    for call in calls:
        if call[1] != "start-signing-job":  # our reader knows no structures inside A={b=c}
            Call.of(call).validate(tmp_path)


def test_a_job_that_fails_ends_it_before_anything_is_copied(tmp_path):
    code, calls = signed(tmp_path, failed="job-1")

    assert code != 0
    assert [call[1] for call in calls] == ["head-object", "start-signing-job", "wait"]
