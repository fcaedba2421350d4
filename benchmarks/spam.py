"""Are spammers found, and does their harm end at the certificate? Spammers are put into real crowds, and counted."""

import argparse
import json
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.double_check.deployed import Frozen, Outcome, deploy
from benchmarks.double_check.experts import Experts, Scorer
from benchmarks.double_check.folder import Crowd, Gold, folders_in, read_folder
from benchmarks.new_file import new_file
from benchmarks.spam_table import by_kind, show
from benchmarks.spammers import INJECTED, KINDS, Spammed, inject
from cupel.certificate.hypergeometric import clopper_pearson_lower, clopper_pearson_upper
from cupel.checking.fusion import top_log_odds
from cupel.checking.rounds import NO_ROUND
from cupel.consensus.coding import Reals, by_item, vectors
from cupel.consensus.consensus import consensus
from cupel.contract.columns import TEXT
from cupel.people.annotators.beliefs import Flags
from cupel.people.annotators.copying import TIMES_LIKELIER
from cupel.people.annotators.guessing import GUESS_CHANCE
from cupel.people.annotators.guessing import TIMES_LIKELIER as CARELESS_TIMES
from cupel.people.annotators.study import Study, study
from cupel.store.files import put_file

GOLD_EACH = 10
SEED = 2023
BUDGETS = (0.01, 0.05)
# Audits of each frozen set, drawn apart.
AUDITS = 20
# A spammer must be found at this share of false alarms.
FALSE_ALARMS = 0.02
ROC = (0.005, 0.01, 0.02, 0.05, 0.1)
# A real annotator is held for honest where the whole gold shows knowledge beyond habit at this level.
HONEST_LEVEL = 0.05
DEALS = 999


class Round(NamedTuple):
    """What one crowd with spammers came to; flags of shape annotators of the study."""

    is_spammer: Flags
    is_scored: Flags
    is_honest: Flags
    is_found: Flags
    suspicion: Reals
    limit: Reals
    gold_items: int
    outcomes: dict[float, list[Outcome]]
    seconds: float


def main() -> int:
    """Put spammers into every crowd of a folder, look for them, print, write; 0 always: figures are for reading."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder of the crowd form, or a folder of them")
    parser.add_argument("--json", type=new_file, required=True, help="file to write")
    parser.add_argument("--seeds", type=int, default=5, help="crowds with spammers per kind")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS), help="kinds of spammers")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for folder in folders_in(arguments.data):
        crowd, gold = read_folder(folder)
        honest = honest_annotators(crowd, gold)
        for kind in arguments.kinds:
            rounds = [one_round(crowd, gold, honest, kind, SEED + seed) for seed in range(arguments.seeds)]
            rows.append(summary(crowd, kind, rounds))
            print(json.dumps({key: rows[-1][key] for key in ("dataset", "kind", "found_share", "seconds")}), flush=True)
        write(arguments.json, arguments.seeds, rows)
    show(rows)
    return 0


def write(path: Path, seeds: int, rows: Sequence[dict[str, Any]]) -> None:
    """Write what is known so far; called after each crowd, so that a run that is stopped leaves the others'."""
    content = {"gold_each": GOLD_EACH, "spammers_share": INJECTED, "seeds": seeds, "kinds": by_kind(rows)}
    put_file(path, (json.dumps({**content, "results": rows}, indent=1) + "\n").encode())


def one_round(crowd: Crowd, gold: Gold, honest: frozenset[str], kind: str, seed: int) -> Round:
    """Put spammers of a kind into a crowd, buy hidden gold, find and remove them, and certify what is left.

    Args:
        crowd: What a method may see.
        gold: For the experts, who are paid, and for the scorer.
        honest: Annotators whom the scorer holds for honest.
        kind: One of KINDS.
        seed: Of everything that is drawn.
    """
    start, rng = time.perf_counter(), np.random.default_rng(seed)
    spammed = inject(crowd, kind, rng)
    experts, scorer = Experts(gold), Scorer(gold)
    hidden = hide_gold(spammed, scorer.item_ids(), experts, rng)
    bought = experts.charged
    measured = study(spammed.annotations, crowd.item_ids, crowd.classes, hidden)
    is_found = measured.guessing.is_guessing | measured.is_copying
    names = measured.coded.annotators.to_pylist()
    frozen = freeze(crowd, spammed, set(_names(names, is_found)), scorer)
    # No two sets share the draw of an audit, so that certificates of several kinds and crowds fail apart.
    draws = np.random.default_rng([seed, zlib.crc32(f"{crowd.name}/{kind}".encode())])
    outcomes = {
        budget: [certify(frozen, gold, experts.log, budget, draws) for _ in range(AUDITS)] for budget in BUDGETS
    }
    seconds = time.perf_counter() - start
    # From here on the scorer looks at all gold: it says where the limit is, and feeds nothing back.
    whole = pa.table({"item_id": list(gold.verdicts), "label": list(gold.verdicts.values())})
    known = study(spammed.annotations, crowd.item_ids, crowd.classes, whole)
    tested = np.bincount(measured.coded.annotator, measured.beliefs.is_gold, len(names))
    is_spammer = np.array([name in spammed.spammers for name in names])
    return Round(
        is_spammer, tested >= GOLD_EACH, np.array([name in honest for name in names]), is_found,
        suspicion(measured), suspicion(known), bought, outcomes, seconds,
    )  # fmt: skip


def hide_gold(spammed: Spammed, item_ids: Sequence[str], experts: Experts, rng: np.random.Generator) -> pa.Table:
    """Buy expert answers on items drawn at random until every annotator met ten of them, or all that there are.

    Returns:
        Columns item_id and label: hidden gold, for measuring annotators only.
    """
    by_item_id: dict[str, list[str]] = {}
    for item, name in zip(
        spammed.annotations["item_id"].to_pylist(), spammed.annotations["annotator"].to_pylist(), strict=True
    ):
        by_item_id.setdefault(item, []).append(name)
    met: dict[str, int] = {}
    chosen = []
    for place in rng.permutation(len(item_ids)):
        people = by_item_id.get(item_ids[place], [])
        if any(met.get(name, 0) < GOLD_EACH for name in people):
            chosen.append(item_ids[place])
            for name in people:
                met[name] = met.get(name, 0) + 1
    return pa.table({"item_id": pa.array(chosen, TEXT), "label": [experts.ask_expert(item) for item in chosen]})


def suspicion(measured: Study) -> Reals:
    """Return how far beyond the thresholds of the two tests each annotator is, in standard deviations, the larger."""
    from scipy.special import ndtri

    chance = np.clip(np.exp(-measured.pairs.evidence), 1e-300, 1 - 1e-12)
    guesses = measured.guessing
    guessed = np.minimum(-ndtri(GUESS_CHANCE) - guesses.score, guesses.careless - np.log(CARELESS_TIMES))
    return np.asarray(np.maximum(guessed, -ndtri(chance) + ndtri(1 / TIMES_LIKELIER)))


def freeze(crowd: Crowd, spammed: Spammed, removed: set[str], scorer: Scorer) -> Frozen:
    """Remove who was found, make labels of the others' answers, and put them in their risk order."""
    keep = pa.array([name not in removed for name in spammed.annotations["annotator"].to_pylist()])
    table = by_item(consensus(spammed.annotations.filter(keep), crowd.item_ids, crowd.classes))
    scored = set(scorer.item_ids())
    places = np.array([place for place, item in enumerate(table["item_id"].to_pylist()) if item in scored])
    posterior = vectors(table["posterior"], len(crowd.classes))[places]
    is_answered = ~np.isnan(posterior[:, 0])
    label, log_odds = top_log_odds(np.log(np.maximum(np.nan_to_num(posterior, nan=1.0), 1e-300)))
    log_odds = np.where(is_answered, log_odds, -np.inf)
    order = np.lexsort((places, -log_odds))
    ids = [table["item_id"][int(place)].as_py() for place in places[order]]
    labels = [crowd.classes[label[row]] if is_answered[row] else None for row in order]
    return Frozen((), NO_ROUND, False, tuple(ids), tuple(labels), log_odds[order])


def certify(frozen: Frozen, gold: Gold, bought: Sequence[str], budget: float, draws: np.random.Generator) -> Outcome:
    """Certify labels as the library does; the hidden gold is charged to the same experts, and enters no label."""
    experts, scorer = Experts(gold), Scorer(gold)
    for item in bought:
        experts.ask_expert(item)
    return deploy(frozen, draws.random(len(frozen.item_ids)), experts, scorer, budget)


def honest_annotators(crowd: Crowd, gold: Gold) -> frozenset[str]:
    """Return annotators who by the whole gold know more than their own habit, for the scorer.

    Their right answers are more than the same answers, dealt out at random over their items, would give, at 5%.
    A real crowd holds real spammers; who fails this is not held for honest, and not for a spammer either.
    """
    truth = {item: crowd.classes.index(label) for item, label in gold.verdicts.items()}
    mine: dict[str, list[tuple[int, int]]] = {}
    rows = crowd.annotations.to_pydict()
    for item, name, label in zip(rows["item_id"], rows["annotator"], rows["label"], strict=True):
        if item in truth:
            mine.setdefault(name, []).append((truth[item], crowd.classes.index(label)))
    rng = np.random.default_rng(0)
    honest = set()
    for name, pairs in mine.items():
        true, said = np.array(pairs).T
        right = (true == said).sum()
        dealt = [(true == rng.permutation(said)).sum() for _ in range(DEALS)]
        if 1 + sum(int(one >= right) for one in dealt) <= HONEST_LEVEL * (DEALS + 1):
            honest.add(name)
    return frozenset(honest)


def summary(crowd: Crowd, kind: str, rounds: Sequence[Round]) -> dict[str, Any]:
    """Return one row of the JSON: a dataset and a kind of spammers, all seeds together."""
    spam = [one.is_found[one.is_spammer & one.is_scored] for one in rounds]
    honest = [one.is_found[~one.is_spammer & one.is_scored & one.is_honest] for one in rounds]
    real = [one.is_found[~one.is_spammer & one.is_scored] for one in rounds]
    few = [one.is_found[one.is_spammer & ~one.is_scored] for one in rounds]
    return {
        "dataset": crowd.name,
        "kind": kind,
        "annotators": len(set(crowd.annotations["annotator"].to_pylist())),
        **_share("found", np.concatenate(spam)),
        **_share("false_alarm", np.concatenate(honest)),
        **_share("flagged_of_all_real", np.concatenate(real)),
        **_share("found_with_few_answers", np.concatenate(few)),
        "roc": [_at(rounds, alarms, "suspicion") for alarms in ROC],
        "found_at_2_percent": _at(rounds, FALSE_ALARMS, "suspicion")["found_share"],
        "limit_at_2_percent": _at(rounds, FALSE_ALARMS, "limit")["found_share"],
        "gold_items": float(np.mean([one.gold_items for one in rounds])),
        "deployed": [
            _deployed(budget, [audit for one in rounds for audit in one.outcomes[budget]]) for budget in BUDGETS
        ],
        "seconds": float(np.mean([one.seconds for one in rounds])),
    }


def _share(name: str, flags: Flags) -> dict[str, Any]:
    """Return a share with its exact 95% interval; null without any case."""
    size, hits = len(flags), int(flags.sum())
    return {
        f"{name}_share": hits / size if size else None,
        f"{name}_low": clopper_pearson_lower(hits, size, 0.975) if size else None,
        f"{name}_high": clopper_pearson_upper(hits, size, 0.975) if size else None,
        f"{name}_n": size,
    }


def _at(rounds: Sequence[Round], alarms: float, score: str) -> dict[str, float | None]:
    """Return the share found where the threshold lets through so many honest annotators, all seeds together."""
    honest = np.concatenate([getattr(one, score)[~one.is_spammer & one.is_scored & one.is_honest] for one in rounds])
    spam = np.concatenate([getattr(one, score)[one.is_spammer & one.is_scored] for one in rounds])
    if not len(honest) or not len(spam):
        return {"false_alarm_share": alarms, "found_share": None}
    ordered = np.sort(honest)[::-1]
    return {
        "false_alarm_share": alarms,
        "found_share": float((spam > ordered[int(np.floor(alarms * len(honest)))]).mean()),
    }


def _deployed(budget: float, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "budget": budget,
        **_share("certified", np.array([one.is_certified for one in outcomes])),
        **_share("false_certificate", np.array([one.is_false for one in outcomes])),
        "final_error": float(np.mean([one.final_error for one in outcomes])),
        "final_error_worst": float(max(one.final_error for one in outcomes)),
        "over_budget_and_certified": sum(one.is_false for one in outcomes),
        "experts_seen_share": float(np.mean([one.seen_share for one in outcomes])),
    }


def _names(names: Sequence[str], flags: Flags) -> list[str]:
    return [name for name, flag in zip(names, flags, strict=True) if flag]


if __name__ == "__main__":
    sys.exit(main())
