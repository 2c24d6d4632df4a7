"""Compares the runtime's tokenizer with the `tokenizers` package, id for id and byte for byte.

Usage: compare_tokenizers.py TEST_TOOL STORY_TOKENIZER.json TRAINING_TEXT FOLDER
FOLDER receives the tokenizers that the test makes.
"""

import pathlib
import random
import subprocess
import sys

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers,
                        pre_tokenizers, processors, trainers)

from awkward_texts import texts

TEXTS_EACH = 1200
GPT4O = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
         r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")


def trained(corpus, special, alphabet, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=special, show_progress=False,
                                  initial_alphabet=alphabet)
    return tokenizer, lambda: tokenizer.train_from_iterator(corpus, trainer)


def gpt2_style(corpus, prefix_space):
    tokenizer, train = trained(corpus, ["<|endoftext|>"], pre_tokenizers.ByteLevel.alphabet())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    train()
    return tokenizer


def llama2_style(corpus):
    """SentencePiece's BPE as Llama 2 and TinyLlama ship it: no pre-tokenizer."""
    fallback = [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer, train = trained(corpus, ["<unk>", "<s>", "</s>"] + fallback, [],
                               unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    # Trained on words, used without splitting: merges never cross a word's start.
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    train()
    tokenizer.pre_tokenizer = None
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
         decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return tokenizer


def metaspace_style(corpus, scheme, fuse):
    tokenizer, train = trained(corpus, ["<unk>", "<s>", "</s>"], [], unk_token="<unk>",
                               fuse_unk=fuse)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme=scheme)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B", special_tokens=[("<s>", 1), ("</s>", 2)])
    train()
    return tokenizer


def subword_style(corpus):
    """Prefixes and suffixes of BPE's own, and no decoder."""
    tokenizer, train = trained(corpus, ["<unk>"], [], unk_token="<unk>",
                               continuing_subword_prefix="##", end_of_word_suffix="</w>")
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    train()
    return tokenizer


def split_style(corpus, splits):
    tokenizer, train = trained(corpus, ["<|endoftext|>"], pre_tokenizers.ByteLevel.alphabet())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        splits + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel()])
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(),
        processors.TemplateProcessing(single="<|endoftext|> $A", pair="$A $B",
                                      special_tokens=[("<|endoftext|>", 0)])])
    train()
    return tokenizer


def with_added_tokens(tokenizer):
    tokenizer.normalizer = normalizers.Replace("  ", " ")
    tokenizer.add_special_tokens([AddedToken("[LEFT]", lstrip=True), "[A]", "[AB]"])
    tokenizer.add_tokens([
        AddedToken("[RIGHT]", rstrip=True), AddedToken("[WORD]", single_word=True),
        AddedToken("[NORM  al]", normalized=True), AddedToken("é", normalized=False)])
    return tokenizer


def make_tokenizers(corpus):
    split = pre_tokenizers.Split
    yield "gpt2", gpt2_style(corpus, prefix_space=False)
    yield "gpt2-prefix", with_added_tokens(gpt2_style(corpus, prefix_space=True))
    yield "llama2", llama2_style(corpus)
    yield "metaspace-first", with_added_tokens(metaspace_style(corpus, "first", True))
    yield "metaspace-always", metaspace_style(corpus, "always", False)
    yield "metaspace-never", metaspace_style(corpus, "never", False)
    yield "subword", subword_style(corpus)
    yield "gpt4o", split_style(corpus, [split(Regex(GPT4O), "isolated")])
    yield "digits", split_style(corpus, [
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation("isolated"),
        pre_tokenizers.WhitespaceSplit()])
    yield "contiguous", split_style(corpus, [
        pre_tokenizers.Digits(), pre_tokenizers.Punctuation("contiguous"),
        split(Regex(r"\s"), "merged_with_next")])
    yield "behaviors", split_style(corpus, [
        split(Regex(r"[\r\n]"), "merged_with_previous"), split(Regex(r"\w+|[^\w\s]+"), "removed",
                                                               invert=True),
        split("'", "contiguous"), pre_tokenizers.CharDelimiterSplit("x"),
        split(Regex(r"[一-龥\u3040-ゟ]+|(?m:a.)|\h\H|^b|c$"), "isolated")])


def run_tool(tool, path, lines):
    result = subprocess.run([tool, "tokenizer", path], input="\n".join(lines) + "\n",
                            capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{path}: the tool failed: {result.stderr}")
    return result.stdout.split("\n")[:len(lines)]


def compare(tool, path, seed):
    """Returns the number of texts that differ."""
    tokenizer = Tokenizer.from_file(str(path))
    inputs = texts(seed, TEXTS_EACH)
    rng = random.Random(seed)
    size = tokenizer.get_vocab_size()
    expected = [tokenizer.encode(text.decode(errors="replace")).ids for text in inputs]
    # Ids that no text gives: broken characters, special tokens, unknown ids.
    sequences = expected + [[rng.randrange(size + 3) for _ in range(rng.randint(0, 30))]
                            for _ in range(TEXTS_EACH)]
    found = run_tool(tool, path, [f"encode {text.hex()}" for text in inputs])
    decoded = run_tool(tool, path, ["decode " + " ".join(map(str, ids)) for ids in sequences])
    failures = 0
    for text, ids, line in zip(inputs, expected, found, strict=True):
        if ids != [int(word) for word in line.split()]:
            failures += 1
            if failures <= 5:
                print(f"{path}: encode {text[:200]!r}\n  expected {ids[:60]}\n  found    {line[:300]}")
    for ids, line in zip(sequences, decoded, strict=True):
        want = tokenizer.decode(ids, skip_special_tokens=True)
        if want.encode().hex() != line:
            failures += 1
            if failures <= 5:
                print(f"{path}: decode {ids[:60]}\n  expected {want[:200]!r}\n"
                      f"  found    {bytes.fromhex(line)[:200]!r}")
    print(f"{path.name}: {len(inputs) + len(sequences)} compared, {failures} differ")
    return failures


def main():
    tool, story, training_text, folder = sys.argv[1:]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    corpus = pathlib.Path(training_text).read_text(encoding="utf-8")[:60000].split("\n")
    paths = [pathlib.Path(story)]
    for name, tokenizer in make_tokenizers(corpus):
        paths.append(folder / f"{name}.json")
        tokenizer.save(str(paths[-1]))
    failures = sum(compare(tool, path, seed) for seed, path in enumerate(paths))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
