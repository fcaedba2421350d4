"""What `cupel send-back` says: how many items went back, which did not and why, and what becomes of releases."""

from collections.abc import Iterator

from cupel.figures import plural
from cupel.release.send_back import SendBackResult

NAMED = 5


def send_back_lines(result: SendBackResult, project: str, batch: str) -> Iterator[str]:
    """Yield what a send-back came to, a line each.

    Args:
        result: What became of it.
        project: The project's name.
        batch: The batch.
    """
    sent = result.send_back
    if sent is None:
        yield f"{batch}: nothing is sent back, and nothing was changed"
    else:
        items, answers = plural(len(sent.item_ids), "item"), plural(result.answers, "answer")
        yield f"{batch}: {items} sent back with {answers}: {sent.reason}"
        whom = f"of {', '.join(sent.to)} " if sent.to else ""
        asked = plural(result.asked, "answer")
        yield f"  {asked} {whom}will be asked by the daemon, or by `make run PROJECT={project}`"
        if not result.asked:
            yield "  the overlap is met without them: send back all answers of an item to have it asked anew"
    for why, ids in result.left_out.items():
        more = f" and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
        yield f"  not sent back, for they {why}: {', '.join(ids[:NAMED])}{more}"
    for note in result.notes:
        yield f"  {note}"
