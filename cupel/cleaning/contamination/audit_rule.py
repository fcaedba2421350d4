"""The rule that an audit of contamination is judged by, and the seed of its draw, which is made of it."""

from collections.abc import Mapping
from typing import Any

from cupel.cleaning.contamination.answered import seed_of

# What is fixed before the audit is drawn, the rule besides.
FIXED = (
    "items_sha256", "design_sha256", "attempt", "alpha", "confidence", "at_most", "good", "strictest", "loosest",
    "audit_size",
)  # fmt: skip
# All cuts are judged at once; or one after the other, as in audits that older versions drew.
AT_ONCE, IN_SEQUENCE = "at once", "in sequence"


def audit_seed(plan: Mapping[str, Any], rule: str = AT_ONCE) -> int:
    """Return the seed of the audit's draw: known to nobody before ranks and cuts, and what is allowed, are fixed."""
    return seed_of("audit" if rule == IN_SEQUENCE else f"audit {rule}", *(plan[name] for name in FIXED))


def find_rule(plan: Mapping[str, Any]) -> str | None:
    """Return the rule of a frozen plan, which its seed tells; None where the seed is that of no rule."""
    return next((rule for rule in (AT_ONCE, IN_SEQUENCE) if plan["seed"] == audit_seed(plan, rule)), None)
