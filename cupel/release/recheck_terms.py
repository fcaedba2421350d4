"""The check of a release's licences: what it was frozen with lets every item in, and what was left out has its copy."""

from cupel.release.layout import LEFT_OUT_FILE
from cupel.release.release_content import ReleaseContent
from cupel.release.terms import LicenceTerms, counted, forbidden, words_by_licence


def licences_let_it(content: ReleaseContent) -> str:
    """The terms that were frozen with the release let every item in; each left out has a copy with a better licence.

    A release that was frozen without terms must tell none, and leave nothing out for them.
    """
    terms, left_out = content.audit.terms.licence_terms, content.tables.get(LEFT_OUT_FILE)
    if terms is None:
        told = content.released["terms"].null_count < content.released.num_rows
        return "it was frozen without terms, but its items tell some" if told or left_out is not None else ""
    if left_out is None:
        return f"it was frozen with terms, but there is no {LEFT_OUT_FILE}"
    problems = forbidden(terms, counted(content.audit.items["licence"].to_pylist()))
    return "; ".join(problems) or _words(content, terms) or _left_out(content, terms)


def _words(content: ReleaseContent, terms: LicenceTerms) -> str:
    """Return what is wrong with what the released items tell of their terms."""
    words = words_by_licence(terms.licences)
    pairs = zip(*(content.released[name].to_pylist() for name in ("item_id", "licence", "terms")), strict=True)
    for item_id, licence, said in pairs:
        if said != words[licence]:
            return f"{item_id} tells the terms {said!r}, but those of {licence} are {words[licence]!r}"
    return ""


def _left_out(content: ReleaseContent, terms: LicenceTerms) -> str:
    """Return what is wrong with the items that were left out."""
    place = {licence.name: number for number, licence in enumerate(terms.licences)}
    frozen = content.audit.items.select(["batch", "item_id", "licence"]).to_pylist()
    licence_of = {f"{row['batch']}/{row['item_id']}": row["licence"] for row in frozen}
    for row in content.tables[LEFT_OUT_FILE].to_pylist():
        name, copy = f"{row['batch']}/{row['item_id']}", row["evidence"]
        if name in licence_of:
            return f"{name} is left out, and in the release"
        if copy not in licence_of:
            return f"{name} is left out for {copy}, which is not in the release"
        if place.get(row["licence"], len(place)) < place[licence_of[copy]]:
            return f"{name} is left out for {copy}, whose licence is not as good"
    return ""
