"""Runs exported decoders in onnxruntime, and compiled ones on the same inputs."""

import numpy as np
import onnxruntime


def first_inputs(model, ids, cache):
    """What a compiled model takes for `[1, sequence]` ids with an empty cache, whose
    tensors have the shape `cache`."""
    inputs = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "position_ids": np.arange(ids.size)[None],
    }
    caches = {spec.name: np.zeros(cache, np.float32) for spec in model.inputs[3:]}
    return inputs | caches


class Decoder:
    """An exported model and its KV cache, for one batch of sequences."""

    def __init__(self, path, optimize=False):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # A second thread spins; on a busy machine that costs more than it gives.
        options.intra_op_num_threads = 1
        # The default optimisation may trade accuracy for speed on quantised
        # graphs: only the plain graph is an oracle.
        levels = onnxruntime.GraphOptimizationLevel
        options.graph_optimization_level = (
            levels.ORT_ENABLE_ALL if optimize else levels.ORT_DISABLE_ALL
        )
        self.session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self.caches = {
            value.name: value.shape
            for value in self.session.get_inputs()
            if value.name.startswith("past_key_values.")
        }
        self.reset()

    def reset(self, batch=1):
        self.past = {
            name: np.zeros((batch, heads, 0, width), np.float32)
            for name, (_, heads, _, width) in self.caches.items()
        }
        self.mask = np.zeros((batch, 0), np.int64)

    def step(self, ids, mask=None):
        """Feeds `[batch, sequence]` ids; returns f32 logits of all of them."""
        ids = np.atleast_2d(np.asarray(ids, np.int64))
        added = np.ones_like(ids) if mask is None else np.asarray(mask, np.int64)
        self.mask = np.concatenate([self.mask, added], axis=1)
        # Positions count the tokens that are attended, as transformers does.
        positions = np.maximum(self.mask.cumsum(axis=1) - 1, 0)[:, -ids.shape[1] :]
        names = ["logits"] + [
            name.replace("past_key_values", "present") for name in self.past
        ]
        results = self.session.run(
            names,
            {
                "input_ids": ids,
                "attention_mask": self.mask,
                "position_ids": positions,
                **self.past,
            },
        )
        self.past = dict(zip(self.past, results[1:]))
        return results[0]

    def greedy(self, prompts, count):
        """Continues each of `prompts` by `count` ids, all in one batch."""
        width = max(map(len, prompts))
        pads = [width - len(prompt) for prompt in prompts]
        ids = np.array([[0] * pad + prompt for pad, prompt in zip(pads, prompts)])
        self.reset(len(prompts))
        logits = self.step(ids, [[0] * pad + [1] * (width - pad) for pad in pads])
        while True:
            ids = np.concatenate([ids, logits[:, -1:].argmax(axis=2)], axis=1)
            if ids.shape[1] == width + count:
                return [row[pad:].tolist() for row, pad in zip(ids, pads)]
            logits = self.step(ids[:, -1:])
