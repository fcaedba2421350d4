"""The files that describe a release beside its data: the dataset card, the Croissant metadata and the report."""

from collections.abc import Mapping

from cupel.release import layout
from cupel.release.facts import ReleaseFacts
from cupel.release.files import WrittenFile
from cupel.show.card import render_card
from cupel.show.croissant import croissant
from cupel.show.report import render_report


def describe_release(
    facts: ReleaseFacts, data: Mapping[str, WrittenFile], page: bytes | None = None
) -> dict[str, bytes]:
    """Return the files that describe a certified release, by name.

    Args:
        facts: The facts of the release.
        data: Its data files, by name.
        page: Its report; None: of the facts alone.

    Raises:
        ReleaseError: The release is not certified, or the metadata do not validate.
    """
    return {
        layout.CROISSANT_FILE: layout.json_bytes(croissant(facts, data)),
        layout.CARD_FILE: render_card(facts).encode(),
        layout.REPORT_FILE: render_report(facts).encode() if page is None else page,
    }
