from __future__ import annotations

import pytest

from rtser.audio import microphone
from rtser.audio.devices import Device
from rtser.audio.microphone import MicrophoneOpener
from rtser.errors import DeviceError


def a_device(name, default=False):
    return Device(0, name, "ALSA", 1, 16_000, default, on_default_api=True)


@pytest.fixture
def opened(monkeypatch):
    """What is opened, in place of real devices; the list of devices can be changed."""

    class Machine:
        devices = (a_device("headset", default=True), a_device("webcam"))
        names: list[str] = []  # noqa: RUF012

    def open_device(device, _channel, _ring_s):
        Machine.names.append(device.name)

    Machine.names.clear()
    monkeypatch.setattr(microphone, "list_devices", lambda refresh: list(Machine.devices))  # noqa: ARG005
    monkeypatch.setattr(microphone, "Microphone", open_device)
    return Machine


@pytest.mark.parametrize("wanted", [None, "head"])
def test_a_lost_microphone_is_opened_again_by_its_name_and_not_as_the_default_of_that_moment(opened, wanted):
    opener = MicrophoneOpener(wanted, None, 10.0)
    opener(None)
    opened.devices = (a_device("webcam", default=True), a_device("headset"))
    opener(None)
    assert opened.names == ["headset", "headset"]


def test_another_microphone_does_not_stand_in_for_a_lost_one(opened):
    opener = MicrophoneOpener(None, None, 10.0)
    opener(None)
    opened.devices = (a_device("webcam", default=True),)
    with pytest.raises(DeviceError, match="headset is not there; connect it again"):
        opener(None)
