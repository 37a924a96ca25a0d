"""Registries: what an experiment can choose by name."""

from __future__ import annotations

import subprocess
import sys

import pytest
from rtser_train.registry import BASELINES, HEADS, SEGMENT_NETWORKS, Registry, system_title


@pytest.mark.parametrize("registry", [HEADS, SEGMENT_NETWORKS, BASELINES], ids=lambda registry: registry.kind)
def test_every_module_of_a_registry_registers_one_class_with_its_own_title(registry):
    titles = [registry.title(name) for name in registry.names]
    assert all(titles)
    assert len(set(titles)) == len(registry.names) > 1


def test_heads_and_baselines_share_no_name():
    assert not set(HEADS.names) & set(BASELINES.names)
    assert system_title("d-multi") == "D-Multi"
    assert system_title("cnn-avg-rf") == "CNN-AVG-RF"


def test_names_are_known_without_importing_the_modules():
    code = "import sys; from rtser_train.registry import *; print(HEADS.names, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{HEADS.names} False"


def test_a_new_module_is_a_new_entry(tmp_path, monkeypatch):
    package = tmp_path / "new_heads"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[object] = Registry("head", "new_heads")
    monkeypatch.setattr("rtser_train.registry.HEADS", registry)
    (package / "my_head.py").write_text(
        "from rtser_train.registry import HEADS\n@HEADS.register('My head')\nclass MyHead: pass\n"
    )
    assert registry.names == ("my-head",)
    assert registry.get("my-head").__name__ == "MyHead"
    assert registry.title("my-head") == "My head"


def test_an_unknown_name_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="there is no segment network vgg; there are plain-vgg, segcnn"):
        SEGMENT_NETWORKS.get("vgg")
