"""Attacks by experts, or in their name: verdicts that are invented, withheld, or easy to give."""

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.attacks.attack import Attack, AttackError, Finding, Outcome
from benchmarks.attacks.forged_files import ITEMS_FILE, change_json, mend_manifest, verify
from benchmarks.attacks.invented import FrozenItems, audit_items, freeze_labels, make_nonce, write_folder
from benchmarks.attacks.target import ITEMS, OTHER, RELEASE, Target, make_items
from cupel.release import layout
from cupel.release.audit_design import draw_first_wave
from cupel.release.freeze import items_sha256_without_content
from cupel.release.names import Names
from cupel.release.nonces import OPERATING_SYSTEM, PROJECT_FILE, chosen_seed, make_seed
from cupel.release.release_audit import ReleaseAudit
from cupel.release.verify import verify_release

DOOR = "experts and draw"
NONCES = 2000
TRUTH = {item.item_id: item.truth for item in make_items(ITEMS, seed=1)}


def wrong_labels(names: Iterable[str], number: int, seed: int) -> dict[str, str]:
    """Return a label for each item, so many of them wrong."""
    labels = {name: TRUTH[name] for name in names}
    for name in random.Random(seed).sample(sorted(labels), number):
        labels[name] = OTHER[labels[name]]
    return labels


def freeze_wrong(target: Target, share: float, **terms: Any) -> FrozenItems:
    """Freeze the release's items with a share of wrong labels."""
    names = target.lake.read("release_items", RELEASE, ["item_id"])["item_id"].to_pylist()
    return freeze_labels(target, wrong_labels(names, int(share * len(names)), seed=5), **terms)


def judge(target: Target, audit: ReleaseAudit) -> Finding:
    """Return what comes of an audit: refused, or what `cupel verify` finds of the release that follows."""
    result = audit.assay.result
    if result.status != "certified":
        return Finding(Outcome.REFUSED, f"{result.status}: {result.reason}")
    found = verify(write_folder(target, audit))
    share = sum(label != TRUTH[name] for name, label in read_labels(target)) / ITEMS
    return found._replace(words=f"{found.words}; certified at {result.error_budget:.0%}, {share:.1%} of it wrong")


def read_labels(target: Target) -> list[tuple[str, str]]:
    """Return item and label of all that the target's release holds."""
    table = target.lake.read("training_set", RELEASE, ["item_id", "label"])
    return list(zip(table["item_id"].to_pylist(), table["label"].to_pylist(), strict=True))


def read_wording(target: Target) -> str:
    """Return the text of the certificate."""
    content = json.loads((target.release / layout.CERTIFICATE_FILE).read_bytes())
    return str(content["certificate"]["wording"])


def invent_honest(target: Target) -> Finding:
    """Nothing: the right labels and honest verdicts, written by the same hand, are the control."""
    frozen = freeze_wrong(target, 0.01).draw(make_nonce())
    return judge(target, audit_items(frozen, lambda name, label: TRUTH[name]))


def answer_honestly(target: Target) -> Finding:
    """Shift a third of all labels, and let an honest expert answer."""
    frozen = freeze_wrong(target, 1 / 3, max_experts_seen_share=0.6).draw(make_nonce())
    return judge(target, audit_items(frozen, lambda name, label: TRUTH[name]))


def invent_verdicts(target: Target) -> Finding:
    """Shift a third of all labels, invent verdicts that confirm them, and compute all evidence anew."""
    frozen = freeze_wrong(target, 1 / 3).draw(make_nonce())
    return judge(target, audit_items(frozen, lambda name, label: label))


def show_other_texts(target: Target) -> Finding:
    """Show experts the true texts, and freeze and release their letters in reverse order."""
    names = target.lake.read("release_items", RELEASE, ["item_id"])["item_id"].to_pylist()
    frozen = freeze_labels(target, wrong_labels(names, 6, seed=5), lambda text: text[::-1]).draw(make_nonce())
    found = judge(target, audit_items(frozen, lambda name, label: TRUTH[name]))
    return found._replace(words=f"{found.words.partition(';')[0]}; nothing in it tells what experts were shown")


def leave_undecided(target: Target) -> Finding:
    """Answer every wrong label, 12% of all, with "cannot be decided"."""
    frozen = freeze_wrong(target, 0.12).draw(make_nonce())
    return judge(target, audit_items(frozen, lambda name, label: label if label == TRUTH[name] else None))


def leave_few_undecided(target: Target) -> Finding:
    """Answer wrong labels with "cannot be decided" where only 1% of all are wrong, and one in ten may be undecided."""
    frozen = freeze_wrong(target, 0.01, max_undecided_share=0.1).draw(make_nonce())
    audit = audit_items(frozen, lambda name, label: label if label == TRUTH[name] else None)
    return told_by_wording(target, judge(target, audit), "undecided")


def raise_undecided_limit(target: Target) -> Finding:
    """Answer every wrong label, 12% of all, with "cannot be decided", and allow half of the items to be undecided."""
    frozen = freeze_wrong(target, 0.12, max_undecided_share=0.5).draw(make_nonce())
    found = judge(target, audit_items(frozen, lambda name, label: label if label == TRUTH[name] else None))
    return told_by_wording(target, found, "undecided")


def confirm_behind_the_cut(target: Target) -> Finding:
    """Judge the audit honestly, and confirm every label behind the cut without a look."""
    frozen = freeze_wrong(target, 0.12, max_experts_seen_share=1.0).draw(make_nonce())
    drawn = set(frozen.items.filter(frozen.items["is_audited"])["item_id"].to_pylist())
    found = judge(target, audit_items(frozen, lambda name, label: TRUTH[name] if name in drawn else label))
    return told_by_wording(target, found, "djudicat")


def confirm_behind_the_cut_audited(target: Target) -> Finding:
    """Confirm every label behind the cut without a look, where 150 of them are audited in their turn."""
    frozen = freeze_wrong(target, 0.12, adjudicators_audited=150, max_experts_seen_share=1.0).draw(make_nonce())
    audit = audit_items(frozen, lambda name, label: TRUTH[name], adjudicate=lambda name, label: label)
    return judge(target, audit)


def told_by_wording(target: Target, found: Finding, word: str) -> Finding:
    """Return what the certificate says from a word on, of a release that verifies."""
    if found.outcome != Outcome.NOT_CAUGHT:
        return found
    words = read_wording(target)
    at = words.find(word)
    return found if at < 0 else Finding(Outcome.TOLD, f"the certificate: …{words[max(at - 60, 0) : at + 200]}")


def declare_independence(target: Target) -> Finding:
    """Declare independent auditors before the freeze, and let one person answer under two names."""
    frozen = freeze_wrong(target, 0.01, are_auditors_independent=True).draw(make_nonce())
    return judge(target, audit_items(frozen, lambda name, label: TRUTH[name]))


def plant_easy_items(target: Target) -> Finding:
    """Plant 60 items that auditors know by heart, while they see three of ten real errors."""
    rng = random.Random(6)
    frozen = freeze_wrong(target, 0.1, planted_errors=60, max_experts_seen_share=0.99).draw(make_nonce())
    right = [name for name, label in zip(*_names_and_labels(frozen), strict=True) if label == TRUTH[name]]
    gold = {name: TRUTH[name] for name in right[:200]}

    def answer(name: str, label: str) -> str:
        return TRUTH[name] if name in gold or label == TRUTH[name] or rng.random() < 0.3 else label

    return told_by_wording(target, judge(target, audit_items(frozen, answer, gold)), "planted")


def grind(frozen: FrozenItems) -> list[str]:
    """Return nonces, those first that draw the fewest wrong labels."""
    names, labels = _names_and_labels(frozen)
    items = Names(frozen.items)
    wrong = np.array([label != TRUTH[name] for name, label in zip(names, labels, strict=True)])
    sha256, found = frozen.terms.hash_freeze(), []
    for number in range(NONCES):
        nonce = f"{number:064x}"  # looks as one of the operating system does
        flags = draw_first_wave(frozen.terms.design, items, make_seed(sha256, nonce), frozen.terms)
        found.append((int((wrong & flags).sum()), nonce))
    return [nonce for _, nonce in sorted(found)]


def grind_release(target: Target, source: str) -> Finding:
    """Return what `cupel verify` finds of a release over its budget whose nonce was the best of many."""
    frozen = freeze_wrong(target, 0.065, max_experts_seen_share=0.5)
    budget = frozen.terms.error_budget
    for nonce in grind(frozen)[:20]:
        audit = audit_items(frozen.draw(nonce, source), lambda name, label: TRUTH[name])
        if audit.assay.result.status != "certified":
            continue
        found = judge(target, audit)
        share = sum(label != TRUTH[name] for name, label in read_labels(target)) / ITEMS
        if share > budget:
            return found
    raise AttackError(f"none of {NONCES} nonces certifies a set that is over its budget")


def grind_outside(target: Target) -> Finding:
    """Try 2,000 nonces with the verdicts known, and write the best into the release as the operating system's."""
    return grind_release(target, OPERATING_SYSTEM)


def grind_in_project_file(target: Target) -> Finding:
    """Try 2,000 nonces with the verdicts known, and name the best in the project file."""
    found = grind_release(target, PROJECT_FILE)
    words = read_wording(target)
    at = words.find("The number that drew")
    return Finding(Outcome.TOLD, f"the certificate: {words[at:]}") if at >= 0 else found


def use_older_format(target: Target) -> Finding:
    """Write the release in format 3, whose draw follows from a seed of the project's own, and try 2,000 seeds."""
    frozen = freeze_wrong(
        target, 0.065, max_experts_seen_share=0.5, freeze_sha256=None, nonce=None, nonce_source=None,
        max_undecided_share=None, audited_before=None, items_sha256="",
    )  # fmt: skip
    terms = replace(frozen.terms, items_sha256=items_sha256_without_content(frozen.items))
    names, labels = _names_and_labels(frozen)
    wrong = np.array([label != TRUTH[name] for name, label in zip(names, labels, strict=True)])
    tried = []
    for number in range(NONCES):
        seed = chosen_seed(terms.items_sha256, number, terms.attempt)
        flags = draw_first_wave(terms.design, Names(frozen.items), seed, terms)
        tried.append((int((wrong & flags).sum()), number))
    for _, number in sorted(tried)[:20]:
        seed = chosen_seed(terms.items_sha256, number, terms.attempt)
        flags = draw_first_wave(terms.design, Names(frozen.items), seed, terms)
        drawn = FrozenItems(
            replace(terms, seed=seed, audit_size=int(flags.sum())),
            frozen.items.append_column("is_audited", pa.array(flags)),
        )
        audit = audit_items(drawn, lambda name, label: TRUTH[name])
        if audit.assay.result.status == "certified":
            break
    else:
        raise AttackError(f"none of {NONCES} seeds certifies a set that is over its budget")
    folder = write_folder(target, audit)
    make_format_3(folder, number)
    found = verify(folder)
    told = f"It is of format {verify_release(folder).format}"
    return Finding(Outcome.TOLD, f"verify: {told}; {found.words}") if found.outcome == Outcome.NOT_CAUGHT else found


def make_format_3(folder: Path, seed: int) -> None:
    """Take out of a release's folder what format 3 did not know."""
    table = pq.read_table(folder / ITEMS_FILE)
    pq.write_table(table.drop_columns(["content_sha256"]), folder / ITEMS_FILE)
    change_json(folder, layout.CERTIFICATE_FILE, lambda content: content.update(project_seed=seed))

    def lower(manifest: Any) -> None:
        manifest["format"] = 3
        manifest["files"] = [row for row in manifest["files"] if row["path"] != layout.REPORT_FILE]

    change_json(folder, layout.MANIFEST_FILE, lower)
    mend_manifest(folder)


def describe_experts_better(target: Target) -> Finding:
    """Call one person from the street a panel of ten physicians, before the freeze."""
    frozen = freeze_wrong(target, 0.01, experts_description="a panel of ten physicians").draw(make_nonce())
    return judge(target, audit_items(frozen, lambda name, label: TRUTH[name]))


def _names_and_labels(frozen: FrozenItems) -> tuple[list[str], list[str]]:
    return frozen.items["item_id"].to_pylist(), frozen.items["label"].to_pylist()


_R, _T, _N = Outcome.REFUSED, Outcome.TOLD, Outcome.NOT_CAUGHT
ATTACKS = (
    Attack("evidence-honest", DOOR, str(invent_honest.__doc__), Outcome.PASSED, invent_honest),
    Attack("third-shifted-honest-expert", DOOR, str(answer_honestly.__doc__), _R, answer_honestly),
    Attack("third-shifted-verdicts-invented", DOOR, str(invent_verdicts.__doc__), _N, invent_verdicts),
    Attack("other-texts-shown-to-experts", DOOR, str(show_other_texts.__doc__), _N, show_other_texts),
    Attack("wrong-left-undecided", DOOR, str(leave_undecided.__doc__), _R, leave_undecided),
    Attack("few-wrong-left-undecided", DOOR, str(leave_few_undecided.__doc__), _T, leave_few_undecided),
    Attack("undecided-limit-raised", DOOR, str(raise_undecided_limit.__doc__), _T, raise_undecided_limit),
    Attack("all-confirmed-behind-the-cut", DOOR, str(confirm_behind_the_cut.__doc__), _T, confirm_behind_the_cut),
    Attack(
        "all-confirmed-behind-the-cut-audited",
        DOOR,
        str(confirm_behind_the_cut_audited.__doc__),
        _R,
        confirm_behind_the_cut_audited,
    ),
    Attack("independence-declared", DOOR, str(declare_independence.__doc__), _N, declare_independence),
    Attack("experts-described-better", DOOR, str(describe_experts_better.__doc__), _N, describe_experts_better),
    Attack("older-format-seed-chosen", DOOR, str(use_older_format.__doc__), _T, use_older_format),
    Attack("planted-items-easy", DOOR, str(plant_easy_items.__doc__), _T, plant_easy_items),
    Attack("nonce-ground-outside", DOOR, str(grind_outside.__doc__), _N, grind_outside),
    Attack("nonce-ground-in-project-file", DOOR, str(grind_in_project_file.__doc__), _T, grind_in_project_file),
)
