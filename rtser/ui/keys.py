"""The keys of the live view."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from rtser.controls import Controls
from rtser.ui.style import percent
from rtser.ui.view_state import ViewState

NAMES = {
    "q": "quit",
    "space": "pause",
    "d": "device",
    "+-": "threshold",
    "w": "window",
    "r": "anew",
    "s": "save",
    "f": "figures",
    "h": "help",
}


@dataclass(frozen=True)
class Actions:
    """What keys can do beyond the view. None means that the key is not offered.

    Attributes:
        quit: ends the run.
        save: saves the last minute; returns a sentence about it.
        devices: returns the names of the devices; may take seconds.
        choose: switches to the device of this name.
    """

    quit: Callable[[], object]
    save: Callable[[], str] | None = None
    devices: Callable[[], list[str]] | None = None
    choose: Callable[[str], object] | None = None

    def offered(self, controls: Controls) -> dict[str, str]:
        """The keys, each with one word for its action."""
        absent = {
            "s": self.save is None,
            "d": self.devices is None or self.choose is None,
            "+-": controls.label_threshold is None,
            "w": controls.window_s is None,
        }
        return {key: name for key, name in NAMES.items() if not absent.get(key)}


class Keys:
    """Carries out keys.

    Args:
        state: the state of the view.
        lock: held while the state changes.
        controls: the controls of the session.
        actions: what keys can do beyond the view.
        forget: clears the view and its summary; called with the lock held.
        changed: called when there is something new to draw.
    """

    def __init__(
        self,
        state: ViewState,
        lock: threading.Lock,
        controls: Controls,
        actions: Actions,
        forget: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self._state, self._lock, self._controls, self._actions = state, lock, controls, actions
        self._forget, self._changed = forget, changed
        state.keys = actions.offered(controls)

    def press(self, key: str) -> None:
        """Carry out a key; a key that is not offered does nothing."""
        key = {"?": "h", "=": "+", "_": "-", " ": "space"}.get(key, key.lower())
        if key == "q":
            self._actions.quit()
        elif key == "s" and self._actions.save:
            self._tell(self._actions.save())
        else:
            with self._lock:
                self._state.notice = ""
                if self._state.page == "devices" and key != "h":
                    self._choose(key)
                else:
                    self._press(key)
        self._changed()

    def _press(self, key: str) -> None:
        state, controls = self._state, self._controls
        if state.page == "help" and key in ("+", "-", "w", "r"):
            return  # it is read about, and its effect could not be seen
        if key == "space":
            controls.pause()
        elif key in ("+", "-") and controls.label_threshold is not None:
            controls.move_threshold(1 if key == "+" else -1)
            state.notice = f"named from {percent(controls.label_threshold)}"
        elif key == "w" and controls.window_s is not None:
            controls.next_window()
            state.notice = f"window {controls.window_s:g} s"
        elif key == "r":
            controls.restart()
            self._forget()
        elif key == "d" and "d" in state.keys:
            state.page, state.devices, state.chosen = "devices", None, 0
            threading.Thread(target=self._list_devices, daemon=True).start()
        elif key == "f":
            state.page = "now" if state.page == "figures" else "figures"
        elif key == "h":
            more = state.page == "help" and state.part + 1 < state.parts
            leave = state.page == "help" and not more
            state.page, state.part = "now" if leave else "help", state.part + 1 if more else 0
        elif key in ("escape", "enter"):
            state.page = "now"

    def _list_devices(self) -> None:
        assert self._actions.devices
        names = self._actions.devices()
        with self._lock:
            self._state.devices = names
            current = self._state.statistics.source
            self._state.chosen = names.index(current) if current in names else 0
        self._changed()

    def _choose(self, key: str) -> None:
        state, names = self._state, self._state.devices or []
        if key in ("up", "k"):
            state.chosen = max(0, state.chosen - 1)
        elif key in ("down", "j"):
            state.chosen = min(max(0, len(names) - 1), state.chosen + 1)
        elif key in ("escape", "d"):
            state.page = "now"
        elif key == "enter" or (key.isdigit() and 0 < int(key) <= len(names)):
            at = int(key) - 1 if key.isdigit() else state.chosen
            state.page = "now"
            if at < len(names) and names[at] != state.in_use and self._actions.choose:
                self._actions.choose(names[at])
                state.notice = f"opening {names[at]}"

    def _tell(self, notice: str) -> None:
        with self._lock:
            self._state.notice = notice
