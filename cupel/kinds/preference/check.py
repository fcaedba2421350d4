"""What a project file of comparisons must hold, and what it may not."""

from collections.abc import Iterator

from cupel.config.project import Project


def check(project: Project) -> Iterator[str]:
    """Yield what is wrong in a project file whose labels say which of two responses is better."""
    labeling = project.labeling
    if sorted(labeling.classes) not in (["first", "second"], ["first", "second", "tie"]):
        yield "labeling: the classes of kind preference are first and second, with or without tie"
    if labeling.policies.weighs_down:
        yield "labeling: kind preference knows no weigh_down; warn or remove"
    if project.modality.name != "comparison":
        yield f"raw.modality: found {project.modality.name!r}; kind preference labels comparisons; leave it out"
    if project.cleaning.duplicate_similarity is not None:
        yield (
            "cleaning.duplicate_similarity: comparisons share prompts and responses, so that near-duplicates are "
            "no mistake; set it to null (the same comparison twice is still found)"
        )
    if project.checking.rounds:
        yield "checking.rounds: experts decide before the freeze where labels are no preferences; remove rounds"
