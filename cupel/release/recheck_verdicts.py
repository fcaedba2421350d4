"""The check that verdicts follow from experts' answers, where a label kind says which labels are the same."""

from collections.abc import Container

import pyarrow as pa

from cupel.contract.tables.release import ADJUDICATIONS, AUDIT, PLANTED_VERDICTS
from cupel.errors import CupelError
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.layout import ANSWERS_FILE
from cupel.release.release_content import ReleaseContent

# Of a verdict, what the answers decide.
_DECIDED = ("answers", "is_settled", "is_contested", "expert_label", "is_wrong")


def are_answers_there(named: Container[str], content: ReleaseContent | str) -> bool:
    """Tell whether a release has to show what experts answered: it does so, or its plan names a label kind.

    Args:
        named: Paths that its manifest names.
        content: Its tables and certificate, or why they cannot be read.
    """
    if ANSWERS_FILE in named:
        return True
    try:
        return not isinstance(content, str) and FrozenTerms.from_plan(content.certificate["plan"]).kind is not None
    except (CupelError, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return False  # a plan that is none fails the other checks


def expert_verdicts(content: ReleaseContent) -> str:
    """The recorded verdicts are what the experts' answers come to, by what the label kind calls the same."""
    audit = content.audit
    if audit.terms.kind is None:
        return f"{ANSWERS_FILE} is there, but the plan's design names no label kind"
    if ANSWERS_FILE not in content.tables:
        return f"the plan's design names the label kind {audit.terms.kind!r}, but {ANSWERS_FILE} is not there"
    for name, table, purpose in (
        ("audit", AUDIT, "audit"),
        ("adjudications", ADJUDICATIONS, "expert"),
        ("planted_verdicts", PLANTED_VERDICTS, "audit"),
    ):
        recorded: pa.Table = getattr(audit, name)
        found = audit.judge(recorded, purpose, table)
        for row, said, expected in zip(
            recorded.select(["batch", "item_id"]).to_pylist(), recorded.select(_DECIDED).to_pylist(),
            found.select(_DECIDED).to_pylist(), strict=True,
        ):  # fmt: skip
            if said != expected:
                differ = [
                    f"{key} is {said[key]!r}, expected {expected[key]!r}" for key in _DECIDED
                    if said[key] != expected[key]
                ]  # fmt: skip
                return f"{name}: {row['batch']}/{row['item_id']}: {'; '.join(differ)}, by what the experts answered"
    return ""
