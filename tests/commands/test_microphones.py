"""The microphones that a key can choose from."""

from __future__ import annotations

from rtser.commands.microphones import names


def test_python_files_of_the_current_folder_are_not_run(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("open('run', 'w').close()")
    monkeypatch.chdir(tmp_path)
    names()
    assert not (tmp_path / "run").exists()
