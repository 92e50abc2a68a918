"""A zip depends on nothing but the names and bytes of its files."""

import io
import os
import zipfile

from tools.release.zips import zip_folder, zips_of

FILES = {"b.py": b"two", "a/c.py": b"three", "a.py": b"one"}


def folder(path, files, mode=0o644, seconds=946_684_800):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
        (path / name).chmod(mode)
        os.utime(path / name, (seconds, seconds))
    return path


def test_order_modes_and_times_of_the_files_make_no_difference(tmp_path):
    one = folder(tmp_path / "one", FILES)
    other = folder(tmp_path / "other", dict(reversed(FILES.items())), mode=0o600, seconds=1_795_953_600)

    assert zip_folder(one) == zip_folder(other)


def test_every_file_can_be_read_by_everybody_and_has_the_first_date_of_zips(tmp_path):
    with zipfile.ZipFile(io.BytesIO(zip_folder(folder(tmp_path, FILES, mode=0o600)))) as archive:
        entries = [(one.filename, one.external_attr >> 16, one.date_time) for one in archive.infolist()]

    assert entries == [(name, 0o100644, (1980, 1, 1, 0, 0, 0)) for name in ("a/c.py", "a.py", "b.py")]


def test_functions_with_the_same_files_share_a_zip_and_other_content_never_has_its_name(tmp_path):
    folder(tmp_path / "Function", FILES)
    folder(tmp_path / "WatchFunction", FILES)
    folder(tmp_path / "Layer", {**FILES, "b.py": b"2"})

    zips, names = zips_of(tmp_path, ["Function", "WatchFunction", "Layer"])

    assert names["Function"] == names["WatchFunction"]
    assert sorted(zips) == sorted({names["Function"], names["Layer"]})
    folder(tmp_path / "Function", {"b.py": b"changed"})
    changed, _ = zips_of(tmp_path, ["Function"])
    assert set(changed).isdisjoint(zips)
