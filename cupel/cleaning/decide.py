"""Signals to decisions: which items are kept, which are dropped and why, and which belong together."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.cleaning.duplicates.candidates import Positions
from cupel.cleaning.duplicates.kept_items import (
    EARLIER_ITEMS,
    DuplicateRule,
    KeptItem,
    choose_kept_items,
    find_similar_texts,
    rank_licences,
)
from cupel.cleaning.duplicates.similar_items import delivery_ranks
from cupel.cleaning.groups import groups
from cupel.cleaning.reasons import DUPLICATES
from cupel.cleaning.web_rules import NOT_MEASURED, asked, broken, counted
from cupel.config.cleaning import Cleaning, WebRules
from cupel.contract.tables.cleaning import CLEAN_ITEMS, ITEM_SIGNALS, REJECTED_ITEMS
from cupel.errors import TableError


class Rule(NamedTuple):
    """A reason of `REASONS`, the measure that it judges, and the setting that is the least or the most allowed."""

    reason: str
    measure: str
    setting: str
    is_least: bool


# In this order; the first that an item breaks is its reason. An item on the threshold is kept.
RULES = (
    Rule("too_short", "characters", "min_characters", True),
    Rule("too_long", "characters", "max_characters", False),
    Rule("few_words", "words", "min_words", True),
    Rule("many_words", "words", "max_words", False),
    Rule("short_words", "mean_word_length", "min_mean_word_length", True),
    Rule("long_words", "mean_word_length", "max_mean_word_length", False),
    Rule("few_letters", "letter_share", "min_letter_share", True),
    Rule("many_symbols", "symbol_word_share", "max_symbol_word_share", False),
    Rule("repeated_lines", "repeated_line_share", "max_repeated_line_share", False),
    Rule("repeated_words", "repeated_word_share", "max_repeated_word_share", False),
)
UNKNOWN_LICENCE, LICENCE = "unknown_licence", "forbidden_licence"
_KNOWN = ["item_id", "text_sha256"]
OVERLAP, EXACT, NEAR = "evaluation_overlap", "exact_duplicate", "near_duplicate"
OTHER_DIGITS, CONTAINED, CONTAINS = "other_digits", "contained_in", "contains"


class Decision(NamedTuple):
    """Every raw item is kept, or in `rejected_items`.

    `decided` has a row a raw item, in the order of `raw_items`: item_id, and group_id, null where it was rejected.
    `group_links` names pairs of groups of earlier batches (`groups.GROUP_LINKS`) that the batch shows to be
    alike; a release that holds them all may bring them together, cleaning cannot any more.
    """

    decided: pa.Table
    rejected_items: pa.Table
    group_links: pa.Table


class Verdict(NamedTuple):
    """Why an item is dropped; a reason of None keeps it."""

    reason: str | None
    value: float | None = None
    threshold: float | None = None
    evidence: str | None = None


class Alike(NamedTuple):
    """`similar_items` of a batch, when an item duplicates another, and the similarity of a group."""

    similar: pa.Table
    rule: DuplicateRule
    group_similarity: float


def decide(
    batch: str,
    raw: pa.Table,
    signals: pa.Table | Iterable[pa.Table],
    similar: pa.Table,
    settings: Cleaning,
    earlier: pa.Table | None = None,
    licences: Sequence[str] = (),
) -> Decision:
    """Decide on the items of a batch.

    An item is dropped by the first of `RULES` that it breaks; then if an earlier item that was kept has
    the same text, resembles it by duplicate_similarity or more, or holds it or is held by it by
    duplicate_containment or more; with keep_other_digits not if the two differ in digits only. Only kept
    items count: what resembles a rejected item is judged on its own, and a chain of similar items breaks
    where one is dropped. Equal texts are duplicates even where duplicate_similarity is off. Items of which
    one holds the other are in one group.

    Where licences are in an order, they come first: of the batch's duplicates the one with the better licence is
    kept, and an item of an earlier batch keeps none out that has a better licence than its own. That one stays, for
    it may have been released: a release that holds both batches leaves it out.

    Args:
        batch: The batch.
        raw: `raw_items`, any order; earlier means a lesser file and line, or an earlier batch. Its texts and fields
            may be left out, and its licences where the project names none.
        signals: `item_signals` of all of them, or pieces of it, of which one is held at a time; its texts may be left
            out.
        similar: `similar_items` of the batch.
        settings: The thresholds.
        earlier: `EARLIER_ITEMS` of the batches before it in the register, see `earlier_items`; none by default.
        licences: The project's licences, the better first; items of another are dropped. Empty: any, all the same.

    Raises:
        TableError: An item has no signals, or a pair names an unknown item.
    """
    earlier = EARLIER_ITEMS.empty_table() if earlier is None else earlier
    ranks = delivery_ranks(raw.column("item_id"), raw)
    raw = raw.take(np.argsort(ranks))
    hashes, broken_rules = _judged(raw.column("item_id"), signals, settings)
    alike = Alike(similar, DuplicateRule.of(settings), settings.group_similarity)
    return decide_judged(
        batch, raw, ranks, hashes, broken_rules, alike, earlier, settings.allowed_licences, licences
    )  # fmt: skip


def decide_judged(
    batch: str, raw: pa.Table, ranks: Positions, hashes: pa.ChunkedArray, broken_rules: list[Verdict], alike: Alike,
    earlier: pa.Table, allowed: tuple[str, ...], licences: Sequence[str],
) -> Decision:  # fmt: skip
    """Decide on items that have been held to the rules, whatever an item is; see `decide`.

    Args:
        batch: The batch.
        raw: `raw_items` in the order of the delivery.
        ranks: The place of each in that order, by its row in the table as it was.
        hashes: Of each item what equal ones have in common.
        broken_rules: The first rule that each breaks.
        alike: Which items resemble each other.
        earlier: `EARLIER_ITEMS`.
        allowed: Licences that may be released; empty: all.
        licences: The project's licences, the better first; empty: any.
    """
    found = find_similar_texts(batch, raw.column("item_id"), hashes, alike.similar, earlier)
    names = [f"{batch}/{item_id}" for item_id in raw.column("item_id").to_pylist()]
    judged = _with_licences(broken_rules, raw, allowed, licences)
    own, before = (rank_licences(table, licences) for table in (raw, earlier))
    is_left = [verdict.reason is None for verdict in judged]
    duplicated = choose_kept_items(names, own, is_left, found, earlier, before, alike.rule)
    verdicts = [
        verdict if kept_item is None else _duplicate(kept_item, alike.rule)
        for verdict, kept_item in zip(judged, duplicated, strict=True)
    ]
    is_kept = [verdict.reason is None for verdict in verdicts]
    grouped = groups(
        names,
        raw.column("group_id").to_pylist(),
        [verdict.reason is None or verdict.reason in DUPLICATES for verdict in verdicts],
        is_kept,
        found,
        earlier,
        DuplicateRule(alike.group_similarity, alike.rule.containment),
    )
    kept = pa.array(is_kept, pa.bool_())
    group_ids = pc.if_else(kept, pa.array(grouped.group_ids, pa.string()), None)
    decided = pa.table({"item_id": raw.column("item_id"), "group_id": group_ids}).take(ranks)
    return Decision(decided, _rejected(raw, verdicts).filter(pc.invert(kept)), grouped.links)


def clean_items(raw: pa.Table, signals: pa.Table, decided: pa.Table) -> pa.Table:
    """Return the kept items of a piece of a batch, in the order of the rows.

    Args:
        raw: Rows of `raw_items`.
        signals: `item_signals` of the same items in the same order; of them item_id, text and language are read.
        decided: `Decision.decided` of the same items in the same order.

    Raises:
        TableError: The items are not the same.
    """
    ids = [table.column("item_id").combine_chunks() for table in (raw, signals, decided)]
    if not ids[0].equals(ids[1]) or not ids[0].equals(ids[2]):
        raise TableError("table item_signals: holds other items than raw_items; run the cleaning stage again")
    columns = dict(zip(raw.column_names, raw.columns, strict=True))
    columns |= {name: signals.column(name) for name in ("text", "language")}
    columns["group_id"] = decided.column("group_id")
    kept = pa.table(columns).select(CLEAN_ITEMS.schema.names).filter(pc.is_valid(columns["group_id"]))
    return kept.cast(CLEAN_ITEMS.schema)


def _judged(
    item_ids: pa.ChunkedArray, signals: pa.Table | Iterable[pa.Table], settings: Cleaning
) -> tuple[pa.ChunkedArray, list[Verdict]]:
    """Return the hash of each item's text and the first rule that it breaks; of the signals a piece is held."""
    known, verdicts = [ITEM_SIGNALS.schema.empty_table().select(_KNOWN)], list[Verdict]()
    for piece in [signals] if isinstance(signals, pa.Table) else signals:
        known.append(piece.select(_KNOWN).cast(known[0].schema))
        verdicts += _broken_rules(piece, settings)
    ids, hashes = pa.concat_tables(known).columns
    places = pc.index_in(item_ids, ids.combine_chunks())
    if places.null_count:
        missing = item_ids.filter(pc.is_null(places))[0].as_py()
        raise TableError(f"table item_signals: item {missing!r} is missing; measure all items of the batch first")
    return hashes.take(places), [verdicts[place] for place in places.to_pylist()]


def _broken_rules(signals: pa.Table, settings: Cleaning) -> list[Verdict]:
    """Return a verdict an item: the first rule that it breaks, or none."""
    verdicts = [Verdict(None)] * signals.num_rows
    for rule in reversed(RULES):
        threshold = getattr(settings, rule.setting)
        if threshold is None:
            continue
        values = signals.column(rule.measure).to_numpy()
        broken = values < threshold if rule.is_least else values > threshold
        for place in np.flatnonzero(broken).tolist():
            verdicts[place] = Verdict(rule.reason, float(values[place]), float(threshold))
    return _with_overlap(_with_web_rules(verdicts, signals, settings.web_rules), signals, settings)


def _with_web_rules(verdicts: list[Verdict], signals: pa.Table, settings: WebRules) -> list[Verdict]:
    """Return the verdicts with those of the rules for web text, where an item broke none before."""
    rules = asked(settings)
    if not rules:
        return verdicts
    found = broken(signals, settings)
    languages = signals.column("language")
    for place in np.flatnonzero(found.first >= 0).tolist():
        if verdicts[place].reason is not None:
            continue
        number = int(found.first[place])
        if number == len(rules):
            verdicts[place] = Verdict(NOT_MEASURED)
            continue
        value, threshold = float(found.values[place]), float(found.thresholds[place])
        evidence = f"{counted(rules[number].rule, signals, place)}; rules for {languages[place].as_py()}"
        verdicts[place] = Verdict(rules[number].name, value, threshold, evidence)
    return verdicts


def _with_licences(
    verdicts: list[Verdict], raw: pa.Table, allowed: tuple[str, ...], known: Sequence[str]
) -> list[Verdict]:
    """Return the verdicts with the items dropped that may not be released, whatever else is wrong with them."""
    if not allowed and not known:
        return verdicts
    licences = raw.column("licence").to_pylist()
    decided = []
    for verdict, licence in zip(verdicts, licences, strict=True):
        if known and licence not in known:
            verdict = Verdict(UNKNOWN_LICENCE, evidence=licence)
        elif allowed and licence not in allowed:
            verdict = Verdict(LICENCE, evidence=licence)
        decided.append(verdict)
    return decided


def _with_overlap(verdicts: list[Verdict], signals: pa.Table, settings: Cleaning) -> list[Verdict]:
    """Return the verdicts with those about reference sets, where an item broke no rule."""
    if not settings.overlap:
        return verdicts
    shares, most = signals.column("overlap_share").to_numpy(), settings.max_overlap_share
    for place in np.flatnonzero(shares > most).tolist():
        if verdicts[place].reason is None:
            evidence = signals.column("overlap_with")[place].as_py()
            verdicts[place] = Verdict(OVERLAP, float(shares[place]), most, evidence)
    return verdicts


def _duplicate(kept_item: KeptItem, rule: DuplicateRule) -> Verdict:
    likeness = kept_item.likeness
    if likeness is None:
        return Verdict(EXACT, 1.0, rule.similarity, kept_item.name)
    if not rule.is_similar(likeness):
        reason = CONTAINS if likeness.is_longer else CONTAINED
        return Verdict(reason, likeness.containment, rule.containment, kept_item.name)
    reason = OTHER_DIGITS if likeness.differs_in_digits else NEAR
    return Verdict(reason, likeness.similarity, rule.similarity, kept_item.name)


def _rejected(raw: pa.Table, verdicts: list[Verdict]) -> pa.Table:
    columns = {name: raw.column(name) for name in ("batch", "item_id", "source_file", "line")}
    reasons = pa.array([verdict.reason or "" for verdict in verdicts], pa.string())
    return pa.table(
        {
            **columns,
            "reason": reasons,
            "value": pa.array([verdict.value for verdict in verdicts], pa.float64()),
            "threshold": pa.array([verdict.threshold for verdict in verdicts], pa.float64()),
            "evidence": pa.array([verdict.evidence for verdict in verdicts], pa.string()),
        },
        schema=REJECTED_ITEMS.schema,
    )
