"""The page of humans on a small made delivery: it stands alone, shows every attack, and its figures are the JSON's."""

import json
import re
import signal
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.attacks.__main__ import ATTACKS
from benchmarks.double_check.deployed import Frozen
from benchmarks.double_check.folder import Gold
from benchmarks.double_check.pac_labels import BOUNDS as PAC_BOUNDS
from benchmarks.double_check.rankers import OURS
from benchmarks.humans import by_class, label_by_model, measure, tried_attacks
from benchmarks.humans.__main__ import main
from benchmarks.humans.arms import ARMS, PEERS, TAUGHT_ITEMS, Candidate, make_candidates
from benchmarks.humans.by_class import ClassBounds, bound_classes, find_read, summarise_classes
from benchmarks.humans.draw import HEIGHT, LINE_HEIGHT, Point, Series, draw_chart
from benchmarks.humans.label_by_model import ModelView, view_by_endpoint, view_by_sentences
from benchmarks.humans.limits import DRAWN, list_losses
from benchmarks.humans.measure import measure_sample, steps_of
from benchmarks.humans.page import render_page
from benchmarks.humans.replay import PAC, count_false, price_items, replay_candidate
from benchmarks.humans.sample import SampleBatch, read_batch
from benchmarks.humans.tried_attacks import (
    UNKNOWN,
    ShownAttack,
    end_attacks,
    find_results,
    finish_attacks,
    read_notes,
    read_results,
    shown_attacks,
)
from chat_server import ChatServer, reply, served
from cupel.certificate.hypergeometric import Reals
from cupel.checking.rounds import NO_ROUND
from cupel.config.checking import LlmChecker
from cupel.errors import AuditError, CheckerError, CupelError, SourceError
from cupel.kinds.projects import load_project
from samples.vader import Sentence

ROOT = Path(__file__).parents[2]
PROJECT = load_project(ROOT / "projects" / "sentiment.yaml")
CLASSES = tuple(PROJECT.labeling.classes)
BUDGETS = (0.1, PROJECT.release.error_budget)
ITEMS, CREW, REPLAYS = 300, 3, 4
VOID = {"meta", "line", "polyline", "polygon"}
Page = tuple[dict[str, Any], list[ShownAttack], str]


def make_batch(name: str, seed: int) -> tuple[SampleBatch, ModelView]:
    """Make sentences whose third class is rare, a crew that errs on a tenth, and features that tell the class."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, ITEMS, p=(0.6, 0.35, 0.05))
    ids = [f"s{number:04d}" for number in range(ITEMS)]
    said = np.where(rng.random((ITEMS, CREW)) < 0.1, (truth[:, None] + 1) % 3, truth[:, None])
    rows = [(ids[i], f"w{a}", CLASSES[said[i, a]]) for i in range(ITEMS) for a in range(CREW)]
    names = ("item_id", "annotator", "label")
    table = pa.table({name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)})
    features = np.eye(3)[truth] + rng.normal(0, 0.6, (ITEMS, 3))
    gold = Gold({item: CLASSES[place] for item, place in zip(ids, truth, strict=True)})
    batch = SampleBatch(name, tuple(ids), tuple(f"text {item}" for item in ids), table, gold, 7, 0)
    return batch, ModelView("a made model", features, None)


def results() -> list[dict[str, str]]:
    """Return what attacks came to, each as expected."""
    return [{"attack": one.name, "error": "", "outcome": str(one.expected), "words": "said <so>"} for one in ATTACKS]


@pytest.fixture(scope="module")
def page() -> Page:
    steps: list[int] = []
    batches = [make_batch("movies", 1), make_batch("newspaper", 2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "BUDGETS", BUDGETS)
        found = measure_sample(batches, PROJECT, REPLAYS, lambda: steps.append(1))
    assert len(steps) == steps_of(2, len(BUDGETS))
    attacks = shown_attacks(results())
    return json.loads(json.dumps(found)), attacks, render_page(found, attacks)


class Reader(HTMLParser):
    """Collects tags with their attributes, and holds that all that is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(text: str) -> list[tuple[str, dict[str, str]]]:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader.tags


def test_the_page_is_whole_and_stands_alone(page: Page) -> None:
    tags = read(page[2])
    assert [tag for tag, _ in tags][:2] == ["html", "head"]
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in tags
    for _, attributes in tags:
        assert not {"src", "href", "srcset", "action", "data", "xlink:href"} & set(attributes)
    assert not re.search(r"https?:|//[a-z]|url\(|@import|fetch\(|XMLHttp", page[2])
    assert "nan" not in re.findall(r"\bnan\b", page[2])


def test_every_attack_of_the_page_of_attacks_is_a_button_with_what_came_of_it(
    page: Page,
) -> None:
    text = (ROOT / "docs" / "attacks.md").read_text()
    named = read_notes(text)
    tags = read(page[2])
    buttons = [attributes for tag, attributes in tags if tag == "details" and "data-attack" in attributes]
    assert sorted(one["data-attack"] for one in buttons) == sorted(named)
    verdicts = {one["data-attack"]: one["data-verdict"] for one in buttons}
    assert verdicts["lake-deleted"] == "not caught"
    assert verdicts["planted-items-easy"] == "told"
    assert verdicts["delivery-renamed"] == verdicts["texts-exchanged"] == "caught"
    free = re.findall(r"^\| `.*` \| not caught \|", text, re.MULTILINE)
    assert list(verdicts.values()).count("not caught") == len(free) > 0
    assert "said &lt;so&gt;" in page[2]


def test_an_attack_without_a_result_is_none_that_was_caught() -> None:
    first, *others = results()
    shown = {one.name: one for one in shown_attacks([first | {"error": "it fell", "outcome": None}, *others[1:]])}  # type: ignore[list-item]
    broken, missing = shown[first["attack"]], shown[others[0]["attack"]]
    assert broken.verdict == missing.verdict == UNKNOWN
    assert broken.words == "it fell"
    assert not broken.is_as_said
    assert not missing.is_as_said


def run_instead(code: str, stdout: int = DEVNULL) -> Popen[bytes]:
    return Popen([sys.executable, "-c", code], stdout=stdout, stderr=PIPE)


def test_results_of_attacks_are_kept_and_a_program_that_leaves_none_is_an_error(tmp_path: Path) -> None:
    results = find_results(tmp_path)
    unfinished = results.with_suffix(".unfinished")
    finish_attacks(run_instead(f"open({str(unfinished)!r}, 'w').write('[]')"), results)
    assert read_results(results) == []
    assert not unfinished.exists()
    with pytest.raises(CupelError, match="could not be tried: no space is left; run `make attacks`"):
        finish_attacks(run_instead("raise SystemExit('no space is left')"), results)


def test_attacks_that_hold_signals_back_are_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tried_attacks, "WAIT_SECONDS", 0.1)
    deaf = run_instead(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)", PIPE
    )
    assert deaf.stdout is not None
    assert deaf.stdout.readline() == b"1\n"
    end_attacks(deaf)
    assert deaf.returncode == -signal.SIGKILL
    end_attacks(None)


def test_the_charts_show_the_figures_of_the_json(page: Page) -> None:
    found, _, text = page
    dots = [attributes for tag, attributes in read(text) if tag == "circle"]
    drawn = sorted((float(one["data-error"]), float(one["data-share"])) for one in dots)
    expected = []
    for one in found["sets"]:
        for row in one["rows"]:
            is_ours = row["method"] == OURS
            times = 2 if is_ours else row["method"] in DRAWN
            expected += [(row["budget"], row["read_share"]["mean"])] * times
            if is_ours:
                expected += [(row["budget"], row["clopper_pearson_share"]), (row["budget"], row["floor_share"])]
    assert drawn == sorted(expected)
    assert len(drawn) == 2 * len(BUDGETS) * (2 * len(ARMS) + len(PEERS) + 3 * len(ARMS))


def test_figures_are_shares_in_their_order_and_what_experts_taught_is_counted(
    page: Page,
) -> None:
    rows = page[0]["sets"][0]["rows"]
    ranked = {(row["arm"], row["method"]) for row in rows}
    assert ranked == {
        *((arm, OURS) for arm in ARMS),
        *(("crew", one) for one in PEERS),
        *((arm, PAC + bound) for arm in ARMS for bound in PAC_BOUNDS),
    }
    for row in rows:
        assert 0 <= row["read_share"]["low"] <= row["read_share"]["high"] <= 1
        if not row["method"].startswith(PAC):
            assert 0 <= row["floor_share"] <= row["read_share"]["high"]
        if row["arm"] == "model" and row["method"] == OURS:
            assert row["asked_before_share"] >= min(TAUGHT_ITEMS, ITEMS // 2) / ITEMS
        people = 0 if row["arm"] == "model" else CREW
        assert row["price"]["crew"] == pytest.approx(people * PROJECT.prices.annotator_answer)


def test_a_model_that_knows_the_classes_is_taught_nothing_and_labels_alone() -> None:
    batch, view = make_batch("movies", 3)
    assert view.features is not None
    odds = np.exp(3 * view.features)
    odds[:5] = np.nan  # it gave no class there
    view = ModelView("large", None, odds / odds.sum(axis=1, keepdims=True))
    first, *_, both = make_candidates(batch, view, CLASSES, (0.05,))
    assert (first.arm, both.arm) == ("model", "both")
    assert first.first.asked == ()
    best = {item: np.nan_to_num(odds[place]).argmax() for place, item in enumerate(batch.item_ids)}
    order = list(zip(first.first.item_ids, first.first.labels, strict=True))
    assert np.mean([label == CLASSES[best[item]] for item, label in order]) > 0.95
    is_right = [batch.gold.verdicts[item] == label for item, label in order]
    assert np.mean(is_right[:100]) > 0.9 > np.mean(is_right[-100:])


def test_the_same_sample_gives_the_same_page(page: Page) -> None:
    found, attacks, text = page
    assert render_page(found, attacks) == text


def test_losses_are_said_with_their_budgets_and_a_tie_is_none(page: Page) -> None:
    found = json.loads(json.dumps(page[0]))
    for one in found["sets"]:
        for row in one["rows"]:
            row["read_share"]["mean"] = 0.5 - 0.1 * (row["arm"] == "both")
    assert list_losses(found) == []
    for row in found["sets"][0]["rows"]:
        if (row["arm"], row["method"], row["budget"]) == ("crew", "majority", 0.1):
            row["read_share"]["mean"] = 0.49
        if (row["arm"], row["method"]) == ("crew", OURS):
            row["read_share"]["mean"] = 0.3
    assert list_losses(found)[-1] == "movies: the crew alone needs less than crew and model together, at 10%, 1%."
    for row in found["sets"][0]["rows"]:
        row["read_share"]["mean"] += 0.5 * ((row["arm"], row["method"]) == ("crew", OURS))
    assert "movies, crew: experts read less with majority, at 10%, 1%." in list_losses(found)


def test_false_certificates_are_counted_with_their_exact_interval() -> None:
    from scipy.stats import binomtest

    found = count_false([{"false": 3, "replays": 100}, {"false": 1, "replays": 100}])
    low, high = binomtest(4, 200).proportion_ci(0.95, "exact")
    assert (found["false"], found["replays"], found["share"]) == (4, 200, 4 / 200)
    assert (found["low"], found["high"]) == (pytest.approx(low), pytest.approx(high))


def test_a_price_is_that_of_the_crew_and_of_what_experts_read() -> None:
    assert price_items({"read_share": {"mean": 0.25}}, 3, 0.04, 0.6) == {
        "crew": pytest.approx(0.12), "experts": pytest.approx(0.15), "total": pytest.approx(0.27)
    }  # fmt: skip


def frozen_of(labels: list[str]) -> Frozen:
    ids = tuple(f"i{number:04d}" for number in range(len(labels)))
    return Frozen((), NO_ROUND, False, ids, tuple(labels), np.linspace(5, 0, len(labels)))


def bound(frozen: Frozen, marks: Reals, gold: Gold, budget: float) -> list[ClassBounds]:
    return bound_classes(frozen, find_read(frozen, marks, gold, budget), gold, CLASSES)


def test_an_audit_that_reads_other_items_than_the_deployed_one_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = frozen_of(["positive"] * 100 + ["neutral"] * 100)
    gold = Gold(dict.fromkeys(frozen.item_ids, "positive"))
    candidate = Candidate("crew", OURS, frozen, {0.05: frozen})
    assert replay_candidate(candidate, gold, CLASSES, 2, lambda: None)[0]["replays"] == 2
    monkeypatch.setattr(by_class, "audit_shares", lambda size, budget: np.array([0.01]))
    with pytest.raises(AuditError, match=r"in the deployed procedure; make benchmarks\.humans"):
        replay_candidate(candidate, gold, CLASSES, 2, lambda: None)


def test_class_bounds_hold_in_nearly_all_audits_and_say_what_is_true() -> None:
    rng = np.random.default_rng(4)
    truth = rng.choice(CLASSES, 3000, p=(0.7, 0.28, 0.02)).tolist()
    # Half of the rare class is called by another name, among the safest labels.
    labels = [CLASSES[0] if one == CLASSES[2] and rng.random() < 0.5 else one for one in truth]
    frozen = frozen_of(labels)
    gold = Gold(dict(zip(frozen.item_ids, truth, strict=True)))
    replays = [bound(frozen, rng.random(3000), gold, 0.02) for _ in range(300)]
    assert sum(any(one.is_broken for one in found) for found in replays) <= 0.02 * 300
    rows = {row["class"]: row for row in summarise_classes(replays)}
    rare = rows[CLASSES[2]]
    assert rare["missed"] > 0.3
    assert rare["missed"] < rare["missed_bound"]
    assert rows[CLASSES[1]]["missed"] == 0 < rows[CLASSES[1]]["missed_bound"] < 0.2


def test_a_class_that_nobody_named_is_unproven_and_what_experts_read_is_right() -> None:
    frozen = frozen_of(["positive"] * 200)
    gold = Gold(dict.fromkeys(frozen.item_ids, "positive"))
    found = {one.name: one for one in bound(frozen, np.linspace(0, 1, 200), gold, 0.05)}
    assert (found["neutral"].wrong_bound, found["neutral"].missed_bound) == (1, 1)
    assert found["positive"].missed_bound == 0
    everything = bound(frozen, np.zeros(200), gold, 0.05)[-1]
    assert (everything.wrong_bound, everything.labelled) == (0, 200)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7), st.floats(0.1, 1))
def test_names_at_the_ends_of_lines_never_cover_each_other(shares: list[float], top: float) -> None:
    series = [Series(f"n{place}", "peer", (Point(0.1, 0.0), Point(0.01, share))) for place, share in enumerate(shares)]
    chart = str(draw_chart("made", series, top))
    heights = sorted(float(y) for y in re.findall(r'class="name[^"]*" x="[^"]*" y="([^"]*)"', chart))
    assert len(heights) == len(shares)
    assert all(after - before >= LINE_HEIGHT - 0.11 for before, after in pairwise(heights))
    assert heights[0] > 0
    assert heights[-1] < HEIGHT


def test_a_sample_that_is_not_there_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file; `make setup` fetches the sample"):
        read_batch(tmp_path, "movies")


def test_contested_and_repeated_sentences_are_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from samples import vader

    clear, split = [3] * 8, [-4, 4, -4, 4, -3, 3, 0, 1]
    rows = [Sentence(str(n), text, marks) for n, (text, marks) in enumerate(
        [("good", clear), ("so so", split), ("good", clear), ("bad", [-3] * 8)])]  # fmt: skip
    monkeypatch.setattr(vader, "_archive", lambda folder: folder)
    monkeypatch.setattr(vader, "_sentences", lambda archive, name: rows)
    vader.prepare(tmp_path)
    for name in ("movies", "newspaper"):
        batch = read_batch(tmp_path, name)
        assert (batch.item_ids, batch.contested, batch.repeated) == (("0", "3"), 1, 1)
        assert batch.gold.verdicts == {"0": "positive", "3": "negative"}
        assert batch.annotations.num_rows == 2 * CREW
        assert len(set(batch.annotations["annotator"].to_pylist())) == CREW


def test_a_model_that_is_not_installed_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_by_model.minilm, "missing", lambda: ["onnx"])
    with pytest.raises(CheckerError, match=r"^package onnx: not installed; run `make embedding`, or name an endpoint$"):
        view_by_sentences(["a"], tmp_path, "movies")


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with served(lambda number, prompt: reply("Positive" if prompt.endswith("good") else "no idea", [-0.1])) as made:
        yield made


def test_an_endpoint_labels_with_probabilities_and_is_asked_once_for_each_text(
    server: ChatServer, tmp_path: Path
) -> None:
    settings = LlmChecker(url=server.url, model="tiny")
    views = [view_by_endpoint(["good", "bad"], settings, PROJECT.labeling, tmp_path, "movies") for _ in range(2)]
    said = views[0].probabilities
    assert said is not None
    assert said[0].argmax() == CLASSES.index("positive")
    assert said[0].sum() == pytest.approx(1)
    assert np.isnan(said[1]).all()
    assert len(server.heard) == 3  # the first text once more, to see whether anybody is there


def test_an_endpoint_that_does_not_answer_is_said_in_one_sentence(tmp_path: Path) -> None:
    settings = LlmChecker(url="http://127.0.0.1:9/v1", model="tiny")
    with pytest.raises(
        CheckerError, match=r"cannot be reached, or hung up; start it, or name another with ENDPOINT=URL$"
    ):
        view_by_endpoint(["good"], settings, PROJECT.labeling, tmp_path, "movies")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--endpoint", "http://127.0.0.1:9/v1"], "give both, ENDPOINT="),
        (["--model", "tiny"], "give both, ENDPOINT="),
        (["--endpoint", "no address", "--model", "tiny"], "endpoint 'no address'"),
        (["--endpoint", "http://a/v1", "--model", "tiny", "--key-env", "lower case"], "environment variable"),
    ],
)
def test_a_bad_endpoint_is_refused_before_any_work(arguments: list[str], said: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--folder", str(tmp_path / "out"), *arguments])
    assert result.exit_code == 1
    assert said in result.output
    assert not (tmp_path / "out").exists()
