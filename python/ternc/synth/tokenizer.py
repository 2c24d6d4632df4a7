"""Makes a tokenizer.json of any vocabulary size: byte-level BPE.

The real tokenizers belong to their owners. This one has their number of tokens,
their begin and end ids, encodes any text, and decodes any ids to text.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

NUM_BYTES = 256

# In the order of their frequency in English, so that short, common tokens come
# first; the first stands for a space.
_SPACE = "Ġ"
_LETTERS = "etaoinshrdlucmfwypvbgkjqxz"

_BEGIN, _END, _PAD = "<|begin_of_text|>", "<|end_of_text|>", "<|pad|>"


def make_tokenizer(
    vocab_size: int, begin: int | None, ends: list[int], pad: int | None
) -> dict[str, Any]:
    """The contents of tokenizer.json, with `vocab_size` tokens.

    Ids that are given for the begin, the ends and padding are special tokens; one
    id may have several of these roles. The others are the 256 bytes, then merges.
    Requires room for those: vocab_size >= 256 + special tokens.
    """
    special = _special_tokens(begin, ends, pad)
    free = (id for id in range(vocab_size) if id not in special)
    count = vocab_size - len(special) - NUM_BYTES
    merges = list(itertools.islice(_merges(), count))
    vocab = {token: id for id, token in special.items()}
    for token in itertools.chain(_byte_alphabet(), map("".join, merges)):
        vocab[token] = next(free)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": id,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for id, token in sorted(special.items())
        ],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "ByteLevel",
            "add_prefix_space": False,
            "trim_offsets": True,
            "use_regex": True,
        },
        "post_processor": None if begin is None else _template(special[begin], begin),
        "decoder": {
            "type": "ByteLevel",
            "add_prefix_space": True,
            "trim_offsets": True,
            "use_regex": True,
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocab,
            "merges": [list(merge) for merge in merges],
        },
    }


def _special_tokens(
    begin: int | None, ends: list[int], pad: int | None
) -> dict[int, str]:
    special: dict[int, str] = {}
    if begin is not None:
        special[begin] = _BEGIN
    for i, end in enumerate(ends):
        special.setdefault(end, _END if i == 0 else f"<|end_{i}|>")
    if pad is not None:
        special.setdefault(pad, _PAD)
    return special


def _byte_alphabet() -> list[str]:
    """The character that stands for each byte: itself where it is printable, else
    the next unused one from U+0100 on (GPT-2's alphabet)."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = itertools.count(0x100)
    return [
        chr(byte if byte in printable else next(others)) for byte in range(NUM_BYTES)
    ]


def _merges() -> Iterator[tuple[str, str]]:
    """Endless merges, each of a token that an earlier one made and a letter."""
    prefixes = [_SPACE, *_LETTERS]
    while True:
        longer = []
        for prefix, letter in itertools.product(prefixes, _LETTERS):
            yield prefix, letter
            longer.append(prefix + letter)
        prefixes = longer


def _template(token: str, id: int) -> dict[str, Any]:
    """Puts the begin token before every text."""
    begin = {"SpecialToken": {"id": token, "type_id": 0}}
    first, second = (
        {"Sequence": {"id": name, "type_id": i}} for i, name in enumerate("AB")
    )
    return {
        "type": "TemplateProcessing",
        "single": [begin, first],
        "pair": [begin, first, begin, second],
        "special_tokens": {token: {"id": token, "ids": [id], "tokens": [token]}},
    }
