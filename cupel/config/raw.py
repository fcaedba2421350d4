"""The project file's section `raw`: where the raw data come from, and how they are read."""

from pydantic import Field, model_validator

from cupel.config.base import BatchName, Section


class Inbox(Section):
    """How deliveries are read that arrive in the project's inbox; a delivered folder may say otherwise of itself."""

    licence: str = Field(min_length=1)
    """Licence of the delivery, an SPDX identifier where there is one; of its items, where licence_field names none."""
    licence_field: str | None = None
    """Column or key that holds the item's licence; where it is empty, the delivery's holds. Null: there is none."""
    text_field: str = "text"
    """Column or key that holds the text, or where an image lies; not used where two responses are compared."""
    prompt_field: str | None = None
    """Label kind preference: column or key that holds the prompt; null: there is none."""
    first_field: str | None = None
    """Label kind preference: column or key that holds the response that people see first."""
    second_field: str | None = None
    """Label kind preference: column or key that holds the response that people see second."""
    id_field: str | None = "id"
    """Column or key that holds the item's id; null: ids are made of file and line."""
    group_field: str | None = None
    """Column or key that says what belongs together and must stay in one split; null: nothing."""
    language_field: str | None = None
    """Column or key in which the source declares the language, as en, eng or eng_Latn; compared with what is found."""

    @model_validator(mode="after")
    def _both_responses_or_none(self) -> "Inbox":
        if (self.first_field is None) != (self.second_field is None):
            raise ValueError("name both first_field and second_field, or neither")
        if self.prompt_field is not None and self.first_field is None:
            raise ValueError("prompt_field goes with first_field and second_field")
        return self

    @property
    def text_fields(self) -> tuple[str, ...]:
        """The columns or keys that the text is made of."""
        if self.first_field is None or self.second_field is None:
            return (self.text_field,)
        prompt = () if self.prompt_field is None else (self.prompt_field,)
        return (*prompt, self.first_field, self.second_field)


class Delivery(Inbox):
    """One batch: the files that were delivered, and how to read a row."""

    files: tuple[str, ...] = Field(min_length=1)
    """Files or patterns, relative to the data folder: .jsonl, .csv, .parquet, .txt, compressed or not; images, too."""


class Raw(Section):
    """Where the raw data come from; the order is the order of the register."""

    modality: str | None = None
    """What an item is: text, comparison or image; null: what the label kind is about, mostly a text."""
    deliveries: dict[BatchName, Delivery] = {}
    """Batches by name, in the order of the register: of duplicates with equal licences, the earliest is kept."""
    inbox: Inbox | None = None
    """How what is dropped in the inbox is read, and becomes batches behind these; null: nothing is taken."""

    @model_validator(mode="after")
    def _something_comes_in(self) -> "Raw":
        if not self.deliveries and self.inbox is None:
            raise ValueError("name a delivery, or an inbox for those that will come")
        return self
