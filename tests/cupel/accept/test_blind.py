import csv
from pathlib import Path

import pytest
from media_files import PNG

from cupel.accept.blind import doubt_removed, names_label, shown_columns
from cupel.accept.delivery import Delivery, read_delivery
from cupel.errors import AuditError


def delivery_with(folder: Path, **columns: list[str]) -> Delivery:
    path = folder / "d.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return read_delivery(path)


LABELS = ["spam", "ham"] * 20
TEXTS = [f"message {n}" for n in range(40)]


def test_a_column_that_determines_the_label_is_hidden(tmp_path: Path) -> None:
    folders = ["x" if label == "spam" else "y" for label in LABELS]
    shown = shown_columns(delivery_with(tmp_path, text=TEXTS, label=LABELS, box=folders))
    assert shown.others == ()
    assert shown.dropped["box"] == "its values tell the label"


def test_a_number_that_sorts_by_label_is_hidden_and_one_that_does_not_is_shown(tmp_path: Path) -> None:
    order = [str(n / 2 + (100 if label == "spam" else 0)) for n, label in enumerate(LABELS)]
    harmless = [str(n // 2 * 1.5) for n in range(40)]
    shown = shown_columns(delivery_with(tmp_path, text=TEXTS, label=LABELS, order=order, length=harmless))
    assert shown.others == ("length",)
    assert "order" in shown.dropped


def test_a_column_in_which_the_label_appears_once_is_hidden(tmp_path: Path) -> None:
    source = [f"mail {n}" for n in range(40)]
    source[3] = "box/HAM/3"
    shown = shown_columns(delivery_with(tmp_path, text=TEXTS, label=LABELS, source=source))
    assert "contains the label" in shown.dropped["source"]


def test_scores_and_annotators_are_hidden_by_their_names(tmp_path: Path) -> None:
    noise = [str(n * 7 % 13) for n in range(40)]
    delivery = delivery_with(tmp_path, text=TEXTS, label=LABELS, confidence=noise, worker=noise, channel=noise)
    shown = shown_columns(delivery)
    assert shown.others == ("channel",)


def test_links_that_name_their_label_are_refused(tmp_path: Path) -> None:
    links = [f"https://x.org/{label}/{n}.png" for n, label in enumerate(LABELS)]
    with pytest.raises(AuditError, match="not be blind"):
        shown_columns(delivery_with(tmp_path, image=links, label=LABELS))


def test_files_that_name_their_label_are_fine_since_they_are_copied_under_their_codes(tmp_path: Path) -> None:
    paths = [f"{label}-{n}.png" for n, label in enumerate(LABELS)]
    for path in paths:
        (tmp_path / path).write_bytes(PNG)
    assert shown_columns(delivery_with(tmp_path, image=paths, label=LABELS)).text_column == "image"


def test_files_that_name_their_label_and_are_not_copied_are_refused_with_the_reason(tmp_path: Path) -> None:
    paths = [f"{label}-{n}.svg" for n, label in enumerate(LABELS)]
    for path in paths:
        (tmp_path / path).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    with pytest.raises(AuditError, match="no image, video or sound by its content"):
        shown_columns(delivery_with(tmp_path, image=paths, label=LABELS))


def test_a_text_may_hold_the_labels_word(tmp_path: Path) -> None:
    texts = [f"is this {label}? {n}" for n, label in enumerate(LABELS)]
    assert shown_columns(delivery_with(tmp_path, text=texts, label=LABELS)).text_column == "text"


def test_doubt_removed_is_a_fraction_of_the_wrong_guesses() -> None:
    # Guessing by value is wrong twice in 40, by the most frequent label 20 times.
    values, labels = ["x"] * 20 + ["y"] * 20, ["a"] * 19 + ["b"] + ["b"] * 19 + ["a"]
    assert doubt_removed(values, labels) == (38 - 20) / (40 - 20)


def test_values_that_occur_once_tell_nothing() -> None:
    assert doubt_removed([str(n) for n in range(100)], ["a", "b"] * 50) == 0.0


def test_a_word_within_a_word_is_not_the_label() -> None:
    assert not names_label("hamster", "ham")
    assert names_label("hamster ham", "ham")


@pytest.mark.parametrize(
    "name", ["reviewer", "Worker ID", "created_by", "user", "user_name", "e-mail", "assignee", "session_id", "_trust"]
)
def test_columns_that_name_people_or_speak_of_their_work_are_hidden(tmp_path: Path, name: str) -> None:
    values = [f"p{n % 7}" for n in range(40)]
    shown = shown_columns(delivery_with(tmp_path, **{"text": TEXTS, "label": LABELS, name: values}))
    assert name in shown.dropped


def test_a_column_of_peoples_addresses_is_hidden_whatever_it_is_called(tmp_path: Path) -> None:
    values = [f"p{n % 7}@x.org" for n in range(40)]
    shown = shown_columns(delivery_with(tmp_path, text=TEXTS, label=LABELS, who=values))
    assert shown.dropped["who"] == "it names people"


@pytest.mark.parametrize("name", ["review", "review_text", "username_colour", "person_count_text", "standby"])
def test_columns_of_the_item_are_shown(tmp_path: Path, name: str) -> None:
    values = [f"v{n}" for n in range(40)]
    shown = shown_columns(delivery_with(tmp_path, **{"text": TEXTS, "label": LABELS, name: values}))
    assert name in shown.others
