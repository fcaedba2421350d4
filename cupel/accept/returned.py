"""Items that come again after they were sent back: how many of them, and whether their labels are others now."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from cupel.accept.delivery import Delivery
from cupel.accept.item_keys import KEY_BYTES, DeliveredItems
from cupel.accept.plan import Record
from cupel.accept.record import Audits
from cupel.figures import plural

NAMED = 10
# Of an item that was sent back: its key, and the beginning of the hash of the label that it had.
_LABEL_BYTES = 16
_ENTRY = KEY_BYTES + _LABEL_BYTES


class ReturnedItems(Record):
    """Of the items that were sent back after an earlier delivery those that this one brings again.

    `sent_back` counts what the earlier verdict named, `came_back` those of them that are here, `changed` those with
    another label now; `unchanged` names the others by their ids here.
    """

    delivery: str
    at: str
    sent_back: int
    came_back: int
    changed: int
    unchanged: tuple[str, ...]


class _Place(NamedTuple):
    item_id: str
    label: bytes


def pack_sent_back(delivery: Delivery, items: DeliveredItems, item_ids: Iterable[str]) -> bytes:
    """Return the items that a verdict sends back, as the record of audits keeps them: by content and label, no text.

    Args:
        delivery: The delivery.
        items: Its items, row for row.
        item_ids: Ids of those that are sent back.
    """
    places = {one.item_id: place for place, one in enumerate(delivery.labels)}
    entries = {
        _key(items, places[name]): _hash_label(delivery.labels[places[name]].label)
        for name in item_ids
        if name in places
    }
    return b"".join(key + label for key, label in sorted(entries.items()))


def find_returned(audits: Audits, delivery: Delivery, items: DeliveredItems, plan: str | None) -> list[ReturnedItems]:
    """Return what came again of each earlier delivery whose items were sent back, the earliest first.

    Args:
        audits: The record of audits.
        delivery: The delivery at hand.
        items: Its items, row for row.
        plan: The key of its own plan, whose send-backs are no earlier ones; None before there is one.
    """
    here: dict[bytes, list[_Place]] = {}
    last = {event.plan: event for event in audits.judged.values() if event.sent_back is not None and event.plan != plan}
    if not last:
        return []
    for place, one in enumerate(delivery.labels):
        here.setdefault(_key(items, place), []).append(_Place(one.item_id, _hash_label(one.label)))
    found = []
    for key, event in last.items():
        entries = _unpack(audits.read_file(str(event.sent_back)))
        again = [(label, place) for item, label in entries for place in here.get(item, ())]
        if not again:
            continue
        frozen = audits.find_plan(key)
        unchanged = tuple(place.item_id for label, place in again if place.label == label)
        came = len({item for item, _ in entries if item in here})
        found.append(
            ReturnedItems(
                delivery=frozen.delivery if frozen else "an earlier delivery", at=frozen.at[:10] if frozen else "",
                sent_back=len(entries), came_back=came, changed=len(again) - len(unchanged), unchanged=unchanged,
            )
        )  # fmt: skip
    return found


def describe_returned(returned: Sequence[ReturnedItems]) -> list[str]:
    """Return a line for each earlier delivery of which items came again.

    >>> describe_returned([ReturnedItems(delivery="a.csv", at="2026-11-30", sent_back=5, came_back=4, changed=3,
    ...                                  unchanged=("7",))])
    ['Of 5 items sent back after a.csv (2026-11-30) 4 come again: 3 with another label, 1 unchanged: 7']
    """
    lines = []
    for one in returned:
        names = ", ".join(one.unchanged[:NAMED])
        more = f" and {len(one.unchanged) - NAMED:,} more" if len(one.unchanged) > NAMED else ""
        unchanged = f"{len(one.unchanged):,} unchanged{f': {names}{more}' if names else ''}"
        lines.append(
            f"Of {plural(one.sent_back, 'item')} sent back after {one.delivery} ({one.at}) {one.came_back:,} come "
            f"again: {one.changed:,} with another label, {unchanged}"
        )
    return lines


def _key(items: DeliveredItems, place: int) -> bytes:
    return np.asarray(items.keys[place]).astype(">u8").tobytes()


def _hash_label(label: str) -> bytes:
    return hashlib.sha256(label.encode("utf-8", "surrogatepass")).digest()[:_LABEL_BYTES]


def _unpack(content: bytes) -> list[tuple[bytes, bytes]]:
    entries = (content[start : start + _ENTRY] for start in range(0, len(content), _ENTRY))
    return [(entry[:KEY_BYTES], entry[KEY_BYTES:]) for entry in entries]
