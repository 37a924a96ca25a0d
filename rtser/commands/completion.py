"""``rtser completion``: what the shell completes, and the script that sets it up."""

from __future__ import annotations

from glob import escape
from typing import Annotated, Literal

import typer
from typer.completion import completion_init, get_completion_script  # type: ignore[attr-defined]  # not declared as public

from rtser.commands.process import failures

VARIABLE = "_RTSER_COMPLETE"
"""The scripts set this variable when they ask what to complete; the name is Typer's."""
ZSH_FIRST = """
# Typer's script does nothing on the first TAB where zsh loads it from its fpath.
if [ "$funcstack[1]" = "_rtser" ]; then
  _rtser_completion "$@"
fi
"""


def enable() -> None:
    """Answer the scripts. Typer does so only for programs with its option --install-completion, which edits files."""
    completion_init()


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(metavar="SHELL", help="Your shell.")],
) -> None:
    """Print a shell script that completes commands, options and settings when you press TAB.

    Load it in the file that your shell reads when it starts: ~/.bashrc, the end of ~/.zshrc, or
    ~/.config/fish/config.fish.

    Examples:
        eval "$(rtser completion bash)"
        eval "$(rtser completion zsh)"
        rtser completion fish | source
    """
    with failures():
        script = get_completion_script(prog_name="rtser", complete_var=VARIABLE, shell=shell)
        typer.echo(f"{script}{ZSH_FIRST}" if shell == "zsh" else script)


def listen_setting_names(incomplete: str) -> list[str]:
    """Settings of `rtser listen` that begin with this text, such as ``decide.hold_s=``."""
    from rtser.settings import ListenSettings

    return _names(ListenSettings, incomplete)


def serve_setting_names(incomplete: str) -> list[str]:
    """Settings of `rtser serve` that begin with this text."""
    from rtser.serve.settings import ServeSettings

    return _names(ServeSettings, incomplete)


def experiment_setting_names(incomplete: str) -> list[str]:
    """Settings of `rtser train` that begin with this text; empty where the training package is not installed."""
    try:
        from rtser_train.config import Experiment
    except ModuleNotFoundError:
        return []
    return _names(Experiment, incomplete)


def experiment_names(incomplete: str) -> list[str]:
    """The shipped experiments that begin with this text."""
    try:
        from rtser_train.config import CONFIGS
    except ModuleNotFoundError:
        return []
    return sorted(file.stem for file in CONFIGS.glob(f"{escape(incomplete)}*.yaml"))


def model_names(incomplete: str) -> list[str]:
    """The name of the shipped model, if it begins with this text."""
    return [name for name in ("default",) if name.startswith(incomplete)]


def _names(kind: type, incomplete: str) -> list[str]:
    from rtser.settings_problems import setting_names

    return [f"{name}=" for name in setting_names(kind) if name.startswith(incomplete)]
