"""Signals to decisions: which items are kept, which are dropped and why, and which belong together."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.cleaning.alike import EARLIER_ITEMS, Alike, alike
from cupel.cleaning.groups import groups
from cupel.cleaning.register import delivery_ranks
from cupel.cleaning.settings import Cleaning, WebRules
from cupel.cleaning.web_rules import NOT_MEASURED, asked, broken, counted
from cupel.errors import TableError
from cupel.tables import CLEAN_ITEMS, REJECTED_ITEMS


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
LICENCE = "forbidden_licence"
OVERLAP, EXACT, NEAR = "evaluation_overlap", "exact_duplicate", "near_duplicate"


class Decision(NamedTuple):
    """Every raw item is kept, or in `rejected_items`.

    `decided` has a row a raw item, in the order of `raw_items`: item_id, and group_id, null where it was rejected.
    `group_links` names pairs of groups of earlier batches (`groups.GROUP_LINKS`) that the batch shows to be
    alike; a release that holds them all may bring them together, cleaning cannot any more.
    """

    decided: pa.Table
    rejected_items: pa.Table
    group_links: pa.Table


class _Verdict(NamedTuple):
    """Why an item is dropped; a reason of None keeps it."""

    reason: str | None
    value: float | None = None
    threshold: float | None = None
    evidence: str | None = None


def decide(
    batch: str,
    raw: pa.Table,
    signals: pa.Table,
    similar: pa.Table,
    settings: Cleaning,
    earlier: pa.Table | None = None,
) -> Decision:
    """Decide on the items of a batch.

    An item is dropped by the first of `RULES` that it breaks; then if an earlier item that was kept has
    the same text, or resembles it by duplicate_similarity or more. Only kept items count: what resembles
    a rejected item is judged on its own, and a chain of similar items breaks where one is dropped. Equal
    texts are duplicates even where duplicate_similarity is off.

    Args:
        batch: The batch.
        raw: `raw_items`, any order; earlier means a lesser file and line, or an earlier batch. Its texts and fields
            may be left out, and its licences where the project allows all.
        signals: `item_signals` of all of them; its texts may be left out.
        similar: `similar_items` of the batch.
        settings: The thresholds.
        earlier: `EARLIER_ITEMS` of the batches before it in the register, see `earlier_items`; none by default.

    Raises:
        TableError: An item has no signals, or a pair names an unknown item.
    """
    earlier = EARLIER_ITEMS.empty_table() if earlier is None else earlier
    ranks = delivery_ranks(raw.column("item_id"), raw)
    raw = raw.take(np.argsort(ranks))
    signals = _aligned(raw, signals)
    found = alike(batch, raw.column("item_id"), signals.column("text_sha256"), similar, earlier)
    names = [f"{batch}/{item_id}" for item_id in raw.column("item_id").to_pylist()]
    judged = _with_licences(_broken_rules(signals, settings), raw, settings.allowed_licences)
    verdicts = _without_duplicates(judged, names, found, earlier, settings)
    is_kept = [verdict.reason is None for verdict in verdicts]
    grouped = groups(
        names,
        raw.column("group_id").to_pylist(),
        [verdict.reason in (None, EXACT, NEAR) for verdict in verdicts],
        is_kept,
        found,
        earlier,
        settings.group_similarity,
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


def _aligned(raw: pa.Table, signals: pa.Table) -> pa.Table:
    places = pc.index_in(raw.column("item_id"), signals.column("item_id").combine_chunks())
    if places.null_count:
        missing = raw.column("item_id").filter(pc.is_null(places))[0].as_py()
        raise TableError(f"table item_signals: item {missing!r} is missing; measure all items of the batch first")
    return signals.take(places)


def _broken_rules(signals: pa.Table, settings: Cleaning) -> list[_Verdict]:
    """Return a verdict an item: the first rule that it breaks, or none."""
    verdicts = [_Verdict(None)] * signals.num_rows
    for rule in reversed(RULES):
        threshold = getattr(settings, rule.setting)
        if threshold is None:
            continue
        values = signals.column(rule.measure).to_numpy()
        broken = values < threshold if rule.is_least else values > threshold
        for place in np.flatnonzero(broken).tolist():
            verdicts[place] = _Verdict(rule.reason, float(values[place]), float(threshold))
    return _with_overlap(_with_web_rules(verdicts, signals, settings.web_rules), signals, settings)


def _with_web_rules(verdicts: list[_Verdict], signals: pa.Table, settings: WebRules) -> list[_Verdict]:
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
            verdicts[place] = _Verdict(NOT_MEASURED)
            continue
        value, threshold = float(found.values[place]), float(found.thresholds[place])
        evidence = f"{counted(rules[number].rule, signals, place)}; rules for {languages[place].as_py()}"
        verdicts[place] = _Verdict(rules[number].name, value, threshold, evidence)
    return verdicts


def _with_licences(verdicts: list[_Verdict], raw: pa.Table, allowed: tuple[str, ...]) -> list[_Verdict]:
    """Return the verdicts with the items dropped that may not be released, whatever else is wrong with them."""
    if not allowed:
        return verdicts
    licences = raw.column("licence").to_pylist()
    return [
        verdict if licence in allowed else _Verdict(LICENCE, evidence=licence)
        for verdict, licence in zip(verdicts, licences, strict=True)
    ]


def _with_overlap(verdicts: list[_Verdict], signals: pa.Table, settings: Cleaning) -> list[_Verdict]:
    """Return the verdicts with those about reference sets, where an item broke no rule."""
    if not settings.overlap:
        return verdicts
    shares, most = signals.column("overlap_share").to_numpy(), settings.max_overlap_share
    for place in np.flatnonzero(shares > most).tolist():
        if verdicts[place].reason is None:
            evidence = signals.column("overlap_with")[place].as_py()
            verdicts[place] = _Verdict(OVERLAP, float(shares[place]), most, evidence)
    return verdicts


def _without_duplicates(
    verdicts: list[_Verdict], names: list[str], found: Alike, earlier: pa.Table, settings: Cleaning
) -> list[_Verdict]:
    """Return the verdicts with duplicates of kept items dropped; items come in order, so that one pass decides."""
    kept = _kept_earlier(found, earlier)
    kept_names = earlier.column("batch"), earlier.column("item_id")
    offset = earlier.num_rows
    decided = []
    for place, (verdict, text) in enumerate(zip(verdicts, found.own.tolist(), strict=True)):
        if verdict.reason is None:
            twin, similarity = _kept_twin(text, kept, found, settings.duplicate_similarity)
            if twin is None:
                kept[text] = offset + place
            else:
                name = names[twin - offset] if twin >= offset else "/".join(part[twin].as_py() for part in kept_names)
                reason = EXACT if twin == kept.get(text) else NEAR
                verdict = _Verdict(reason, similarity, settings.duplicate_similarity, name)
        decided.append(verdict)
    return decided


def _kept_earlier(found: Alike, earlier: pa.Table) -> dict[int, int]:
    """Return the first kept earlier item of each text."""
    places = np.flatnonzero(earlier.column("group_id").is_valid().to_numpy())
    texts, first = np.unique(found.earlier[places], return_index=True)
    return dict(zip(texts.tolist(), places[first].tolist(), strict=True))


def _kept_twin(text: int, kept: dict[int, int], found: Alike, least: float | None) -> tuple[int | None, float | None]:
    """Return the earliest kept item that a text duplicates, equal before similar, and the similarity."""
    if text in kept:
        return kept[text], 1.0
    if least is None:
        return None, None
    twins = [
        (kept[other], similarity)
        for other, similarity in zip(*found.of(text), strict=True)
        if similarity >= least and other in kept
    ]
    return min(twins, default=(None, None))


def _rejected(raw: pa.Table, verdicts: list[_Verdict]) -> pa.Table:
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
