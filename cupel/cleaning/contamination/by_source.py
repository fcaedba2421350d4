"""By source: how much is unwanted in each file of a delivery, with bounds that hold all together."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.hypergeometric import upper_count
from cupel.cleaning.contamination.answered import said_of
from cupel.cleaning.contamination.cutting import CUTS
from cupel.cleaning.contamination.learning import Flags
from cupel.contract.table import from_rows
from cupel.contract.tables.contamination import CONTAMINATION_SOURCES


def sources(plan: dict[str, Any], items: pa.Table, answers: pa.Table, cut: int | None, is_kept: Flags) -> pa.Table:
    """Bound what is unwanted among the kept items of each source.

    Of the ranked items before a cut the audited ones of a source are a simple random sample of the source's, so that
    the hypergeometric bound holds for one source and one cut fixed beforehand. The audit chose one of `CUTS` cuts,
    and each source is looked at: each bound spends alpha / (CUTS x sources), so that all hold together with the
    attempt's confidence, whichever cut was chosen.

    Args:
        plan: The row of CONTAMINATION_PLAN.
        items: CONTAMINATION_ITEMS.
        answers: CONTAMINATION_ANSWERS.
        cut: Ranked items before the cut; None while it is open: then there are no bounds.
        is_kept: Which of the items are kept.

    Returns:
        CONTAMINATION_SOURCES, by source.

    Source: Bonferroni's inequality.
    """
    said = said_of(items["item_id"], answers, plan["good"])
    rank = items["rank"].fill_null(0).to_numpy()
    is_before = (rank > 0) & (rank <= (cut or 0))
    is_pilot, is_audited = (
        pc.equal(items["use"], use).fill_null(False).to_numpy().astype(np.bool_) for use in ("pilot", "audit")
    )
    coded = items["source_file"].combine_chunks().dictionary_encode()
    source, names = coded.indices.to_numpy(), coded.dictionary.to_pylist()
    level = plan["alpha"] / (CUTS * max(1, len(names)))

    def count(flags: Flags) -> list[int]:
        return [int(number) for number in np.bincount(source[flags], minlength=len(names))]

    columns = {
        "candidates": count(np.ones(len(source), np.bool_)),
        "kept": count(is_kept),
        "pilot": count(is_pilot),
        "pilot_unwanted": count(is_pilot & said.is_unwanted),
        "audited": count(is_before & is_audited & said.is_answered),
        "audit_unwanted": count(is_before & is_audited & said.is_unwanted),
    }
    before = count(is_before)
    rows = []
    for place, name in enumerate(names):
        row: dict[str, Any] = {key: values[place] for key, values in columns.items()}
        row |= {"batch": plan["batch"], "source_file": name, "estimate": None, "bound": None, "is_enough": False}
        drawn, bad, kept = row["audited"], row["audit_unwanted"], row["kept"]
        if cut is not None and kept:
            row["bound"] = min(1.0, (upper_count(before[place], drawn, bad, level) - bad) / kept)
            row["estimate"] = bad / drawn * (before[place] - drawn) / kept if drawn else None
            row["is_enough"] = upper_count(before[place], drawn, 0, level) <= plan["at_most"] * kept
        rows.append(row)
    return from_rows(rows, CONTAMINATION_SOURCES).sort_by("source_file")
