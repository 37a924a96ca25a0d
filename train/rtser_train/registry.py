"""Choices of an experiment by name: segment networks, heads and baselines, one module each.

A module of a registry's package is an entry: `feature_att.py` is named ``feature-att``. Its class is registered by a
decorator. To add an entry, add a module; nothing else changes:

    @HEADS.register("Feature-Att")
    class FeatureAttention(BagNetwork): ...

Names are known without importing the modules, so a configuration is checked without PyTorch.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from rtser_train.evaluation.baseline import Baseline
    from rtser_train.networks.bag_network import BagNetwork
    from rtser_train.networks.segment_network import SegmentNetwork

Entry = TypeVar("Entry")
Registered = TypeVar("Registered", bound=type[Any])


class Registry(Generic[Entry]):
    """The classes that the modules of one package register, by the names of these modules.

    Args:
        kind: name of an entry in messages.
        package: dotted name of the package. Its own ``__init__`` imports nothing.
        reserved: pattern of names that no entry may have.
    """

    def __init__(self, kind: str, package: str, reserved: str = "") -> None:
        self.kind, self._package, self._reserved = kind, package, reserved
        self._entries: dict[str, type[Entry]] = {}
        self._titles: dict[str, str] = {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all entries, sorted; no module is imported."""
        spec = find_spec(self._package)
        folders = spec.submodule_search_locations if spec else None
        return tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(folders)))

    def check(self, name: str) -> str:
        """The name itself; raises ValueError if there is no such entry, or if its name is reserved."""
        if name not in self.names:
            raise ValueError(f"there is no {self.kind} {name} (there are {', '.join(self.names)})")
        if re.fullmatch(self._reserved, name):
            raise ValueError(
                f"no {self.kind} can be called {name}, because other files of a run are (rename its module)"
            )
        return name

    def register(self, title: str) -> Callable[[Registered], Registered]:
        """Decorate the class of an entry; `title` names it in tables and in model files.

        Raises:
            ValueError: another class of the same module is registered already.
        """

        def registered(entry: Registered) -> Registered:
            name = entry.__module__.rpartition(".")[2].replace("_", "-")
            earlier = self._entries.get(name)
            if earlier is not None and earlier.__qualname__ != entry.__qualname__:
                raise ValueError(
                    f"{entry.__module__} registers two classes as the {self.kind} {name} "
                    f"({earlier.__qualname__} and {entry.__qualname__}), but a module is one entry"
                )
            self._entries[name], self._titles[name] = entry, title
            return entry

        return registered

    def get(self, name: str) -> type[Entry]:
        """The class of this name.

        Raises:
            ValueError: there is none.
            LookupError: its module registers no class.
        """
        module = f"{self._package}.{self.check(name).replace('-', '_')}"
        import_module(module)
        if name not in self._entries:
            raise LookupError(f"{module} registers no {self.kind} (its class lacks the decorator)")
        return self._entries[name]

    def title(self, name: str) -> str:
        """The title of an entry in tables; raises as `get` does."""
        self.get(name)
        return self._titles[name]


SEGMENT_NETWORKS: Registry[SegmentNetwork] = Registry("segment network", "rtser_train.networks.segment")
HEADS: Registry[BagNetwork] = Registry("head", "rtser_train.networks.heads", reserved=r"cnn|step|(.+-)?inner(-.+)?")
BASELINES: Registry[Baseline] = Registry("baseline", "rtser_train.evaluation.baselines")


def system_title(name: str) -> str:
    """The title of a head or a baseline in tables."""
    return HEADS.title(name) if name in HEADS.names else BASELINES.title(name)
