"""A microphone: an open audio input device, which can be opened again by its name."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from rtser.audio.devices import (
    Device,
    LastingDeviceError,
    denied_hint,
    find_again,
    find_device,
    list_devices,
    portaudio,
    reason,
)
from rtser.audio.ring import Ring
from rtser.audio.sound_server import channels_of_own_source
from rtser.audio.source import CaptureDevice
from rtser.engine.contract import SAMPLE_RATE, Float32
from rtser.errors import DeviceError

BLOCK_S = 0.02
MEANT_CHANNELS = 2
"""How many channels are opened for their mean. More are opened only to choose one of them."""


class Microphone:
    """An open input device. Its sound goes into a ring at its own rate (a `rtser.audio.source.CaptureDevice`).

    It is asked for 16 kHz first, then for its own rate. The callback copies and wakes, nothing else.

    Args:
        device: from `find_device`.
        channel: which channel will be used, counted from 0; None for the mean of the first two.
        ring_s: seconds of sound that the ring holds.

    Raises:
        DeviceError: it has no such channel, or cannot be opened.
    """

    def __init__(self, device: Device, channel: int | None = None, ring_s: float = 10.0) -> None:
        sounddevice = portaudio()
        self.name = device.name
        if channel is not None and not 0 <= channel < device.channels:
            raise _no_channel(self.name, channel, device.channels)
        self.channels = min(MEANT_CHANNELS, device.channels) if channel is None else channel + 1
        self.sample_rate = SAMPLE_RATE
        try:
            sounddevice.check_input_settings(device.index, self.channels, "float32", samplerate=SAMPLE_RATE)
        except (ValueError, sounddevice.PortAudioError):
            self.sample_rate = device.sample_rate
        self.ring = Ring(round(ring_s * self.sample_rate), self.channels)
        self._new_sound, self._ended = threading.Event(), threading.Event()
        try:
            self._stream = sounddevice.InputStream(
                samplerate=self.sample_rate,
                blocksize=round(BLOCK_S * self.sample_rate),
                device=device.index,
                channels=self.channels,
                dtype="float32",
                callback=self._receive,
                finished_callback=self._end,
            )
            try:
                self._stream.start()
            except sounddevice.PortAudioError:
                self._stream.close()
                raise
        except (ValueError, sounddevice.PortAudioError) as error:
            raise DeviceError(f"{self.name} cannot be opened ({reason(error)})", denied_hint()) from None
        if channel and device.channels > MEANT_CHANNELS:  # as many as that may be a sound server's word
            real = channels_of_own_source()
            if real is not None and channel >= real:
                self.close()
                raise _no_channel(self.name, channel, real)

    @property
    def ended(self) -> bool:
        """Whether PortAudio says that no more sound will come."""
        return self._ended.is_set()

    def wait(self, timeout_s: float) -> None:
        """Return once there is new sound in the ring or the device has ended, or after so many seconds."""
        self._new_sound.wait(timeout_s)
        self._new_sound.clear()

    def close(self) -> None:
        """Close the device. This may hang if the sound server hangs."""
        with suppress(Exception):  # a device that is gone may refuse even this, and there is nothing left to save
            self._stream.abort()  # stop() would wait for a device that is suspended
        with suppress(Exception):
            self._stream.close()

    def _receive(self, block: Float32, _frames: int, _time: Any, _status: Any) -> None:
        self.ring.write(block)
        self._new_sound.set()

    def _end(self) -> None:
        self._ended.set()
        self._new_sound.set()


def _no_channel(name: str, channel: int, channels: int) -> LastingDeviceError:
    return LastingDeviceError(f"{name} has no channel {channel} (it has {channels}, counted from 0)")


class MicrophoneOpener:
    """Opens a device, and again by its name after it was lost (a `rtser.audio.supervisor.Opener`).

    Args:
        wanted: as for `find_device`. The name of the device that was found is remembered, also for the default one.
        channel: as for `Microphone`.
        ring_s: as for `Microphone`.
    """

    def __init__(self, wanted: str | None, channel: int | None, ring_s: float) -> None:
        self._wanted, self._channel, self._ring_s = wanted, channel, ring_s
        self._known: Device | None = None
        self._listed = False

    def choose(self, wanted: str) -> None:
        """Open another device from the next time on; may be called from any thread."""
        self._wanted, self._known = wanted, None

    def __call__(self, lost: CaptureDevice | None) -> Microphone:
        """Close what was lost, and open the device.

        Raises:
            DeviceError: it is not there, or cannot be opened.
        """
        if lost is not None:
            lost.close()
        refresh, self._listed = self._listed, True
        listed = list_devices(refresh=refresh)
        wanted, known = self._wanted, self._known
        device = find_device(listed, wanted) if known is None else find_again(listed, known)
        if wanted == self._wanted:  # else another one was chosen meanwhile, and is opened next
            self._known = device
        return Microphone(device, self._channel, self._ring_s)
