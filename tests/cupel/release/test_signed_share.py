import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cupel.contract.table import from_rows
from cupel.contract.tables.release import ADJUDICATIONS, AUDIT, EXPERT_ANSWERS
from cupel.errors import CupelError
from cupel.lake.answer_chain import GIVEN
from cupel.lake.lake import Lake
from cupel.people.answers.signed_answers import SIGNED_ANSWERS, describe_answers, digest_answer, sort_files
from cupel.release.release_audit import ReleaseAudit
from cupel.release.signed_share import (
    SignedShare,
    count_share,
    find_signed_answers,
    find_signed_problem,
    signed_sentence,
)
from cupel.signing.keys import make_key
from cupel.signing.signed_files import sign_file
from cupel.signing.trusted_keys import TrustedKeys, add_key
from made_releases import make_terms

EVE = make_key()
TRUSTED = add_key(TrustedKeys((), "keys.json"), EVE.public, "Eve", "2026-11-30T00:00:00Z")
# Item, its verdict, and the answers on it in the order in which they came: one expert's word settles nothing here.
AUDITED = {"i1": ("a", ["a", "a"]), "i2": (None, ["a", "b", None])}
ADJUDICATED = {"i3": ("b", ["a", "b", "b"]), "i4": ("b", ["b", "b"])}


def verdict_rows(items: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "release": "r", "batch": "one", "item_id": name, "label": "a", "answers": len(said), "is_settled": True,
            "is_contested": label is None, "expert_label": label, "is_wrong": label not in (None, "a"),
        }
        for name, (label, said) in items.items()
    ]  # fmt: skip


def answer_rows() -> list[dict[str, Any]]:
    said = [(name, label) for name, (_, labels) in (AUDITED | ADJUDICATED).items() for label in labels]
    said += [("i1", "b"), ("i9", "a")]  # beyond what the verdict rests on, and on an item that nobody judges
    return [
        {"sequence": n, "batch": "one", "item_id": name, "purpose": "expert", "annotator": "eve", "label": label}
        for n, (name, label) in enumerate(said, 1)
    ]


@pytest.fixture
def audit() -> ReleaseAudit:
    terms = make_terms(4, expert_answers=2)
    return ReleaseAudit(
        terms,
        audit=from_rows(verdict_rows(AUDITED), AUDIT),
        adjudications=from_rows(verdict_rows(ADJUDICATED), ADJUDICATIONS),
        expert_answers=from_rows(answer_rows(), EXPERT_ANSWERS),
    )


@pytest.fixture
def told(audit: ReleaseAudit, tmp_path: Path) -> dict[str, Any]:
    """What a certificate says where the answers on all items but the first came from a file that Eve signed."""
    lake, names = Lake(tmp_path / "lake", "tiny"), ("one.csv", "eve.csv")
    rows = answer_rows()
    for name in names:
        own = [row for row in rows if (row["item_id"] == "i1") == (name == "one.csv")]
        lines = [f"one,{row['item_id']},expert,eve,{row['label'] or ''}" for row in own]
        (tmp_path / name).write_text("\n".join(["batch,item_id,purpose,annotator,label", *lines]) + "\n")
    sign_file(tmp_path / "eve.csv", EVE, describe_answers(tmp_path / "eve.csv"))
    sort_files([tmp_path / name for name in names], TRUSTED, lake.log(SIGNED_ANSWERS), 0)
    schema = pa.schema([("answer_id", pa.string()), ("task_id", pa.string()), ("batch", pa.string()),
                        ("item_id", pa.string()), ("purpose", pa.string()), ("annotator", pa.string()),
                        ("label", pa.string()), ("seconds_spent", pa.float64()),
                        ("answered_at", pa.timestamp("us", "UTC")), ("source", pa.string())])  # fmt: skip
    given = [
        {**row, "answer_id": str(row["sequence"]), "source": f"recorded:{names[row['item_id'] != 'i1']}"}
        for row in rows
    ]
    assert set(schema.names) == set(GIVEN)
    lake.answers.append(pa.Table.from_pylist(given, schema=schema))
    return find_signed_answers(lake, audit)


def test_the_answers_that_verdicts_rest_on_are_counted_and_those_that_were_signed(
    audit: ReleaseAudit, told: dict[str, Any]
) -> None:
    assert count_share(told, audit) == SignedShare(answers=2 + 3 + 3 + 2, signed=3 + 3 + 2, keys=1)
    assert find_signed_problem(told, audit) == ""
    assert [row["label"] for row in told["answers"]] == ["a", "b", None, "a", "b", "b", "b", "b"]
    assert "answers_from" not in told["files"][0]


def test_an_answer_that_two_verdicts_rest_on_is_counted_once_unless_adjudicators_are_audited(
    audit: ReleaseAudit, told: dict[str, Any]
) -> None:
    again = replace(audit, audit=pa.concat_tables([audit.audit, from_rows(verdict_rows(ADJUDICATED), AUDIT)]))
    assert count_share(told, again).answers == 10
    apart = replace(again, terms=make_terms(4, expert_answers=2, adjudicators_audited=2))
    assert count_share(told, apart).answers == 10 + 3 + 2


def test_where_nobody_signed_that_is_said(audit: ReleaseAudit, tmp_path: Path) -> None:
    told = find_signed_answers(Lake(tmp_path / "lake", "tiny"), audit)
    assert told == {"files": [], "answers": []}
    assert find_signed_problem(told, audit) == ""
    assert signed_sentence(count_share(told, audit)).endswith(
        "10 expert answers that the verdicts rest on, none was signed."
    )
    assert signed_sentence(None) == ""


def name_the_label_too(told: dict[str, Any]) -> None:
    row, file = told["answers"][0], told["files"][0]
    row["label"] = "b"
    file["digests"] = sorted([*file["digests"], digest_answer(row["batch"], row["item_id"], "b")])


def count_twice(told: dict[str, Any]) -> None:
    """Call an answer two answers, the second by the same file once more."""
    told["files"].append(told["files"][0])
    told["answers"].append({**told["answers"][0], "file": 1})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (name_the_label_too, "does not name the answers of its file"),
        (lambda told: told["answers"][5].update(label="c"), "one/i3: 'c' is not among the answers that its file's"),
        (count_twice, "one/i2: 'a' is not among the answers that its file's"),
        (lambda told: told["answers"].append({**told["answers"][0], "part": "expert"}), "but its verdict rests on 0"),
        (lambda told: told["files"][0]["envelope"]["signatures"][0].update(sig="A" * 86 + "=="), "is not that of key"),
        (lambda told: told["files"][0]["envelope"]["signatures"][0].update(sig="A" * 85 + "B=="), "not base64"),
        (lambda told: told["files"][0].update(sha256="0" * 64), "of another content"),
        (lambda told: told["files"][0].update(public="0" * 64), "does not hold"),
        (lambda told: told["files"][0].update(key_id="0" * 64), "but it says 000"),
    ],
)  # fmt: skip
def test_a_claim_that_the_signatures_do_not_bear_out_is_noticed(
    audit: ReleaseAudit, told: dict[str, Any], spoil: Callable[[dict[str, Any]], Any], words: str
) -> None:
    claimed = copy.deepcopy(told)
    spoil(claimed)
    assert words in find_signed_problem(claimed, audit)


@pytest.mark.parametrize(("part", "item"), [("audit", "i2"), ("adjudications", "i3"), ("adjudications", "i4")])
def test_a_verdict_that_contradicts_the_answers_signed_for_it_is_noticed(
    audit: ReleaseAudit, told: dict[str, Any], part: str, item: str
) -> None:
    rows = getattr(audit, part).to_pylist()
    row = next(row for row in rows if row["item_id"] == item)
    row.update(expert_label="a")
    forged = ReleaseAudit(audit.terms, **{"audit": audit.audit, "adjudications": audit.adjudications, part: from_rows(
        rows, AUDIT if part == "audit" else ADJUDICATIONS)})  # fmt: skip
    assert f"one/{item}: the verdict is 'a', but the signed answers are" in find_signed_problem(told, forged)


@pytest.mark.parametrize("told", [{}, {"files": []}, {"files": [{}], "answers": []}, [], {"files": [], "answers": [1]}])
def test_a_claim_that_is_none_raises_what_verify_tells(audit: ReleaseAudit, told: Any) -> None:
    with pytest.raises((CupelError, LookupError, TypeError, AttributeError)):
        find_signed_problem(told, audit)
