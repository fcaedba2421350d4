"""Folders whose only annotator is a model: what is read, what is refused, and that its confidence only ranks."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.double_check.__main__ import main
from benchmarks.double_check.model_folder import read_model_folder
from benchmarks.double_check.page import main as print_page
from benchmarks.double_check.rankers import taught
from benchmarks.double_check.sets import find_sets, read_set
from benchmarks.double_check.single_model import CONFIDENCE, confidence_order, cupel_of_model, model_evidence
from cupel.errors import SourceError

ITEMS = 200


def write(folder: Path, items: int = ITEMS, seed: int = 1) -> Path:
    """Write a folder: the more confident the model is, the more often it is right; texts tell the class."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=items)
    confidence = rng.choice([0.2, 0.5, 0.8, 0.9, 1.0], items)
    said = np.where(rng.random(items) < confidence, truth, (truth + 1) % 3)
    replace(folder, "gold.csv", ["task,label", *(f"t{item},c{truth[item]}" for item in range(items))])
    lines = [f"t{item},c{said[item]},{confidence[item]}" for item in range(items)]
    replace(folder, "model.csv", ["task,label,confidence", *lines])
    texts = [f"t{item},word{truth[item]} number {item}" for item in range(items)]
    replace(folder, "items.csv", ["task,text", *texts])
    return folder


def replace(folder: Path, name: str, lines: list[str]) -> None:
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def edit(name: str, row: int, line: str) -> Callable[[Path], None]:
    """Return what puts a line in the place of a row (the first below the header is 1) or after the last."""

    def change(folder: Path) -> None:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        lines[row : row + 1] = [line]
        replace(folder, name, lines)

    return change


def test_the_model_is_the_only_annotator_and_its_confidence_is_kept_by_item(tmp_path: Path) -> None:
    crowd, gold = read_set(write(tmp_path / "small"))
    assert set(crowd.annotations["annotator"].to_pylist()) == {"model"}
    assert crowd.classes == ("c0", "c1", "c2")
    assert len(gold.verdicts) == len(crowd.item_ids) == ITEMS
    lines = (tmp_path / "small/model.csv").read_text().splitlines()[1:]
    known = {line.split(",")[0]: float(line.split(",")[2]) for line in lines}
    assert crowd.confidence is not None
    assert dict(zip(crowd.item_ids, crowd.confidence.tolist(), strict=True)) == known


def test_labels_stay_the_models_and_the_order_is_that_of_its_confidence(tmp_path: Path) -> None:
    crowd, _ = read_model_folder(write(tmp_path / "small"))
    ranking = confidence_order(model_evidence(crowd), {})
    said = dict(zip(crowd.annotations["item_id"].to_pylist(), crowd.annotations["label"].to_pylist(), strict=True))
    assert [crowd.classes[place] for place in ranking.label] == [said[item] for item in crowd.item_ids]
    assert crowd.confidence is not None
    # Below even odds too, where the other classes together are likelier.
    order = np.argsort(crowd.confidence, kind="stable")
    assert np.all(np.diff(ranking.log_odds[order]) >= 0)
    assert len(set(ranking.log_odds.tolist())) == len(set(crowd.confidence.tolist()))


def test_texts_teach_by_verdicts_and_without_texts_ours_is_the_order_of_the_confidence(tmp_path: Path) -> None:
    folder = write(tmp_path / "small")
    crowd, gold = read_model_folder(folder)
    evidence = model_evidence(crowd)
    first = cupel_of_model(evidence, {})
    assert first.lessons is not None
    verdicts = dict(list(gold.verdicts.items())[:60])
    after = cupel_of_model(taught(evidence, cupel_of_model(evidence, verdicts).lessons), verdicts)
    truth = np.array([crowd.classes.index(gold.verdicts[item]) for item in crowd.item_ids])
    assert (after.label == truth).mean() > (confidence_order(evidence, {}).label == truth).mean() + 0.05
    (folder / "items.csv").unlink()
    alone = model_evidence(read_model_folder(folder)[0])
    without = cupel_of_model(alone, {})
    assert without.lessons is None
    assert without.label.tolist() == confidence_order(alone, {}).label.tolist()
    assert (
        np.argsort(without.log_odds, kind="stable").tolist()
        == np.argsort(np.round(confidence_order(alone, {}).log_odds, 6), kind="stable").tolist()
    )


def test_a_class_that_only_the_model_names_is_a_class_that_is_always_wrong(tmp_path: Path) -> None:
    folder = write(tmp_path / "model")
    edit("model.csv", 3, "t2,cat,0.5")(folder)
    crowd, gold = read_set(folder)
    assert "cat" in crowd.classes
    assert "cat" not in gold.verdicts.values()


def test_an_item_that_the_model_says_nothing_of_has_no_label(tmp_path: Path) -> None:
    folder = write(tmp_path / "small")
    edit("gold.csv", 9_999, "unseen,c1")(folder)
    crowd, gold = read_model_folder(folder)
    ranking = confidence_order(model_evidence(crowd), {})
    place = crowd.item_ids.index("unseen")
    assert (ranking.label[place], ranking.log_odds[place]) == (-1, -np.inf)
    assert gold.verdicts["unseen"] == "c1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (edit("model.csv", 3, "t2,c1,sure"), "model.csv, row 3: confidence 'sure'; expected a number from 0 to 1"),
        (edit("model.csv", 3, "t2,c1,nan"), "model.csv, row 3: confidence 'nan'"),
        (edit("model.csv", 3, "t2,c1,1.2"), "model.csv, row 3: confidence '1.2'"),
        (edit("model.csv", 3, "t2,c1,-0.1"), "model.csv, row 3: confidence '-0.1'"),
        (edit("model.csv", 3, "t2,c1,"), "model.csv, row 3: confidence is empty"),
        (edit("model.csv", 3, "t0,c1,0.5"), "model.csv, row 3: task 't0' is in row 1 too"),
        (edit("model.csv", 3, "other,c1,0.5"), "model.csv, row 3: task 'other' is not in gold.csv"),
        (edit("gold.csv", 3, "t0,c1"), "gold.csv, row 3: task 't0' is in row 1 too"),
        (edit("items.csv", 3, "t0,twice"), "items.csv, row 3: task 't0' is in row 1 too"),
        (edit("items.csv", 3, "other,text"), "items.csv, row 3: task 'other' is not in gold.csv"),
        (lambda folder: replace(folder, "model.csv", ["task,label,confidence"]), "model.csv: no rows"),
        (lambda folder: replace(folder, "model.csv", ["task,label", "t0,c1"]), "model.csv: no column 'confidence'"),
        (lambda folder: replace(folder, "gold.csv", ["task,label", "t0,c1"]), "gold.csv: one class only, 'c1'"),
    ],
)
def test_broken_files_are_named_with_row_and_value(
    tmp_path: Path, change: Callable[[Path], None], message: str
) -> None:
    folder = write(tmp_path / "small")
    change(folder)
    with pytest.raises(SourceError) as caught:
        read_model_folder(folder)
    assert message in str(caught.value)


def test_a_folder_without_any_set_and_two_sets_of_one_name_are_errors(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"empty: neither it nor a folder in it holds gold\.csv and"):
        find_sets([tmp_path / "empty"])
    write(tmp_path / "one" / "small", items=60)
    write(tmp_path / "two" / "small", items=60)
    with pytest.raises(SourceError, match="small: two folders have this name"):
        find_sets([tmp_path / "one", tmp_path / "two"])


def test_several_folders_go_in_one_run_with_figures_over_all_of_them(tmp_path: Path) -> None:
    folders = [write(tmp_path / name, items=120, seed=seed) for seed, name in enumerate(("first", "second"))]
    arguments = [word for folder in folders for word in ("--data", str(folder))]
    result = CliRunner().invoke(main, [*arguments, "--json", str(tmp_path / "found.json"), "--replays", "3"])
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert [one["dataset"] for one in found["datasets"]] == ["first", "second"]
    assert all(one["is_model_only_annotator"] for one in found["datasets"])
    methods = {row["method"] for row in found["over_sets"]["methods"]}
    assert {"cupel", "cupel_before", CONFIDENCE, f"pac betting, {CONFIDENCE}", "pac normal, cupel"} <= methods
    assert not methods & {"majority", "dawid_skene", "ebcc"}
    for row in found["datasets"][0]["pac_labels"]:
        assert 0 < row["experts_seen_share"]["mean"] <= 1
        assert row["draws_by"] in ("ours", "oracle")
    page = CliRunner().invoke(print_page, [str(tmp_path / "found.json")])
    assert page.exit_code == 0, page.output
    assert "| first | 1% |" in page.output
    assert "| cupel_before | 2 |" in page.output
    ours, before = found["over_sets"]["methods"][:2]
    shares = [
        [row["experts_seen_share"]["mean"] for one in found["datasets"] for row in rows(one) if row["budget"] > 0.005]
        for rows in (lambda one: one["deployed"], lambda one: one["deployed_with_other_rankers"]["cupel_before"])
    ]
    assert before["ours_less_this"] == pytest.approx(np.mean(shares[0]) - np.mean(shares[1]))
    assert ours["above_floor"] >= 0
