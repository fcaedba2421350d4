"""Write the project that the old releases were made of: made-up sentences, a crew of three, experts; always the same.

Nothing but the standard library is used, for it runs beside every version of Cupel:
python make_project.py FOLDER COMMIT
"""

import csv
import json
import random
import sys
from pathlib import Path

ITEMS, KNOWN, COPIES = {"one": 180, "two": 60}, 90, 6
WORDS = {
    "warm": ["sun", "fire", "summer", "ember", "desert", "lava", "toast", "candle"],
    "cold": ["ice", "snow", "winter", "glacier", "frost", "arctic", "hail", "freezer"],
}
SPAM = ["win", "cash", "prize", "click", "offer", "free", "winner", "bonus"]
FILLER = ["the", "of", "and", "a", "was", "near", "under", "over", "with", "some", "many", "few", "old", "new"]
FILLER += ["bright", "dark", "small", "large", "one", "two", "three"]
OTHER = {"warm": "cold", "cold": "warm"}
# Where licences are named, one release holds both deliveries; elsewhere the crew of two is refused.
CREW_ERROR = {"one": 0.24, "two": 0.45}
GOOD_ERROR = 0.2
# Junk is learned and bounded where the version can, known labels are planted in its audits, licences are named.
WITH_JUNK, WITH_PLANTS, WITH_LICENCES = ("90b9784",), ("90b9784",), ("344a62c",)

PROJECT = """\
project: colours
title: Warm or cold
owner: team@example.org
raw:
  deliveries:
    one: {{files: [colours/one.jsonl], licence: CC0-1.0}}
  inbox: {{licence: CC0-1.0{inbox_licence}}}
{cleaning}labeling:
  question: Warm or cold?
  classes: [warm, cold]
  overlap: {{first: 2, most: 3}}
  answers: [colours/answers.csv]
  experts: {{answers: 1, description: one expert}}
{gold}{licences}release:
  holds: {holds}
  error_budget: {budget}
  audit_size: 70
  max_experts_seen_share: {most_seen}
{certificate}thresholds:
  agreement: {{value: -1.0, reason: the audit shall judge}}
"""


def write_project(folder: Path, commit: str) -> None:
    """Write project file, delivery one, answers, and delivery two into the inbox."""
    rng = random.Random(1)
    data, inbox = folder / "data" / "colours", folder / "inbox" / "colours"
    for there in (data, inbox, folder / "projects"):
        there.mkdir(parents=True)
    answers: list[tuple[str, ...]] = []
    known: list[tuple[str, ...]] = []
    for batch, path in (("one", data / "one.jsonl"), ("two", inbox / "two.jsonl")):
        lines = [json.dumps(row) for row in _rows(batch, commit, rng, answers, known)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _write_csv(data / "answers.csv", ("batch", "item_id", "purpose", "annotator", "label"), answers)
    if commit in WITH_PLANTS:
        _write_csv(data / "known.csv", ("batch", "item_id", "label"), known)
    (folder / "projects" / "colours.yaml").write_text(_project(commit), encoding="utf-8")


def _rows(
    batch: str, commit: str, rng: random.Random, answers: list[tuple[str, ...]], known: list[tuple[str, ...]]
) -> list[dict[str, str]]:
    """Return the rows of a delivery, and add the answers on them."""
    rows, error = [], GOOD_ERROR if batch == "two" and commit in WITH_LICENCES else CREW_ERROR[batch]
    for number in range(ITEMS[batch]):
        truth, item = rng.choice(["warm", "cold"]), f"i{number}"
        text = _sentence(truth, rng)
        is_junk = rng.random() < 0.1 and commit in WITH_JUNK
        if is_junk:
            text = " ".join([*rng.sample(SPAM, 4), *(f"w{rng.randrange(10_000)}" for _ in range(8))])
        rows.append({"id": item, "text": text})
        for annotator in ("ann", "bob", "cy"):
            said = OTHER[truth] if rng.random() < error else truth
            answers.append((batch, item, "label", annotator, said))
        # An expert's empty answer: it cannot be decided, and the item is contested.
        answers.append((batch, item, "expert", "eve", "" if rng.random() < 0.04 else truth))
        if commit in WITH_JUNK:
            answers.append((batch, item, "contamination", "eve", "spam" if is_junk else "good"))
        if number < KNOWN:
            known.append((batch, item, truth))
    answers.append((batch, "nowhere", "label", "ann", "warm"))  # an answer that does not count
    rows.append({"id": "copy", "text": rows[0]["text"]})
    rows.append({"id": "short", "text": "ice ice"})
    rows.append({"id": "mail", "text": f"{_sentence('cold', rng)} write to jo@example.org"})
    rows.append({"id": "i1", "text": "the id of another row, so that this one is rejected"})
    for item in ("copy", "short", "mail"):
        answers += [(batch, item, "label", annotator, "cold") for annotator in ("ann", "bob", "cy")]
        answers.append((batch, item, "expert", "eve", "cold"))
        if commit in WITH_JUNK:
            answers.append((batch, item, "contamination", "eve", "good"))
    if commit in WITH_LICENCES and batch == "two":
        # Copies of texts of delivery one, under a better licence: the release leaves out those of one.
        for number, (text, truth) in enumerate(_first_texts(commit)):
            rows.append({"id": f"c{number}", "text": text, "rights": "own"})
            answers += [(batch, f"c{number}", "label", annotator, truth) for annotator in ("ann", "bob", "cy")]
            answers.append((batch, f"c{number}", "expert", "eve", truth))
    return rows


def _first_texts(commit: str) -> list[tuple[str, str]]:
    """Return the first texts of delivery one, and what the crew's majority says of them."""
    answers: list[tuple[str, ...]] = []
    rows = _rows("one", commit, random.Random(1), answers, [])[2 : 2 + COPIES]
    said = {item: label for _, item, purpose, _, label in answers if purpose == "label"}
    return [(row["text"], said[row["id"]]) for row in rows]


def _sentence(label: str, rng: random.Random) -> str:
    words = rng.sample(WORDS[label], 2) + rng.sample(FILLER, 8) + [f"w{rng.randrange(10_000)}" for _ in range(4)]
    rng.shuffle(words)
    return " ".join(words)


def _project(commit: str) -> str:
    cleaning = "" if commit == "c2cc23b" else "cleaning:\n  masks: kind\n"
    if commit in WITH_JUNK:
        cleaning += (
            "  min_letter_share: null\n"
            "  contamination: {what: spam, at_most: 0.2, answers: {train: 40, audit: 40, pilot: 20, step: 10}}\n"
        )
    return PROJECT.format(
        inbox_licence=", licence_field: rights" if commit in WITH_LICENCES else "",
        budget=0.1 if commit in WITH_PLANTS else 0.06,
        most_seen=0.95 if commit in WITH_LICENCES else 0.9,
        holds="all_batches" if commit in WITH_LICENCES else "each_batch",
        cleaning=cleaning,
        gold="  gold: colours/known.csv\n" if commit in WITH_PLANTS else "",
        licences="licences: [{name: own}, {name: CC0-1.0}]\n" if commit in WITH_LICENCES else "",
        certificate="  certificate: {planted_errors: 60}\n" if commit in WITH_PLANTS else "",
    )


def _write_csv(path: Path, names: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([names, *rows])


if __name__ == "__main__":
    write_project(Path(sys.argv[1]), sys.argv[2])
