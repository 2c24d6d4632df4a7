"""Texts that tokenizers get wrong, as bytes: written by hand and random with fixed seeds."""

import random

# All of Unicode's White_Space, and what is often taken for it.
SPACES = ("\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
          "\u2009\u200a\u2028\u2029\u202f\u205f\u3000" "\u180e\u200b\u2060\ufeff\x1c\x1d\x1e\x1f")
POOLS = [
    " \n\r\t",
    SPACES,
    "abcXYZ'’sStTrReEvVmMlLdDſK",
    "0123456789٠١٢३४५一二三Ⅷ½²①𝟘",
    "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~¿«»…—“”。、！",
    "éàüñçßøåÉÀ" "e\u0301a\u0300n\u0303\u0327o\u0308\u20dd\ufe0f",
    "中文日本語テスト한국어ひらがな漢字",
    "ערבית العربية हिन्दी বাংলা ไทย ភាសា မြန်မာ தமிழ்",
    "😀🎉👍🏽👨‍👩‍👧‍👦🏳️‍🌈🇩🇪🇫🇷\u200d\ufe0f🧑🏿‍🚀❤️",
    "".join(map(chr, range(0x20))) + "\x7f\x80\x9f\xad",
    "▁Ġ Ċ<0x0A><|>\u2581",
]
SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>", "<|endoftext|>", "<s>", "</s>", "<unk>",
           "[LEFT]", "[RIGHT]", "[WORD]", "[NORM al]", "[A]", "[AB]", "<|end_of", "[W"]
BY_HAND = [
    "", " ", "  ", "\n", "\x00", "a\x00b", "Hello, world!", " Hello", "Hello ", "hello  world",
    "I'm you're HE'LL it'S they'D we'Ve don't 'tis 'ſ", "x = 12345678901234;\n\n\n\ty\r\n\r\nz",
    "   \n   \n\t\tfoo\n \n", "a \u180e b\u200b c", "naïve café e\u0301\u0301\u0301",
    "Ｆｕｌｌ　ｗｉｄｔｈ", "Straße ǅ İi ﬁ ŉ", "1/2 ½ 3.14 1,000 ٣٤ १२",
    "<|begin_of_text|><|end_of_text|>", "a<|end_of_text|> b", "<|begin_of_text|",
    "x[WORD]y [WORD] é[WORD]", " [LEFT]  [RIGHT]  x", "[LEFT] \n [LEFT]", "[A][AB][AB",
    "[RIGHT] [LEFT]", "[RIGHT]  [WORD]", "\u200d[WORD]", "_[WORD]", "٣[WORD]\u0301",
    "[norm AL] [NORM  al][NORM al]", "👨‍👩‍👧‍👦" * 3, "\U0010ffff\ufffd\ufffe\ue000",
    "The quick brown fox." * 20, "a" * 3000, " " * 3000, "\n" * 500 + "x", "ab" * 1500,
    "!" * 1000, "é" * 700, "中" * 700, "😀" * 300, " \n" * 300, "1" * 1000, "'s" * 200,
]
# Characters newer than Unicode 14, which PCRE2 has to be told of, between letters, digits
# and spaces. Their neighbours show which class they are taken for.
NEW = [0x1C89, 0xA7CD, 0x105C0, 0x10D40, 0x10D4E, 0x10D69, 0x10D6E, 0x116E3, 0x11BC0, 0x11BF0,
       0x11F02, 0x11F03, 0x11F59, 0x13440, 0x143FA, 0x16130, 0x1CCF9, 0x1D2D3, 0x1DF25, 0x1E030,
       0x1E4EC, 0x1E4F0, 0x1E5F1, 0x1E5FF, 0x2B739, 0x2EBF0, 0x2EE5D, 0x31350, 0x323AF]
BY_HAND += [f"the{chr(c)}the 1{chr(c)}1 !{chr(c)}! {chr(c)} {chr(c)}{chr(c)} the" for c in NEW]
INVALID = [
    b"\x80", b"\xff\xfe", b"a\xc3", b"\xc3(", b"\xe2\x82", b"\xe2\x82(", b"\xe2(\xa1",
    b"\xf0\x9f\x98", b"\xf0\x9f\x98 ok", b"\xf0(\x8c\xbc", b"\xed\xa0\x80", b"\xed\xbf\xbf",
    b"\xc0\xaf", b"\xc1\x81", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf",
    b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"caf\xe9 na\xefve", b"\xe4\xb8\xad\xe4\xb8",
]


def any_code_point(rng):
    while True:
        point = rng.randrange(rng.choice([0x80, 0x3000, 0x10000, 0x110000]))
        if not 0xD800 <= point < 0xE000:
            return chr(point)


def random_text(rng):
    pieces = []
    pools = rng.sample(POOLS, rng.randint(1, 4))
    for _ in range(rng.randint(1, 24)):
        kind = rng.random()
        if kind < 0.08:
            pieces.append(rng.choice(SPECIAL))
        elif kind < 0.18:
            pieces.append(any_code_point(rng))
        else:
            pieces.append(rng.choice(rng.choice(pools)) * rng.choice([1, 1, 1, 2, 3, 7]))
    return "".join(pieces)


def random_bytes(rng):
    data = bytearray(random_text(rng).encode())
    for _ in range(rng.randint(1, 4)):
        data.insert(rng.randint(0, len(data)), rng.randrange(0x80, 0x100))
    return bytes(data)


def texts(seed, count):
    rng = random.Random(seed)
    result = [text.encode() for text in BY_HAND] + INVALID
    result += [random_text(rng).encode() for _ in range(count)]
    result += [random_bytes(rng) for _ in range(count // 4)]
    return result
