"""The label kinds and modalities. A line here adds one; nothing outside this folder knows any by name."""

from cupel.config.project import Known
from cupel.kinds.category import CATEGORY
from cupel.kinds.items import COMPARISON, IMAGE, TEXT
from cupel.kinds.multilabel import MULTILABEL
from cupel.kinds.preference import PREFERENCE
from cupel.kinds.questions import QUESTIONS
from cupel.kinds.spans import SPANS

KINDS = (
    CATEGORY,
    PREFERENCE,
    QUESTIONS,
    MULTILABEL,
    SPANS,
)
MODALITIES = (
    TEXT,
    COMPARISON,
    IMAGE,
)
KNOWN = Known(KINDS, MODALITIES)
