"""Designing: which items are asked about next, until scores and cuts are frozen and an audit is drawn."""

import hashlib
import json
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as encoded
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.sample import draw
from cupel.cleaning.contamination.answered import Said, alpha_of, said_of, seed_of
from cupel.cleaning.contamination.audit_rule import audit_seed
from cupel.cleaning.contamination.candidates import (
    MOST_LEARNED_FROM,
    Candidates,
    Examples,
    all_scores,
    matrix,
    taken,
)
from cupel.cleaning.contamination.counting import Count, counted
from cupel.cleaning.contamination.cutting import PASS_SHARE, Range, cut_range, place_cuts
from cupel.cleaning.contamination.learning import (
    Flags,
    Given,
    Learned,
    LearningSettings,
    Places,
    Reals,
    course,
    fitted,
    pilot_scores,
)
from cupel.cleaning.contamination.unseen_junk import bound_cuts
from cupel.config.contamination import Contamination
from cupel.contract.columns import TEXT
from cupel.contract.table import conform, from_rows
from cupel.contract.tables.contamination import CONTAMINATION_ITEMS, CONTAMINATION_PLAN

# Returns the answers on earlier batches that the log held before an answer, by its sequence number.
Earlier = Callable[[int], Examples]
AUDIT = "contamination_audit"


class Designed(NamedTuple):
    """CONTAMINATION_PLAN of one row, and CONTAMINATION_ITEMS."""

    plan: pa.Table
    items: pa.Table


class _Terms(NamedTuple):
    sha256: str
    attempt: int
    known_until: int


class _Course(NamedTuple):
    """How far learning has come: who was asked (places among the candidates), who is awaited, and what was learned."""

    asked: Places
    pilot: int
    learned: Learned | None
    scores: Reals | None
    pilot_scores: Reals | None
    earlier: int


def designed(
    candidates: Candidates, answers: pa.Table, before: Designed | None, settings: Contamination, earlier: Earlier,
    count: Count = counted,
) -> Designed:  # fmt: skip
    """Go on with the design of a batch as far as its answers allow.

    What is frozen stays frozen, whatever answers come later: the audit would otherwise be drawn again and again until
    it is kind. Other candidates, texts or settings are another design; what was asked for the old one is known then,
    and trains, and where an audit had begun the new design is another attempt, which may spend less of alpha.

    Args:
        candidates: The items that rules and duplicates left.
        answers: CONTAMINATION_ANSWERS of the batch.
        before: The design so far, if there is one.
        settings: The project's.
        earlier: Answers on earlier batches, which train besides: those that the log held before the first answer on
            this design, so that the same log gives the same design.
        count: Counts the words of texts, or remembers them.

    Returns:
        The design; while it is learning, the items that are asked about and not yet answered are what is awaited.
    """
    terms = _terms(candidates, answers, before, settings)
    if before is not None and terms == _terms_of(before) and _is_frozen(before):
        return before
    said = said_of(candidates.items["item_id"], answers, settings.good)
    is_known = said.is_answered & (said.sequence <= terms.known_until)
    found = _followed(candidates, said, is_known, terms, settings, earlier, count)
    row = _common(candidates, terms, settings) | _learned_so_far(found, said)
    use = np.full(len(is_known), None, object)
    use[is_known] = "known"
    use[found.asked[: found.pilot]], use[found.asked[found.pilot :]] = "pilot", "train"
    if found.learned is None or found.scores is None or found.pilot_scores is None:
        plan = row | {"status": "learning"}
        return Designed(from_rows([plan], CONTAMINATION_PLAN), _items(candidates, use, None, None))
    is_free = ~is_known
    is_free[found.asked] = False
    ranked = np.flatnonzero(is_free)
    ranked = ranked[np.argsort(found.scores[ranked], kind="stable")]
    ids = candidates.items["item_id"].take(pa.array(ranked)).to_pylist()
    sha256 = ranks_sha256(row["batch"], ids)
    row |= {"status": "frozen", "items_sha256": sha256, "strictest": 0, "loosest": 0, "audit_size": 0}
    if len(ranked):
        between = cut_range(found.learned, found.pilot_scores, len(ranked), settings.at_most)
        known_good = int((said.is_answered & ~said.is_unwanted & ~is_free).sum())
        size = min(settings.answers.audit, between.loosest)
        row |= between._asdict() | {"audit_size": size if can_pass(between, known_good, size, row) else 0}
    row["seed"] = audit_seed(row)
    names = [(row["batch"], item) for item in ids[: row["loosest"]]]
    use[ranked[draw(names, row["audit_size"], row["seed"])]] = "audit"
    return Designed(from_rows([row], CONTAMINATION_PLAN), _items(candidates, use, found.scores, ranked))


def can_pass(between: Range, known_good: int, size: int, plan: dict[str, Any]) -> bool:
    """Tell whether an audit of a size could let any cut pass, if all of it were good."""
    cuts, alpha = tuple(place_cuts(between).tolist()), PASS_SHARE * plan["alpha"]
    bounds = bound_cuts(cuts, between.loosest, size, known_good, plan["at_most"], alpha)
    return bool(bounds.most_found.max() >= 0)


def ranks_sha256(batch: str, item_ids: list[str]) -> str:
    """Return the hash of ids in the order of their ranks."""
    digest = hashlib.sha256()
    for rank, item_id in enumerate(item_ids, 1):
        digest.update(f"[{rank},{encoded(batch)},{encoded(item_id)}]".encode())
    return digest.hexdigest()


def _terms(candidates: Candidates, answers: pa.Table, before: Designed | None, settings: Contamination) -> _Terms:
    digest = hashlib.sha256(json.dumps(settings.model_dump(mode="json"), sort_keys=True).encode())
    for column in ("item_id", "text_sha256"):
        for chunk in candidates.items[column].chunks:
            for value in chunk.to_pylist():
                digest.update(f"{encoded(value)}\n".encode())
    sha256 = digest.hexdigest()
    if before is None:
        return _Terms(sha256, 1, 0)
    then = _terms_of(before)
    if then.sha256 == sha256:
        return then
    is_new = pc.greater(answers["sequence"], then.known_until)
    has_begun = pc.any(pc.and_(is_new, pc.equal(answers["purpose"], AUDIT))).as_py()
    until = max(then.known_until, pc.max(answers["sequence"]).as_py() or 0)
    return _Terms(sha256, then.attempt + bool(has_begun), until)


def _terms_of(before: Designed) -> _Terms:
    row = before.plan.to_pylist()[0]
    return _Terms(row["design_sha256"], row["attempt"], row["known_until"])


def _is_frozen(before: Designed) -> bool:
    """Tell whether a design is frozen, and its items are those that it speaks of: a run may have been killed."""
    row, ranked = before.plan.to_pylist()[0], before.items.filter(pc.is_valid(before.items["rank"])).sort_by("rank")
    return bool(row["items_sha256"] == ranks_sha256(row["batch"], ranked["item_id"].to_pylist()))


def _followed(
    candidates: Candidates, said: Said, is_known: Flags, terms: _Terms, settings: Contamination, earlier: Earlier,
    count: Count,
) -> _Course:  # fmt: skip
    """Follow the course of learning up to the first answers that are not there."""
    rng = np.random.default_rng(seed_of("learning", terms.sha256, terms.attempt, settings.seed))
    pool = np.flatnonzero(~is_known)
    if len(pool) > MOST_LEARNED_FROM:
        pool = np.sort(rng.permutation(pool)[:MOST_LEARNED_FROM])
    known, features = count(taken(candidates, pool))
    is_fresh = said.sequence > terms.known_until
    examples = earlier(int(said.sequence[is_fresh].min())) if is_fresh.any() else None
    given = _given(candidates, said, is_known, examples, known)
    own = LearningSettings(settings.answers.train, settings.answers.pilot, step=settings.answers.step)
    asking = course(features, rng, own, given)
    asked = [wanted := next(asking)]
    while said.is_answered[pool[wanted]].all():
        try:
            asked.append(wanted := asking.send(said.is_unwanted[pool[wanted]]))
        except StopIteration as end:
            learned: Learned = end.value
            model = fitted(features[learned.asked], learned.is_junk, own, given)
            scores = all_scores(candidates, known, model)
            by_others = pilot_scores(features, learned, own, given)
            earlier_answers = len(given.is_junk) - int(is_known.sum())
            return _Course(pool[learned.asked], learned.pilot, learned, scores, by_others, earlier_answers)
    places = pool[np.concatenate(asked)]
    return _Course(places, min(own.pilot, len(places)), None, None, None, 0)


def _given(candidates: Candidates, said: Said, is_known: Flags, examples: Examples | None, known: Any) -> Given:
    places = np.flatnonzero(is_known)
    texts, flags = taken(candidates, places), said.is_unwanted[places]
    if examples is not None:
        texts = pa.chunked_array([*texts.chunks, *examples.texts.chunks], TEXT)
        flags = np.concatenate([flags, examples.is_unwanted])
    return Given(matrix(texts, known), flags)


def _common(candidates: Candidates, terms: _Terms, settings: Contamination) -> dict[str, Any]:
    return {
        "batch": candidates.batch,
        "design_sha256": terms.sha256,
        "attempt": terms.attempt,
        "alpha": alpha_of(settings.confidence, terms.attempt),
        "known_until": terms.known_until,
        "candidates": candidates.items.num_rows,
        "project_seed": settings.seed,
    } | settings.model_dump(include={"confidence", "at_most", "good", "what", "description"})


def _learned_so_far(found: _Course, said: Said) -> dict[str, Any]:
    pilot = found.asked[: found.pilot]
    is_unwanted = said.is_unwanted & said.is_answered
    return {
        "pilot": found.pilot,
        "pilot_unwanted": int(is_unwanted[pilot].sum()),
        "trained": int(said.is_answered[found.asked].sum()),
        "trained_unwanted": int(is_unwanted[found.asked].sum()),
        "earlier_answers": found.earlier,
    }


def _items(candidates: Candidates, use: Any, scores: Reals | None, ranked: Places | None) -> pa.Table:
    size = candidates.items.num_rows
    rank = np.zeros(size, np.int64)
    if ranked is not None:
        rank[ranked] = np.arange(1, len(ranked) + 1)
    columns = {name: candidates.items[name] for name in ("batch", "item_id", "source_file")} | {
        "use": pa.array(use.tolist(), TEXT),
        "score": pa.nulls(size, pa.float64()) if scores is None else pa.array(scores),
        "rank": pa.array(rank, mask=rank == 0),
    }
    return conform(pa.table(columns), CONTAMINATION_ITEMS)
