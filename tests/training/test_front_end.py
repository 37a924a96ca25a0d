"""The front-end against references that share no code with it: Kaldi's, and numpy's FFT in float64."""

from __future__ import annotations

import kaldi_native_fbank
import numpy as np
import torch
from conftest import sound
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from rtser_train.front_end import HIGH_HZ, LOW_HZ, FrontEnd, log_mel
from rtser_train.settings import log_floor

from rtser.engine.contract import HOP_SAMPLES, LEAD_SAMPLES, MEL_BINS, SAMPLE_RATE, segment_count


def kaldi_log_mel(samples):
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.dither = 0
    options.frame_opts.preemph_coeff = 0
    options.frame_opts.remove_dc_offset = False
    options.frame_opts.window_type = "hanning"
    options.mel_opts.num_bins = MEL_BINS
    options.mel_opts.low_freq = LOW_HZ
    options.mel_opts.high_freq = HIGH_HZ
    options.use_energy = False
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(SAMPLE_RATE, samples.tolist())
    bank.input_finished()
    return np.stack([bank.get_frame(i) for i in range(bank.num_frames_ready)])


def filters():
    """Kaldi's triangles, written down once more."""
    mel = lambda hertz: 1127 * np.log(1 + np.asarray(hertz) / 700)  # noqa: E731
    edges = np.linspace(mel(20), mel(8000), 66)
    bins = mel(np.arange(257) * 16_000 / 512)
    return np.stack([np.interp(bins, edges[i : i + 3], [0, 1, 0], left=0, right=0) for i in range(64)], axis=1)


def fft_log_mel(samples):
    frames = sliding_window_view(samples.astype(np.float64), 400)[::160] * np.hanning(400)
    power = np.abs(np.fft.rfft(frames, 512)) ** 2
    return np.log(np.maximum(power @ filters(), 2.0**-23))


def test_equals_kaldi_on_noise():
    noise = sound(2.0)
    ours = log_mel(noise)
    assert np.abs(ours - kaldi_log_mel(noise)[: len(ours)]).max() < 2e-4


def test_equals_kaldi_on_a_voice_but_for_its_own_rounding(voice):
    ours = log_mel(voice)
    differences = np.abs(ours - kaldi_log_mel(voice)[: len(ours)])
    assert np.quantile(differences, 0.995) < 1e-4
    assert differences.max() < 1e-2  # quiet bins beside loud ones, where Kaldi's own float32 error is largest


def test_float32_is_near_an_fft_in_float64(voice):
    ours = log_mel(voice)
    assert np.abs(ours - fft_log_mel(voice)[: len(ours)]).max() < 5e-4


def test_hop_by_hop_gives_the_frames_of_the_whole(voice):
    front_end, padded = FrontEnd(), np.concatenate([np.zeros(240 + LEAD_SAMPLES, np.float32), voice])
    frames = []
    for start in range(0, len(padded) - 240 - HOP_SAMPLES + 1, HOP_SAMPLES):
        frames.append(front_end(torch.from_numpy(padded[None, start : start + 240 + HOP_SAMPLES]))[0])
    assert np.allclose(torch.cat(frames)[4:].numpy(), log_mel(voice), atol=3e-4)  # twice what float32 costs


def test_digital_silence_lies_on_the_floor():
    assert (log_mel(np.zeros(SAMPLE_RATE, np.float32)) == np.float32(log_floor(2.0**-23))).all()


def test_a_tone_peaks_in_its_own_bin():
    tone = np.sin(2 * np.pi * 1000 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    mel = 1127 * np.log1p(np.array([LOW_HZ, 1000.0, HIGH_HZ]) / 700)
    expected = (mel[1] - mel[0]) / (mel[2] - mel[0]) * (MEL_BINS + 1) - 1
    assert abs(log_mel(tone).mean(0).argmax() - expected) <= 1


def test_frames_are_float32_whatever_autocast_says(voice):
    with torch.autocast("cpu", torch.bfloat16):
        reduced = log_mel(voice)
    assert reduced.dtype == np.float32
    assert np.array_equal(reduced, log_mel(voice))


@given(st.integers(0, 100_000))
def test_frames_are_two_and_six_for_every_whole_hop(samples):
    frames = len(log_mel(np.zeros(samples, np.float32)))
    assert frames == (2 + 6 * ((samples - 560) // 960) if samples >= 560 else 0)
    assert segment_count(samples) == max(0, (frames - 32) // 6 + 1)
