"""Sentences about a release that its card, its Croissant metadata and its report share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cupel.contract.stages import STAGES
from cupel.figures import bound, count, interval, plural, setting
from cupel.show.audit_words import audit_step

if TYPE_CHECKING:
    from cupel.config.labeling import Labeling
    from cupel.release.facts import ReleaseFacts, Row

# The name of the checker among those that decide labels.
CHECKER = "checker"
STAGE_NAMES = {
    "one annotator": "One annotator",
    "majority": "Majority of annotators",
    "consensus": "Consensus of annotators",
    CHECKER: "Checker (model alone)",
    "people and checker": "People and checker",
    "released": "Released",
}
METHOD_NAMES = {
    "auto": "for each batch the method that predicts held-out answers best",
    "majority": "majority",
    "dawid_skene": "Dawid-Skene",
    "fast_dawid_skene": "fast Dawid-Skene",
    "skilled_dawid_skene": "Dawid-Skene with skills",
    "one_coin": "one-coin Dawid-Skene",
    "ibcc": "IBCC",
    "ebcc": "EBCC",
    "glad": "GLAD",
}
BY_QUALITY = "by their estimated quality"
COMBINED = {"majority": "by how often each was given"}


def protocol(facts: ReleaseFacts) -> str:
    """Return the expert protocol in a sentence: whose judgement the certificate speaks of."""
    if facts.terms.expert_answers == 1:
        rule = "One expert answer decides an item; it was given without seeing the proposed label"
    else:
        rule = (
            "Two experts answer without seeing the proposed label or each other, and a third where they differ; "
            "an item on which no two agree is contested"
        )
    return f"{rule}. The experts: {facts.terms.experts_description.strip().rstrip('.')}."


def limits(facts: ReleaseFacts) -> list[str]:
    """Return what the certificate cannot see, a sentence each."""
    certified = facts.certificate or {}
    sentences = [
        "Error means disagreement with the experts. A mistake that the experts share is not seen.",
        _own_errors(facts),
        "It speaks of these items as they were frozen, not of other deliveries, and not of single labels: "
        "a small share of them is expected to be wrong.",
        f"It judges labels. Whether the {_items(facts)} represent what a model will meet is another question.",
    ]
    again = facts.terms.adjudicators_audited
    if again:
        sentences.insert(
            1,
            f"Adjudicators are not taken to be right: of the items that they decided, up to {count(again)}, drawn at "
            f"random, were put to another expert, whose verdict counts; the bounds of a certified release count the "
            f"wrong verdicts that may be left.",
        )
    elif not certified.get("are_auditors_independent", facts.terms.are_auditors_independent):
        sentences.insert(
            1,
            "Adjudicators and auditors are one panel here, so an adjudicated label counts as right by definition; "
            "no second panel has checked it.",
        )
    if facts.result and facts.result["contested"]:
        sentences.insert(
            1,
            f"Experts stayed split on {plural(facts.result['contested'], 'item')} that they saw. These are withheld; "
            f"among the items that no expert saw there will be more of their kind, which is why the bound is also "
            f"given with contested items counted wrong.",
        )
    return sentences


def _items(facts: ReleaseFacts) -> str:
    return "texts" if facts.project.modality.has_text else "images"


def _own_errors(facts: ReleaseFacts) -> str:
    """Return what is known of the errors of the experts themselves."""
    result = facts.result or {}
    if result.get("sensitivity_bound") is None:
        return "How often the experts themselves err is not measured here."
    return (
        f"The auditors gave the known label of {count(result['planted_caught'])} of {count(result['planted'])} planted "
        f"items; the bounds allow for wrong labels that they overlook, if those are no harder to see than the planted. "
        f"A label that experts changed or decided is taken to be right."
    )


def bounds(result: Row) -> str:
    """Return both bounds and the budget in a sentence."""
    return (
        f"At most {bound(result['error_bound'])} of the labels are wrong, contested items aside "
        f"(budget {setting(result['error_budget'])}); at most {bound(result['error_bound_with_contested'])} "
        f"with contested items counted wrong. Confidence {setting(result['confidence'])}."
    )


def steps(facts: ReleaseFacts) -> list[str]:
    """Return how the labels were made, a sentence a stage."""
    labeling, result = facts.project.labeling, facts.result or {}
    rows_in, rejected = sum(b.rows_in for b in facts.batches), sum(sum(b.rejected.values()) for b in facts.batches)
    overlap = labeling.overlap
    each = str(overlap.first) if overlap.first == overlap.most else f"{overlap.first} to {overlap.most}"
    said = "abstained from every item" if is_checker_silent(facts) else "gave a second opinion"
    sentences = [
        f"{count(rows_in)} rows were delivered; {count(rejected)} were rejected, each with a reason.",
        f'Annotators were asked "{labeling.question}", {each} per item; {_questions(labeling)}'
        f"their answers were combined {_combined(facts)}.",
        *_crew_steps(facts),
        f"A model ({facts.project.checking.checker}), trained out of sample on "
        f"{'what people alone said' if labeling.models else 'that consensus'}, {said}.",
        f"All {count(facts.terms.items)} labels and their order of risk were frozen before anybody audited them.",
    ]
    if result:
        sentences.append(audit_step(facts))
        sentences.append(
            f"The {count(result['accepted'])} safest labels stand as they were, but for errors that the audit found; "
            f"experts judged all {count(result['items'] - result['accepted'])} others."
        )
    return sentences


def _combined(facts: ReleaseFacts) -> str:
    """Return how answers became one label."""
    method = facts.project.labeling.consensus
    return facts.project.kind.combined or f"{COMBINED.get(method, BY_QUALITY)} ({METHOD_NAMES[method]})"


def _questions(labeling: Labeling) -> str:
    """Return the questions that a label answers, to go on with in a sentence; nothing where there is one."""
    told = []
    for question in labeling.questions:
        after = " and ".join(f"{name} is {' or '.join(classes)}" for name, classes in question.asked_if.items())
        told.append(f'{question.name}: "{question.question}" ({", ".join(question.classes)}'
                    f"{f'; asked if {after}' if after else ''})")  # fmt: skip
    return f"the questions were {'; '.join(told)}; " if told else ""


def is_checker_silent(facts: ReleaseFacts) -> bool:
    """Tell whether the checker had no opinion of any item of the release's deliveries."""
    shares = [
        row["observed"] for batch in facts.batches for row in batch.gates if row["check"] == "checker_abstention_share"
    ]
    return bool(shares) and all(share is not None and share >= 1 for share in shares)


def told_errors(facts: ReleaseFacts) -> list[Row]:
    """Return the estimates of `stage_errors` that are of labels which somebody gave."""
    return [row for row in facts.stage_errors if row["decided_by"] != CHECKER or not is_checker_silent(facts)]


def _crew_steps(facts: ReleaseFacts) -> list[str]:
    """Return what models of the crew did, a sentence, where there are any."""
    named = sorted({f"{row['model']} (version {row['model_version']})" for one in facts.batches for row in one.models})
    if not named:
        return []
    answers = sum(row["answers"] for batch in facts.batches for row in batch.models)
    return [
        f"{'A model' if len(named) == 1 else 'Models'} answered beside people: {', '.join(named)}, {count(answers)} "
        "answers, counted apart and each weighed by what people's answers bear out."
    ]


def stage_order(stage: str) -> tuple[int, str]:
    """Return a sort key that puts stages in the order of the chain, those that it does not know last.

    >>> sorted(["release", "other", "cleaning", "raw"], key=stage_order)
    ['raw', 'cleaning', 'release', 'other']
    """
    stages = [*STAGES, "report"]
    return (stages.index(stage) if stage in stages else len(stages), stage)


def stage_name(row: Row) -> str:
    """Return the name of a way to decide labels, as people read it."""
    decided_by = str(row["decided_by"])
    return STAGE_NAMES.get(decided_by, decided_by)


def error_lines(facts: ReleaseFacts) -> list[tuple[str, str]]:
    """Return a name and an estimate with its 95% interval for each way to decide labels."""
    return [(stage_name(row), interval(row)) for row in told_errors(facts)]
