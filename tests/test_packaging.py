from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile

import pytest
from conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_light_install_needs_what_the_package_needs_but_the_cpu_runtime():
    lines = (ROOT / "requirements-light.txt").read_text().splitlines()
    light = {line for line in lines if line and not line.startswith("#")}
    needed = {one.partition(";")[0] for one in PROJECT["dependencies"]}
    assert light == {one for one in needed if not one.startswith("onnxruntime-gpu")}


def test_every_dependency_has_a_reason():
    sys.path.insert(0, str(ROOT / "tools"))
    import measure_install

    assert set(measure_install.PURPOSE) == {re.split("[><=;]", one)[0] for one in PROJECT["dependencies"]}


@pytest.mark.e2e
def test_the_wheel_has_both_packages_their_data_and_nothing_called_train(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT]
    subprocess.run(command, check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"rtser", "rtser_train"}
    for data in (
        "rtser/py.typed",
        "rtser/events.schema.json",
        "rtser/configs/listen.yaml",
        "rtser/models/default.onnx",
        "rtser_train/configs/debug.yaml",
    ):
        assert data in names
