"""The gate behind all readers: one content an id, one name a class, one name a person."""

from datetime import UTC, datetime
from pathlib import Path

from cupel.exchange.imports.answers import gather
from cupel.exchange.imports.class_spellings import find_joined, merge_spellings
from cupel.exchange.imports.gate import Export, judge_exports, split_found
from cupel.people.tool_annotation import Annotation, UnreadKey, unread_keys


def export(*annotations: Annotation, name: str = "a.json") -> Export:
    return Export(Path(name), "0" * 64, "tool", list(annotations))


def answer(item: str, label: str, who: str | None = "ann", **more: object) -> Annotation:
    return Annotation(1, item, label, who, **more)  # type: ignore[arg-type]


def test_an_id_that_shows_two_things_is_imported_for_neither() -> None:
    one, two = answer("1", "a", content="red"), answer("1", "b", "bob", content="blue")
    judged = judge_exports([export(one, answer("2", "a", content="red")), export(two, name="b.json")])
    assert [one.annotation.item_id for one in judged.annotations] == ["2"]
    assert [(left.file, left.reason, left.evidence) for left in judged.left] == [
        ("a.json", "one_id_two_items", "1: red | blue"), ("b.json", "one_id_two_items", "1: red | blue"),
    ]  # fmt: skip


def test_addresses_that_storage_signed_anew_and_line_ends_are_one_content() -> None:
    key = "https://x.org/a.jpg?Expires={0}&Signature={0}"
    in_json = (f'{{"u": "{key.format(1)}"}}', f'{{"u": "{key.format(2)}"}}')
    for first, second in ((key.format(1), key.format(2)), in_json, ("a\r\nb", "a\nb")):
        given = [answer("1", "x", "ann", content=first), answer("1", "x", "bob", content=second)]
        assert len(judge_exports([export(*given)]).annotations) == 2
    given = [answer("1", "x", None, content=f"https://x.org/a?id={place}") for place in (1, 2)]
    assert {one.reason for one in judge_exports([export(*given)]).left} == {"one_id_two_items"}


def test_an_id_without_content_may_stand_beside_one_with_it() -> None:
    judged = judge_exports([export(answer("1", "a", content="red"), answer("1", "a", "bob"))])
    assert len(judged.annotations) == 2


def test_spellings_of_a_class_are_one_after_a_notice_and_apart_when_asked() -> None:
    found = export(answer("1", "Positive"), answer("2", "positive"), answer("3", "Positive"), answer("4", "caf\u00e9"),
                   answer("5", "cafe\u0301"), answer("6", "pos\u200bitive"))  # fmt: skip
    judged = judge_exports([found])
    assert [one.annotation.label for one in judged.annotations] == [
        *["Positive"] * 3,
        "caf\u00e9",
        "caf\u00e9",
        "Positive",
    ]
    assert [notice.split(":")[0] for notice in judged.notices] == [
        "'Positive' is also written 'pos\\u200bitive', 'positive'", "'caf\u00e9' is also written 'cafe\\u0301'",
    ]  # fmt: skip
    apart = judge_exports([found], is_as_written=True)
    assert len({one.annotation.label for one in apart.annotations}) == 5


def test_named_classes_are_written_as_they_were_named_and_others_are_told() -> None:
    judged = judge_exports([export(answer("1", "WARM"), answer("2", "hot"))], ["warm", "cold"])
    assert [one.annotation.label for one in judged.annotations] == ["warm"]
    assert [left.reason for left in judged.left] == ["unknown_label"]


def test_two_named_classes_that_differ_by_case_stay_two() -> None:
    assert merge_spellings(["US", "us"], ["US", "us"]) == {}


def test_joined_classes_are_told_and_a_name_that_only_looks_so_is_not() -> None:
    assert find_joined(["a", "b", "a;b", "a, b", "and/or"]) == {"a;b": ("a", "b"), "a, b": ("a", "b")}
    assert find_joined(["a", "b", "a;b"], ["a", "b", "a;b"]) == {}
    judged = judge_exports([export(answer("1", "war"), answer("2", "law"), answer("3", "war|law"))])
    assert [left.reason for left in judged.left] == ["several_choices"]


def test_names_that_have_parts_in_common_are_imported_and_told() -> None:
    joined = [answer("1", "war|law"), answer("2", "law|art")]
    judged = judge_exports([export(*joined)])
    assert len(judged.annotations) == 2
    assert any("have 'law' in common: several classes in one cell?" in notice for notice in judged.notices)
    plain = [answer(str(place), name) for place, name in enumerate(("C", "C++", "AC/DC", "R&B", "text/html"))]
    assert not any("in common" in notice for notice in judge_exports([export(*plain)]).notices)


def test_a_number_and_the_name_beside_it_are_one_person() -> None:
    named = answer("1", "a", "ann@x.org", annotator_number="7")
    judged = judge_exports([export(answer("2", "a", "7", annotator_number="7")), export(named, name="b.json")])
    assert {one.annotation.annotator for one in judged.annotations} == {"ann@x.org"}
    assert judged.notices[0].startswith("annotator 7 is ann@x.org")


def test_a_number_that_stands_beside_two_names_stays_a_number() -> None:
    known = [answer("1", "a", name, annotator_number="7") for name in ("ann", "bob")]
    judged = judge_exports([export(*known, answer("2", "a", "7"))])
    assert judged.annotations[-1].annotation.annotator == "7"


def test_known_answers_are_no_votes_of_the_crew_and_an_experts_when_asked() -> None:
    found = [export(answer("1", "a"), answer("1", "b", "eve", is_truth=True))]
    assert [left.reason for left in gather(found).left] == ["ground_truth"]
    taken = gather(found, takes_truths=True)
    assert [one.label for one in taken.truths] == ["b"]
    assert [one.label for one in taken.annotations] == ["a"]
    assert [one.label for one in gather(found, purpose="expert").annotations] == ["a", "b"]


def test_of_an_annotators_answers_on_an_item_the_latest_counts() -> None:
    times = [datetime(2024, 1, day, tzinfo=UTC) for day in (2, 1)]
    imported = gather([export(answer("1", "new", answered_at=times[0]), answer("1", "old", answered_at=times[1]))])
    assert [one.label for one in imported.annotations] == ["new"]
    assert [(left.reason, left.evidence) for left in imported.left] == [("earlier_version", "1: old")]


def test_unread_keys_stand_once_with_their_number_and_the_first_value() -> None:
    keys = [UnreadKey(line, "notes[].mood", f"calm {line}") for line in (3, 4)]
    found = split_found([*keys, answer("1", "a")], export())
    left = judge_exports([found]).left
    assert [(one.line, one.reason, one.evidence) for one in left] == [
        (3, "unread_key", "notes[].mood, 2 times, first calm 3")
    ]


def test_empty_keys_and_those_that_are_read_are_not_told() -> None:
    record = {"label": "a", "x": None, "y": "", "z": [], "no": False, "deep": {"w": 1}}
    assert [key.path for key in unread_keys(1, "", record, ("label",))] == ["deep"]
