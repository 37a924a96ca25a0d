"""Where the files of a recording lie: no two recordings write one file, and no name leads out of the folder."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest

from rtser.commands.exports import Exports
from rtser.commands.places import told_apart, url_parts


def planned(folder, *recordings):
    """The path of each recording's captions, from the folder."""
    files = Exports(("vtt",), plot=False, folder=folder).plan(recordings)
    return [files[one]["vtt"].relative_to(folder).as_posix() for one in recordings]


def test_a_recording_keeps_its_suffix_where_another_would_write_the_same_file(tmp_path):
    recordings = "/x/a.wav", "/x/a.mp3", "/x/a.wav.flac", "/x/b.wav"
    expected = ["a.wav.emotion.vtt", "a.mp3.emotion.vtt", "a.wav.flac.emotion.vtt", "b.emotion.vtt"]
    assert planned(tmp_path, *recordings) == expected


def test_urls_that_differ_in_what_no_name_has_are_numbered(tmp_path):
    urls = "https://h/dl?id=1", "https://h/dl?id=2", "s3://h/dl", "https://h/dl-2"
    assert planned(tmp_path, *urls) == ["dl.emotion.vtt", "dl-3.emotion.vtt", "dl-4.emotion.vtt", "dl-2.emotion.vtt"]


def test_a_url_writes_no_file_of_a_local_recording(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert planned(tmp_path, "h/a.wav", "https://h/a.wav", "-") == [
        "h/a.emotion.vtt",
        "h/a-2.emotion.vtt",
        "standard-input.emotion.vtt",
    ]


def test_two_names_of_one_recording_write_one_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert planned(tmp_path, "a.wav", "./a.wav") == ["a.emotion.vtt", "a.emotion.vtt"]


def test_a_path_without_a_name_gets_one(tmp_path):
    assert planned(tmp_path, "/") == ["recording.emotion.vtt"]


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://h/a%00b%0A.wav", ["h", "ab.wav"]),
        ("https://h/..%2F..%2Fx.wav", ["h", "x.wav"]),
        ("https://h/..%5C..%5Cx.wav", ["h", "x.wav"]),
        ("https://h/.. %2F..%20/x.wav", ["h", "x.wav"]),
        ("https://h:80/D%3A%5Cx.wav?id=1#t", ["h_80", "D_", "x.wav"]),
        ("zip://a/b.wav::https://h/c.zip?x", ["h", "c.zip", "a", "b.wav"]),
        ("https://?id=1", ["recording"]),
    ],
)
def test_the_parts_of_a_url_stay_in_the_folder_on_every_system(url, parts):
    assert url_parts(url) == parts
    windows = PureWindowsPath(r"C:\out", *url_parts(url))
    assert windows.is_relative_to(r"C:\out")
    assert not {"..", "."} & {*windows.parts}


@pytest.mark.parametrize(
    ("kind", "places", "expected"),
    [
        (PurePosixPath, ["/x/mon/a.wav", "/x/tue/a.wav"], ["mon/a.wav", "tue/a.wav"]),
        (PurePosixPath, ["/x/a.wav"], ["a.wav"]),
        (PurePosixPath, [], []),
        (PureWindowsPath, [r"C:\x\mon\a.wav", r"c:\X\a.wav"], ["mon/a.wav", "a.wav"]),
        (PureWindowsPath, [r"C:\x\a.wav", r"D:\a.wav"], ["C/x/a.wav", "D/a.wav"]),
        (PureWindowsPath, [r"C:\a.wav", r"\\host\share\b\a.wav"], ["C/a.wav", "host share/b/a.wav"]),
    ],
)
def test_recordings_keep_the_folders_that_tell_them_apart_also_on_several_drives(kind, places, expected):
    assert [path.as_posix() for path in told_apart([kind(one) for one in places])] == expected
