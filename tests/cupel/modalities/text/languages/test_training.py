import numpy as np
import pyarrow as pa
import pytest

from cupel.errors import CheckerError
from cupel.modalities.text.languages.identify import identify
from cupel.modalities.text.languages.model import Model, content, load
from cupel.modalities.text.languages.training import Settings, train

SMALL = Settings(bits=12, dimensions=8, visits=2000)


def sentences(letters: str, count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join("".join(rng.choice(list(letters), 5)) for _ in range(8)) for _ in range(count)]


@pytest.fixture(scope="module")
def model() -> Model:
    texts = sentences("abcde", 40, 1) + sentences("abxyz", 20, 2)
    return train(pa.array(texts), ["one_Latn"] * 40 + ["two_Latn"] * 20, SMALL)


def test_what_was_taught_is_told_of_new_texts(model: Model) -> None:
    new = pa.array(sentences("abcde", 10, 3) + sentences("abxyz", 10, 4))
    assert identify(new, model=model)["language"].to_pylist() == ["one_Latn"] * 10 + ["two_Latn"] * 10


def test_the_same_texts_and_settings_make_the_same_bytes(model: Model) -> None:
    texts = sentences("abcde", 40, 1) + sentences("abxyz", 20, 2)
    again = train(pa.array(texts), ["one_Latn"] * 40 + ["two_Latn"] * 20, SMALL)
    assert content(again) == content(model)
    other = train(pa.array(texts), ["one_Latn"] * 40 + ["two_Latn"] * 20, SMALL._replace(seed=2))
    assert content(other) != content(model)


def test_a_model_is_read_as_it_was_written(model: Model, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("model") / "model.npz"
    path.write_bytes(content(model))
    read = load(path)
    assert read.languages == model.languages
    np.testing.assert_array_equal(read.rows, model.rows)
    np.testing.assert_array_equal(read.weights, model.weights)


def test_a_file_that_is_no_model_is_an_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("model") / "model.npz"
    with pytest.raises(CheckerError, match="no model of languages"):
        load(path)
    path.write_bytes(b"not a model")
    with pytest.raises(CheckerError, match=r"benchmarks\.train_languages"):
        load(path)
