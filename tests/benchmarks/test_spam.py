"""The benchmark of spammers: who is injected, who is paid, and what the figures count."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import spam
from benchmarks.double_check.experts import Experts
from benchmarks.double_check.folder import Crowd, Gold, read_folder
from benchmarks.spam_table import SHARES, by_kind
from benchmarks.spammers import KINDS, inject
from crowds import CLASSES
from crowds import Crowd as MadeUp


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crowd") / "made_up"
    folder.mkdir()
    crowd = MadeUp(items=200, accuracy=(0.9, 0.85, 0.8, 0.9, 0.8, 0.85, 0.9))
    lines = [f"{item},{who},{CLASSES[label]}" for item, who, label, _ in crowd.rows]
    (folder / "labels.csv").write_text("\n".join(["task,worker,label", *lines]) + "\n")
    gold = [f"{item},{CLASSES[label]}" for item, label in enumerate(crowd.truth)]
    (folder / "gold.csv").write_text("\n".join(["task,label", *gold]) + "\n")
    return folder


@pytest.fixture(scope="module")
def read(folder: Path) -> tuple[Crowd, Gold]:
    return read_folder(folder)


@pytest.mark.parametrize("kind", list(KINDS))
def test_three_in_ten_are_injected_and_every_real_answer_stays(read: tuple[Crowd, Gold], kind: str) -> None:
    crowd, _ = read
    spammed = inject(crowd, kind, np.random.default_rng(1))
    assert len(spammed.spammers) == 3  # 7 real ones
    real = spammed.annotations.to_pylist()
    kept = {(r["item_id"], r["annotator"], r["label"]) for r in real if r["annotator"] not in spammed.spammers}
    assert kept == {(r["item_id"], r["annotator"], r["label"]) for r in crowd.annotations.to_pylist()}


def test_a_copy_comes_after_its_source(read: tuple[Crowd, Gold]) -> None:
    rows = inject(read[0], "copy", np.random.default_rng(1)).annotations.to_pylist()
    first = {(row["item_id"], row["annotator"]): row["sequence"] for row in rows}
    for spammer in sorted({who for _, who in first if who.startswith("spammer")}):
        assert any(
            all(first[item, who] < at for (item, name), at in first.items() if name == spammer)
            for who in {name for _, name in first if not name.startswith("spammer")}
        )


def test_hidden_gold_is_paid_and_ten_items_each(read: tuple[Crowd, Gold]) -> None:
    crowd, gold = read
    experts = Experts(gold)
    spammed = inject(crowd, "random", np.random.default_rng(1))
    hidden = spam.hide_gold(spammed, sorted(gold.verdicts), experts, np.random.default_rng(2))
    assert experts.log == hidden["item_id"].to_pylist()
    assert experts.charged == 10  # all annotators answer all items


def test_the_figures_are_written_with_intervals_and_certificates_hold(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spam.json"
    command = ["spam", "--data", str(folder), "--json", str(path), "--seeds", "2", "--kinds", "random", "constant"]
    monkeypatch.setattr("sys.argv", command)
    assert spam.main() == 0
    written = json.loads(path.read_text())
    audits = 2 * len(spam.BUDGETS) * spam.AUDITS
    assert [(row["kind"], row["audits"]) for row in written["kinds"]] == [("random", audits), ("constant", audits)]
    for row in written["results"]:
        assert row["dataset"] == "made_up"
        assert row["found_n"] == 6
        assert row["found_low"] <= row["found_share"] <= row["found_high"]
        assert row["found_share"] >= 5 / 6
        assert [point["false_alarm_share"] for point in row["roc"]] == list(spam.ROC)
        for one in row["deployed"]:
            assert one["final_error"] <= one["budget"] or one["false_certificate_share"] > 0
            assert one["experts_seen_share"] >= 10 / 200


def test_kinds_are_summed_up_over_crowds_of_people_and_certificates_over_all() -> None:
    def row(found: float, annotators: int, broken: int) -> dict[str, Any]:
        one = {"budget": 0.01, "certified_n": 3, "certified_share": 2 / 3, "over_budget_and_certified": broken}
        return dict.fromkeys(SHARES, 0.0) | {
            "dataset": f"{found}", "kind": "random", "found_share": found, "annotators": annotators, "deployed": [one],
        }  # fmt: skip

    (kind,) = by_kind([row(0.9, 40, 0), row(0.5, 40, 0), row(1.0, 40, 1), row(0.0, 3, 0)])
    assert kind["found_share"] == [0.5, 0.9, 1.0]
    assert (kind["audits"], kind["certified"]) == (12, 8)
    assert kind["kept_or_not_certified_share"] == 1 - 1 / 12
    assert kind["kept_or_not_certified_low"] < 0.92 < kind["kept_or_not_certified_high"] < 1
