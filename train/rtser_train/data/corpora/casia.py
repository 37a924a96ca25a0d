"""CASIA: ``liuchanhg/happy/201.wav`` = speaker, emotion, sentence."""

from __future__ import annotations

from pathlib import Path

from rtser_train.data.corpora.recording import Recording, audio_files

EMOTIONS = {"angry", "fear", "happy", "neutral", "sad", "surprise"}


def read(root: Path) -> list[Recording]:
    """The corpus's utterances; files in other folders are passed over."""
    return [
        Recording(path, "casia", path.parent.parent.name, path.parent.name, path.stem)
        for path in audio_files(root)
        if path.parent.name in EMOTIONS and path.stem.isdigit()
    ]
