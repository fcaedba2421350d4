"""The guideline of a release: which version its labels were made under, and whether another is in force since."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cupel.config.guideline import SHOWN_DIGITS
from cupel.contract.ontology import Ontology
from cupel.lake.cached_rows import rows_of
from cupel.lake.guideline_log import GUIDELINES, GuidelineVersion, format_ontology, hash_guideline, read_versions
from cupel.lake.lake import Lake
from cupel.release.frozen_terms import GUIDELINE, FrozenTerms


class ReleaseGuideline(NamedTuple):
    """The version that a release was frozen under, and the one in force now, if it is another."""

    version: GuidelineVersion
    replaced_by: GuidelineVersion | None = None

    def to_certificate(self) -> dict[str, Any]:
        """Return what `certificate.json` says of it: all that its version is a hash of."""
        about = self.version
        return {
            "version": about.version,
            "text_sha256": about.text_sha256,
            "question": about.question,
            "kind": about.kind,
            "ontology": None if about.ontology is None else format_ontology(about.ontology),
        }

    def when_frozen(self) -> "ReleaseGuideline":
        """Return the guideline as it is of the release for ever, whichever is in force since."""
        return self._replace(replaced_by=None)

    @property
    def lapse(self) -> str | None:
        """That another version is in force, in words; None while it is not."""
        if self.replaced_by is None:
            return None
        return f"made under guideline {self.version.shown}, which {self.replaced_by.shown} has replaced"


def find_guideline(lake: Lake, terms: FrozenTerms) -> ReleaseGuideline | None:
    """Return the guideline of a release; None where its project's had no versions when it was frozen."""
    if terms.guideline is None:
        return None
    versions = read_versions(lake.log(GUIDELINES))
    own = next((one for one in versions if one.version == terms.guideline), None)
    if own is None:  # the log is gone, or another's: what is known stands in the plan
        own = GuidelineVersion(terms.guideline, None, None, None, terms.ontology, 0, None)
    return ReleaseGuideline(own, versions[-1] if versions and versions[-1].version != own.version else None)


def is_replaced(lake: Lake, plan: dict[str, Any]) -> bool:
    """Tell whether another guideline is in force than a release was frozen under.

    Args:
        lake: The project's lake.
        plan: The release's row of RELEASE_PLAN.
    """
    if f'"{GUIDELINE}"' not in (plan.get("design") or ""):
        return False
    frozen = FrozenTerms.from_plan(plan).guideline
    versions = read_versions(lake.log(GUIDELINES))
    return bool(versions) and versions[-1].version != frozen


def lapsed_certificates(lake: Lake, batches: Sequence[str] | None = None) -> list[tuple[str, str]]:
    """Return the certified releases whose guideline another has replaced, and its version as it is shown, by name.

    Args:
        lake: The project's lake.
        batches: Only releases that hold one of these; None: all.
    """
    found = []
    for name in lake.partitions("certificate"):
        plan = rows_of(lake, "release_plan", name)[0]
        is_meant = batches is None or set(plan["batches"]) & set(batches)
        if is_meant and rows_of(lake, "certificate", name)[0]["status"] == "certified" and is_replaced(lake, plan):
            found.append((name, str(FrozenTerms.from_plan(plan).guideline)[:SHOWN_DIGITS]))
    return found


def guideline_sentence(version: str | None) -> str:
    """Return what a certificate says of its guideline, behind all else; "" where it has none.

    >>> guideline_sentence("0123456789abcdef")[:52]
    ' The labels were made under guideline 0123456789ab; '
    """
    if version is None:
        return ""
    stay = "answers to an earlier one count where its change lets them stay"
    return f" The labels were made under guideline {version[:SHOWN_DIGITS]}; {stay}."


def find_guideline_problem(told: object, frozen: str | None, ontology: Ontology, text_sha256: str | None) -> str:
    """Return what is wrong with what a release says of its guideline; "" if nothing is.

    Args:
        told: `guideline` of its certificate.json; None where it says nothing.
        frozen: The version in its plan; None where there is none.
        ontology: The ontology in its plan.
        text_sha256: The hash of the guideline's file in its folder; None where there is none.
    """
    if frozen is None:
        return "" if told is None and text_sha256 is None else "it was frozen without a guideline, but tells of one"
    if not isinstance(told, dict):
        return f"it was frozen under guideline {frozen}, but certificate.json tells of none"
    if text_sha256 is None:
        return f"it was frozen under guideline {frozen}, but the text of it is not in the folder"
    if told.get("text_sha256") != text_sha256:
        return f"the guideline's text gives {text_sha256}, but certificate.json says {told.get('text_sha256')}"
    if told.get("ontology") != format_ontology(ontology):
        return f"the guideline is of {told.get('ontology')}, but the plan of {format_ontology(ontology)}"
    found = hash_guideline(text_sha256, str(told.get("question")), str(told.get("kind")), ontology)
    claims = {"plan": frozen, "certificate.json": told.get("version")}
    wrong = [f"{part} says {claim}" for part, claim in claims.items() if claim != found]
    return f"text, question, kind and ontology give {found}, but {'; '.join(wrong)}" if wrong else ""
