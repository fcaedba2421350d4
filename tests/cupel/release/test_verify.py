import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from forged_releases import Rows, failed, forge, rewrite

from cupel.certificate.result import AuditResult
from cupel.certificate.wording import wording
from cupel.errors import ReleaseError
from cupel.release import layout
from cupel.release.folder import write_release
from cupel.release.freeze import hash_content, items_sha256
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.verify import verify_release
from cupel.show.release_documents import describe_release
from cupel.store.local import LocalStore


@pytest.fixture(scope="module")
def written(certified: Any, provenance: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "movies-r1"
    write_release(
        LocalStore(folder.parent), folder.name, certified.facts, certified.tables, provenance, describe_release
    )
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy of the release to spoil."""
    return Path(shutil.copytree(written, tmp_path / "movies-r1"))


def rewrite_certificate(folder: Path, part: str, **values: Any) -> None:
    path = folder / layout.CERTIFICATE_FILE
    content = json.loads(path.read_bytes())
    content[part].update(values)
    path.write_bytes(layout.json_bytes(content))
    forge(folder)


def first_where(rows: Rows, condition: Callable[[dict[str, Any]], bool], **values: Any) -> Rows:
    row = next(row for row in rows if condition(row))
    row.update(values)
    return rows


def other_label(label: str) -> str:
    return "negative" if label != "negative" else "positive"


def test_a_release_as_it_was_written_passes_every_check(written: Path) -> None:
    verification = verify_release(written)
    assert failed(verification) == set()
    assert verification.is_passed
    assert len(verification.checks) >= 15


@pytest.mark.parametrize("name", layout.COVERED)
def test_one_changed_byte_in_any_file_is_noticed(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(bytes(content))
    verification = verify_release(folder)
    problem = next(check.problem for check in verification.checks if check.name == "every file has its hash")
    assert name in problem


@pytest.mark.parametrize("name", [name for name in layout.COVERED if name not in layout.MAY_BE_LEFT_OUT])
def test_a_missing_file_is_noticed(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert "no file is missing" in failed(verify_release(folder))


def test_a_file_that_also_vanished_from_the_manifest_is_missing_all_the_same(folder: Path) -> None:
    (folder / layout.CARD_FILE).unlink()
    manifest = json.loads((folder / layout.MANIFEST_FILE).read_bytes())
    manifest["files"] = [row for row in manifest["files"] if row["path"] != layout.CARD_FILE]
    (folder / layout.MANIFEST_FILE).write_bytes(layout.json_bytes(manifest))
    forge(folder)
    assert failed(verify_release(folder)) == {"no file is missing"}


def test_an_added_file_is_noticed_but_the_record_of_the_run_may_be_there(folder: Path) -> None:
    (folder / "run.json").write_text("{}")
    assert verify_release(folder).is_passed
    (folder / "data" / "more.parquet").write_text("?")
    assert failed(verify_release(folder)) == {"no file was added"}


def test_a_manifest_that_names_a_file_outside_the_folder_is_refused_and_the_file_not_read(folder: Path) -> None:
    manifest = json.loads((folder / layout.MANIFEST_FILE).read_bytes())
    manifest["files"].append({"path": "../outside", "sha256": "00", "size_bytes": 1, "rows": None})
    manifest["release_sha256"] = layout.release_sha256(manifest)
    (folder / layout.MANIFEST_FILE).write_bytes(layout.json_bytes(manifest))
    assert "no file was added" in failed(verify_release(folder))


@pytest.mark.parametrize("key", ["project", "answers_until", "cupel_version", "answers_head", "requirements_sha256"])
def test_a_changed_word_of_the_manifest_is_noticed(folder: Path, key: str) -> None:
    manifest = json.loads((folder / layout.MANIFEST_FILE).read_bytes())
    manifest[key] = "other"
    (folder / layout.MANIFEST_FILE).write_bytes(layout.json_bytes(manifest))
    assert failed(verify_release(folder)) == {"manifest says what it said"}


@pytest.mark.parametrize(
    ("decided_by", "check"),
    [
        ("people and checker", "labels that no expert judged are as frozen"),
        ("audit", "labels that experts judged are theirs"),
        ("expert", "labels that experts judged are theirs"),
    ],
)
def test_a_released_label_cannot_be_forged(folder: Path, decided_by: str, check: str) -> None:
    def change(rows: Rows) -> Rows:
        row = next(row for row in rows if row["decided_by"] == decided_by)
        row["label"] = other_label(row["label"])
        return rows

    rewrite(folder, "data/train.parquet", change)
    assert failed(verify_release(folder)) == {check}


def test_a_manifest_of_other_batches_than_were_audited_is_noticed(folder: Path) -> None:
    manifest = json.loads((folder / layout.MANIFEST_FILE).read_bytes())
    manifest["batches"] = ["movies", "books"]
    (folder / layout.MANIFEST_FILE).write_bytes(layout.json_bytes(manifest))
    forge(folder)
    assert failed(verify_release(folder)) == {"everything is of one release"}


def test_a_dropped_item_is_noticed(folder: Path) -> None:
    rewrite(folder, "data/test.parquet", lambda rows: rows[1:])
    assert failed(verify_release(folder)) == {"every frozen item is released or withheld"}


def test_an_item_twice_is_noticed(folder: Path) -> None:
    rewrite(folder, "data/test.parquet", lambda rows: [*rows, rows[0]])
    assert failed(verify_release(folder)) == {"every frozen item is released or withheld"}


def test_a_group_in_two_splits_is_noticed(folder: Path) -> None:
    moved: Rows = []

    def take(rows: Rows) -> Rows:
        moved.append({**rows[0], "split": "test"})
        return rows[1:]

    rewrite(folder, "data/train.parquet", take)
    rewrite(folder, "data/test.parquet", lambda rows: rows + moved)
    assert "no group is in two splits" in failed(verify_release(folder))


def test_a_frozen_label_cannot_be_changed_afterwards(folder: Path) -> None:
    def change(rows: Rows) -> Rows:
        row = next(row for row in rows if not row["is_audited"])
        row["label"] = other_label(row["label"])
        return rows

    rewrite(folder, "evidence/release_items.parquet", change)
    assert "the frozen items have the certificate's hash" in failed(verify_release(folder))


def _exchange_texts(rows: Rows) -> Rows:
    rows[0]["text"], rows[1]["text"] = rows[1]["text"], rows[0]["text"]
    return rows


def _reverse_texts(rows: Rows) -> Rows:
    return [row | {"text": row["text"][::-1]} for row in rows]


def _change_one_character(rows: Rows) -> Rows:
    rows[-1]["text"] = "S" + rows[-1]["text"][1:]
    return rows


@pytest.mark.parametrize("change", [_exchange_texts, _reverse_texts, _change_one_character])
def test_a_released_text_is_the_one_that_was_frozen(folder: Path, change: Callable[[Rows], Rows]) -> None:
    rewrite(folder, "data/train.parquet", change)
    assert failed(verify_release(folder)) == {"every content is the one that was frozen"}


def test_a_text_whose_frozen_hash_is_forged_too_does_not_fit_the_draw(folder: Path) -> None:
    rewrite(folder, "data/train.parquet", _change_one_character)
    changed = pq.read_table(folder / "data" / "train.parquet").to_pylist()[-1]

    def change(rows: Rows) -> Rows:
        return first_where(
            rows, lambda row: row["item_id"] == changed["item_id"], content_sha256=hash_content(changed["text"])
        )

    rewrite(folder, "evidence/release_items.parquet", change)
    assert "the frozen items have the certificate's hash" in failed(verify_release(folder))
    found = items_sha256(pq.read_table(folder / "evidence" / "release_items.parquet"))
    for part in ("plan", "certificate"):
        rewrite_certificate(folder, part, items_sha256=found)
    assert "the audit is the sample that its seed draws" in failed(verify_release(folder))


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"nonce": "another"}, "but freeze and nonce give"),
        ({"nonce": None}, "names no nonce"),
        ({"freeze_sha256": "0" * 64}, "but what was frozen gives"),
        ({"freeze_sha256": None}, "but what was frozen gives"),
        ({"max_undecided_share": 0.5}, "but what was frozen gives"),
        ({"nonce_source": "public dice"}, "said to be from 'public dice', which gives none"),
        ({"nonce_source": "operating system"}, "which gives 64 hexadecimal digits"),
    ],
)
def test_a_draw_that_does_not_follow_from_freeze_and_nonce_is_noticed(
    folder: Path, values: dict[str, Any], problem: str
) -> None:
    rewrite_certificate(folder, "plan", **values)
    found = {check.name: check.problem for check in verify_release(folder).checks}
    assert problem in found["the audit is the sample that its seed draws"]


def test_another_sample_than_the_seed_draws_is_noticed(folder: Path) -> None:
    def swap(rows: Rows) -> Rows:
        inside, outside = (next(row for row in rows if row["is_audited"] == value) for value in (True, False))
        inside["is_audited"], outside["is_audited"] = False, True
        return rows

    rewrite(folder, "evidence/release_items.parquet", swap)
    assert "the audit is the sample that its seed draws" in failed(verify_release(folder))


def test_a_seed_that_was_chosen_is_noticed(folder: Path) -> None:
    rewrite_certificate(folder, "plan", seed=1)
    assert failed(verify_release(folder)) == {"the audit is the sample that its seed draws"}


def test_an_error_that_the_audit_found_cannot_be_hidden(folder: Path) -> None:
    rewrite(
        folder, "evidence/audit.parquet", lambda rows: first_where(rows, lambda row: row["is_wrong"], is_wrong=False)
    )
    assert "experts judged the labels that were frozen" in failed(verify_release(folder))


def test_an_expert_label_that_is_forged_too_does_not_fit_the_certificate(folder: Path) -> None:
    def hide(rows: Rows) -> Rows:
        row = next(row for row in rows if row["is_wrong"])
        row.update(is_wrong=False, expert_label=row["label"])
        return rows

    rewrite(folder, "evidence/audit.parquet", hide)
    assert "the certificate, recomputed, is the same" in failed(verify_release(folder))


@pytest.mark.parametrize("column", ["p_value", "wrong", "audited", "alpha"])
def test_a_changed_cut_is_noticed(folder: Path, column: str) -> None:
    rewrite(folder, "evidence/cuts.parquet", lambda rows: first_where(rows, lambda row: True, **{column: 0}))
    # The first cut may hold no wrong label, and then a 0 changes nothing.
    rewrite(
        folder, "evidence/cuts.parquet", lambda rows: first_where(rows[::-1], lambda row: True, **{column: 0})[::-1]
    )
    assert failed(verify_release(folder)) == {"the test of the cuts, recomputed, is the same"}


@pytest.mark.parametrize("column", ["error_bound", "error_bound_with_contested", "experts_seen_share", "confidence"])
def test_a_better_certificate_than_the_evidence_gives_is_noticed(folder: Path, column: str) -> None:
    rewrite_certificate(folder, "certificate", **{column: 0.0001})
    assert failed(verify_release(folder)) == {"the certificate, recomputed, is the same"}


def test_a_changed_result_is_noticed(folder: Path) -> None:
    rewrite_certificate(folder, "audit_result", audit_wrong=0)
    assert "the certificate, recomputed, is the same" in failed(verify_release(folder))


def test_changed_wording_is_noticed(folder: Path) -> None:
    rewrite_certificate(folder, "certificate", wording="All labels are right.")
    assert failed(verify_release(folder)) == {"the certificate's text says what the result says"}


def test_auditors_whom_the_plan_does_not_call_independent_are_not_so_in_the_certificate(folder: Path) -> None:
    content = json.loads((folder / layout.CERTIFICATE_FILE).read_bytes())
    terms = FrozenTerms.from_plan(content["plan"])
    recorded = AuditResult(**{k: value for k, value in content["audit_result"].items() if k != "release"})
    text = wording(recorded, terms.experts_description, True, terms.design, terms.adjudicators_audited)
    rewrite_certificate(folder, "certificate", are_auditors_independent=True, wording=text)
    assert failed(verify_release(folder)) == {"the certificate's text says what the result says"}


def test_what_cannot_be_read_has_not_passed(folder: Path) -> None:
    (folder / "evidence/audit.parquet").write_bytes(b"not parquet")
    names = failed(verify_release(folder))
    assert {"every file has its hash", "every table can be read and has its columns"} <= names
    assert {"the certificate, recomputed, is the same", "no group is in two splits"} <= names


def test_a_certificate_without_its_parts_has_not_passed(folder: Path) -> None:
    (folder / layout.CERTIFICATE_FILE).write_bytes(layout.json_bytes({"plan": {}}))
    forge(folder)
    assert "the certificate, recomputed, is the same" in failed(verify_release(folder))


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("plan", {"experts_description": None}),
        ("plan", {"design": DEEP}),
        ("certificate", None),
        ("audit_result", ["certified"]),
    ],
)
def test_a_certificate_of_other_values_than_a_release_has_has_not_passed(folder: Path, part: str, values: Any) -> None:
    path = folder / layout.CERTIFICATE_FILE
    content = json.loads(path.read_bytes())
    content[part] = content[part] | values if isinstance(values, dict) else values
    path.write_bytes(layout.json_bytes(content))
    forge(folder)
    assert "the certificate's text says what the result says" in failed(verify_release(folder))


@pytest.mark.parametrize("name", [layout.CERTIFICATE_FILE, layout.MANIFEST_FILE])
def test_a_key_that_stands_twice_is_refused_by_name(folder: Path, name: str) -> None:
    content = (folder / name).read_text()
    key = "error_bound" if name == layout.CERTIFICATE_FILE else "release"
    first = next(line for line in content.splitlines() if f'"{key}":' in line)
    (folder / name).write_text(content.replace(first, f"{first.rstrip(',')},\n{first}", 1))
    said = f'the key "{key}" stands twice'
    if name == layout.MANIFEST_FILE:
        with pytest.raises(ReleaseError, match=said):
            verify_release(folder)
        return
    forge(folder)
    problems = [check.problem for check in verify_release(folder).checks]
    assert any(said in problem for problem in problems)


def test_a_certificate_that_is_nested_without_end_cannot_be_read(folder: Path) -> None:
    (folder / layout.CERTIFICATE_FILE).write_text(DEEP)
    forge(folder)
    assert "every table can be read and has its columns" in failed(verify_release(folder))


@pytest.mark.parametrize(
    ("values", "check"),
    [
        ({"alpha": 0.01}, "the certificate, recomputed, is the same"),
        ({"status": "refused"}, "the certificate, recomputed, is the same"),
        ({"audit_size": 199}, "the audit is the sample that its seed draws"),
        ({"batches": ["books"]}, "everything is of one release"),
    ],
)
def test_a_plan_that_says_something_else_than_the_evidence_is_noticed(
    folder: Path, values: dict[str, Any], check: str
) -> None:
    rewrite_certificate(folder, "plan", **values)
    assert check in failed(verify_release(folder))


def test_a_verdict_that_rests_on_no_answer_is_noticed(folder: Path) -> None:
    rewrite(folder, "evidence/audit.parquet", lambda rows: first_where(rows, lambda row: row["is_settled"], answers=0))
    found = {check.name: check.problem for check in verify_release(folder).checks}
    assert "settled by fewer than 1 answers" in found["experts judged the labels that were frozen"]


@pytest.mark.parametrize("name", ["audit", "adjudications"])
def test_an_item_with_two_verdicts_of_which_the_later_counts_is_noticed(folder: Path, name: str) -> None:
    def judge_twice(rows: Rows) -> Rows:
        other = other_label(rows[0]["label"])
        return [{**rows[0], "expert_label": other, "is_wrong": True, "is_contested": False}, *rows]

    rewrite(folder, f"evidence/{name}.parquet", judge_twice)
    assert failed(verify_release(folder)) == {"experts judged the labels that were frozen"}


@pytest.mark.parametrize("path", [5, None, ["data"], "a" * 5000, "a\0b"])
def test_a_manifest_that_names_what_is_no_file_has_not_passed(folder: Path, path: Any) -> None:
    manifest = json.loads((folder / layout.MANIFEST_FILE).read_bytes())
    manifest["files"].append({"path": path, "sha256": "00", "size_bytes": 1, "rows": None})
    (folder / layout.MANIFEST_FILE).write_bytes(layout.json_bytes(manifest))
    if isinstance(path, str):
        assert "no file was added" in failed(verify_release(folder))
    else:
        with pytest.raises(ReleaseError, match="expected rows with path"):
            verify_release(folder)


@pytest.mark.parametrize("name", [layout.MANIFEST_FILE, next(iter(layout.DATA_FILES)), layout.CERTIFICATE_FILE])
def test_a_pipe_in_place_of_a_file_is_refused_and_nobody_waits_for_it(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(ReleaseError, match="neither a file nor a folder"):
        verify_release(folder)


def test_a_folder_without_a_manifest_is_no_release_and_is_not_looked_through(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReleaseError, match="no release here"):
        verify_release(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        DEEP,
        '{"release": "r", "release_sha256": "x", "files": [1]}',
        '{"release": "r", "release_sha256": "x", "files": [], "more": NaN}',
    ],
)
def test_a_broken_manifest_is_one_clear_error(folder: Path, content: str) -> None:
    (folder / layout.MANIFEST_FILE).write_text(content)
    with pytest.raises(ReleaseError, match="get the release again"):
        verify_release(folder)
