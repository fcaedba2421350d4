"""The tutorial's project, and what it is told where its audit could not pass."""

import re
import textwrap
from pathlib import Path

from cupel.certificate.attempts import attempt_alpha
from cupel.config.project import Project
from cupel.kinds.projects import load_project
from cupel.release.audit_design import design_of, limits_of
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.prospect import explain_hopeless

TEXTS = 300
# The numbers that the tutorial warns of.
HOPELESS = {"audit_size": 400, "max_experts_seen_share": 0.3}
_SHOWN = re.compile(r"```yaml\n# projects/([a-z]+)\.yaml\n(.*?)```", re.DOTALL)
_WIDTH = 100


def load_tutorial(folder: Path) -> Project:
    """Return the project that the tutorial shows.

    Args:
        folder: Where its file is written.
    """
    shown = _SHOWN.search((Path(__file__).parent / "tutorial.md").read_text())
    if shown is None:
        raise ValueError("docs/tutorial.md: found no project; expected a block that begins with # projects/NAME.yaml")
    path = folder / f"{shown[1]}.yaml"
    path.write_text(shown[2])
    return load_project(path)


def explain(project: Project, items: int = TEXTS) -> str | None:
    """Return why nobody is asked about a release of so many items; None where somebody is."""
    settings, experts = project.release, project.labeling.experts
    limits = limits_of(settings, 1)
    terms = FrozenTerms(
        settings.error_budget, 1, settings.max_experts_seen_share, design=design_of(settings, items, 1),
        max_undecided_share=settings.certificate.max_undecided_share, bounds_slices=limits.bounds_slices,
        release="may-r1", batches=("may",), status="frozen", reason=None, alpha=attempt_alpha(1), audit_size=0, seed=0,
        answers_until=0, items=items, items_sha256="", classes=tuple(project.labeling.classes),
        expert_answers=experts.answers, experts_description=experts.description, are_auditors_independent=False,
    )  # fmt: skip
    return explain_hopeless(project, terms)


def explain_hopeless_tutorial(folder: Path) -> str:
    """Return what the tutorial's project is told with the numbers that it warns of."""
    project = load_tutorial(folder)
    hopeless = project.model_copy(update={"release": project.release.model_copy(update=HOPELESS)})
    return textwrap.fill(explain(hopeless) or "somebody is asked", _WIDTH)
