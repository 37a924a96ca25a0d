"""Audio input devices, through PortAudio (sounddevice)."""

from __future__ import annotations

import atexit
import os
import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtser.audio.ring import Ring
from rtser.audio.source import LiveSource
from rtser.engine.features import SAMPLE_RATE, Float32
from rtser.errors import DeviceError

BLOCK_S = 0.02
COMMON_RATES = (8_000, SAMPLE_RATE, 44_100, 48_000, 96_000)
SOUND_CARDS = Path("/dev/snd")
MEANT_CHANNELS = 2
"""Channels that are opened for their mean; more are opened only to choose one of them."""


@dataclass(frozen=True)
class Device:
    """An audio input device.

    Attributes:
        index: its number in PortAudio's list, which changes when devices come and go.
        name: as the system calls it.
        host_api: such as ALSA or Core Audio.
        channels: how many it has.
        sample_rate: its own, in Hz.
        default: whether it is the default input.
        on_default_api: whether its host API is the default one.
    """

    index: int
    name: str
    host_api: str
    channels: int
    sample_rate: int
    default: bool
    on_default_api: bool

    @property
    def lasting_name(self) -> str:
        """The name without ALSA's card number, which changes when the device is plugged in again."""
        return re.sub(r" \(hw:\d+,\d+\)$", "", self.name)


def devices(refresh: bool = False) -> list[Device]:
    """All audio input devices.

    Args:
        refresh: ask the system again; else PortAudio's list is as old as its start. No device may be open.

    Raises:
        DeviceError: PortAudio is missing or does not start.
    """
    sounddevice = _portaudio()
    try:
        if refresh:
            with suppress(sounddevice.PortAudioError):  # it was not running, for it could not be started last time
                sounddevice._terminate()
            sounddevice._initialize()
        apis = sounddevice.query_hostapis()
        default = sounddevice.default.device[0]
        return [
            Device(
                index=index,
                name=about["name"],
                host_api=apis[about["hostapi"]]["name"],
                channels=about["max_input_channels"],
                sample_rate=round(about["default_samplerate"]),
                default=index == default,
                on_default_api=index in apis[sounddevice.default.hostapi]["devices"],
            )
            for index, about in enumerate(sounddevice.query_devices())
            if about["max_input_channels"] > 0
        ]
    except sounddevice.PortAudioError as error:
        raise DeviceError(f"the audio system gives no list of devices ({_reason(error)}).") from None


def rates(device: Device) -> list[int]:
    """Which of the common rates a device can be opened with, in Hz; its own is always one."""
    sounddevice = _portaudio()
    possible = [device.sample_rate]
    for rate in COMMON_RATES:
        with suppress(ValueError, sounddevice.PortAudioError):
            sounddevice.check_input_settings(device.index, 1, "float32", samplerate=rate)
            possible.append(rate)
    return sorted(set(possible))


def find(among: list[Device], wanted: str | None) -> Device:
    """The device meant by part of its name (whatever the case), its whole name or its index; None for the default.

    Raises:
        DeviceError: there is none, or there are several.
    """
    if not among:
        raise DeviceError(f"there is no audio input device; connect a microphone{_denied()}.")
    if not wanted:
        found = [device for device in among if device.default]
        if not found:
            raise DeviceError(f"there is no default audio input device; choose with --device: {_names(among)}.")
        return found[0]
    if wanted.isdigit():
        found = [device for device in among if device.index == int(wanted)]
    else:
        whole = [device for device in among if wanted.casefold() in _casefolded(device.name, device.lasting_name)]
        found = whole or [device for device in among if wanted.casefold() in device.name.casefold()]
        if len(found) > 1:
            found = [device for device in found if device.on_default_api] or found
        if len({device.name for device in found}) > 1:
            raise DeviceError(f"--device {wanted} may mean several devices: {_names(found)}; name one of them.")
    if not found:
        raise DeviceError(f"there is no audio input device {wanted!r}; there are: {_names(among)}.")
    return found[0]


def again(among: list[Device], known: Device) -> Device:
    """A device that was there before: by its whole name, else by its name without the card's number.

    Raises:
        DeviceError: it is not there.
    """
    by_name = [device for device in among if device.name == known.name]
    for device in by_name or [device for device in among if device.lasting_name == known.lasting_name]:
        return device
    raise DeviceError(f"{known.lasting_name} is not there; connect it again.")


class Microphone:
    """An open input device, whose sound comes into a ring at its own rate (a `rtser.audio.source.LiveSource`).

    It is asked for 16 kHz first, then for its own rate. The callback copies and wakes, nothing else.

    Args:
        device: from `find`.
        channel: which channel will be heard, counted from 0; None for the mean of the first two.
        ring_s: seconds of sound that the ring holds.

    Raises:
        DeviceError: it has no such channel, or cannot be opened.
    """

    def __init__(self, device: Device, channel: int | None = None, ring_s: float = 10.0) -> None:
        sounddevice = _portaudio()
        self.name = device.name
        if channel is not None and not 0 <= channel < device.channels:
            raise DeviceError(f"{self.name} has no channel {channel}; it has {device.channels}, counted from 0.")
        self.channels = min(MEANT_CHANNELS, device.channels) if channel is None else channel + 1
        self.sample_rate = SAMPLE_RATE
        try:
            sounddevice.check_input_settings(device.index, self.channels, "float32", samplerate=SAMPLE_RATE)
        except (ValueError, sounddevice.PortAudioError):
            self.sample_rate = device.sample_rate
        self.ring = Ring(round(ring_s * self.sample_rate), self.channels)
        self._news, self._ended = threading.Event(), threading.Event()
        try:
            self._stream = sounddevice.InputStream(
                samplerate=self.sample_rate,
                blocksize=round(BLOCK_S * self.sample_rate),
                device=device.index,
                channels=self.channels,
                dtype="float32",
                callback=self._hear,
                finished_callback=self._end,
            )
            try:
                self._stream.start()
            except sounddevice.PortAudioError:
                self._stream.close()
                raise
        except (ValueError, sounddevice.PortAudioError) as error:
            raise DeviceError(f"{self.name} cannot be opened ({_reason(error)}){_denied()}.") from None

    @property
    def ended(self) -> bool:
        """Whether PortAudio says that no more sound will come."""
        return self._ended.is_set()

    def wait(self, timeout_s: float) -> None:
        """Return once there is new sound in the ring or the device has ended, or after so many seconds."""
        self._news.wait(timeout_s)
        self._news.clear()

    def close(self) -> None:
        """Let the device go. May hang where the sound server does."""
        with suppress(Exception):  # a device that is gone may refuse even this, and there is nothing left to save
            self._stream.abort()  # stop() would wait for a device that is suspended
        with suppress(Exception):
            self._stream.close()

    def _hear(self, block: Float32, _frames: int, _time: Any, _status: Any) -> None:
        self.ring.write(block)
        self._news.set()

    def _end(self) -> None:
        self._ended.set()
        self._news.set()


class MicrophoneOpener:
    """Opens a device, and again by its name after it was lost (a `rtser.audio.supervisor.Opener`).

    Args:
        wanted: as for `find`; whatever it was, the device's name is remembered.
        channel: as for `Microphone`.
        ring_s: as for `Microphone`.
    """

    def __init__(self, wanted: str | None, channel: int | None, ring_s: float) -> None:
        self._wanted, self._channel, self._ring_s = wanted, channel, ring_s
        self._known: Device | None = None

    def __call__(self, lost: LiveSource | None) -> Microphone:
        """Close what was lost, and open the device.

        Raises:
            DeviceError: it is not there, or cannot be opened.
        """
        if lost is not None:
            lost.close()
        listed = devices(refresh=self._known is not None)
        if self._known is None or self._wanted is None:
            device = find(listed, self._wanted)
        else:
            device = again(listed, self._known)
        self._known = device
        return Microphone(device, self._channel, self._ring_s)


def _portaudio() -> Any:
    try:
        import sounddevice
    except OSError:
        raise DeviceError(
            "the audio library PortAudio is missing; install it (Debian and Ubuntu: apt install libportaudio2)."
        ) from None
    except Exception as error:  # PortAudio's own, whose type lies in the module that could not be imported
        raise DeviceError(f"the audio library PortAudio does not start ({_reason(error)}).") from None
    atexit.unregister(sounddevice._exit_handler)  # it may hang where the sound server does; the system cleans up
    return sounddevice


def _names(among: list[Device]) -> str:
    return ", ".join(dict.fromkeys(f"{device.name!r}" for device in among))


def _casefolded(*names: str) -> list[str]:
    return [name.casefold() for name in names]


def _denied() -> str:
    """A hint where this user may not use the sound cards that there are."""
    cards = list(SOUND_CARDS.glob("pcm*c"))
    if cards and not any(os.access(card, os.R_OK | os.W_OK) for card in cards):
        return "; this user may not use the sound cards: add it to the group audio and log in again"
    return ""


def _reason(error: Exception) -> str:
    """What PortAudio says, in the host's own words where it quotes them."""
    said = str(error).splitlines()[0].rstrip(". ")
    quoted = re.search(r"'([^']+)' \[\w+ error -?\d+\]$", said)
    return quoted[1] if quoted else said
