"""The benchmark on small folders: gold stays behind its wall, figures add up, bad input is said to be bad."""

import json
from collections.abc import Callable
from math import comb
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from benchmarks.double_check.__main__ import main
from benchmarks.double_check.deployed import Frozen, deploy, has_rounds_left, rounds
from benchmarks.double_check.experts import Experts, Scorer
from benchmarks.double_check.folder import Crowd, Gold, folders_in, read_folder
from benchmarks.double_check.opinions import opinions
from benchmarks.double_check.oracle import clopper_pearson_share, floor_of_any, frontier_share
from benchmarks.double_check.rankers import Ranking, cupel, first_evidence, rankers
from benchmarks.double_check.redraw import redrawn, thinned
from cupel.checking.rounds import NO_ROUND, audit_shares
from cupel.consensus.consensus import consensus
from cupel.errors import AuditError, SourceError

CLASSES = ("cat", "dog", "fox")
ITEMS = 150


def rows(path: Path, header: str, lines: list[str]) -> None:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def write(
    folder: Path, items: int = ITEMS, annotators: int = 4, wrong: float = 0.2, known: float = 1.0, seed: int = 1
) -> Path:
    """Write a folder: each annotator errs so often, and so many items have gold."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    truth = rng.integers(len(CLASSES), size=items)
    said = np.where(
        rng.random((items, annotators)) < wrong,
        (truth[:, None] + rng.integers(1, len(CLASSES), (items, annotators))) % len(CLASSES),
        truth[:, None],
    )
    lines = [f"item {i},w{a},{CLASSES[said[i, a]]}" for i in range(items) for a in range(annotators)]
    rows(folder / "labels.csv", "task,worker,label", lines)
    rows(folder / "gold.csv", "task,label", [f"item {i},{CLASSES[truth[i]]}" for i in range(round(known * items))])
    model = np.full((round(known * items), len(CLASSES)), 0.2)
    model[np.arange(len(model)), truth[: len(model)]] = 0.6
    np.save(folder / "pred_probs.npy", model)
    return folder


def run(folder: Path, tmp_path: Path, *more: str) -> Result:
    tmp_path.mkdir(exist_ok=True)
    arguments = ["--data", str(folder), "--json", str(tmp_path / "found.json"), "--replays", "5", *more]
    return CliRunner().invoke(main, arguments)


def found(folder: Path, tmp_path: Path, *more: str) -> dict[str, object]:
    result = run(folder, tmp_path, *more)
    assert result.exit_code == 0, result.output
    return dict(json.loads((tmp_path / "found.json").read_text(encoding="utf-8")))


def ranked(crowd: Crowd) -> dict[str, Ranking]:
    evidence = first_evidence(crowd)
    return {name: ranker(evidence, {}) for name, ranker in rankers(evidence).items()}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A folder, and the figures of it; both are only looked at."""
    place = tmp_path_factory.mktemp("double_check")
    return write(place / "small"), found(place / "small", place)


def test_all_figures_are_there_and_are_shares(small: tuple[Path, dict[str, object]]) -> None:
    report = small[1]
    assert (report["dataset"], report["items"], report["is_model_external"]) == ("small", ITEMS, True)
    for key in ("accuracy", "seconds", "chosen_method", "oracle_frontier", "deployed", "compared"):
        assert report[key]
    deployed = report["deployed"]
    assert isinstance(deployed, list)
    for row in deployed:
        for key in ("certified_share", "false_certificate_share", "clopper_pearson_share", "floor_share"):
            assert 0 <= row[key] <= 1
        assert row["floor_share"] <= row["experts_seen_share"]["mean"] <= 1
        assert set(row["experts_seen_share"]) == {"mean", "p80"}
        assert set(row["final_error"]) == {"mean", "p95"}


def test_the_same_folder_gives_the_same_figures(small: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    first, second = dict(small[1]), found(small[0], tmp_path)
    assert first.pop("seconds") is not None
    assert second.pop("seconds") is not None
    assert first == second


def test_alone_means_without_any_other_method(tmp_path: Path) -> None:
    report = found(write(tmp_path / "small"), tmp_path, "--alone", "--labels", "2")
    assert list(report["accuracy"]) == ["cupel"]  # type: ignore[call-overload]
    assert (report["labels"], report["compared"]) == (2 * ITEMS, [])


def test_a_folder_of_folders_gives_a_list(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write(tmp_path / "all" / name, items=60)
    datasets = found(tmp_path / "all", tmp_path)["datasets"]
    assert isinstance(datasets, list)
    assert [one["dataset"] for one in datasets] == ["a", "b"]
    with pytest.raises(SourceError, match=r"holds labels\.csv"):
        folders_in(tmp_path / "nowhere")


def test_experts_are_charged_once_for_each_distinct_item_and_know_only_what_is_known() -> None:
    experts = Experts(Gold({"a": "x", "b": "y"}))
    assert [experts.ask_expert(item) for item in ("b", "a", "b")] == ["y", "x", "y"]
    assert (experts.log, experts.charged) == (["b", "a"], 2)
    with pytest.raises(AuditError, match="'c': no expert can be asked"):
        experts.ask_expert("c")


def test_no_method_sees_the_gold(tmp_path: Path) -> None:
    # The same answers with other gold: the same labels in the same order.
    folder = write(tmp_path / "small", known=0.5)
    crowd, gold = read_folder(folder)
    before = ranked(crowd)
    shifted = [f"{item},{CLASSES[(CLASSES.index(label) + 1) % 3]}" for item, label in gold.verdicts.items()]
    rows(folder / "gold.csv", "task,label", shifted)
    after = ranked(read_folder(folder)[0])
    for name, ranking in before.items():
        assert ranking.label.tolist() == after[name].label.tolist()
        assert ranking.log_odds.tolist() == after[name].log_odds.tolist()


def test_items_without_gold_leave_numerator_and_denominator(tmp_path: Path) -> None:
    crowd, gold = read_folder(write(tmp_path / "small", known=0.4))
    assert len(crowd.item_ids) == ITEMS
    scorer = Scorer(gold)
    frozen = next(rounds(first_evidence(crowd), cupel, Experts(gold), scorer.item_ids()))
    assert sorted(frozen.item_ids) == scorer.item_ids()
    assert len(frozen.item_ids) == round(0.4 * ITEMS)


def test_redrawn_crowds_give_each_item_three_of_its_own_labels(tmp_path: Path) -> None:
    folder = write(tmp_path / "small")
    crowd, gold = read_folder(folder)
    counts = np.zeros((ITEMS, 3), np.int64)
    counts[:, 0], counts[::2, 2] = 4, 2
    new, known = redrawn(crowd, gold, counts, seed=3)
    again, _ = redrawn(crowd, gold, counts, seed=3)
    assert new.annotations.equals(again.annotations)
    assert known == gold
    said = new.annotations.group_by("item_id").aggregate([("label", "list")]).to_pylist()
    odd = {item for place, item in enumerate(gold.verdicts) if place % 2}
    assert all(len(row["label_list"]) == 3 for row in said)
    assert {label for row in said if row["item_id"] in odd for label in row["label_list"]} == {"cat"}
    assert {label for row in said for label in row["label_list"]} == {"cat", "fox"}
    assert np.array_equal(np.sort(new.model, axis=0), np.sort(crowd.model, axis=0))  # type: ignore[arg-type]
    larger, more = redrawn(crowd, gold, counts, seed=3, items=400)
    assert len(larger.item_ids) == len(more.verdicts) == 400
    np.save(folder / "counts.npy", counts)
    assert found(folder, tmp_path)["crowds"] == 5


def test_rounds_ask_the_riskiest_first_and_leave_them_out_of_the_audit(tmp_path: Path) -> None:
    crowd, gold = read_folder(write(tmp_path / "small", items=400, wrong=0.4))
    experts = Experts(gold)
    before: Frozen | None = None
    for frozen in rounds(first_evidence(crowd), cupel, experts, Scorer(gold).item_ids()):
        assert experts.log == list(frozen.asked)
        assert not set(frozen.asked) & set(frozen.item_ids)
        assert frozen.size == 400
        assert np.all(np.diff(frozen.log_odds) <= 0)
        if before is not None:
            more = frozen.asked[len(before.asked) :]
            assert more == before.item_ids[-len(more) :]
            wrong = [
                gold.verdicts[item] != label for item, label in zip(more, before.labels[-len(more) :], strict=True)
            ]
            assert frozen.last.is_wrong.tolist() == wrong
            assert frozen.last.log_odds.tolist() == before.log_odds[-len(more) :].tolist()
        before = frozen
    assert experts.charged == round(0.32 * 400)


def test_without_a_model_verdicts_still_teach_whom_of_the_annotators_to_believe(tmp_path: Path) -> None:
    folder = write(tmp_path / "small")
    (folder / "pred_probs.npy").unlink()
    crowd, gold = read_folder(folder)
    frozen = next(rounds(first_evidence(crowd), cupel, Experts(gold), Scorer(gold).item_ids()))
    assert has_rounds_left(frozen, 0.05)


def test_a_ranker_that_cannot_learn_has_no_rounds() -> None:
    frozen = Frozen((), NO_ROUND, True, tuple(map(str, range(1_000))), ("x",) * 1_000, np.linspace(9, 0, 1_000))
    assert has_rounds_left(frozen, 0.02)
    assert not has_rounds_left(frozen._replace(can_learn=False), 0.02)


def test_a_replay_charges_rounds_audit_and_adjudication_and_repairs_what_was_seen() -> None:
    ids = tuple(f"{number:04}" for number in range(990))
    truth = dict.fromkeys(ids, "x") | {f"early {number}": "y" for number in range(10)}
    labels = ("x",) * 980 + ("y",) * 10
    early = tuple(item for item in truth if item.startswith("early"))
    frozen = Frozen(early, NO_ROUND, True, ids, labels, np.linspace(9, 0, 990))
    gold = Gold(truth)
    assert 0 < audit_shares(1_000, 0.02)[0] < 1
    everything = deploy(frozen, np.zeros(990), Experts(gold), Scorer(gold), 0.02)
    assert (everything.seen_share, everything.final_error, everything.is_certified) == (1.0, 0.0, False)
    nothing = deploy(frozen, np.ones(990), Experts(gold), Scorer(gold), 0.02)
    assert (nothing.seen_share, nothing.final_error, nothing.is_false) == (10 / 1_000, 10 / 1_000, False)
    assert deploy(frozen, np.ones(990), Experts(gold), Scorer(gold), 0.005).is_false


def test_sets_over_their_budget_are_rarely_certified() -> None:
    # All wrong labels at the safe end, where no ranking points to; as many as make a false certificate likeliest.
    ids = tuple(f"{number:04}" for number in range(1_000))
    gold = Gold(dict.fromkeys(ids, "x"))
    frozen = Frozen((), NO_ROUND, True, ids, ("x",) * 1_000, np.linspace(9, 0, 1_000))
    rng = np.random.default_rng(5)
    wrong = 20 + len(audit_shares(1_000, 0.02))
    frozen = frozen._replace(labels=("y",) * wrong + ("x",) * (1_000 - wrong))
    false = sum(deploy(frozen, rng.random(1_000), Experts(gold), Scorer(gold), 0.02).is_false for _ in range(1_000))
    assert 1_000 * 0.02 < false < 1_000 * 0.055


def test_thinning_keeps_so_many_labels_of_each_item_and_always_the_same(tmp_path: Path) -> None:
    crowd, _ = read_folder(write(tmp_path / "small", annotators=5))
    thin = thinned(crowd, 2)
    counts = thin.annotations.group_by("item_id").aggregate([("label", "count")])["label_count"].to_pylist()
    assert counts == [2] * ITEMS
    assert thin.annotations.equals(thinned(crowd, 2).annotations)
    assert thin.item_ids == crowd.item_ids


def test_oracles_know_what_they_should() -> None:
    is_wrong = np.zeros(1_000, np.bool_)
    is_wrong[-50:] = True
    assert frontier_share(is_wrong, 0.01) == pytest.approx(40 / 1_000)
    # The smallest clean sample of 960 that shows that no more than 10 are wrong.
    drawn = next(n for n in range(1, 960) if comb(960 - 11, n) / comb(960, n) <= 0.05)
    assert floor_of_any(is_wrong, 0.01) == pytest.approx((40 + drawn) / 1_000)
    assert floor_of_any(is_wrong, 0.01) < clopper_pearson_share(is_wrong, 0.01) < 0.5


@pytest.mark.parametrize(
    "folder",
    [
        lambda path: write(path, annotators=1),
        lambda path: write(path, items=3),
        lambda path: write(path, wrong=0.0),
        lambda path: write(path, wrong=1.0),
        lambda path: write(path, known=0.1),
    ],
    ids=["one annotator", "three items", "nobody errs", "everybody errs", "little gold"],
)
def test_extreme_crowds_are_measured_all_the_same(tmp_path: Path, folder: Callable[[Path], Path]) -> None:
    found(folder(tmp_path / "small"), tmp_path)


def test_unanimous_spam_is_not_certified_falsely(tmp_path: Path) -> None:
    folder = write(tmp_path / "small")
    lines = [f"item {item},w{name},cat" for item in range(ITEMS) for name in range(5)]
    rows(folder / "labels.csv", "task,worker,label", lines)
    (folder / "pred_probs.npy").unlink()
    deployed = found(folder, tmp_path)["deployed"]
    assert isinstance(deployed, list)
    assert all(row["experts_seen_share"]["mean"] > 0.9 for row in deployed)


def test_classes_that_only_experts_use_are_classes(tmp_path: Path) -> None:
    folder = write(tmp_path / "small")
    (folder / "pred_probs.npy").unlink()
    with (folder / "gold.csv").open("a", encoding="utf-8") as file:
        file.write("item unseen,wolf\n")
    crowd, _ = read_folder(folder)
    assert crowd.classes == (*CLASSES, "wolf")
    found(folder, tmp_path)


def test_a_model_that_is_silent_on_some_items_abstains_there(tmp_path: Path) -> None:
    folder = write(tmp_path / "small")
    model = np.load(folder / "pred_probs.npy")
    model[:40], model[40] = np.nan, -1
    np.save(folder / "pred_probs.npy", model)
    crowd, _ = read_folder(folder)
    said = opinions(crowd, consensus(crowd.annotations, crowd.item_ids, crowd.classes))
    assert said["predicted_label"].null_count == 41
    np.save(folder / "pred_probs.npy", np.full((ITEMS, 3), np.nan))
    report = found(folder, tmp_path)
    assert "crowdlab" not in report["accuracy"]  # type: ignore[operator]


def test_text_and_features_are_read_for_the_items_they_belong_to(tmp_path: Path) -> None:
    folder = write(tmp_path / "small", known=0.8)
    (folder / "pred_probs.npy").unlink()
    _, gold = read_folder(folder)
    values = np.arange(len(gold.verdicts), dtype=np.float32)[:, None]
    np.save(folder / "features.npy", values)
    rows(folder / "items.csv", "task,text", [f'item {item},"a, {item}"' for item in range(ITEMS)])
    crowd, _ = read_folder(folder)
    assert crowd.features is not None
    assert crowd.texts is not None
    for place, item in enumerate(gold.verdicts):
        assert crowd.features[crowd.item_ids.index(item), 0] == place
    assert np.isnan(crowd.features).sum() == ITEMS - len(gold.verdicts)
    assert crowd.texts[crowd.item_ids.index("item 7")].as_py() == "a, 7"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gold.csv", "task,label\na,x\nb,y\na,y\n", "row 3: task 'a' has label 'y', but 'x' further up"),
        ("gold.csv", "task,label\n", "no rows"),
        ("gold.csv", "item,label\na,x\n", "no column 'task'"),
        ("labels.csv", "task,worker,label\na,,x\n", "row 1: worker is empty"),
        ("labels.csv", "task,worker,label\na,w\n", "row 1: label is empty"),
    ],
)
def test_broken_files_are_named_with_row_and_what_to_do(tmp_path: Path, name: str, content: str, message: str) -> None:
    folder = write(tmp_path / "small")
    (folder / name).write_text(content, encoding="utf-8")
    result = run(folder, tmp_path)
    assert result.exit_code == 1
    assert message in result.output
    assert name in result.output


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((ITEMS, 4), 0.25), "expected (150, 3)"),
        (np.full((9, 3), 0.3), "found shape (9, 3)"),
        (np.full((ITEMS, 3), "x"), "expected numbers"),
    ],
)
def test_a_model_of_another_shape_is_an_error(tmp_path: Path, values: np.ndarray, message: str) -> None:
    folder = write(tmp_path / "small")
    np.save(folder / "pred_probs.npy", values)
    with pytest.raises(SourceError, match=r"pred_probs\.npy") as caught:
        read_folder(folder)
    assert message in str(caught.value)


def test_one_class_only_is_nothing_to_check(tmp_path: Path) -> None:
    folder = write(tmp_path / "small")
    rows(folder / "labels.csv", "task,worker,label", ["a,w,x"])
    rows(folder / "gold.csv", "task,label", ["a,x"])
    with pytest.raises(SourceError, match="one class only, 'x'"):
        read_folder(folder)


def test_numbers_are_ordered_as_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    rows(folder / "labels.csv", "task,worker,label", [f"{item},w,{item % 11}" for item in range(30)])
    rows(folder / "gold.csv", "task,label", [f"{item},{item % 11}" for item in range(30)])
    assert read_folder(folder)[0].classes == tuple(str(number) for number in range(11))
