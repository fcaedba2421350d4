"""A row that holds a comparison: its text is made of the prompt and the two responses."""

from cupel.config.raw import Delivery
from cupel.modalities.comparison import Comparison, as_text
from cupel.sources.items import check_text
from cupel.sources.reasons import BadRow, Row


def read_comparison(row: Row, delivery: Delivery) -> str | BadRow:
    """Return the comparison that a row's fields make, as one text, or why they make none."""
    prompt: str | BadRow = ""
    if delivery.prompt_field is not None and row.values.get(delivery.prompt_field) not in (None, ""):
        prompt = check_text(row, row.values[delivery.prompt_field])
    fields = (delivery.first_field or "", delivery.second_field or "")
    first, second = (check_text(row, row.values.get(field)) for field in fields)
    for part in (prompt, first, second):
        if isinstance(part, BadRow):
            return part
    return as_text(Comparison(str(prompt), str(first), str(second)))
