"""The check of a release's licences: what it was frozen with lets every item in, and what was left out has its copy."""

from cupel.release.layout import LEFT_OUT_FILE
from cupel.release.opened import Opened
from cupel.release.terms import Terms, counted, forbidden, terms_of_plan, words_by_licence


def licences_let_it(opened: Opened) -> str:
    """The terms that were frozen with the release let every item in; each left out has a copy with a better licence.

    A release that was frozen without terms must tell none, and leave nothing out for them.
    """
    terms, left_out = terms_of_plan(opened.certificate["plan"]), opened.tables.get(LEFT_OUT_FILE)
    if terms is None:
        told = opened.released["terms"].null_count < opened.released.num_rows
        return "it was frozen without terms, but its items tell some" if told or left_out is not None else ""
    if left_out is None:
        return f"it was frozen with terms, but there is no {LEFT_OUT_FILE}"
    problems = forbidden(terms, counted(opened.frozen["licence"].to_pylist()))
    return "; ".join(problems) or _words(opened, terms) or _left_out(opened, terms)


def _words(opened: Opened, terms: Terms) -> str:
    """Return what is wrong with what the released items tell of their terms."""
    words = words_by_licence(terms.licences)
    pairs = zip(*(opened.released[name].to_pylist() for name in ("item_id", "licence", "terms")), strict=True)
    for item_id, licence, said in pairs:
        if said != words[licence]:
            return f"{item_id} tells the terms {said!r}, but those of {licence} are {words[licence]!r}"
    return ""


def _left_out(opened: Opened, terms: Terms) -> str:
    """Return what is wrong with the items that were left out."""
    place = {licence.name: number for number, licence in enumerate(terms.licences)}
    frozen = opened.frozen.select(["batch", "item_id", "licence"]).to_pylist()
    licence_of = {f"{row['batch']}/{row['item_id']}": row["licence"] for row in frozen}
    for row in opened.tables[LEFT_OUT_FILE].to_pylist():
        name, copy = f"{row['batch']}/{row['item_id']}", row["evidence"]
        if name in licence_of:
            return f"{name} is left out, and in the release"
        if copy not in licence_of:
            return f"{name} is left out for {copy}, which is not in the release"
        if place.get(row["licence"], len(place)) < place[licence_of[copy]]:
            return f"{name} is left out for {copy}, whose licence is not as good"
    return ""
