"""``rtser listen --server``: a session on a server instead of a local one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rtser.commands.options import Recognition
from rtser.commands.process import packages
from rtser.errors import InputError

if TYPE_CHECKING:
    from rtser.remote import RemoteSession

SERVERS_OWN = ("model", "provider", "window_s", "decide", "voice")
"""Settings that the server decides."""


def remote_session(options: Recognition, url: str, token_file: Path | None) -> RemoteSession:
    """A session on a server; raises InputError if an option is only for a local session."""
    from rtser.access_token import read_token
    from rtser.remote import RemoteSession

    for change in options.changes_of(SERVERS_OWN):
        raise InputError(f"--server: the server has its own settings ({change})", "leave out either that or --server")
    own = [name for name, value in options.given.items() if (any(value.values()) if isinstance(value, dict) else value)]
    if own:
        raise InputError(f"--server: the server has its own {', '.join(own)}", "leave out either that or --server")
    with packages("serve"):
        return RemoteSession(url, read_token(token_file))
