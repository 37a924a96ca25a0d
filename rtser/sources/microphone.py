"""A live audio device, through PortAudio (sounddevice)."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from rtser.errors import DeviceError
from rtser.features import SAMPLE_RATE, Float32
from rtser.sources.convert import Converter

BLOCK_S = 0.02
QUEUE_S = 10.0
WAIT_S = 0.2
SILENT_S = 5.0
"""So long without a block from the device, and it counts as lost (seconds)."""


class Microphone:
    """An input device as blocks of mono float32 samples at 16 kHz.

    The device is asked for 16 kHz first, else its own rate is resampled. The callback copies and queues, nothing else;
    a full queue drops the newest block and counts it in `dropped_samples`.

    Args:
        device: part of its name, or its index as text; None for the default input.
        channel: which channel to use, counted from 0; None for the mean of all.

    Raises:
        DeviceError: there is no such device, or it cannot be opened.
    """

    def __init__(self, device: str | None = None, channel: int | None = None) -> None:
        sounddevice = _portaudio()
        try:
            chosen = sounddevice.query_devices(int(device) if device and device.isdigit() else device, "input")
        except (ValueError, sounddevice.PortAudioError) as error:
            what = f"audio input device {device!r}" if device else "default audio input device"
            raise DeviceError(f"there is no {what} ({_reason(error)}); connect one or name another.") from None
        self.name: str = chosen["name"]
        channels: int = chosen["max_input_channels"] if channel is not None else min(2, chosen["max_input_channels"])
        if channel is not None and not 0 <= channel < channels:
            raise DeviceError(f"{self.name} has no channel {channel}; it has {channels}, counted from 0.")
        self.dropped_samples = 0
        self._queue: queue.Queue[Float32] = queue.Queue(round(QUEUE_S / BLOCK_S))
        self.sample_rate = SAMPLE_RATE
        try:
            sounddevice.check_input_settings(chosen["index"], channels, "float32", samplerate=SAMPLE_RATE)
        except (ValueError, sounddevice.PortAudioError):
            self.sample_rate = round(chosen["default_samplerate"])
        self._converter = Converter(self.sample_rate, channel)
        try:
            self._stream = sounddevice.InputStream(
                self.sample_rate, round(BLOCK_S * self.sample_rate), chosen["index"], channels, "float32",
                callback=self._hear,
            )  # fmt: skip
            try:
                self._stream.start()
            except sounddevice.PortAudioError:
                self._stream.close()
                raise
        except (ValueError, sounddevice.PortAudioError) as error:
            raise DeviceError(f"{self.name} cannot be opened ({_reason(error)}).") from None

    def __enter__(self) -> Microphone:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # a device that is gone may refuse even this, and there is nothing left to save
            self._stream.abort()
            self._stream.close()

    def blocks(self, stop: threading.Event) -> Iterator[Float32]:
        """Yield what is heard, shape (n,), float32, mono, 16 kHz, until `stop` is set.

        Raises:
            DeviceError: the device has delivered nothing for 5 s.
        """
        heard_s = time.monotonic()
        while not stop.is_set():
            try:
                block = self._queue.get(timeout=WAIT_S)
            except queue.Empty:
                if time.monotonic() - heard_s > SILENT_S:
                    raise DeviceError(f"{self.name} delivers no sound any more; check it and start again.") from None
                continue
            heard_s = time.monotonic()
            yield self._converter.convert(block)

    def _hear(self, block: Float32, frames: int, _time: Any, _status: Any) -> None:
        try:
            self._queue.put_nowait(np.array(block))
        except queue.Full:
            self.dropped_samples += frames


def _portaudio() -> Any:
    try:
        import sounddevice
    except OSError:
        raise DeviceError(
            "the audio library PortAudio is missing; install it (Debian and Ubuntu: apt install libportaudio2)."
        ) from None
    except Exception as error:  # PortAudio's own, whose type lies in the module that could not be imported
        raise DeviceError(f"the audio library PortAudio does not start ({_reason(error)}).") from None
    return sounddevice


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(". ")
