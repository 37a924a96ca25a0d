from __future__ import annotations

import pytest
from conftest import ROOT

from rtser.audio.devices import Device, find_again, find_device
from rtser.errors import DeviceError, InputError
from rtser.settings import ListenSettings, checked, read_settings, settings_yaml

SHIPPED = ROOT / "configs" / "listen.yaml"


def test_the_shipped_settings_are_the_defaults_and_explain_every_one():
    assert SHIPPED.read_text() == settings_yaml(), "make it anew: rtser settings > configs/listen.yaml"
    content = read_settings(SHIPPED, [])
    assert checked(ListenSettings, content, "listen.yaml") == ListenSettings()

    def names(settings, prefix=""):
        for name, value in settings.items():
            yield from names(value, f"{prefix}{name}.") if isinstance(value, dict) else [f"{prefix}{name}"]

    every = ListenSettings().model_dump()
    assert list(names(content)) == list(names(every))
    lines = [line for line in SHIPPED.read_text().splitlines() if ":" in line.partition("#")[0].rstrip(" :")]
    assert all("#" in line for line in lines if line.partition("#")[0].strip()[-1] != ":")


def test_a_setting_is_changed_by_its_name():
    content = read_settings(SHIPPED, ["decide.hold_s=1.5", "device=3", "outputs.jsonl=a.jsonl"])
    settings = checked(ListenSettings, content, "x")
    assert settings.decide.hold_s == 1.5
    assert settings.device == "3"
    assert str(settings.outputs.jsonl) == "a.jsonl"


@pytest.mark.parametrize("change", ["decide", "=1", "device.name=3", "decide.hold_s=[", "decide.hold_s=often"])
def test_a_change_that_is_none_is_refused(change):
    with pytest.raises(InputError):
        checked(ListenSettings, read_settings(SHIPPED, [change]), "x")


@pytest.mark.parametrize(
    "change", ["source.max_lag_ms=.inf", "outputs.log_max_mb=.inf", "source.ring_s=0.001", "source.max_lag_ms=20000"]
)
def test_a_value_that_cannot_work_is_refused(change):
    with pytest.raises(InputError):
        checked(ListenSettings, read_settings(None, [change]), "x")


def device(index, name, default=False, on_default_api=True):
    return Device(index, name, "ALSA", 2, 48_000, default, on_default_api)


DEVICES = [
    device(2, "HDA Intel: ALC257 (hw:0,0)"),
    device(4, "USB Microphone: Audio (hw:1,0)"),
    device(5, "USB Headset: Audio (hw:2,0)"),
    device(7, "default", default=True),
    device(9, "USB Headset: Audio (hw:2,0)", on_default_api=False),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (None, 7),
        ("4", 4),
        ("usb mic", 4),
        ("USB Headset: Audio", 5),
        ("USB Microphone: Audio (hw:1,0)", 4),
        ("headset", 5),
        ("default", 7),
    ],
)
def test_a_device_is_found_by_index_name_or_part_of_it(wanted, index):
    assert find_device(DEVICES, wanted).index == index


@pytest.mark.parametrize(("wanted", "said"), [("usb", "several"), ("bluetooth", "there are"), ("3", "there are")])
def test_a_device_that_is_not_there_or_not_clear_is_told_with_what_there_is(wanted, said):
    with pytest.raises(DeviceError, match=said) as error:
        find_device(DEVICES, wanted)
    assert "USB Headset" in str(error.value)


def test_a_device_is_found_again_under_another_card_number_but_first_under_its_own():
    renumbered = [device(8, "USB Microphone: Audio (hw:3,0)"), device(9, "USB Microphone: Audio (hw:1,0)")]
    assert find_again(renumbered, DEVICES[1]).index == 9
    assert find_again(renumbered[:1], DEVICES[1]).index == 8
    with pytest.raises(DeviceError, match="USB Microphone: Audio is not there"):
        find_again(DEVICES[:1], DEVICES[1])


def test_the_name_by_which_it_is_opened_again_has_no_card_number():
    assert DEVICES[1].stable_name == "USB Microphone: Audio"


@pytest.mark.parametrize(
    "text",
    [
        "decide: {hold_s: 2001-99-99}",
        f"channel: {'9' * 5000}",
        f"device: {'[' * 3000}",
        "a: [b",
        "window_s: {{ w }}",
        "? [a]\n: 1",
        "{{a: b}: c}",
        "!!map [a]",
        "a: !!set [b]",
        "plain: !!bool perhaps",
        "a: !!timestamp now",
        "channel: !!int ''",
        "decide: &a {hold_s: *a}",
        'device: "\\U99999999"',
    ],
)
def test_yaml_that_cannot_be_read_is_one_sentence(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=r"^[^\n]* is not valid YAML \([^\n]*\)\.$"):
        read_settings(tmp_path / "a.yaml", [])


def test_a_value_that_does_not_fit_is_named_with_its_place(tmp_path):
    (tmp_path / "a.yaml").write_text("plain: true\ndecide: {hold_s: 2001-99-99}")
    with pytest.raises(InputError, match="line 2, column 18: this is not a valid timestamp"):
        read_settings(tmp_path / "a.yaml", [])
