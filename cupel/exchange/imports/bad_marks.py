"""Why a mark cannot be read: the reasons, what they mean, and what to do."""

# Reasons that only files of marks know; the others are those of any import.
MARK_REASONS = {
    "end_before_start": "the mark ends before it starts, or where it starts; put it right in the tool",
    "before_start": "the mark starts before the item does; put it right in the tool",
    "beyond_end": "the mark ends after the item does by more than is cut; put it right in the tool, or say how far "
    "beyond the end a mark is cut to it",
    "no_number": "an edge is missing, no number, not finite, or no whole number where one is needed",
    "outside_frame": "the box is not inside its picture; put it right in the tool",
    "no_area": "the box has no area; put it right in the tool",
    "unknown_size": "the picture's width and height are not known, and the place is given as a share of them; name "
    "them with the items",
    "unknown_rate": "frames are counted, and the rate at which the tool counted them is not known; name it",
    "wrong_rate": "the rate of the clip's frames is none, or does not go with its frames and its length",
    "percent_above_100": "a share of the picture is below 0 or above 100 percent; put it right in the tool",
    "rle_size": "the mask is of another size than its picture, or its runs are not as many pixels",
    "split_character": "the span begins or ends inside a character; say in which unit the tool counts characters",
    "unknown_unit": "the text has characters that tools count differently, and the tool does not say how; name the "
    "unit: code-points, utf-16, or graphemes",
    "other_content": "the file shows another text, size or length than the item has: the marks may be of another "
    "version of it",
    "text_differs": "what the file says the span holds does not stand there; the text was changed, or is counted in "
    "another unit",
    "html_place": "the place is given in HTML or in a dialogue, and not in a plain text; show plain text in the tool",
    "rotated": "the picture or box is turned; turn it back in the tool",
    "broken_tag": "the token's tag is none of BIO or BIOES, or its token does not stand in the text",
    "bad_mark": "the label is no list of marks; write it as the kind says",
    "no_class": "the mark has no class",
}


class BadMarkError(Exception):
    """A mark, or what it depends on, that cannot be read: a reason of MARK_REASONS, and what was found."""

    def __init__(self, reason: str, found: str) -> None:
        super().__init__(f"{reason}: {found}")
        self.reason, self.found = reason, found
