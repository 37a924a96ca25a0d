"""Wrong settings: all of them are told at once, one sentence each, with the setting that may be meant."""

from __future__ import annotations

import pickle

import pytest

from rtser.errors import SettingsError
from rtser.serve.settings import ServeSettings
from rtser.settings import ListenSettings, checked, read_settings
from rtser.settings_problems import setting_names


def problems(content, kind=ListenSettings):
    with pytest.raises(SettingsError) as error:
        checked(kind, content, "my.yaml")
    return str(error.value).splitlines()


def test_every_wrong_setting_is_told_at_once_in_a_sentence_of_its_own():
    content = {"devcie": "usb", "decide": {"hold_s": "often", "silence_s": 0.1}, "outputs": 3}
    assert sorted(problems(content)) == [
        "my.yaml: decide.hold_s: the value should be a valid number, not 'often'.",
        "my.yaml: decide.silence_s: the value should be greater than or equal to 0.36, not 0.1.",
        "my.yaml: devcie: there is no such setting; did you mean device?",
        "my.yaml: outputs: this is a group of settings, and not a value.",
    ]


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        ({"decide": {"hold": 1}}, "decide.hold_s"),
        ({"decide": {"labelthreshold": 1}}, "decide.label_threshold"),
        ({"hold_s": 1}, "decide.hold_s"),
        ({"jsonl": "a"}, "outputs.jsonl"),
        ({"voice": {"jsonl": "a"}}, "outputs.jsonl"),
        ({"output": {"csv": "a"}}, "outputs"),
        ({"window": 1}, "window_s"),
    ],
)
def test_an_unknown_setting_is_answered_with_the_nearest_known_one(content, meant):
    (sentence,) = problems(content)
    assert sentence.endswith(f"there is no such setting; did you mean {meant}?")


def test_where_no_name_is_near_those_of_the_group_are_told():
    assert problems({"tls": {"colour": "red"}}, ServeSettings) == [
        "my.yaml: tls.colour: there is no such setting; there are certificate, key."
    ]


def test_a_setting_of_a_group_that_may_be_missing_has_a_name_too():
    pytest.importorskip("psutil")
    from rtser_train.config import Experiment

    assert "joint.auxiliary_loss" in setting_names(Experiment)


def test_a_place_is_named_by_what_it_is_called_on_the_command_line():
    content = read_settings(None, ["decide.hold_s=often"])
    with pytest.raises(SettingsError, match=r"^--set decide.hold_s: the value should be a valid number, not 'often'.$"):
        checked(ListenSettings, content, "settings", {"decide.hold_s": "--set decide.hold_s"})


def test_the_error_can_be_sent_to_another_process():
    with pytest.raises(SettingsError) as error:
        checked(ListenSettings, {"a": 1, "b": 2}, "my.yaml")
    again = pickle.loads(pickle.dumps(error.value))
    assert str(again) == str(error.value)
    assert [type(one) for one in again.errors] == [type(one) for one in error.value.errors]
