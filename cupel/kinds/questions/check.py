"""What a project file of several questions must hold, and what it may not."""

from collections.abc import Iterator

from cupel.config.project import Project
from cupel.contract.ontology import Question
from cupel.kinds.questions.answers import ANSWER_KINDS, parts_of


def check(project: Project) -> Iterator[str]:
    """Yield what is wrong in a project file whose labels answer several questions."""
    labeling, questions = project.labeling, project.labeling.ontology.questions
    if labeling.classes:
        yield "labeling.classes: kind questions has classes a question; move them to labeling.questions"
    if len(questions) < 2:
        yield "labeling.questions: kind questions asks two questions or more; name them, or use another kind"
    if labeling.policies.weighs_down:
        yield "labeling.policies: kind questions knows no weigh_down; warn or remove"
    if project.checking.rounds:
        yield "checking.rounds: experts of kind questions are asked after the freeze only; remove rounds"
    yield from _check_questions(questions)


def _check_questions(questions: tuple[Question, ...]) -> Iterator[str]:
    before: dict[str, Question] = {}
    for question in questions:
        where = f"labeling.questions, {question.name}"
        if question.name in before:
            yield f"{where}: stands twice; give each question a name of its own"
        if question.kind not in ANSWER_KINDS:
            yield f"{where}: kind: found {question.kind!r}; allowed: {', '.join(ANSWER_KINDS)}"
        if len(set(question.classes)) != len(question.classes) or len(question.classes) < 2:
            yield f"{where}: classes: name two or more that differ from each other"
        for name, classes in question.asked_if:
            if name not in before:
                yield f"{where}: asked_if: {name!r} is no question before it; it can only follow from earlier answers"
            elif before[name].kind in ANSWER_KINDS and len(parts_of(before[name])) > 1:
                yield f"{where}: asked_if: question {name} has several answers at once; name one with a single answer"
            elif not classes:
                yield f"{where}: asked_if: no answer to {name} is named; name those after which it is asked"
            elif strange := [one for one in classes if one not in before[name].classes]:
                yield f"{where}: asked_if: {strange[0]!r} is no class of question {name}"
            elif set(classes) == set(before[name].classes) and not before[name].asked_if:
                yield f"{where}: asked_if: names all classes of question {name}; leave it out, it is always asked"
        before[question.name] = question
