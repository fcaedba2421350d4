"""What the cleaning gate asks: is every item kept or rejected, and is what was kept free of copies and private data?"""

import pyarrow as pa

from cupel.cleaning.images.similar import similarity_of_bits
from cupel.config.project import Project
from cupel.lake.step import Step
from expectations import thresholds
from expectations.contamination import CONTAMINATION_CHECKS, contamination
from expectations.suite import MOST_IDS, Check, Measured, Suite, one_row, row_of, share, some_ids, view

# Looking for private data takes about a millisecond a text.
MOST_SCANNED = 20_000

_BY_ITEM = """
SELECT item_id, sum(is_raw) AS raw, sum(is_kept) AS kept, sum(is_rejected) AS rejected
FROM (SELECT item_id, 1 AS is_raw, 0 AS is_kept, 0 AS is_rejected FROM raw_items
      UNION ALL SELECT item_id, 0, 1, 0 FROM clean_items
      UNION ALL SELECT item_id, 0, 0, 1 FROM rejected_items)
GROUP BY item_id
"""
_ODD = "raw <> 1 OR kept + rejected <> 1"
_ITEMS = f"""
SELECT coalesce(sum(raw), 0)::BIGINT AS raw, coalesce(sum(kept), 0)::BIGINT AS kept,
       count(*) FILTER ({_ODD}) AS odd
FROM ({_BY_ITEM})
"""
# An item without signals was never compared: then there is no count, and the check fails.
_EXACT = """
SELECT CASE WHEN count(*) = count(text_sha256) THEN count(*) - count(DISTINCT text_sha256) END AS copies
FROM clean_items LEFT JOIN {signals} USING (item_id)
"""
_EXACT_IDS = """
SELECT item_id FROM clean_items JOIN {signals} USING (item_id)
QUALIFY row_number() OVER (PARTITION BY text_sha256 ORDER BY item_id) > 1
"""
_DECLARED = """
SELECT count(is_declared_language) AS told, count(*) FILTER (NOT is_declared_language) AS otherwise FROM item_signals
"""
_PLACED = (
    "SELECT item_id, list_contains(metadata, 'place') AS is_placed FROM image_files JOIN clean_items USING (item_id)"
)
_IMAGES = f"""
SELECT count(*) AS items, count(problem) AS unreadable,
       (SELECT count(*) FILTER (is_placed) FROM ({_PLACED})) AS placed
FROM image_files
"""
_CHANGED = "SELECT count(*) AS items, count(*) FILTER (is_changed) AS changed FROM item_signals"
_ALIKE = """
SELECT DISTINCT similar_items.item_id
FROM similar_items JOIN clean_items USING (item_id)
     JOIN kept_items ON kept_items.batch = earlier_batch AND kept_items.item_id = earlier_item_id
WHERE (coalesce(similarity >= ?::DOUBLE, false) OR coalesce(containment >= ?::DOUBLE, false))
     AND NOT (?::BOOLEAN AND coalesce(differs_in_digits, false)) AND {own} >= {earlier}
"""
# The place of a licence in the project's order; the same for all where there is none.
_PLACE = "coalesce(nullif(list_position(?::VARCHAR[], {table}.licence), 0), 1 + len(?::VARCHAR[]))"
_PLACES = {"own": _PLACE.format(table="clean_items"), "earlier": _PLACE.format(table="kept_items")}
_SAMPLE = "SELECT item_id, text FROM clean_items ORDER BY md5(item_id), item_id LIMIT ?"


def measure(step: Step) -> pa.Table:
    """Count what was kept, and look for copies and private data in it."""
    for table in ("raw_items", "similar_items", "clean_items", "rejected_items"):
        view(step, table)
    return one_row(_of_texts(step) if step.project.modality.has_text else _of_images(step))


def _of_texts(step: Step) -> dict[str, Measured]:
    view(step, "item_signals")
    unwanted = {} if step.project.cleaning.contamination is None else contamination(step)
    changed = row_of(step, _CHANGED)
    return _of_items(step, "item_signals") | {
        "private_data_left": _private_data(step, row_of(step, _ITEMS)["kept"]),
        "changed_share": Measured(share(changed["changed"], changed["items"])),
        "declared_otherwise_share": _declared_otherwise(step),
        **unwanted,
    }


def _of_images(step: Step) -> dict[str, Measured]:
    for table in ("image_files", "signatures"):
        view(step, table)
    found = row_of(step, _IMAGES)
    unreadable = some_ids(step, found["unreadable"], "SELECT item_id FROM image_files WHERE problem IS NOT NULL")
    placed = some_ids(step, found["placed"], f"SELECT item_id FROM ({_PLACED}) WHERE is_placed")
    return _of_items(step, "signatures") | {
        "unreadable_image_share": Measured(share(found["unreadable"], found["items"]), item_ids=unreadable),
        "places_left": Measured(found["placed"], item_ids=placed),
    }


def _of_items(step: Step, signals: str) -> dict[str, Measured]:
    """Return what is counted whatever an item is; `signals` is the table with its `text_sha256`."""
    items, copies = row_of(step, _ITEMS), row_of(step, _EXACT.format(signals=signals))["copies"]
    odd = some_ids(step, items["odd"], f"SELECT item_id FROM ({_BY_ITEM}) WHERE {_ODD}")
    return {
        "items_unaccounted": Measured(items["odd"], item_ids=odd),
        "kept_share": Measured(share(items["kept"], items["raw"])),
        "exact_duplicates_left": Measured(copies, item_ids=some_ids(step, copies, _EXACT_IDS.format(signals=signals))),
        "near_duplicates_left": _near_duplicates(step),
    }


def duplicate_similarity(project: Project) -> float | None:
    """Return the similarity from which an item is a near-duplicate; None where none is."""
    bits = project.images.duplicate_bits
    if project.modality.has_text:
        return project.cleaning.duplicate_similarity
    return None if bits is None else similarity_of_bits(bits)


def rejects_duplicates(project: Project, partition: str | None) -> bool:
    """Tell whether the project looks for near duplicates at all."""
    return duplicate_similarity(project) is not None


def has_texts(project: Project, partition: str | None) -> bool:
    """Tell whether items are texts."""
    return project.modality.has_text


def has_images(project: Project, partition: str | None) -> bool:
    """Tell whether items are images."""
    return not project.modality.has_text


def keeps_metadata(project: Project, partition: str | None) -> bool:
    """Tell whether images are released with what their files say of place and person."""
    images = project.images
    return has_images(project, partition) and images.released == "files" and images.metadata == "keep"


def declares_language(project: Project, partition: str | None) -> bool:
    """Tell whether the delivery declares its languages; without a partition, whether any does."""
    if not project.modality.has_text:
        return False
    deliveries = project.raw.deliveries
    asked = deliveries.values() if partition is None else [deliveries[partition]] if partition in deliveries else []
    return any(delivery.language_field is not None for delivery in asked)


def _declared_otherwise(step: Step) -> Measured:
    found = row_of(step, _DECLARED)
    note = f"{found['told']:,} items are declared and told"
    return Measured(share(found["otherwise"], found["told"]), note=note)


def _near_duplicates(step: Step) -> Measured:
    """Count kept items as alike to a kept item, of this batch or an earlier one, as duplicates are.

    One with a better licence than the kept item of an earlier batch is no duplicate: a release leaves the other out.
    """
    settings, similarity = step.project.cleaning, duplicate_similarity(step.project)
    if similarity is None and settings.duplicate_containment is None:
        return Measured(None)
    kept = ["SELECT batch, item_id, licence FROM clean_items"]
    rows = step.lake.connection.execute("SELECT DISTINCT earlier_batch FROM similar_items ORDER BY 1").fetchall()
    for number, batch in enumerate(row[0] for row in rows if row[0] != step.partition):
        if step.lake.commit("clean_items", batch) is None:
            continue  # cleaning never came to its end there, so nothing of it is kept
        step.uses("clean_items", batch)
        step.lake.relation("clean_items", batch).create_view(f"earlier_{number}", replace=True)
        kept.append(f"SELECT batch, item_id, licence FROM earlier_{number}")
    sql = f"WITH kept_items AS ({' UNION ALL '.join(kept)}) {_ALIKE.format(**_PLACES)}"
    asked = [similarity, settings.duplicate_containment, settings.keep_other_digits]
    values = [*asked, *[list(step.project.licence_names)] * 4]
    count = row_of(step, f"SELECT count(*) AS items FROM ({sql})", values)["items"]
    return Measured(count, item_ids=some_ids(step, count, sql, values))


def _private_data(step: Step, kept: int) -> Measured:
    """Count kept texts in which private data can still be found, in a fixed sample where there are very many."""
    from cupel.modalities.text.privacy.mask import mask

    rows = step.lake.connection.execute(_SAMPLE, [MOST_SCANNED]).fetchall()
    settings = step.project.cleaning
    region, ips = settings.phone_region, settings.mask_ip_addresses
    found = sorted(item_id for item_id, text in rows if mask(text, region, ips=ips).text != text)
    note = f"{len(rows):,} of {kept:,} texts were searched, a fixed sample" if len(rows) < kept else None
    return Measured(len(found), item_ids=tuple(found[:MOST_IDS]), note=note)


SUITE = Suite(
    stage="cleaning",
    table="clean_items",
    beside=("rejected_items",),
    checks=(
        Check(
            thresholds.ITEMS_UNACCOUNTED,
            "How many items are not in exactly one of clean and rejected items, or in these without being raw?",
            "Run the cleaning stage again; if it stays so, report it as a bug with the ids shown.",
        ),
        Check(
            thresholds.KEPT_SHARE,
            "What share of the raw items did cleaning keep?",
            "Count the reasons in rejected_items: a rule of the cleaning section does not fit this source, or the "
            "delivery is poor and should go back.",
        ),
        Check(
            thresholds.EXACT_DUPLICATES_LEFT,
            "How many kept items have the same text as another kept item, case and white space aside?",
            "Run the cleaning stage again; if it stays so, report it as a bug with the ids shown.",
        ),
        Check(
            thresholds.NEAR_DUPLICATES_LEFT,
            "How many kept items are as alike to an earlier kept item as duplicate_similarity forbids?",
            "Run the cleaning stage of this batch again, after those of the earlier batches.",
            applies=rejects_duplicates,
        ),
        Check(
            thresholds.PRIVATE_DATA_LEFT,
            "In how many kept texts can an e-mail or postal address, phone, card or account number still be found?",
            "Run the cleaning stage again; if it stays so, the masking misses a form: report it with the ids shown.",
            applies=has_texts,
        ),
        Check(
            thresholds.CHANGED_SHARE,
            "What share of the texts did normalising change?",
            "Compare a few texts of raw_items and item_signals: a wrong encoding or markup shows at once.",
            applies=has_texts,
        ),
        Check(
            thresholds.DECLARED_OTHERWISE_SHARE,
            "Of the items with a declared language, how many are found to be in another (und aside)?",
            "Read a few of them: the source's column is wrong, or the model does not know the language (its reference "
            "says which).",
            applies=declares_language,
        ),
        Check(
            thresholds.UNREADABLE_IMAGE_SHARE,
            "What share of the images cannot be read?",
            "The evidence in rejected_items says of each why, and what to do.",
            applies=has_images,
        ),
        Check(
            thresholds.PLACES_LEFT,
            "How many kept images say where they were taken, where the project releases them as they are?",
            "Set images.metadata to strip, unless the place is what the images are for.",
            applies=keeps_metadata,
        ),
        *CONTAMINATION_CHECKS,
    ),
    measure=measure,
)
