import numpy as np
import pytest
from scipy.sparse import csr_matrix

from cupel.cleaning.contamination.learning import LearningSettings
from cupel.cleaning.contamination.purify import Purified, Purity, purify
from cupel.errors import AuditError

SMALL = Purity(budget=0.03, answers=500, learning=LearningSettings(answers=200))


class Corpus:
    """Documents whose features tell junk from good, but for some that look like the other; labels are behind `ask`."""

    def __init__(self, documents: int = 4_000, share: float = 0.15, blurred: float = 0.01, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self.is_junk = rng.random(documents) < share
        looks = self.is_junk ^ (rng.random(documents) < blurred)
        self.features = csr_matrix(rng.normal(size=(documents, 20)) * 0.3 + looks[:, None])
        self.asked: list[int] = []

    def ask(self, places: np.ndarray) -> np.ndarray:
        self.asked += places.tolist()
        return self.is_junk[places]


def kept(corpus: Corpus, purity: Purity = SMALL, seed: int = 5) -> Purified:
    return purify(corpus.features, corpus.ask, purity, seed)


def test_most_of_the_good_is_kept_and_the_bound_holds() -> None:
    corpus = Corpus()
    found = kept(corpus)
    assert found.bound is not None
    assert corpus.is_junk[found.is_kept].mean() <= found.bound
    assert (found.is_kept & ~corpus.is_junk).sum() / (~corpus.is_junk).sum() > 0.9


def test_every_answer_is_paid_once_and_no_more_than_were_granted() -> None:
    corpus = Corpus()
    found = kept(corpus)
    assert len(corpus.asked) == len(set(corpus.asked)) == len(found.asked) == SMALL.answers
    assert found.trained == 200


def test_what_people_said_stands() -> None:
    corpus = Corpus()
    found = kept(corpus)
    assert np.array_equal(found.is_kept[found.asked], ~corpus.is_junk[found.asked])


def test_the_same_seed_gives_the_same_answer() -> None:
    first, second = kept(Corpus()), kept(Corpus())
    assert np.array_equal(first.is_kept, second.is_kept)


def test_documents_that_nothing_tells_apart_do_not_pass() -> None:
    corpus = Corpus(blurred=0.5)
    found = kept(corpus)
    assert found.bound is None
    assert not found.is_kept.any()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_only_good_or_only_junk_is_no_error(share: float) -> None:
    found = kept(Corpus(share=share, blurred=0.0))
    assert (found.bound is None) == (share == 1.0)


def test_fewer_documents_than_answers_are_all_read() -> None:
    corpus = Corpus(documents=150)
    found = kept(corpus)
    assert np.array_equal(found.is_kept, ~corpus.is_junk)
    assert found.bound == 0


def test_nothing_left_to_audit_with_is_an_error() -> None:
    with pytest.raises(AuditError, match="give more answers than the model learns from"):
        kept(Corpus(), SMALL._replace(answers=200))
