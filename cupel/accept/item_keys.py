"""What a delivery's items are by their content, whatever file, order, encoding, id or label brought them."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cupel.accept.delivery import Delivery
from cupel.accept.item_files import ItemFile, ItemFolder
from cupel.certificate.families import Keys
from cupel.errors import AuditError
from cupel.store.untrusted_files import open_below

KEY_BYTES = 16
# A column whose values are at least so long on average, and so often distinct, may be named as the text.
MEAN_CHARACTERS, DISTINCT_SHARE = 16, 0.9
# White space, control characters, and what Unicode calls default ignorable: characters that are not seen.
_UNSEEN = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]+"
)


class DeliveredItems(NamedTuple):
    """A delivery's items, row for row with its labels.

    `keys` has the shape (items, 2), the first 16 bytes of the SHA-256 of each item's content; `texts` is the folded
    text of each, None where the item is no text. `others` are keys of the same shape, of other columns that hold texts:
    whoever names another one as the text has the same items still. `digest` is the SHA-256 of all that was parsed: id,
    content and label of each item, in whatever order.
    """

    keys: Keys
    texts: tuple[str | None, ...]
    others: tuple[Keys, ...]
    digest: str


def fold_content(text: str) -> str:
    r"""Return what of a text counts as its content.

    That is Unicode's NFKC form with the case folded, without white space, control characters and characters that are
    not seen, as soft hyphens, joiners, direction marks and byte order marks.

    >>> fold_content("\ufeffThe\u00a0 \ufb01rst\u200b\n") == fold_content("THE FIRST")
    True
    """
    if text.isascii():
        return _UNSEEN.sub("", text.lower())
    folded = _UNSEEN.sub("", unicodedata.normalize("NFKC", text).casefold())
    # Case folding takes letters apart, and what was not seen may have stood between two parts of one.
    return unicodedata.normalize("NFKC", folded)


def take_items(delivery: Delivery, files: ItemFolder) -> DeliveredItems:
    """Return what the items are by their content.

    The content is the bytes of the media file that the item names, if one lies in the delivery's folder; else its
    folded text; else its other fields, folded, but for label, annotator and id; else its id, and without one the
    number of its row. What is only known by id or row counts as the same item wherever the same id or row is
    delivered: too often rather than not often enough.

    Args:
        delivery: The delivery.
        files: Its folder.

    Raises:
        AuditError: A media file vanished while it was read.
    """
    contents = [_content(delivery, place, files) for place in range(len(delivery.labels))]
    digests = [_digest(kind, content) for kind, content in contents]
    lines = sorted(
        f"{one.item_id}\0{digest.hex()}\0{one.label}" for one, digest in zip(delivery.labels, digests, strict=True)
    )
    words = hashlib.sha256()
    for line in lines:
        content = line.encode("utf-8", "surrogatepass")
        words.update(b"%d\n%b" % (len(content), content))  # with its length no line can be taken for two
    return DeliveredItems(
        join_keys(digest[:KEY_BYTES] for digest in digests),
        tuple(content if kind == "text" else None for kind, content in contents),
        tuple(keys for values in delivery.fields.values() if (keys := _text_keys(values)) is not None),
        words.hexdigest(),
    )


def join_keys(digests: Iterable[bytes]) -> Keys:
    """Return keys of 16 bytes each as an array of shape (keys, 2), whose order is that of the bytes."""
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64).reshape(-1, 2)


def _text_keys(values: Sequence[str | None]) -> Keys | None:
    """Return the keys of a column as if it were the text; None where it holds no texts, or many twice."""
    texts = [fold_content(value or "") for value in values]
    if sum(map(len, texts)) < MEAN_CHARACTERS * len(texts) or len(set(texts)) < DISTINCT_SHARE * len(texts):
        return None
    return join_keys(_digest("text", text)[:KEY_BYTES] for text in texts)


def _digest(kind: str, content: str) -> bytes:
    return hashlib.sha256(f"{kind}\n{content}".encode("utf-8", "surrogatepass")).digest()


def _content(delivery: Delivery, place: int, files: ItemFolder) -> tuple[str, str]:
    """Return the kind of an item's content, and the content."""
    label = delivery.labels[place]
    named = label.text if delivery.columns.text else label.item_id
    file = files.find(named)
    if isinstance(file, ItemFile):
        return "media", _hash_media(file)
    if label.text and (text := fold_content(label.text)):
        return "text", text
    fields = [fold_content(values[place] or "") for values in delivery.fields.values()]
    if any(fields):
        # Sorted, so that columns of other names or in another order make no other item.
        return "fields", "\0".join(sorted(field for field in fields if field))
    return ("id" if delivery.columns.id else "row"), label.item_id


def _hash_media(file: ItemFile) -> str:
    try:
        with open_below(Path(file.path).parent, file.path) as source:
            return hashlib.file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]
    except OSError:
        raise AuditError(f"{file.path}: vanished while it was read; run the command again") from None
