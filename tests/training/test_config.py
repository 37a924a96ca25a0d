"""Configurations: the shipped ones, extension, tables of folds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from rtser_train.config import CONFIGS, Experiment, load_experiment
from rtser_train.registry import BASELINES, HEADS, SEGMENT_NETWORKS
from rtser_train.settings import AttentionSettings, CnnSettings

from rtser.commands.train import SHIPPED
from rtser.errors import InputError


def test_emotions_are_merged_or_left_out():
    experiment = load_experiment(Path("three-corpora"))
    assert experiment.label("c", "calm") == experiment.label("c", "neutral") == experiment.emotions.index("neutral")
    assert experiment.label("c", "boredom") is None
    assert experiment.label("c", None) is None


def test_other_emotions_train_auxiliary_outputs_where_there_are_some():
    experiment = load_experiment(Path("default"))
    assert experiment.label("emodb", "boredom") == -1
    assert experiment.label("emogator", "fear") == -1  # a corpus that trains nothing else
    assert experiment.label("crema-d", "fear") == experiment.emotions.index("fear")
    assert experiment.label("esc10", None) is None


def test_a_corpus_of_auxiliary_outputs_is_left_out_where_there_are_none():
    experiment = load_experiment(Path("default"), ["joint.auxiliary_loss=0"])
    assert experiment.label("emogator", "fear") is None
    assert experiment.label("emodb", "boredom") is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("protocol.nested=true", "a validation part"),
        ("attention.heads=[feature-att, cnn-ap]", "one head"),
        ("attention.padding=zeros", "one head"),
        ("baselines=[cnn-avg-rf]", "no embeddings"),
    ],
)
def test_what_needs_two_stages_is_refused_where_both_are_trained_at_once(change, words):
    with pytest.raises(InputError, match=words):
        load_experiment(Path("default"), [change])


def test_a_merge_into_no_emotion_is_refused():
    with pytest.raises(InputError, match="bored is not among the emotions"):
        load_experiment(Path("default"), ["merge.calm=bored"])


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_configuration_is_sound_and_named_as_its_file(path):
    experiment = load_experiment(path.relative_to(CONFIGS))
    assert experiment.name == path.stem
    assert experiment == load_experiment(path)


def test_a_configuration_changes_what_it_extends_and_nothing_else():
    base, row = (load_experiment(Path(name)) for name in ("casia-random", "rows/casia-d-single"))
    assert row.attention.heads == ["d-single"]
    assert row.cnn == base.cnn
    assert row.protocol == base.protocol
    assert load_experiment(Path("rows/casia-d-single"), ["cnn.fit.epochs=3"]).cnn.fit.epochs == 3


@pytest.mark.parametrize("names", ["a", "ab", "abc"])
def test_configurations_that_extend_each_other_in_a_circle_are_named(names, tmp_path):
    for name, base in zip(names, names[1:] + names[0], strict=True):
        (tmp_path / f"{name}.yaml").write_text(f"{{extends: {base}, name: {name}}}")
    circle = " extends ".join(rf"\S*{name}\.yaml" for name in f"{names}a")
    with pytest.raises(InputError, match=rf"in a circle \({circle}\)"):
        load_experiment(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("settings", "key", "registry"),
    [
        (CnnSettings, "network", SEGMENT_NETWORKS),
        (AttentionSettings, "heads", HEADS),
        (Experiment, "baselines", BASELINES),
    ],
)
def test_the_description_of_a_choice_lists_the_registry(settings, key, registry):
    assert settings.model_fields[key].description.endswith(f" of {', '.join(registry.names)}")


def a_configuration_with_a_table(folder):
    """x.yaml, and the table beside it that it names."""
    folder.mkdir(exist_ok=True)
    (folder / "folds.csv").write_text("speaker,fold\nEve,1\nBob,2\n")
    (folder / "x.yaml").write_text(
        "{name: x, emotions: [a, b], corpora: [mine], protocol: {kind: table, table: folds.csv}}"
    )
    return folder / "x.yaml"


def test_a_table_of_folds_becomes_part_of_the_experiment(tmp_path):
    assert load_experiment(a_configuration_with_a_table(tmp_path)).protocol.table == {"Eve": "1", "Bob": "2"}


def test_a_table_of_folds_lies_beside_the_configuration_that_names_it(tmp_path):
    a_configuration_with_a_table(tmp_path / "base")
    (tmp_path / "y.yaml").write_text("{extends: base/x, name: y}")
    assert load_experiment(tmp_path / "y.yaml").protocol.table == {"Eve": "1", "Bob": "2"}


def test_a_table_of_the_same_name_in_the_current_folder_is_passed_over(tmp_path, monkeypatch):
    path = a_configuration_with_a_table(tmp_path / "configs")
    (tmp_path / "folds.csv").write_text("speaker,fold\nEve,2\nBob,1\n")
    monkeypatch.chdir(tmp_path)
    assert load_experiment(path).protocol.table == {"Eve": "1", "Bob": "2"}


def test_a_table_named_on_the_command_line_lies_in_the_current_folder(tmp_path, monkeypatch):
    path = a_configuration_with_a_table(tmp_path / "configs")
    (tmp_path / "folds.csv").write_text("speaker,fold\nEve,2\nBob,1\n")
    monkeypatch.chdir(tmp_path)
    assert load_experiment(path, ["protocol.table=folds.csv"]).protocol.table == {"Eve": "2", "Bob": "1"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read as a CSV table"),
        ("speaker;fold\n1;2\n", "the column 'speaker' is missing"),
        ("speaker,fold\nEve,1\nEve,2\n", "Eve is listed more than once"),
    ],
)
def test_a_table_of_folds_that_is_none_is_named(content, complaint, tmp_path):
    if content:
        (tmp_path / "folds.csv").write_text(content)
    table = tmp_path / "folds.csv"
    with pytest.raises(InputError, match=rf"folds\.csv.* {complaint}"):
        load_experiment(Path("ravdess-emobox"), [f"protocol.table={table}"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("cnn.network=vgg", r"there is no segment network vgg \(there are plain-vgg, segcnn, strided-segcnn\)"),
        ("attention.heads=[d-triple]", r"there is no head d-triple \(there are cnn-ap, cnn-mp, d-multi"),
        ("baselines=[svm]", r"there is no baseline svm \(there are cnn-avg-rf, cnn-max-rf, egemaps-svm"),
    ],
)
def test_an_unknown_network_or_baseline_is_refused_with_the_names_that_there_are(change, message):
    with pytest.raises(InputError, match=message):
        load_experiment(Path("debug"), [change])


def test_the_help_names_all_shipped_configurations():
    assert SHIPPED.split(", ") == sorted(file.stem for file in CONFIGS.glob("*.yaml"))


def test_reading_a_configuration_imports_neither_torch_nor_scikit_learn():
    code = (
        "import sys; from pathlib import Path; from rtser_train.config import load_experiment; "
        "load_experiment(Path('casia-loso')); print([name for name in ('torch', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
