"""From several channels to one."""

from __future__ import annotations

import logging

import numpy as np

from rtser.engine.contract import Float32

logger = logging.getLogger(__name__)

QUIET = 1e-3
"""-60 dB of full scale. Quieter samples do not show whether channels cancel."""
SOUND_S = 0.1
"""How much sound is heard before the decision."""
CANCELS = 0.1
"""The channels cancel if the mean has less than this share of the power that unrelated channels would give."""


class ChannelMix:
    """Takes one channel, or the mean of all. If they cancel in the mean, it takes the loudest.

    Channels of opposite sign cancel. A microphone or a cable with two wires exchanged makes such recordings. This is
    decided once, after the first `SOUND_S` of sound, at the same sample however the sound is cut.

    Args:
        name: of the source, for the warning.
        sample_rate: in Hz.
        channel: which channel to use, counted from 0; None for the mean of all.
    """

    def __init__(self, name: str, sample_rate: int, channel: int | None) -> None:
        self._name, self._channel = name, channel
        self._left = round(SOUND_S * sample_rate)
        self._powers, self._mean_power = np.zeros(1), 0.0

    def mix(self, block: Float32) -> Float32:
        """Samples (n,) of a block (n, channels), float32."""
        if self._channel is not None or block.shape[1] == 1:
            return block[:, self._channel or 0].copy()
        with np.errstate(over="ignore", invalid="ignore"):
            mean: Float32 = block.mean(axis=1)
        if self._left:
            decided_at = self._listen(block, mean)
            if self._channel is not None:
                mean[decided_at:] = block[decided_at:, self._channel]
        return mean

    def _listen(self, block: Float32, mean: Float32) -> int:
        """Hear what is left to hear before the decision. Returns from which sample of the block it holds."""
        sounding = np.flatnonzero(np.abs(block).max(axis=1) > QUIET)[: self._left]
        heard = block[sounding].astype(np.float64)
        self._powers = self._powers + np.square(heard).sum(axis=0)
        self._mean_power += float(np.square(mean[sounding].astype(np.float64)).sum())
        self._left -= len(sounding)
        if self._left:
            return len(block)
        if self._mean_power < CANCELS * self._powers.sum() / block.shape[1] ** 2:
            self._channel = int(self._powers.argmax())
            logger.warning(
                "%s: its %d channels cancel in their mean. Channel %d, the loudest, is used instead.",
                self._name,
                block.shape[1],
                self._channel,
            )
        return int(sounding[-1]) + 1
