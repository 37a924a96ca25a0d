"""Files that libsndfile does not know, by FFmpeg."""

from __future__ import annotations

import sys

import av
import numpy as np
import pytest

from rtser.audio.file import AudioFile, read_audio
from rtser.engine.contract import SAMPLE_RATE
from rtser.errors import InputError

KINDS = {"m4a": "aac", "mp4": "aac", "aac": "aac", "webm": "libopus", "mkv": "pcm_s16le", "wma": "wmav2"}
CONTAINERS = {"m4a": "ipod", "aac": "adts", "wma": "asf", "mkv": "matroska"}


def encoded(path, samples, codec, rate=48_000, layout="mono"):
    """Samples (n, channels) at `rate`, as a file whose kind follows from its name."""
    kind = path.suffix[1:]
    with av.open(str(path), "w", format=CONTAINERS.get(kind, kind)) as container:
        track = container.add_stream(codec, rate=rate, layout=layout, bit_rate=96_000)
        whole = np.ascontiguousarray((samples * 32767).astype(np.int16).reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout=layout)
        frame.sample_rate = rate
        fifo, resampler = av.AudioFifo(), av.AudioResampler(track.codec_context.format, layout, rate)
        for part in resampler.resample(frame):
            fifo.write(part)
        size = track.codec_context.frame_size or 1024
        while part := fifo.read(size) or fifo.read(partial=True):
            container.mux(track.encode(part))
        container.mux(track.encode(None))
    return path


def tone(seconds=2.0, rate=48_000, hertz=440.0):
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate).astype(np.float32)[:, None]


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_is_read(tmp_path, kind):
    path = encoded(tmp_path / f"a.{kind}", tone(), KINDS[kind])
    with AudioFile(path) as audio:
        assert (audio.sample_rate, audio.channels) == (48_000, 1)
        sound = np.concatenate(list(audio.chunks()))
    assert len(sound) == pytest.approx(2 * SAMPLE_RATE, abs=0.1 * SAMPLE_RATE)
    middle = sound[SAMPLE_RATE // 2 :][:SAMPLE_RATE]
    spectrum = np.abs(np.fft.rfft(middle))
    assert spectrum.argmax() == 440
    assert np.sqrt(np.square(middle).mean()) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)


def test_blocks_are_short_whatever_the_length(tmp_path):
    path = encoded(tmp_path / "a.m4a", tone(5), "aac")
    with AudioFile(path) as audio:
        assert max(len(block) for block in audio.chunks()) <= 8_000


def test_a_channel_is_chosen(tmp_path):
    both = np.hstack([tone(), tone(hertz=880)])
    path = encoded(tmp_path / "a.m4a", both, "aac", layout="stereo")
    middle = read_audio(path, channel=1)[SAMPLE_RATE // 2 :][:SAMPLE_RATE]
    assert np.abs(np.fft.rfft(middle)).argmax() == 880


def test_a_file_that_was_cut_short_gives_what_it_has_and_then_says_so(tmp_path):
    whole = encoded(tmp_path / "whole.wma", tone(), "wmav2").read_bytes()
    (tmp_path / "a.wma").write_bytes(whole[: len(whole) // 2])
    heard = 0
    with AudioFile(tmp_path / "a.wma") as audio, pytest.raises(InputError, match=r"cut short .*only its first"):
        for block in audio.chunks():
            heard += len(block)
    assert 0.5 * SAMPLE_RATE < heard < 1.5 * SAMPLE_RATE


def test_a_playlist_is_refused_for_it_names_other_files(tmp_path):
    encoded(tmp_path / "a.aac", tone(), "aac")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2,\na.aac\n#EXT-X-ENDLIST\n")
    (tmp_path / "list.ffconcat").write_text("ffconcat version 1.0\nfile a.aac\n")
    for name in ("list.m3u8", "list.ffconcat"):
        with pytest.raises(InputError, match=f"{name} is not an audio file that can be read"):
            AudioFile(tmp_path / name)


def test_without_the_package_its_extra_is_named(tmp_path, monkeypatch):
    path = encoded(tmp_path / "a.m4a", tone(), "aac")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"for m4a, mp4, .*pip install -c constraints.txt '\.\[media\]'"):
        AudioFile(path)
