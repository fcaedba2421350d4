"""The check of what a release says of unwanted items: ranks, draw, cuts and bounds, recomputed from its evidence."""

import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.sample import draw
from cupel.cleaning.contamination.answered import alpha_of
from cupel.cleaning.contamination.audit_rule import audit_seed, find_rule
from cupel.cleaning.contamination.concluding import concluded
from cupel.cleaning.contamination.designing import AUDIT, ranks_sha256
from cupel.release.contamination import EVIDENCE, Contaminated, of_batch, together
from cupel.release.layout import LEFT_OUT_FILE
from cupel.release.release_content import ReleaseContent, Row


def unwanted_items(content: ReleaseContent) -> str:
    """Bounds of unwanted items follow from ranks, draw and answers, and speak of the items that were frozen.

    The ranks themselves come from texts that the release does not hold. A release that says nothing of unwanted items
    must have no evidence of them either.
    """
    there = {name: content.tables[path] for name in EVIDENCE if (path := f"evidence/{name}.parquet") in content.tables}
    said = content.certificate.get("contamination")
    if said is None:
        return f"the certificate says nothing of what {', '.join(there)} are evidence for" if there else ""
    if missing := [name for name in EVIDENCE if name not in there]:
        return f"the certificate speaks of unwanted items, but there is no {', '.join(missing)}"
    plans = {row["batch"]: row for row in there["contamination_plan"].to_pylist()}
    results: dict[str, Row] = {row["batch"]: row for row in said["batches"]}
    held = set(content.certificate["plan"]["batches"])
    if set(plans) != held or set(results) != held:
        return f"plans of {sorted(plans)} and results of {sorted(results)}, but the release holds {sorted(held)}"
    for batch, plan in plans.items():
        items, answers = (of_batch(there[f"contamination_{name}"], batch) for name in ("items", "answers"))
        frozen = [*of_batch(content.audit.items, batch)["item_id"].to_pylist(), *_left_out(content, batch)]
        problem = _draw(plan, items) or _attempt(plan, items, answers)
        if problem := problem or _result(plan, items, answers, results[batch], frozen):
            return f"batch {batch}: {problem}"
    found = [Contaminated(plan, results[batch], [], [], []) for batch, plan in plans.items()]
    both = together(found, content.released.num_rows, content.certificate["audit_result"])
    expected = None if both is None else both._asdict()
    return "" if said["release"] == expected else f"of the release it says {said['release']}, recomputed {expected}"


def _left_out(content: ReleaseContent, batch: str) -> list[str]:
    """Return the items that the release leaves out: fewer of the kept cannot hold more of the unwanted."""
    table = content.tables.get(LEFT_OUT_FILE)
    return [] if table is None else list(of_batch(table, batch)["item_id"].to_pylist())


def _attempt(plan: Row, items: pa.Table, answers: pa.Table) -> str:
    """Return what is wrong with a batch's attempt: a first one follows on no answer to another audit.

    Answers up to `known_until` were given to earlier designs. Where there was none, such as after a lake was lost and
    made anew from its log, all answers to an audit are to this one.
    """
    drawn = items.filter(pc.equal(items["use"], "audit"))["item_id"].combine_chunks()
    to_audit = answers.filter(pc.equal(answers["purpose"], AUDIT))
    is_to_other = pc.less_equal(to_audit["sequence"], plan["known_until"])
    if plan["known_until"] == 0:
        is_to_other = pc.invert(pc.is_in(to_audit["item_id"], value_set=drawn))
    others = to_audit.filter(is_to_other)
    if plan["attempt"] > 1 or not others.num_rows:
        return ""
    item = others["item_id"][0].as_py()
    return f"{others.num_rows} answers, such as on {item!r}, are to another audit, before attempt 1"


def _draw(plan: Row, items: pa.Table) -> str:
    """Return what is wrong with a batch's ranks or the draw of its audit."""
    if plan["alpha"] != alpha_of(plan["confidence"], plan["attempt"]):
        return f"attempt {plan['attempt']} may not spend alpha {plan['alpha']}"
    ranked = items.filter(pc.is_valid(items["rank"])).sort_by("rank")
    if ranked["rank"].to_pylist() != list(range(1, ranked.num_rows + 1)):
        return "its ranks have gaps or repeats"
    names = ranked["item_id"].to_pylist()
    sha256 = ranks_sha256(plan["batch"], names)
    if sha256 != plan["items_sha256"]:
        return f"its ranks give {sha256}, the plan says {plan['items_sha256']}"
    if find_rule(plan) is None:
        seed = audit_seed(plan)
        return f"what was fixed before the audit gives the seed {seed}, the plan says {plan['seed']}"
    places = draw([(plan["batch"], name) for name in names[: plan["loosest"]]], plan["audit_size"], plan["seed"])
    marked = set(items.filter(pc.equal(items["use"], "audit"))["item_id"].to_pylist())
    return "" if {names[place] for place in places} == marked else "its audit holds other items than its seed draws"


def _result(plan: Row, items: pa.Table, answers: pa.Table, said: Row, frozen: list[str]) -> str:
    """Return what is wrong with a batch's result, or the items that it speaks of."""
    found = concluded(plan, items, answers)
    row = found.result.to_pylist()[0]
    if different := [name for name, value in row.items() if said.get(name) != value]:
        return "; ".join(f"{name} is {said.get(name)!r}, recomputed {row[name]!r}" for name in different)
    kept = set(items["item_id"].filter(pa.array(found.is_kept)).to_pylist())
    others = sorted(kept.symmetric_difference(frozen))
    return f"the bound speaks of other items than were frozen, such as {others[0]!r}" if others else ""
