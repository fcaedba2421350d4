"""One case for each route and reason; a threshold that just holds and one that just fails."""

import pyarrow as pa
import pytest

from cupel.checking.labels import LAST_LOG_ODDS, awaiting, labels
from cupel.checking.routes import EXPERT_IS_CHEAPER, routes
from cupel.config.checking import Checking
from cupel.config.labeling import Overlap
from cupel.config.prices import Prices
from cupel.consensus.consensus import consensus
from cupel.contract.ontology import Ontology
from cupel.contract.table import from_rows
from cupel.contract.tables.checking import LABELS, PREDICTIONS, ROUTES
from cupel.contract.tables.labeling import REJECTED_ANSWERS
from cupel.errors import TableError
from cupel.kinds.category import CATEGORY

CLASSES = ("x", "y", "z")
ONTOLOGY = Ontology(tuple(CLASSES))
OVERLAP = Overlap(first=2, most=3, least_share=0)
# Answers of each item, and what the checker thinks of it.
SURE_X, SURE_Y, UNSURE_X = [0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [0.4, 0.35, 0.25]
# A background of plain items teaches that annotators and checker are mostly right.
BACKGROUND = [("xxx", SURE_X), ("yyy", SURE_Y), ("xx", SURE_X), ("yy", SURE_Y), ("zzz", [0.01, 0.01, 0.98])] * 20


def tables(*cases: tuple[str, list[float] | None]) -> tuple[pa.Table, pa.Table]:
    every = [*cases, *BACKGROUND]
    ids = [f"{number:03}" for number in range(len(every))]
    answers = [(item, label) for item, (given, _) in zip(ids, every, strict=True) for label in given]
    annotations = pa.table({
        "item_id": [item for item, _ in answers],
        "annotator": pa.nulls(len(answers), pa.string()),
        "label": [label for _, label in answers],
    })  # fmt: skip
    opinions = [opinion for _, opinion in every]
    predictions = pa.table({
        "item_id": ids,
        "predicted_label": [None if p is None else CLASSES[p.index(max(p))] for p in opinions],
        "posterior": pa.array(opinions, pa.list_(pa.float64())),
        "fold": pa.array([0] * len(ids), pa.int64()),
        "abstention": pa.array(["silent" if p is None else None for p in opinions], pa.string()),
        "model": ["m"] * len(ids),
        "model_version": ["1"] * len(ids),
    }, schema=PREDICTIONS.schema)  # fmt: skip
    return consensus(annotations, ids, CLASSES), predictions


def route(case: tuple[str, list[float] | None], accept: float = 3.0, overlap: Overlap = OVERLAP) -> tuple[str, str]:
    found = routes(*tables(case), overlap, Checking(accept_log_odds=accept), CATEGORY, ONTOLOGY)
    assert found.schema.equals(ROUTES.schema)
    return found["route"][0].as_py(), found["reason"][0].as_py()


@pytest.mark.parametrize(("case", "accept", "expected"), [
    (("", SURE_X), 3.0, ("annotator", "awaits its first answers")),
    (("", None), 3.0, ("annotator", "awaits its first answers")),
    (("x", SURE_X), 3.0, ("annotator", "awaits its first answers")),
    (("xy", SURE_X), 3.0, ("annotator", "annotators disagree")),
    (("xx", SURE_Y), 99.0, ("annotator", "annotators and checker disagree")),
    (("xx", SURE_X), 3.0, ("accept", "annotators and checker agree")),
    (("xxx", None), 3.0, ("accept", "annotators are sure enough, the checker has no opinion")),
    (("xxy", SURE_X), 1.0, ("accept", "opinions differ, the evidence is strong")),
    (("xyz", UNSURE_X), 99.0, ("expert", "annotators are tied")),
    (("xxy", SURE_Y), 99.0, ("expert", "checker against people")),
    (("xxx", UNSURE_X), 99.0, ("expert", "the evidence is weak")),
])  # fmt: skip
def test_every_route_has_its_reason(case, accept: float, expected: tuple[str, str]) -> None:  # type: ignore[no-untyped-def]
    assert route(case, accept) == expected


def test_nobody_is_asked_beyond_the_most() -> None:
    for given in ("xyz", "xxy", "xyzx"):
        assert route((given, SURE_Y), 99.0)[0] == "expert"
    assert route(("xyz", SURE_Y), 99.0, Overlap(first=2, most=4, least_share=0))[0] == "annotator"


def test_a_checkers_doubts_keep_nobody_waiting_for_less_than_the_least_share() -> None:
    share = 1 / (1 + len(BACKGROUND))
    asked, left = (Overlap(first=2, most=3, least_share=least) for least in (share, share + 1e-9))
    assert route(("xx", SURE_Y), 99.0, asked) == ("annotator", "annotators and checker disagree")
    assert route(("xx", SURE_Y), 99.0, left) == ("expert", "checker against people")


def test_doubts_are_asked_about_along_with_what_is_asked_anyway() -> None:
    people, model = tables(("xx", SURE_Y), ("xy", SURE_X), ("", None))
    overlap = Overlap(first=2, most=3, least_share=3 / (3 + len(BACKGROUND)))
    found = routes(people, model, overlap, Checking(accept_log_odds=99.0), CATEGORY, ONTOLOGY)
    assert found["route"].to_pylist()[:3] == ["annotator"] * 3


def test_people_who_disagree_are_asked_about_however_few_they_are() -> None:
    assert route(("xy", SURE_X), 99.0, Overlap(first=2, most=3, least_share=1))[0] == "annotator"
    assert route(("x", SURE_X), 99.0, Overlap(first=2, most=3, least_share=1))[0] == "annotator"


def test_a_checker_that_evidence_outweighs_costs_no_answer() -> None:
    assert route(("xx", SURE_Y), accept=-99.0) == ("accept", "opinions differ, the evidence is strong")


def test_an_item_is_accepted_exactly_from_the_threshold_on() -> None:
    odds = CATEGORY.fuse(*tables(("xxx", SURE_X)), ONTOLOGY, None).log_odds[0]
    assert route(("xxx", SURE_X), accept=odds)[0] == "accept"
    assert route(("xxx", SURE_X), accept=odds + 1e-6)[0] == "expert"


def test_an_item_without_any_evidence_has_no_label() -> None:
    found = routes(*tables(("", None)), Overlap(), Checking(), CATEGORY, ONTOLOGY)
    assert (found["label"][0].as_py(), found["log_odds"][0].as_py()) == (None, None)


def test_row_order_does_not_matter() -> None:
    people, model = tables(("xy", SURE_X), ("", None))
    back = list(range(people.num_rows))[::-1]
    one = routes(people, model, Overlap(), Checking(), CATEGORY, ONTOLOGY)
    assert one.equals(routes(people.take(back), model.take(back), Overlap(), Checking(), CATEGORY, ONTOLOGY))


def test_labels_are_refused_while_an_item_awaits_an_annotator() -> None:
    people, model = tables(("xy", SURE_X))
    found = routes(people, model, Overlap(), Checking(), CATEGORY, ONTOLOGY)
    assert awaiting(found) == ["000"]
    with pytest.raises(TableError, match="1 items await an annotator, the first is '000'"):
        labels(found, people, model, CATEGORY, ONTOLOGY)


def test_labels_say_who_decided() -> None:
    people, model = tables(("xxy", SURE_X), ("yyx", SURE_X))
    found = routes(people, model, Overlap(first=2, most=2), Checking(), CATEGORY, ONTOLOGY)
    made = labels(found, people, model, CATEGORY, ONTOLOGY)
    assert made.schema.equals(LABELS.schema)
    assert made.num_rows == people.num_rows
    for row in made.to_pylist():
        is_with_people = row["label"] == row["consensus_label"]
        assert row["decided_by"] == ("people and checker" if is_with_people else "checker against people")
    assert set(made["decided_by"].to_pylist()) == {"people and checker", "checker against people"}


def test_labels_of_other_items_are_refused() -> None:
    people, model = tables(("xxx", SURE_X))
    found = routes(people, model, Overlap(), Checking(), CATEGORY, ONTOLOGY)
    with pytest.raises(TableError, match="routes and predictions hold different items"):
        labels(found, people, model.slice(1), CATEGORY, ONTOLOGY)


@pytest.mark.parametrize(
    ("prices", "expected"),
    [(Prices(annotator_answer=0.04, expert_answer=0.6), ("annotator", "annotators disagree")),
     (Prices(annotator_answer=1.0, expert_answer=1.0), EXPERT_IS_CHEAPER),
     (Prices(), ("annotator", "annotators disagree"))],
)  # fmt: skip
def test_the_dearer_answer_per_error_removed_is_not_bought(prices: Prices, expected: tuple[str, str]) -> None:
    people, model = tables(("xy", UNSURE_X))
    settings = Checking(accept_log_odds=3.0, route_by_price=True)
    found = routes(people, model, OVERLAP, settings, CATEGORY, ONTOLOGY, prices)
    assert (found["route"][0].as_py(), found["reason"][0].as_py()) == expected
    unpriced = routes(people, model, OVERLAP, Checking(accept_log_odds=3.0), CATEGORY, ONTOLOGY, prices)
    assert unpriced["reason"][0].as_py() == "annotators disagree"


def test_first_answers_are_awaited_whatever_they_cost() -> None:
    people, model = tables(("x", SURE_X))
    settings, prices = Checking(route_by_price=True), Prices(annotator_answer=9.0, expert_answer=0.1)
    assert (
        routes(people, model, OVERLAP, settings, CATEGORY, ONTOLOGY, prices)["reason"][0].as_py()
        == "awaits its first answers"
    )


def skips(*people: str | None, item: str = "000") -> pa.Table:
    rows = [
        {"sequence": number, "item_id": item, "annotator": person, "label": None, "reason": "undecided",
         "seconds_spent": None, "answered_at": None, "evidence": None}
        for number, person in enumerate(people, 1)
    ]  # fmt: skip
    names = REJECTED_ANSWERS.schema.names
    return from_rows([{name: row.get(name) for name in names} for row in rows], REJECTED_ANSWERS)


@pytest.mark.parametrize(("rejected", "route"), [
    (skips("ann", "bob"), "annotator"), (skips("ann", "bob", "cy"), "expert"), (skips(None, None, None), "expert"),
    (skips("ann", "ann", "ann"), "annotator"), (skips("ann", "bob", "cy", item="001"), "annotator"),
])  # fmt: skip
@pytest.mark.parametrize("said", ["", "x", "xy"])
def test_what_enough_annotators_skip_or_flag_goes_to_an_expert_and_is_asked_no_more(
    said: str, rejected: pa.Table, route: str
) -> None:
    people, model = tables((said, None), ("xx", SURE_X))
    found = routes(people, model, OVERLAP, Checking(), CATEGORY, ONTOLOGY, rejected=rejected)
    assert found["route"][0].as_py() == route
    assert (found["reason"][0].as_py() == "annotators cannot decide it") == (route == "expert")
    never = OVERLAP.model_copy(update={"most_undecided": None})
    assert (
        routes(people, model, never, Checking(), CATEGORY, ONTOLOGY, rejected=rejected)["route"][0].as_py()
        == "annotator"
    )


def test_what_annotators_cannot_decide_is_decided_by_nobody_and_is_last_in_the_risk_order() -> None:
    people, model = tables(("", None), ("xx", SURE_X))
    found = routes(people, model, OVERLAP, Checking(), CATEGORY, ONTOLOGY, rejected=skips("ann", "bob", "cy"))
    made = labels(found, people, model, CATEGORY, ONTOLOGY).to_pylist()
    assert (made[0]["decided_by"], made[0]["log_odds"], made[0]["consensus_label"]) == ("nobody", LAST_LOG_ODDS, None)
    assert made[0]["label"] in CLASSES
    assert all(row["log_odds"] > LAST_LOG_ODDS and row["decided_by"] != "nobody" for row in made[1:])
