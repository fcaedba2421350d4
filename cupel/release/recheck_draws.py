"""Checks of where a release's draws are from: the seed, the nonces, and the receipts of witnesses."""

from cupel.contract.format_numbers import LAST_CHOSEN_SEED
from cupel.lake.draw_log import DRAWN, Part
from cupel.release.layout import SECOND_DRAW, WITNESSED
from cupel.release.nonces import WITNESS, chosen_seed, find_nonce_problem, make_seed
from cupel.release.release_content import ReleaseContent
from cupel.release.witnessed_draws import find_draw_problem


def is_drawn_by_nonce(content: ReleaseContent) -> bool:
    """Tell whether a release is of a format whose draw nobody could choose."""
    return int(content.manifest.get("format", 1)) > LAST_CHOSEN_SEED


def find_seed_problem(content: ReleaseContent) -> str:
    """Return what is wrong with the seed of the audit's draw."""
    terms = content.audit.terms
    if not is_drawn_by_nonce(content):
        seed = chosen_seed(terms.items_sha256, content.certificate["project_seed"], terms.attempt)
        return "" if seed == terms.seed else f"the plan's seed is {terms.seed}, but the frozen items give {seed}"
    if terms.nonce is None or terms.nonce_source is None:
        return "the plan names no nonce, or not where it is from"
    if terms.nonce_source == WITNESS and "audit" not in content.certificate.get(WITNESSED, {}):
        return "the plan says that a witness gave the nonce, but there is no receipt"
    if problem := find_nonce_problem(terms.nonce_source, terms.nonce):
        return problem
    if (found := terms.hash_freeze()) != terms.freeze_sha256:
        return f"the plan's freeze_sha256 is {terms.freeze_sha256}, but what was frozen gives {found}"
    seed = make_seed(found, terms.nonce)
    return "" if seed == terms.seed else f"the plan's seed is {terms.seed}, but freeze and nonce give {seed}"


def find_second_problem(content: ReleaseContent) -> str:
    """Return what is wrong with the event that drew what another expert judged again."""
    second, audit = content.certificate.get(SECOND_DRAW), content.audit
    if second is None:
        return ""
    if not audit.terms.adjudicators_audited:
        return "there is a second draw, but no adjudicators were to be audited"
    about = {"event": DRAWN, "release": audit.terms.release, "part": "adjudicators"}
    for name, expected in {**about, "frozen_sha256": audit.adjudications_sha256}.items():
        if second.get(name) != expected:
            return f"the second draw: {name} is {second.get(name)!r}, expected {expected!r}"
    if audit.second_source == WITNESS and "adjudicators" not in content.certificate.get(WITNESSED, {}):
        return "the second draw says that a witness gave the nonce, but there is no receipt"
    return find_nonce_problem(str(audit.second_source), str(audit.second_nonce))


def witnessed_draws(content: ReleaseContent) -> str:
    """The hash of each freeze is what the receipt is of, and the receipt's nonce drew; not whose receipt it is."""
    audit, terms, draws = content.audit, content.audit.terms, content.certificate[WITNESSED]
    second = content.certificate.get(SECOND_DRAW)
    if strange := sorted(set(draws) - {"audit", "adjudicators"}):
        return f"receipts for {', '.join(strange)}, which nobody draws"
    if ("audit" in draws) != (terms.nonce_source == WITNESS):
        has = "a receipt is there" if "audit" in draws else "no receipt is there"
        return f"the plan's nonce_source is {terms.nonce_source!r}, but {has}"
    if ("adjudicators" in draws) != (second is not None and second.get("source") == WITNESS):
        return "a receipt for what another expert judges again, and another source of that draw's nonce"
    drawn: dict[Part, tuple[str, str]] = {"audit": (str(terms.freeze_sha256), str(terms.nonce))}
    if second is not None:
        drawn["adjudicators"] = (audit.adjudications_sha256, str(audit.second_nonce))
    found = (find_draw_problem(draws[part], terms.release, part, *drawn[part]) for part in drawn if part in draws)
    return next(filter(None, found), "")
