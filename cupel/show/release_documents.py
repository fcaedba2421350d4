"""The files that describe a release beside its data: the dataset card and the Croissant metadata."""

from collections.abc import Mapping

from cupel.release import layout
from cupel.release.facts import ReleaseFacts
from cupel.release.files import WrittenFile
from cupel.show.card import render_card
from cupel.show.croissant import croissant


def describe_release(facts: ReleaseFacts, data: Mapping[str, WrittenFile]) -> dict[str, bytes]:
    """Return the files that describe a certified release, by name.

    Args:
        facts: The facts of the release.
        data: Its data files, by name.

    Raises:
        ReleaseError: The release is not certified, or the metadata do not validate.
    """
    return {
        layout.CROISSANT_FILE: layout.json_bytes(croissant(facts, data)),
        layout.CARD_FILE: render_card(facts).encode(),
    }
