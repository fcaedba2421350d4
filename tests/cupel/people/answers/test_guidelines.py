from functools import partial
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.config.guideline import Change
from cupel.contract.ontology import Ontology, Question
from cupel.contract.tables.answers import ANSWERS
from cupel.contract.tables.labeling import REJECTED_ANSWERS
from cupel.kinds.category import CATEGORY
from cupel.kinds.multilabel import MULTILABEL
from cupel.kinds.questions import QUESTIONS
from cupel.lake.guideline_log import GuidelineVersion
from cupel.people.answers.annotations import annotations, keep_classes
from cupel.people.answers.guidelines import (
    OLDER,
    OWN_GUIDELINE,
    UNKNOWN,
    task_suffix,
    translate_answers,
    translate_known,
    version_of_task,
    versions_until,
    with_older,
)

NAMES = tuple(letter * 64 for letter in "abc")


def version(place: int, ontology: str, answers_from: int = 1, **change: Any) -> GuidelineVersion:
    led = Change.model_validate({"from_version": NAMES[place - 1], **change}) if change else None
    return GuidelineVersion(
        NAMES[place], "text", "Which?", "category", Ontology(tuple(ontology.split())), answers_from, led
    )


def log(*rows: tuple[str | None, str, str | None], purpose: str = "label") -> pa.Table:
    """Return answers of a label, a source and a task, an annotator and an item each."""
    return pa.Table.from_pylist(
        [
            {"sequence": n, "answer_id": str(n), "task_id": task, "batch": "one", "item_id": f"i{n}",
             "purpose": purpose, "annotator": f"p{n}", "label": label, "seconds_spent": None, "answered_at": None,
             "source": source, "hash": ""}
            for n, (label, source, task) in enumerate(rows, 1)
        ],
        schema=ANSWERS.schema,
    )  # fmt: skip


def recorded(*labels: str | None) -> pa.Table:
    return log(*((label, "recorded:a.csv", "0" * 32) for label in labels))


def test_without_versions_every_answer_is_as_it_is() -> None:
    answers = recorded("glad", None)
    read = translate_answers(answers, [], CATEGORY)
    assert read.answers.equals(answers)
    assert read.rejected.num_rows == 0


def test_a_rename_keeps_every_answer_under_its_new_name() -> None:
    answers = recorded("glad", "sad", "glad", None)
    read = translate_answers(
        answers, [version(0, "glad sad"), version(1, "happy sad", classes={"glad": "happy"})], CATEGORY
    )
    assert read.rejected.num_rows == 0
    assert read.answers["label"].to_pylist() == ["happy", "sad", "happy", None]
    assert read.answers.drop_columns("label").equals(answers.drop_columns("label"))


def test_a_merge_keeps_the_answers_of_all_its_classes() -> None:
    merge = version(1, "good bad", classes={"great": "good", "fine": "good"})
    read = translate_answers(recorded("great", "fine", "bad"), [version(0, "great fine bad"), merge], CATEGORY)
    assert read.answers["label"].to_pylist() == ["good", "good", "bad"]


def test_a_split_asks_again_exactly_the_answers_of_its_class() -> None:
    split = version(1, "good great bad", classes={"good": ["good", "great"]})
    read = translate_answers(recorded("good", "bad", "good"), [version(0, "good bad"), split], CATEGORY)
    assert read.answers["sequence"].to_pylist() == [2]
    assert read.rejected["sequence"].to_pylist() == [1, 3]
    assert set(read.rejected["reason"].to_pylist()) == {OLDER}
    assert read.rejected["label"].to_pylist() == ["good", "good"]  # as it was given
    assert "split into good, great" in read.rejected["evidence"][0].as_py()


def test_a_drop_asks_again_the_answers_of_the_class_that_is_gone() -> None:
    drop = version(1, "a b", classes={"odd": None})
    read = translate_answers(recorded("odd", "a"), [version(0, "a b odd"), drop], CATEGORY)
    assert read.rejected["sequence"].to_pylist() == [1]
    assert "dropped" in read.rejected["evidence"][0].as_py()


@pytest.mark.parametrize(
    ("answers", "stay"), [("stay", [1, 2, 3]), ("ask_again", []), ({"ask_again": ["a"]}, [2, 3])]
)  # fmt: skip
def test_a_change_of_words_does_with_answers_what_it_says(answers: Any, stay: list[int]) -> None:
    read = translate_answers(
        recorded("a", "b", None), [version(0, "a b"), version(1, "a b", answers=answers)], CATEGORY
    )
    assert read.answers["sequence"].to_pylist() == stay


def test_two_changes_follow_each_other() -> None:
    chain = [
        version(0, "glad sad"),
        version(1, "happy sad", classes={"glad": "happy"}),
        version(2, "joyful content sad", classes={"happy": ["joyful", "content"]}),
    ]
    answers = log(("glad", "recorded:a.csv", None), ("sad", "recorded:a.csv", None),
                  ("happy", f"recorded:b.csv@guideline-{NAMES[1][:12]}", None),
                  ("content", f"recorded:c.csv@guideline-{NAMES[2][:12]}", None))  # fmt: skip
    read = translate_answers(answers, chain, CATEGORY)
    assert read.answers["label"].to_pylist() == ["sad", "content"]
    assert read.rejected["evidence"].to_pylist() == [
        f"'glad' of {NAMES[0][:12]}: split into joyful, content from {NAMES[1][:12]} to {NAMES[2][:12]}",
        f"'happy' of {NAMES[1][:12]}: split into joyful, content from {NAMES[1][:12]} to {NAMES[2][:12]}",
    ]


def test_an_answer_is_of_its_task_its_file_or_its_time() -> None:
    chain = [version(0, "a b"), version(1, "a b", answers_from=4, answers="ask_again")]
    new, old = f"{'0' * 32}@{NAMES[1][:12]}", f"{'0' * 32}@{NAMES[0][:12]}"
    answers = log(
        ("a", "label_studio:1:2:3", new), ("a", "label_studio:1:2:4", old), ("a", "label_studio:1:2:5", "0" * 32),
        ("a", "label_studio:1:2:6", None), ("a", "recorded:a.csv", new),
        ("a", f"recorded:b.csv@guideline-{NAMES[1][:12]}", old), ("a", "recorded:c.csv@guideline-nonsense", new),
    )  # fmt: skip
    read = translate_answers(answers, chain, CATEGORY)
    # By the task; by the time it came, unasked; by what its file says.
    assert read.answers["sequence"].to_pylist() == [1, 4, 6]
    assert dict(zip(read.rejected["sequence"].to_pylist(), read.rejected["reason"].to_pylist(), strict=True)) == {
        2: OLDER, 3: OLDER, 5: OLDER, 7: UNKNOWN,
    }  # fmt: skip


def test_an_audit_counts_only_under_the_guideline_of_its_release() -> None:
    chain = [version(0, "a b"), version(1, "a b", answers="stay")]
    read = translate_answers(log(("a", "recorded:a.csv", None), purpose="audit"), chain, CATEGORY, OWN_GUIDELINE)
    assert read.answers.num_rows == 0
    assert "an audit counts only" in read.rejected["evidence"][0].as_py()
    expert = log(("a", "recorded:a.csv", None), purpose="expert")
    assert translate_answers(expert, chain, CATEGORY, OWN_GUIDELINE).answers.num_rows == 1


def test_who_is_asked_again_has_not_answered_twice() -> None:
    chain = [version(0, "a b"), version(1, "a b c", classes={"a": ["a", "c"]})]
    rows = log(("a", "recorded:a.csv", None), ("c", f"recorded:b.csv@guideline-{NAMES[1][:12]}", None)).to_pylist()
    rows[1] |= {"item_id": "i1", "annotator": "p1"}
    read = translate_answers(pa.Table.from_pylist(rows, schema=ANSWERS.schema), chain, CATEGORY)
    parse = partial(keep_classes, classes=["a", "b", "c"])
    kept, rejected = annotations(read.answers, ["i1"], parse, True)
    assert kept["label"].to_pylist() == ["c"]
    whole = with_older(rejected, read.rejected)
    assert whole.schema.names == REJECTED_ANSWERS.schema.names
    assert whole["reason"].to_pylist() == [OLDER]


def test_a_new_class_in_an_old_file_is_not_taken_for_an_answer_under_the_new_guideline() -> None:
    chain = [version(0, "glad sad"), version(1, "happy sad", classes={"glad": "happy"})]
    read = translate_answers(recorded("happy", "sad"), chain, CATEGORY)
    assert read.answers["label"].to_pylist() == ["sad"]
    assert "'happy' is no label of" in read.rejected["evidence"][0].as_py()


def test_sets_of_classes_are_merged_and_asked_again_where_one_was_dropped() -> None:
    chain = [version(0, "a b c d"), version(1, "x d", classes={"a": "x", "b": "x", "c": None})]
    read = translate_answers(recorded('["b","a"]', '["c","d"]', "[]", '["d"]'), chain, MULTILABEL)
    kept = MULTILABEL.parse(read.answers["label"].combine_chunks(), Ontology(("x", "d"))).to_pylist()
    assert kept == ['["x"]', "[]", '["d"]']
    assert read.rejected["sequence"].to_pylist() == [2]


def test_several_questions_follow_the_change_of_each_and_are_asked_again_where_one_is_new() -> None:
    def asking(*questions: Question) -> Ontology:
        return Ontology((), questions)

    topic, tone = Question("topic", "category", ("sport", "art")), Question("tone", "category", ("warm", "cold"))
    games = Question("topic", "category", ("games", "art"))
    first = version(0, "")._replace(ontology=asking(topic), kind="questions")
    change = {"classes": {"topic: sport": "topic: games"}, "answers": "stay"}
    renamed = version(1, "", **change)._replace(ontology=asking(games), kind="questions")
    answers = recorded('{"topic": "sport"}', '{"topic": "art"}')
    read = translate_answers(answers, [first, renamed], QUESTIONS)
    assert read.answers["label"].to_pylist() == ['{"topic":"games"}', '{"topic":"art"}']
    more = renamed._replace(ontology=asking(games, tone))
    read = translate_answers(answers, [first, more], QUESTIONS)
    assert read.answers.num_rows == 0
    assert "says too little" in read.rejected["evidence"][0].as_py()


def test_an_answer_that_none_of_the_classes_holds_stays_beside_one_that_got_another_name() -> None:
    def asking(*topics: str) -> Ontology:
        return Ontology((), (Question("topic", "category", topics), Question("people", "multilabel", ("ann", "bob"))))

    change = {"classes": {"topic: sport": "topic: games"}, "answers": "stay"}
    first = version(0, "")._replace(ontology=asking("sport", "art"), kind="questions")
    renamed = version(1, "", **change)._replace(ontology=asking("games", "art"), kind="questions")
    answers = recorded('{"topic": "sport", "people": []}', '{"topic": "art", "people": ["ann"]}', '{"topic": "art"}')
    read = translate_answers(answers, [first, renamed], QUESTIONS)
    kept = QUESTIONS.parse(read.answers["label"].combine_chunks(), asking("games", "art")).to_pylist()
    assert kept == [r'{"topic":"games","people":"[]"}', r'{"topic":"art","people":"[\"ann\"]"}']


def test_known_labels_follow_the_same_changes() -> None:
    chain = [version(0, "glad sad odd"), version(1, "happy sad", classes={"glad": "happy", "odd": None})]
    rows = pa.table({"item_id": ["1", "2", "3", "4"], "label": ["glad", "odd", "sad", "happy"],
                     "guideline": pa.array([None, None, NAMES[0][:12], NAMES[1]], pa.string())})  # fmt: skip
    assert translate_known(rows, chain, CATEGORY).select(["item_id", "label"]).to_pylist() == [
        {"item_id": "1", "label": "happy"}, {"item_id": "3", "label": "sad"}, {"item_id": "4", "label": "happy"},
    ]  # fmt: skip


def test_a_label_of_several_classes_follows_the_change_of_each() -> None:
    several = CATEGORY._replace(
        classes_of=lambda label, ontology: tuple(filter(None, label.split("+"))),
        label_of=lambda classes, ontology: "+".join(classes),
        parse=lambda labels, ontology: pa.array(["+".join(sorted(one.as_py().split("+"))) for one in labels]),
    )  # fmt: skip
    merge = {"great": "good", "fine": "good", "odd": None}
    chain = [version(0, "great fine odd bad"), version(1, "good bad", classes=merge)]
    read = translate_answers(recorded("great+fine+bad", "bad+odd", "", "fine"), chain, several)
    assert read.answers["label"].to_pylist() == ["bad+good", "", "good"]
    assert read.rejected["sequence"].to_pylist() == [2]


def test_tasks_name_the_version_in_force_and_a_release_ends_at_its_own() -> None:
    chain = [version(0, "a b"), version(1, "a b", answers="stay")]
    assert task_suffix([]) == ""
    assert version_of_task("f" * 32 + task_suffix(chain)) == NAMES[1][:12]
    assert versions_until(chain, NAMES[0]) == chain[:1]
    assert versions_until(chain, None) == []


FATES = st.sampled_from(["stays", "x", "y", ("x", "y"), None])


@given(st.lists(st.sampled_from([*"abc", None])), st.fixed_dictionaries({name: FATES for name in "abc"}))
def test_every_answer_stays_or_is_asked_again_and_none_is_edited(labels: list[str | None], fates: Any) -> None:
    classes = {name: fate for name, fate in fates.items() if fate != "stays"}
    answers = recorded(*labels)
    read = translate_answers(
        answers, [version(0, "a b c"), version(1, "a b c x y", classes=classes, answers="stay")], CATEGORY
    )
    assert sorted([*read.answers["sequence"].to_pylist(), *read.rejected["sequence"].to_pylist()]) == list(
        range(1, len(labels) + 1)
    )
    # An oracle by hand: a name stays under that name, a list or null is asked again.
    expected = [classes.get(one, one) for one in labels if not isinstance(classes.get(one, "stays"), tuple | None)]
    assert read.answers["label"].to_pylist() == expected
    assert read.rejected.select(answers.column_names).equals(
        answers.filter(pa.compute.is_in(answers["sequence"], value_set=read.rejected["sequence"].combine_chunks()))
    )
