from __future__ import annotations

import os
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
from conftest import sound

from rtser.audio.file import AudioFile, read_audio
from rtser.audio.libsndfile import _open_ended
from rtser.errors import InputError


def write(path, samples, rate=16_000, **options):
    soundfile.write(path, samples, rate, **options)
    return path


@pytest.mark.parametrize(
    ("name", "options", "tolerance"),
    [
        ("a.wav", {"subtype": "FLOAT"}, 0.0),
        ("a.flac", {"subtype": "PCM_24"}, 1e-6),
        ("a.aiff", {"subtype": "PCM_24"}, 1e-6),
        ("a.ogg", {"subtype": "VORBIS"}, 0.2),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}, 0.2),
        ("a.mp3", {"subtype": "MPEG_LAYER_III"}, 0.3),
    ],
)
def test_every_format_is_read(tmp_path, name, options, tolerance):
    samples = sound(1.5)
    heard = read_audio(write(tmp_path / name, samples, **options))
    assert heard.dtype == np.float32
    assert abs(len(heard) - len(samples)) <= 1200
    shared = min(len(heard), len(samples))
    assert np.abs(heard[:shared] - samples[:shared]).max() <= tolerance


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_any_rate_becomes_16_khz(tmp_path, rate):
    tone = np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate).astype(np.float32)
    heard = read_audio(write(tmp_path / "a.wav", tone, rate, subtype="FLOAT"))
    expected = np.sin(2 * np.pi * 440 * np.arange(32_000) / 16_000)
    assert abs(len(heard) - 32_000) <= 1
    assert np.abs(heard[1_000:-1_000] - expected[1_000 : len(heard) - 1_000]).max() < 1e-3


def test_channels_are_averaged_or_chosen(tmp_path):
    channels = np.stack([sound(1.0, seed) for seed in range(6)], axis=1)
    path = write(tmp_path / "a.wav", channels, subtype="FLOAT")
    assert np.allclose(read_audio(path), channels.mean(axis=1), atol=1e-7)
    assert np.array_equal(read_audio(path, channel=4), channels[:, 4])


def test_blocks_are_short_whatever_the_length(tmp_path):
    with AudioFile(write(tmp_path / "a.wav", np.zeros(48_000 * 20, np.float32), 48_000)) as audio:
        assert max(len(block) for block in audio.chunks()) <= 16_000


def test_a_wav_from_a_pipe_that_could_not_know_its_length_is_whole(tmp_path):
    path = write(tmp_path / "a.wav", sound(1.0), subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(content)
    assert len(read_audio(path)) == 16_000


def refused(path, message, channel=None):
    with pytest.raises(InputError, match=message):
        read_audio(path, channel)


def test_what_is_no_audio_file_is_refused_by_name(tmp_path):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("this is no audio at all, whatever its name says\n" * 50)
    (tmp_path / "raw.raw").write_bytes(bytes(1000))
    refused(tmp_path / "empty.wav", "is empty")
    refused(tmp_path / "text.wav", "is not an audio file")
    refused(tmp_path / "raw.raw", "is not an audio file")
    refused(tmp_path, "is a directory")
    refused(tmp_path / "missing.wav", "no such file")


def test_a_rate_out_of_range_is_refused(tmp_path):
    refused(write(tmp_path / "a.wav", sound(1.0), 1_000_000), "1000000 Hz is outside")
    refused(write(tmp_path / "b.wav", sound(1.0), 4_000), "4000 Hz is outside")


def test_a_header_without_channels_is_refused(tmp_path):
    path = write(tmp_path / "a.wav", sound(1.0))
    content = bytearray(path.read_bytes())
    content[22:24] = struct.pack("<H", 0)
    path.write_bytes(content)
    refused(path, "is not an audio file")


def test_a_missing_channel_is_refused(tmp_path):
    refused(write(tmp_path / "a.wav", sound(1.0)), "no channel 2", channel=2)


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.wav", {}), ("a.flac", {}), ("a.mp3", {}), ("a.ogg", {}), ("a.aiff", {})],
)
def test_a_truncated_file_gives_what_it_has_and_then_says_so(tmp_path, name, options):
    path = write(tmp_path / name, sound(6.0), **options)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    heard = 0
    with pytest.raises(InputError, match="cut short"), AudioFile(path) as audio:
        for block in audio.chunks():
            heard += len(block)
    assert 30_000 < heard < 70_000


def test_what_comes_before_a_nan_is_used(tmp_path):
    samples = sound(3.0)
    samples[20_000] = np.nan
    with AudioFile(write(tmp_path / "a.wav", samples, subtype="FLOAT")) as audio:
        blocks = audio.chunks()
        heard = 0
        with pytest.raises(InputError, match=r"NaN, infinity or a value beyond 16 times full scale at 1\.250 s"):
            for block in blocks:
                heard += len(block)
    assert heard == 20_000


@pytest.mark.parametrize("channels", [1, 2])
def test_huge_values_are_no_sound(tmp_path, channels):
    samples = np.stack([sound(2.0)] * channels, axis=1)
    samples[16_000] = 3e38
    refused(write(tmp_path / "a.wav", samples, subtype="FLOAT"), r"a value beyond 16 times full scale at 1\.000 s")


def test_a_chosen_channel_is_not_spoilt_by_another(tmp_path):
    samples = np.stack([sound(1.0), sound(1.0)], axis=1)
    samples[:, 1] = np.nan
    assert len(read_audio(write(tmp_path / "a.wav", samples, subtype="FLOAT"), channel=0)) == 16_000


def test_a_name_that_is_no_unicode_is_read(tmp_path):
    path = write(tmp_path / "a.wav", sound(1.0))
    assert len(read_audio(path.rename(tmp_path / os.fsdecode(b"\xff\xfe.wav")))) == 16_000


def test_an_mp3_whose_length_is_an_estimate_is_not_called_damaged(tmp_path):
    path = write(tmp_path / "a.mp3", sound(3.0), format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="VARIABLE")
    content = path.read_bytes()
    second_frame = content.index(b"\xff\xf3", 4)
    path.write_bytes(content[second_frame:])  # without the frame that holds the Xing tag
    assert len(read_audio(path)) > 16_000


def test_an_mp3_read_in_two_threads_leaves_standard_error_alone(tmp_path):
    path = write(tmp_path / "a.mp3", sound(2.0), subtype="MPEG_LAYER_III")
    before = os.fstat(2)
    with ThreadPoolExecutor(4) as pool:
        lengths = set(pool.map(lambda _: len(read_audio(path)), range(40)))
    assert len(lengths) == 1
    assert (os.fstat(2).st_dev, os.fstat(2).st_ino) == (before.st_dev, before.st_ino)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("data : 0 (should be 1)", True),
        ("data : 4294967295 (should be 1)", True),
        ("data : 32000 (should be 1)", False),
        ("data : \N{SUPERSCRIPT TWO} (should be 1)", True),
    ],
)
def test_a_length_that_a_pipe_could_not_know_is_told_from_damage(line, expected):
    assert _open_ended(line) is expected
