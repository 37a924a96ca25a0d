from __future__ import annotations

import kaldi_native_fbank
import numpy as np
import pytest
from conftest import sound
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from rtser.engine.features import (
    FIRST_HOP_SAMPLES,
    HIGH_HZ,
    HOP_SAMPLES,
    LOG_FLOOR,
    LOW_HZ,
    MEL_BINS,
    SAMPLE_RATE,
    TAIL_SAMPLES,
    block_log_mel,
    mel_filterbank,
    segment_count,
    window_segments,
)
from rtser.offline import log_mel


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


def float64_log_mel(samples):
    frames = sliding_window_view(samples.astype(np.float64), 400)[::160] * np.hanning(400)
    power = np.abs(np.fft.rfft(frames, 512)) ** 2
    return np.log(np.maximum(power @ mel_filterbank().astype(np.float64), 2.0**-23))


def test_equals_kaldi_on_noise():
    noise = sound(2.0)
    ours = log_mel(noise)
    assert np.abs(ours - kaldi_log_mel(noise)[: len(ours)]).max() < 1e-4


def test_equals_kaldi_on_a_voice_but_for_its_own_rounding(voice):
    ours = log_mel(voice)
    differences = np.abs(ours - kaldi_log_mel(voice)[: len(ours)])
    assert np.quantile(differences, 0.995) < 1e-4
    assert differences.max() < 1e-2  # quiet bins beside loud ones, where Kaldi's own float32 error is largest


def test_float32_is_within_1e_4_of_float64(voice):
    ours = log_mel(voice)
    assert np.abs(ours - float64_log_mel(voice)[: len(ours)]).max() < 1e-4


def test_hop_by_hop_gives_the_bits_of_the_whole(voice):
    frames, heard = [block_log_mel(voice[:FIRST_HOP_SAMPLES])], FIRST_HOP_SAMPLES
    while heard + HOP_SAMPLES <= len(voice):
        frames.append(block_log_mel(voice[heard - TAIL_SAMPLES : heard + HOP_SAMPLES]))
        heard += HOP_SAMPLES
    assert np.array_equal(np.concatenate(frames), log_mel(voice))


def test_many_blocks_at_once_give_the_bits_of_each_alone():
    blocks = np.stack([sound(0.075, seed) for seed in range(64)])
    together = block_log_mel(blocks)
    assert all(np.array_equal(block_log_mel(block), one) for block, one in zip(blocks, together, strict=True))


def test_digital_silence_lies_on_the_floor():
    assert (log_mel(np.zeros(SAMPLE_RATE, np.float32)) == np.float32(LOG_FLOOR)).all()


def test_a_tone_peaks_in_its_own_bin():
    tone = np.sin(2 * np.pi * 1000 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    mel = 1127 * np.log1p(np.array([LOW_HZ, 1000.0, HIGH_HZ]) / 700)
    expected = (mel[1] - mel[0]) / (mel[2] - mel[0]) * (MEL_BINS + 1) - 1
    assert abs(log_mel(tone).mean(0).argmax() - expected) <= 1


def test_features_stay_float32(voice):
    assert log_mel(voice).dtype == np.float32


@given(st.integers(0, 100_000))
def test_frames_are_two_and_six_for_every_whole_hop(samples):
    frames = len(log_mel(np.zeros(samples, np.float32)))
    assert frames == (2 + 6 * ((samples - 560) // 960) if samples >= 560 else 0)
    assert segment_count(samples) == max(0, (frames - 32) // 6 + 1)


@given(st.integers(0, 10**12))
def test_segments_follow_the_formula(samples):
    assert segment_count(samples) == (1 + (samples - 5360) // 960 if samples >= 5360 else 0)


@pytest.mark.parametrize(("seconds", "segments"), [(0.335, 1), (0.394, 1), (0.395, 2), (2.07, 29), (4.55, 71)])
def test_window_holds_whole_segments(seconds, segments):
    assert window_segments(seconds) == segments
