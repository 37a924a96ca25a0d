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


DECORATED = "@HEADS.register('My head')\n"


@pytest.fixture
def registry_of(tmp_path, monkeypatch):
    """Makes HEADS a registry of a new package with one module, whose content is given."""

    def registry(content, module="my_head"):
        package = tmp_path / f"heads_{tmp_path.name}"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / f"{module}.py").write_text(f"from rtser_train.registry import HEADS\n{content}")
        monkeypatch.syspath_prepend(tmp_path)
        made: Registry[object] = Registry("head", package.name, HEADS._reserved)
        monkeypatch.setattr("rtser_train.registry.HEADS", made)
        return made

    return registry


def test_a_new_module_is_a_new_entry(registry_of):
    registry = registry_of(f"{DECORATED}class MyHead: pass\n")
    assert registry.names == ("my-head",)
    assert registry.get("my-head").__name__ == "MyHead"
    assert registry.title("my-head") == "My head"


def test_an_unknown_name_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"there is no segment network vgg \(there are plain-vgg, segcnn, st"):
        SEGMENT_NETWORKS.get("vgg")


def test_a_module_without_the_decorator_is_named(registry_of):
    with pytest.raises(LookupError, match=r"my_head registers no head \(its class lacks the decorator\)"):
        registry_of("class MyHead: pass\n").get("my-head")


def test_two_classes_of_one_module_are_refused(registry_of):
    registry = registry_of(f"{DECORATED}class One: pass\n{DECORATED}class Two: pass\n")
    with pytest.raises(ValueError, match=r"my_head registers two classes as the head my-head \(One and Two\)"):
        registry.get("my-head")


@pytest.mark.parametrize("name", ["cnn", "step", "inner_1", "my_inner_head"])
def test_a_head_does_not_take_the_name_of_another_file_of_a_run(name, registry_of):
    registry = registry_of(f"{DECORATED}class MyHead: pass\n", name)
    with pytest.raises(ValueError, match="no head can be called"):
        registry.check(name.replace("_", "-"))
