"""Audio input devices through PortAudio (sounddevice): lists them, and finds one by its name."""

from __future__ import annotations

import atexit
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtser.engine.contract import SAMPLE_RATE
from rtser.errors import DeviceError, InputError

COMMON_RATES = (8_000, SAMPLE_RATE, 44_100, 48_000, 96_000)
SOUND_CARDS = Path("/dev/snd")


class LastingDeviceError(DeviceError):
    """No usable audio device, and waiting for one does not help."""


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
    def stable_name(self) -> str:
        """The name without ALSA's card number, which changes when the device is plugged in again."""
        return re.sub(r" \(hw:\d+,\d+\)$", "", self.name)


def list_devices(refresh: bool = False) -> list[Device]:
    """All audio input devices.

    Args:
        refresh: ask the system again. Otherwise PortAudio's list is as old as its start. No device may be open.

    Raises:
        DeviceError: PortAudio is missing or does not start.
    """
    sounddevice = portaudio()
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
        raise DeviceError(f"the audio system gives no list of devices ({reason(error)})") from None


def sample_rates(device: Device) -> list[int]:
    """Which of the common rates a device can be opened with, in Hz; its own is always one."""
    sounddevice = portaudio()
    possible = [device.sample_rate]
    for rate in COMMON_RATES:
        with suppress(ValueError, sounddevice.PortAudioError):
            sounddevice.check_input_settings(device.index, 1, "float32", samplerate=rate)
            possible.append(rate)
    return sorted(set(possible))


def find_device(among: list[Device], wanted: str | None) -> Device:
    """The device meant by part of its name (whatever the case), its whole name or its index; None for the default.

    Raises:
        DeviceError: no device matches, or several do.
        InputError: the name is empty.
    """
    if wanted is not None and not wanted.strip():
        raise InputError("--device is empty", "name a device that rtser devices shows, or leave it out for the default")
    if not among:
        raise DeviceError("there is no audio input device", denied_hint() or "connect a microphone")
    if wanted is None:
        found = [device for device in among if device.default]
        if not found:
            raise DeviceError("there is no default audio input device", f"choose with --device: {_names(among)}")
        return found[0]
    if wanted.isdigit():
        found = [device for device in among if device.index == int(wanted)]
    else:
        whole = [device for device in among if wanted.casefold() in _casefolded(device.name, device.stable_name)]
        found = whole or [device for device in among if wanted.casefold() in device.name.casefold()]
        if len(found) > 1:
            found = [device for device in found if device.on_default_api] or found
        if len({device.name for device in found}) > 1:
            raise LastingDeviceError(f"--device {wanted} may mean several devices: {_names(found)}", "name one of them")
    if not found:
        raise DeviceError(f"there is no audio input device {wanted!r}", f"there are: {_names(among)}")
    return found[0]


def find_again(among: list[Device], known: Device) -> Device:
    """A device that was there before, found by its whole name, or else by its name without the card's number.

    Raises:
        DeviceError: it is not there.
    """
    by_name = [device for device in among if device.name == known.name]
    for device in by_name or [device for device in among if device.stable_name == known.stable_name]:
        return device
    raise DeviceError(f"{known.stable_name} is not there", "connect it again")


def portaudio() -> Any:
    """The module sounddevice, without its exit handler. Raises DeviceError if PortAudio is missing."""
    try:
        import sounddevice
    except OSError:
        raise LastingDeviceError(
            "the audio library PortAudio is missing", "install it (Debian and Ubuntu: apt install libportaudio2)"
        ) from None
    except Exception as error:  # PortAudio's own, whose type lies in the module that could not be imported
        raise DeviceError(f"the audio library PortAudio does not start ({reason(error)})") from None
    atexit.unregister(sounddevice._exit_handler)  # it may hang where the sound server does; the system cleans up
    return sounddevice


def _names(among: list[Device]) -> str:
    return ", ".join(dict.fromkeys(f"{device.name!r}" for device in among))


def _casefolded(*names: str) -> list[str]:
    return [name.casefold() for name in names]


def denied_hint() -> str:
    """Advice if this user may not use the sound cards; otherwise empty."""
    cards = list(SOUND_CARDS.glob("pcm*c"))
    if cards and not any(os.access(card, os.R_OK | os.W_OK) for card in cards):
        return "this user may not use the sound cards: add it to the group audio and log in again"
    return ""


def reason(error: Exception) -> str:
    """What PortAudio says, in the host's own words if it quotes them."""
    said = str(error).splitlines()[0].rstrip(". ")
    quoted = re.search(r"'([^']+)' \[\w+ error -?\d+\]$", said)
    return quoted[1] if quoted else said
