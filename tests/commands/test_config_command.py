"""`rtser config`: the settings in force, and where each comes from."""

from __future__ import annotations

import inspect
import json

import pytest
import yaml
from conftest import rtser

from rtser.commands import listen, serve
from rtser.commands.origins import LISTEN_OPTIONS, SERVE_OPTIONS, by_setting, layers
from rtser.serve.settings import ServeSettings
from rtser.settings import ListenSettings, leaves
from rtser.settings_problems import setting_names

NO_SETTINGS = {
    "json",
    "input_",
    "format_",
    "rate",
    "channels",
    "server",
    "token_file",
    "config",
    "set_",
    "wait",
    "duration",
}
"""Options of `rtser listen` that stand for no setting."""
NO_SERVER_SETTINGS = {"config", "set_", "write_page"}


def shown(*arguments, **options):
    result = rtser("config", *arguments, "--json", **options)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_each_setting_says_where_it_comes_from_and_the_last_word_wins(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("decide: {hold_s: 2, onset_s: 0.5}\nwindow_s: 3\nplain: true\n")
    told = shown("--config", mine, "--set", "decide.hold_s=1", "--set", "window_s=4", "--window", "5")
    assert told["decide.hold_s"] == {"value": 1, "from": "--set"}
    assert told["decide.onset_s"] == {"value": 0.5, "from": f"file {mine}"}
    assert told["plain"] == {"value": True, "from": f"file {mine}"}
    assert told["window_s"] == {"value": 5, "from": "option --window"}
    assert told["decide.hangover_s"] == {"value": 0.24, "from": "default"}
    assert list(told) == setting_names(ListenSettings)


def test_a_group_that_a_change_replaces_comes_from_the_file_no_more(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("decide: {hold_s: 2, smoothing_s: 0.5}\nwindow_s: 3\n")
    told = shown("--config", mine, "--set", "decide={smoothing_s: 1}")
    assert told["decide.hold_s"] == {"value": 0.6, "from": "default"}
    assert told["decide.smoothing_s"] == {"value": 1, "from": "--set"}
    assert told["window_s"] == {"value": 3, "from": f"file {mine}"}


def test_a_server_s_token_may_come_from_the_environment_and_is_not_told(monkeypatch):
    monkeypatch.setenv("RTSER_TOKEN", "a-token-that-nobody-sees")
    result = rtser("config", "serve", "--port", "9000")
    assert "  token_file: null        # environment RTSER_TOKEN" in result.stdout.splitlines()
    assert "port: 9000                # option --port" in result.stdout.splitlines()
    assert "a-token" not in result.stdout


@pytest.mark.parametrize("kind", ["listen", "serve"])
def test_what_it_prints_is_a_file_with_the_same_settings(kind, tmp_path):
    extra = ["--set", "access.origins=[https://a.b, https://c.d]"] if kind == "serve" else ["--jsonl", "a: b.jsonl"]
    printed = rtser("config", kind, *extra).stdout
    (tmp_path / "mine.yaml").write_text(printed)
    again = shown(kind, "--config", tmp_path / "mine.yaml")
    assert {name: one["value"] for name, one in again.items()} == dict(leaves(yaml.safe_load(printed)))


@pytest.mark.parametrize(
    ("command", "options", "kind", "others"),
    [
        (listen.listen, LISTEN_OPTIONS, ListenSettings, NO_SETTINGS),
        (serve.serve, SERVE_OPTIONS, ServeSettings, NO_SERVER_SETTINGS),
    ],
)
def test_every_option_that_stands_for_a_setting_is_known(command, options, kind, others):
    """A new option of these commands goes into LISTEN_OPTIONS or SERVE_OPTIONS, or is none of a setting."""
    assert {*inspect.signature(command).parameters} - others == {*options}
    assert {*options.values()} <= {*setting_names(kind)}


def test_an_option_of_the_other_command_is_refused():
    result = rtser("config", "listen", "--port", "9")
    assert (result.returncode, result.stderr) == (2, "rtser: --port is not an option of rtser listen; leave it out.\n")


def test_wrong_settings_are_told_together_with_their_sources(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("devcie: usb\n")
    result = rtser("listen", "--config", mine, "--set", "decide.hold=1", "--window", "0.1")
    assert (result.returncode, result.stdout) == (2, "")
    assert sorted(result.stderr.splitlines()) == [
        "rtser: --set decide.hold: there is no such setting; did you mean decide.hold_s?",
        "rtser: --window: the value should be greater than or equal to 0.335, not 0.1.",
        f"rtser: configuration {mine}: devcie: there is no such setting; did you mean device?",
    ]


def test_an_option_that_was_not_given_changes_nothing():
    given = by_setting({"insecure": False, "port": None}, SERVE_OPTIONS)
    assert layers(None, [], given).origins == {}


def test_an_option_of_nought_was_given():
    assert layers(None, [], by_setting({"port": 0}, SERVE_OPTIONS)).content["port"] == 0
    assert shown("--channel", "0")["channel"] == {"value": 0, "from": "option --channel"}
    assert rtser("config", "serve", "--channel", "0").returncode == 2
