"""Files that are whole or absent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rtser_train.files import replacing

from rtser.errors import OutputError


def test_threads_may_write_the_same_file_at_the_same_time(tmp_path):
    path = tmp_path / "a.txt"

    def write(number):
        with replacing(path) as part:
            part.write_text(f"{number}\n" * 1000)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(100)))
    assert len(set(path.read_text().splitlines())) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyError), replacing(path) as part:
        part.write_text("new")
        raise KeyError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_part_has_the_suffix_of_the_file(tmp_path):
    with replacing(tmp_path / "a.npz") as part:
        assert part.suffix == ".npz"
        part.touch()


def test_the_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with replacing(tmp_path / "replaced") as part:
        part.touch()
    assert (tmp_path / "replaced").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_missing_folder_is_made(tmp_path):
    with replacing(tmp_path / "new" / "a.txt") as part:
        part.write_text("x")
    assert (tmp_path / "new" / "a.txt").read_text() == "x"


def test_what_cannot_be_written_is_named_with_advice(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match=r"a\.txt cannot be written \(.*\); name another folder\."),
        replacing(tmp_path / "file" / "a.txt", "name another folder"),
    ):
        pass


def test_a_device_or_a_folder_is_not_replaced(tmp_path):
    for target in (tmp_path, Path("/dev/null")):
        with pytest.raises(OutputError, match="not a regular file"), replacing(target):
            pass
    assert Path("/dev/null").is_char_device()
