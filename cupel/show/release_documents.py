"""The files that describe a release beside its data: the dataset card, the Croissant metadata and the report."""

from collections.abc import Mapping
from typing import NamedTuple

from cupel.release import layout
from cupel.release.facts import ReleaseFacts
from cupel.release.files import WrittenFile
from cupel.show.card import render_card
from cupel.show.croissant import croissant
from cupel.show.report import render_report
from cupel.show.report_facts import ReportFacts


class ReportContent(NamedTuple):
    """What the report of a release's folder tells beside the facts; see `render_report`."""

    more: ReportFacts
    pictures: Mapping[str, str]
    answers_known: int


NO_CONTENT = ReportContent(ReportFacts.nothing(), {}, 0)


def describe_release(
    facts: ReleaseFacts, data: Mapping[str, WrittenFile], report: ReportContent = NO_CONTENT
) -> dict[str, bytes]:
    """Return the files that describe a certified release, by name.

    Args:
        facts: The facts of the release.
        data: Its data files, by name.
        report: What its report tells beside the facts.

    Raises:
        ReleaseError: The release is not certified, or the metadata do not validate.
    """
    return {
        layout.CROISSANT_FILE: layout.json_bytes(croissant(facts, data)),
        layout.CARD_FILE: render_card(facts).encode(),
        layout.REPORT_FILE: render_report(
            facts, report.more, report.pictures, answers_known=report.answers_known
        ).encode(),
    }
