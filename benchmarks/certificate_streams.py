"""Do attempts by content hold? Bad deliveries come again: whole, in part, merged, renamed, re-encoded, relabelled."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.certificate_sets import SEED
from cupel.certificate.attempts import ALPHA_TOTAL, attempt_alpha, attempt_levels
from cupel.certificate.design import FixedSequence
from cupel.certificate.evidence import Evidence
from cupel.certificate.families import Families, Keys, add_audit, count_attempt, find_keys, parse_keys
from cupel.certificate.hypergeometric import Integers, clopper_pearson_lower, clopper_pearson_upper, tail
from cupel.certificate.plan import smallest_audit
from cupel.certificate.result import Terms, assay
from cupel.certificate.sequence import Flags, floor_share
from cupel.cleaning.duplicates.folded_texts import hash_texts

DELIVERIES, SIZE, BUDGET = 20, 200, 0.05
SHARES = (0.0, 0.01, 0.1, 0.5, 1.0)
ADAPTIVE_REPLAYS, CONTROL_REPLAYS = 5_000, 5_000
CHAIN_LINKS, CHAIN_ITEMS, CHAIN_BUDGET = (1, 2, 5, 10, 20), 10_000, 0.01


class Stream(NamedTuple):
    """Deliveries in their order: the keys of the items of each."""

    name: str
    deliveries: list[Keys]


class StreamAttempts(NamedTuple):
    """The attempt of each audit of a stream, and whether it holds an item of each family (families x audits)."""

    attempts: list[int]
    holds: Flags


class BadSet(NamedTuple):
    """A set that is one wrong label over its budget, and the audit of it that is certified most easily.

    All wrong labels stand at the end of the risk order: every cut but the last is within the budget, so that a false
    certificate needs nothing but luck at the last one. `most_found` is what it may find there, and `chance` that it
    finds no more: of all sizes of the audit this one comes nearest to the attempt's alpha.
    """

    is_wrong: Flags
    terms: Terms
    most_found: int
    chance: float


def make_streams() -> Iterator[Stream]:
    """Yield the streams, each of some twenty deliveries."""
    items = _make_keys(lambda number: f"Item {number} of them all\n", 2 * DELIVERIES * SIZE)
    written_anew = _make_keys(lambda number: f"  ITEM {number}  of them ALL\r\n\r\n", SIZE)
    parts = [items[first : first + SIZE] for first in range(0, DELIVERIES * SIZE, SIZE)]
    whole = np.concatenate(parts)
    for share in SHARES:
        yield Stream(f"{100 * share:g}% shared with the one before", _share_with_last(items, share))
    for share in SHARES[1:-1]:
        yield Stream(f"{100 * share:g}% shared with all before", _share_with_all(items, share))
    yield Stream("the same items renamed, re-encoded, relabelled", [items[:SIZE], written_anew] * (DELIVERIES // 2))
    yield Stream("split into 20 parts after a refusal", [whole, *parts])
    yield Stream("20 deliveries, then all of them merged", [*parts, whole])
    yield Stream("merged after 20, then each again", [*parts, whole, *parts])


def count_attempts(stream: Stream) -> StreamAttempts:
    """Count the attempts of a stream by content."""
    families, attempts = Families.empty(), []
    for keys in stream.deliveries:
        attempts.append(count_attempt(families, keys))
        families = add_audit(families, keys, attempts[-1])
    held = [families.members[find_keys(families.keys, keys)] for keys in stream.deliveries]
    numbers = range(len(families.depths))
    return StreamAttempts(attempts, np.array([[bool((one == number).any()) for one in held] for number in numbers]))


def make_bad_set(size: int, attempt: int) -> BadSet:
    """Return the set and audit that are certified falsely most often at this attempt."""
    allowed, alpha = floor_share(BUDGET, size), attempt_alpha(attempt)
    sizes, best = np.arange(size // 20, size), (-1.0, 0, 0)
    for most_found in range(min(allowed, 10)):
        chances = tail(np.full(len(sizes), most_found), size, allowed + 1, sizes)
        chances = np.where(chances <= alpha, chances, -1.0)
        place = int(chances.argmax())
        best = max(best, (float(chances[place]), int(sizes[place]), most_found))
    is_wrong = np.zeros(size, np.bool_)
    is_wrong[-(allowed + 1) :] = True
    terms = Terms(BUDGET, attempt, 1.0, can_be_contested=False, design=FixedSequence(best[1]))
    return BadSet(is_wrong, terms, best[2], best[0])


def judge_falsely(bad: BadSet, found: int, rng: np.random.Generator) -> bool:
    """Draw an audit that finds so many wrong labels; tell whether `assay` certifies more of them than allowed."""
    size, design = len(bad.is_wrong), bad.terms.design
    if not isinstance(design, FixedSequence):
        raise TypeError(f"design: found {design}; expected a fixed sequence")
    is_audited = np.zeros(size, np.bool_)
    is_audited[rng.permutation(np.flatnonzero(bad.is_wrong))[:found]] = True
    is_audited[rng.permutation(np.flatnonzero(~bad.is_wrong))[: design.size - found]] = True
    evidence = Evidence(is_audited, is_audited, bad.is_wrong & is_audited, np.zeros(size, np.bool_))
    result = assay(evidence, bad.terms).result
    allowed = floor_share(bad.terms.error_budget, size)
    return result.status != "refused" and int(bad.is_wrong[: result.accepted].sum()) > allowed


def replay_audits(bad: BadSet, replays: int, rng: np.random.Generator) -> Flags:
    """Return for each replay whether the set is certified falsely.

    How many wrong labels are found is drawn first. `assay` judges where they are few enough; where they are more, the
    last cut fails, and the certificate is not false.
    """
    found = _draw_found(bad, rng, replays)
    is_false = np.zeros(replays, np.bool_)
    for place in np.flatnonzero(found <= bad.most_found).tolist():
        is_false[place] = judge_falsely(bad, int(found[place]), rng)
    return is_false


def measure_stream(stream: Stream, replays: int, seed: int, is_by_name: bool = False) -> dict[str, Any]:
    """Replay a stream: a row of the report.

    Args:
        stream: The deliveries.
        replays: Of the whole stream.
        seed: Its own.
        is_by_name: The control: every delivery has a name of its own, and is taken for a first attempt.
    """
    audits, rng = count_attempts(stream), np.random.default_rng([SEED, 17, seed])
    attempts = [1] * len(audits.attempts) if is_by_name else audits.attempts
    # Where no two families meet, all have the same chance and are counted together; else the first one is.
    are_apart = bool((audits.holds.sum(axis=1) == 1).all())
    holds = audits.holds if are_apart else audits.holds[:1]
    ever = np.zeros((len(holds), -(-replays // len(holds))), np.bool_)
    for place in np.flatnonzero(holds.any(axis=0)).tolist():
        bad = make_bad_set(len(stream.deliveries[place]), attempts[place])
        ever[holds[:, place]] |= replay_audits(bad, ever.shape[1], rng)
    return _report(stream.name, is_by_name, attempts, len(audits.holds), ever.ravel())


def measure_adaptive(replays: int) -> dict[str, Any]:
    """Replay an operator who looks at each refusal before deciding what to deliver next: a row of the report.

    After a near miss the same items come again; after another refusal half of them are exchanged; after a clear one
    nine tenths are, and a second founder's items are mixed in.
    """
    rng, items = np.random.default_rng([SEED, 18]), _make_keys(lambda number: f"Item {number}", 2 * DELIVERIES * SIZE)
    sets = [make_bad_set(SIZE, attempt) for attempt in range(1, DELIVERIES + 1)]
    ever, longest = np.zeros(replays, np.bool_), 0
    for place in range(replays):
        families = add_audit(Families.empty(), items[-SIZE:], 1)
        keys, fresh, founder = items[:SIZE], SIZE, None
        for _ in range(DELIVERIES):
            attempt = count_attempt(families, keys)
            families = add_audit(families, keys, attempt)
            own = families.members[find_keys(families.keys, keys)]
            founder = own[0] if founder is None else founder
            bad, longest = sets[attempt - 1], max(longest, attempt)
            found = int(_draw_found(bad, rng, 1)[0])
            if found <= bad.most_found and (own == founder).any():
                ever[place] |= judge_falsely(bad, found, rng)
            new = 0 if found <= bad.most_found + 1 else SIZE // 2 if found <= bad.most_found + 3 else 9 * SIZE // 10
            mixed = 10 if new > SIZE // 2 else 0
            keys = np.concatenate([keys[: SIZE - new], items[fresh : fresh + new - mixed], items[-SIZE:][:mixed]])
            fresh += new - mixed
    return _report("chosen after each refusal", False, [longest], 0, ever)


def measure_chain() -> list[dict[str, Any]]:
    """Return what an audit costs at some links of a chain of overlaps: at each link the attempt is the next."""
    rows = []
    for link in CHAIN_LINKS:
        plan = smallest_audit(CHAIN_ITEMS, CHAIN_BUDGET, attempt_levels(link), CHAIN_BUDGET / 3)
        if plan is None:
            raise ValueError(f"no audit can pass at a third of the budget {CHAIN_BUDGET}")
        rows.append({"link": link, "alpha": attempt_alpha(link), "audited": plan.drawn, "chance": plan.chances[0]})
    return rows


def measure_streams(replays: int) -> dict[str, Any]:
    """Return all rows, and whether attempts by content hold where attempts by name do not."""
    streams = list(make_streams())
    rows = [measure_stream(stream, replays, place) for place, stream in enumerate(streams)]
    rows.append(pool_rows([row for row in rows if row["families"] == 1]))
    rows.append(measure_adaptive(min(replays, ADAPTIVE_REPLAYS)))
    renamed = next(stream for stream in streams if "renamed" in stream.name)
    control = measure_stream(renamed, min(replays, CONTROL_REPLAYS), len(streams), is_by_name=True)
    is_valid = all(row["low"] <= ALPHA_TOTAL for row in rows) and control["low"] > ALPHA_TOTAL
    return {"rows": rows, "control": control, "chain": measure_chain(), "is_valid": is_valid}


def pool_rows(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the replays of several streams together, each of which is one family and has the same attempts."""
    replays, count = (sum(row[name] for row in rows) for name in ("replays", "certified_falsely"))
    ever = np.arange(replays) < count
    return _report("all streams of one family together", False, [row["last_attempt"] for row in rows], 1, ever)


def _draw_found(bad: BadSet, rng: np.random.Generator, replays: int) -> Integers:
    wrong, design = int(bad.is_wrong.sum()), bad.terms.design
    drawn = design.size if isinstance(design, FixedSequence) else 0
    return np.asarray(rng.hypergeometric(wrong, len(bad.is_wrong) - wrong, drawn, size=replays), np.int64)


def _report(name: str, is_by_name: bool, attempts: list[int], families: int, ever: Flags) -> dict[str, Any]:
    count, replays = int(ever.sum()), len(ever)
    return {
        "stream": name, "attempts_by": "name" if is_by_name else "content", "audits": len(attempts),
        "last_attempt": max(attempts), "families": families, "replays": replays, "certified_falsely": count,
        "certified_falsely_share": count / replays,
        "low": clopper_pearson_lower(count, replays, 0.975), "high": clopper_pearson_upper(count, replays, 0.975),
    }  # fmt: skip


def _make_keys(write: Callable[[int], str], count: int) -> Keys:
    """Return the keys of texts, as the lake's cleaning hashes them."""
    return parse_keys("".join(hash_texts(pa.array([write(number) for number in range(count)])).to_pylist()).encode())


def _share_with_last(items: Keys, share: float) -> list[Keys]:
    step = SIZE - round(share * SIZE)
    return [items[place * step : place * step + SIZE] for place in range(DELIVERIES)]


def _share_with_all(items: Keys, share: float) -> list[Keys]:
    """Return deliveries that take their share from any that came before, and the rest from new items."""
    rng, shared = np.random.default_rng([SEED, 19]), round(share * SIZE)
    deliveries, used = [items[:SIZE]], SIZE
    for _ in range(DELIVERIES - 1):
        old = items[rng.permutation(used)[:shared]]
        deliveries.append(np.concatenate([old, items[used : used + SIZE - shared]]))
        used += SIZE - shared
    return deliveries
