"""The web page: its files, and the model file that it can run by itself."""

from __future__ import annotations

import json
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from rtser.engine.model import Model
from rtser.errors import InputError, OutputError, reason_of

WEB = files("rtser") / "serve" / "web"
MODEL, ABOUT = "model.onnx", "model.json"


def about(model: Model) -> str:
    """The metadata of a model file as JSON, because JavaScript cannot read it from the file."""
    return json.dumps({**json.loads(model.metadata.to_json()), "sha256": model.sha256})


def write_page(folder: Path, model: Model, model_file: Path) -> None:
    """Write the page as static files for any web server; recognition then runs only in the browser.

    Args:
        folder: made if it is missing.
        model: the model that the page runs.
        model_file: the model's file.

    Raises:
        InputError: the folder already holds other files.
        OutputError: it cannot be written.
    """
    try:
        _write(folder, model, model_file)
    except (OSError, shutil.Error) as error:
        reason = reason_of(error) if isinstance(error, OSError) and error.errno else "see its permissions"
        raise OutputError(f"{folder} cannot be written ({reason})", "name another folder") from None


def _write(folder: Path, model: Model, model_file: Path) -> None:
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / ABOUT).exists())):
        raise InputError(f"{folder} already holds other files", "name a new folder")
    with as_file(WEB) as web:
        shutil.copytree(web, folder, dirs_exist_ok=True)
    shutil.copyfile(model_file, folder / MODEL)
    (folder / ABOUT).write_text(about(model), encoding="utf-8")
