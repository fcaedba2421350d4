"""A verdict as files: JSON for machines, a page for whoever keeps it, and the items to send back."""

from collections.abc import Sequence

from cupel.accept.budget import money, percent
from cupel.accept.judging import Verdict, WrongLabel, earlier_words
from cupel.accept.part_judging import PartBound, describe_unbounded
from cupel.accept.scores import Standing
from cupel.accept.sheet import CANNOT, PAGES, csv_bytes
from cupel.accept.suspicious import Suspicion
from cupel.certificate.result import percent as percent_up
from cupel.show.delivery_parts import format_bound
from cupel.show.phone_tables import fit_phone
from cupel.store.files import read_text

# The scale of the page reaches this many times beyond the largest number on it.
SCALE_ROOM = 1.15
EDGE_PERCENT = 12


def verdict_json(verdict: Verdict) -> bytes:
    """Return a verdict as JSON with sorted, fixed keys; shares are 0 to 1."""
    return f"{verdict.model_dump_json(indent=1)}\n".encode()


def verdict_page(verdict: Verdict) -> bytes:
    """Return a verdict as one page without scripts or network; all that comes from the delivery is escaped."""
    from jinja2 import Environment

    text = read_text(PAGES / "verdict.html")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
    most = min(1.0, SCALE_ROOM * max(verdict.rate.high, verdict.error_budget))

    def at(share: float) -> float:
        return round(100 * share / most, 2)

    def side(share: float) -> str:
        return "left" if at(share) < EDGE_PERCENT else "right" if at(share) > 100 - EDGE_PERCENT else ""

    page = template.render(
        v=verdict,
        at=at,
        side=side,
        share=lambda share: "-" if share is None else percent(share),
        whole=lambda share: percent(share, 1),
        precise=lambda share: percent(share, 4),
        bound=percent_up,
        money=money,
        part_bound=format_bound,
        bounds_by=_group_bounds(verdict),
        describe_unbounded=describe_unbounded,
        earlier=_earlier(verdict),
        tables=[("Where the errors are", verdict.by_class), ("By annotator", verdict.by_annotator)],
        lists=[("Send these back", verdict.send_back), ("Cannot be decided", verdict.undecided)],
    )
    return fit_phone(page).encode()


def _group_bounds(verdict: Verdict) -> list[tuple[str, list[PartBound]]]:
    names = dict.fromkeys(bound.by for bound in verdict.bounds)
    return [(by, [bound for bound in verdict.bounds if bound.by == by]) for by in names]


def _earlier(verdict: Verdict) -> str:
    if verdict.earlier is None:
        return ""
    return earlier_words(verdict.earlier, verdict.labels, verdict.attempt, verdict.alpha)


def vendors_page(standings: Sequence[Standing]) -> bytes:
    """Return the vendors' table as one page, each error with its interval drawn to one scale; all is escaped."""
    from jinja2 import Environment

    text = read_text(PAGES / "vendors.html")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
    most = min(1.0, SCALE_ROOM * max((one.high for one in standings), default=1.0))
    page = template.render(
        standings=standings,
        most=most,
        at=lambda share: round(100 * share / most, 2),
        share=lambda share: "-" if share is None else percent(share),
        whole=lambda share: percent(share, 1),
        money=money,
    )
    return fit_phone(page).encode()


def send_back_csv(verdict: Verdict) -> bytes:
    """Return the labels that the auditor did not confirm, and those of items that cannot be decided, as CSV."""
    header = ("item_id", "row", "delivered_label", "auditor_label", "annotator", "text")
    return csv_bytes([header, *map(_line, (*verdict.send_back, *verdict.undecided))])


def suspicious_csv(suspicions: Sequence[Suspicion]) -> bytes:
    """Return labels that a model finds unlikely as CSV, riskiest first."""
    header = ("item_id", "row", "delivered_label", "suggested_label", "chance_of_delivered", "chance_of_suggested",
              "text")  # fmt: skip
    return csv_bytes([header, *suspicions])


def _line(wrong: WrongLabel) -> tuple[object, ...]:
    auditor = CANNOT if wrong.auditor is None else wrong.auditor
    return wrong.item_id, wrong.row, wrong.delivered, auditor, wrong.annotator, wrong.text
