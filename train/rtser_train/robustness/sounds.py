"""The sounds beside the speech: noise that was held out, rooms, and folders without speech."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from rtser.errors import InputError
from rtser_train.data.corpora import is_held_out, noise_recordings
from rtser_train.data.corpora.recording import audio_files
from rtser_train.robustness.draws import Material


@dataclass(frozen=True)
class Sounds:
    """The sounds that were found.

    Attributes:
        material: noise and rooms of the conditions.
        without_speech: files without speech, by name.
        missing: groups of conditions without sounds.
        notes: what the report says about missing sounds.
    """

    material: Material
    without_speech: dict[str, tuple[Path, ...]]
    missing: frozenset[str]
    notes: tuple[str, ...]


def find_sounds(
    groups: Collection[str],
    seed: int,
    noise: tuple[str, Path],
    noise_is_asked_for: bool,
    rooms: Path | None,
    nonspeech: Sequence[Path],
) -> Sounds:
    """Find what some groups of conditions need.

    Args:
        groups: groups of conditions.
        seed: seed of all draws.
        noise: name and folder of noise recordings.
        noise_is_asked_for: whether a missing folder is an error; if not, its rows are left out.
        rooms: folder of impulse responses; None for none.
        nonspeech: further folders without speech.

    Raises:
        InputError: a folder that was named is missing, or holds no audio.
    """
    name, folder = noise
    held_out: tuple[Path, ...] = ()
    notes, missing = [], set()
    if {"noise", "nonspeech"} & set(groups):
        if noise_is_asked_for and not folder.is_dir():
            raise InputError(f"noise {name}: {folder} does not exist", f"say where it lies with --corpus {name}=PATH")
        if folder.is_dir():
            held_out = tuple(one.path for one in noise_recordings(name, folder) if is_held_out(one))
            if not held_out:
                raise InputError(f"noise {name}: no recording that is held out lies under {folder}", "name another one")
        else:
            notes.append(f"There is no folder of noise at {folder}, so the rows with noise are left out (--noise).")
            missing.add("noise")
    responses = () if rooms is None else _audio(rooms, "--rooms")
    if "rooms" in groups and not responses:
        notes.append("No folder of impulse responses was named (--rooms), so the row of rooms is left out.")
        missing.add("rooms")
    without_speech = {f"{name}, held-out third": held_out} if held_out else {}
    for one in nonspeech:
        title = one.name if one.name not in without_speech else str(one)
        without_speech[title] = _audio(one, "--nonspeech")
    if "nonspeech" in groups and not without_speech:
        notes.append("No folder without speech was named (--noise, --nonspeech), so false alarms are left out.")
        missing.add("nonspeech")
    return Sounds(Material(seed, held_out, responses), without_speech, frozenset(missing), tuple(notes))


def _audio(folder: Path, option: str) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise InputError(f"{option} {folder}: there is no such folder", "name a folder of audio files")
    files = tuple(audio_files(folder))
    if not files:
        raise InputError(f"{option} {folder}: no audio file lies there", "name a folder of audio files")
    return files
