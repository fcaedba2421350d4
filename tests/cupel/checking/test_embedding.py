"""The sentence model without torch: the published similarities, an independent computation, the same bytes again."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from scipy.special import erf, softmax

from cupel.checking import embedding, minilm
from cupel.checking.minilm import Embedder, Embeddings, model_folder
from cupel.checking.opinions import Batch, batch_of, predictions_of
from cupel.config.checking import Checking
from cupel.consensus.consensus import consensus
from cupel.contract.tables.checking import PREDICTIONS
from cupel.errors import CheckerError

CLASSES = ("animals", "food")
# No two sentences share a word beyond articles: only their meaning tells.
SENTENCES = (
    ("A cheetah runs.", "The horse gallops.", "Wolves howl.", "An eagle soars.", "Whales dive.", "My dog barks."),
    ("Bread is baked.", "She boils rice.", "Cheese melts.", "Soup simmers.", "Salad with oil.", "He fries onions."),
)
SHARES = Checking()
is_installed = pytest.mark.skipif(bool(minilm.missing()), reason=f"not installed: {minilm.missing()}; make embedding")


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


def batch(items: int = 240) -> Batch:
    ids = [f"{item:04}" for item in range(items)]
    texts = [SENTENCES[item % 2][item // 2 % 6] for item in range(items)]
    rng = np.random.default_rng(0)
    said = [CLASSES[item % 2 if rng.random() < 0.85 else 1 - item % 2] for item in range(items) for _ in range(3)]
    rows = {"item_id": [item for item in ids for _ in range(3)], "annotator": ["a", "b", "c"] * items, "label": said}
    # A sentence is a group: what is asked of it is never in the training set.
    table = pa.table({"item_id": ids, "text": texts, "group_id": texts})
    return batch_of(table, consensus(pa.table(rows), ids, CLASSES), CLASSES, SHARES)


@is_installed
def test_similarities_are_those_that_the_models_authors_publish(embedder: Embedder) -> None:
    found = embedder.embed([
        "A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby.",
    ])  # fmt: skip
    # The example of the sentence-transformers documentation.
    assert (found @ found.T)[0, 1] == pytest.approx(0.7553, abs=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


@is_installed
def test_the_graph_computes_what_plain_numpy_does(embedder: Embedder) -> None:
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    weights = load_file(model_folder() / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    texts = ["Hi.", "A much longer sentence, padded with nothing, that says nothing of note.", "Übergrößenträger"]
    alone = np.stack([plain(weights, tokenizer.encode(text).ids) for text in texts])
    np.testing.assert_allclose(embedder.embed(texts), alone, atol=2e-6)


def plain(weights: dict[str, NDArray[np.float32]], ids: list[int]) -> Embeddings:
    """Compute one embedding step by step, without padding."""

    def dense(name: str, value: Embeddings) -> Embeddings:
        return np.asarray(value @ weights[f"{name}.weight"].T + weights[f"{name}.bias"])

    def norm(name: str, value: Embeddings) -> Embeddings:
        middle, spread = value.mean(axis=-1, keepdims=True), value.var(axis=-1, keepdims=True)
        scaled = (value - middle) / np.sqrt(spread + 1e-12)
        return np.asarray(scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"])

    hidden = weights["embeddings.word_embeddings.weight"][ids]
    hidden = hidden + weights["embeddings.position_embeddings.weight"][: len(ids)]
    hidden = norm("embeddings.LayerNorm", hidden + weights["embeddings.token_type_embeddings.weight"][0])
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        parts = {part: dense(f"{name}.attention.self.{part}", hidden) for part in ("query", "key", "value")}
        heads = []
        for head in range(12):
            own = {part: value[:, 32 * head : 32 * head + 32] for part, value in parts.items()}
            heads.append(softmax(own["query"] @ own["key"].T / math.sqrt(32), axis=-1) @ own["value"])
        seen = dense(f"{name}.attention.output.dense", np.concatenate(heads, axis=1))
        hidden = norm(f"{name}.attention.output.LayerNorm", seen + hidden)
        inner = dense(f"{name}.intermediate.dense", hidden)
        inner = inner * 0.5 * (1 + erf(inner / math.sqrt(2)))
        hidden = norm(f"{name}.output.LayerNorm", dense(f"{name}.output.dense", inner) + hidden)
    mean = hidden.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


@is_installed
def test_odd_texts_are_no_error_and_long_ones_count_by_their_beginning(embedder: Embedder) -> None:
    long = "word " * 5_000
    found = embedder.embed(["", "\u200b", "🙂" * 50, "中文字符", long, long + "more"])
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[4], found[5])
    assert embedder.embed([]).shape == (0, minilm.DIMENSIONS)


def predictions(ours: Batch, folder: Path) -> pa.Table:
    found = embedding.learn([ours], SHARES, folder, "one")
    return predictions_of(ours, found.opinions[0], found.model, found.version)


@is_installed
def test_it_learns_what_sentences_mean_that_share_no_word(tmp_path: Path) -> None:
    ours = batch()
    found = predictions(ours, tmp_path)
    assert found.schema.equals(PREDICTIONS.schema)
    right = [CLASSES[item % 2] == label for item, label in enumerate(found["predicted_label"].to_pylist())]
    assert np.mean(right) > 0.85
    assert predictions(ours, tmp_path).equals(found)


@is_installed
def test_embeddings_are_kept_until_texts_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pa.chunked_array([["one text", "another"]])
    first = embedding.kept(texts, tmp_path, "one")
    with monkeypatch.context() as patched:
        patched.setattr(embedding, "Embedder", None)
        np.testing.assert_array_equal(embedding.kept(texts, tmp_path, "one"), first)
    embedding.kept(pa.chunked_array([["one text", "a third"]]), tmp_path, "one")
    embedding.kept(texts, tmp_path, "two")
    assert len(list(tmp_path.iterdir())) == 2, "one file a batch"


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "NEEDED", ("cupel", "no_such_package"))
    with pytest.raises(CheckerError, match=r"needs no_such_package, .*make embedding"):
        Embedder()


def test_the_version_changes_with_what_changes_predictions() -> None:
    versions = {
        embedding.version(CLASSES, SHARES), embedding.version(CLASSES, SHARES, is_large=True),
        embedding.version(CLASSES[::-1], SHARES), embedding.version(CLASSES, Checking(seed=8)),
    }  # fmt: skip
    assert len(versions) == 4
