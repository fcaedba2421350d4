"""What a project file of label sets must hold, and what it may not."""

from collections.abc import Iterator

from cupel.config.project import Project
from cupel.kinds.multilabel.label import NONE


def check(project: Project) -> Iterator[str]:
    """Yield what is wrong in a project file whose labels are sets of classes."""
    labeling = project.labeling
    if not labeling.classes:
        yield "labeling.classes: name one class or more"
    if labeling.questions:
        yield "labeling.questions: kind multilabel asks one question; remove them, or use kind questions"
    if labeling.policies.weighs_down:
        yield "labeling: kind multilabel knows no weigh_down; warn or remove"
    if NONE in labeling.classes:
        yield f"labeling.classes: {NONE!r} stands for the empty set in a labeling tool; name the class otherwise"
    for name in labeling.classes:
        if name.lstrip().startswith("["):
            yield f"labeling.classes: {name!r} would be read as a list of classes; let no class begin with a bracket"
