"""Measures a GGUF model with llama-cpp-python's low-level interface.

Request: {"path", "tests": [[kind, tokens], ...], "threads"}. Result: tokens a second
by test. Batches, types of the cache and all else are llama.cpp's defaults.
"""

import json
import os
import sys
import time

import llama_cpp

_BATCH = 512


def main() -> None:
    request = json.load(sys.stdin)
    # llama.cpp talks on stdout as well; what is read here is the last line only.
    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_model_load_from_file(
        os.fsencode(request["path"]), llama_cpp.llama_model_default_params()
    )
    if not model:
        sys.exit(f"{request['path']}: llama.cpp cannot load it")
    options = llama_cpp.llama_context_default_params()
    options.n_ctx = max(tokens for _, tokens in request["tests"])
    options.n_batch = options.n_ubatch = _BATCH
    options.n_threads = options.n_threads_batch = request["threads"]
    context = llama_cpp.llama_init_from_model(model, options)
    if not context:
        sys.exit("llama.cpp cannot make a context")
    rates = {}
    for kind, tokens in request["tests"]:
        step = min(_BATCH, tokens) if kind == "pp" else 1
        _feed(context, tokens, step)
        start = time.perf_counter()
        _feed(context, tokens, step)
        rates[f"{kind}{tokens}"] = tokens / (time.perf_counter() - start)
    print(json.dumps(rates))


def _feed(context, tokens: int, step: int) -> None:
    """Decodes `tokens` tokens, `step` at a time, from an empty sequence."""
    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
    for begin in range(0, tokens, step):
        count = min(step, tokens - begin)
        ids = (llama_cpp.llama_token * count)(*range(1, count + 1))
        if llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(ids, count)):
            sys.exit("llama.cpp: llama_decode failed")
    llama_cpp.llama_synchronize(context)


if __name__ == "__main__":
    main()
