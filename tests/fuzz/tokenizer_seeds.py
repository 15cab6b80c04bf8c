#!/usr/bin/env python3
"""Writes seeds for fuzz_tokenizer: small vocabularies of both kinds with texts of many scripts.

    python3 tokenizer_seeds.py FOLDER
"""
import os
import struct
import sys

PRES = ["default", "gpt-2", "smollm", "llama-bpe", "qwen2", "deepseek-llm", "deepseek-coder", "falcon"]
SHOWN = list(b"\t\n !'09AHabdeilorsw<>|_\xa1\xc3\xa9\xe4\xb8\xad\xef\xbf\xbd")  # bytes that have a token
TEXTS = [
    "Hello world, it's 1234 o'clock!  \n\n\tif (a<b) { c }  ",
    "caf\u00e9 na\u00efve \u4e2d\u6587 \u0e44\u0e17\u0e22 \u0940 12345\u0663 e\u0301 \U0001F600\u200d <s><|im_end|>  \r\n x",
    "<|im_<|im_end|>end|> aaaaaaaaab\n\n\n\n<tool>> >>>",
    "\ufeff\u00a0\u2581\u2581a  b   c    \u3000\u3000d\u2018\u201d \uff01\uff21",
]


def string(s):
    b = s if isinstance(s, bytes) else s.encode()
    return struct.pack("<Q", len(b)) + b


def key(name, kind, payload):
    return string(name) + struct.pack("<I", kind) + payload


def strings(items):
    return struct.pack("<IQ", 8, len(items)) + b"".join(map(string, items))


def gguf(pairs):
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs)


def alphabet(byte):
    plain = list(range(0x21, 0x7F)) + list(range(0xA1, 0xAD)) + list(range(0xAE, 0x100))
    return chr(byte if byte in plain else 256 + [b for b in range(256) if b not in plain].index(byte))


def vocabulary(kind, pre, chat):
    specials = ["<unk>", "<s>", "</s>", "<|im_end|>", "<|im_", "<tool>", ">>", "\n\n", "  "]
    types = [2, 3, 3, 3, 4, 4, 4, 4, 4]
    if kind == "gpt2":
        normal = [alphabet(b) for b in SHOWN]
        merges = ["a a", "aa a", "\u0120 a", "l l", "H e", "He ll", "\u0120 \u0120", "\u010a \u010a", "1 2"]
        normal += [m.replace(" ", "") for m in merges]
    else:
        merges = []
        normal = list("aeilodHwr ,.") + ["aa", "aaa", "\u2581", "\u2581a", "\u2581\u2581", "ll", "He", "lo"]
        specials += ["<0x%02X>" % b for b in SHOWN]
        types += [6] * len(SHOWN)
    tokens = specials + normal
    types += [1] * len(normal)
    pairs = [
        key("tokenizer.ggml.model", 8, string(kind)),
        key("tokenizer.ggml.tokens", 9, strings(tokens)),
        key("tokenizer.ggml.token_type", 9, struct.pack("<IQ%di" % len(types), 5, len(types), *types)),
        key("tokenizer.ggml.scores", 9, struct.pack("<IQ%df" % len(types), 6, len(types),
                                                   *[-float(i) for i in range(len(types))])),
        key("tokenizer.ggml.bos_token_id", 4, struct.pack("<I", 1)),
        key("tokenizer.ggml.eos_token_id", 4, struct.pack("<I", 2)),
        key("tokenizer.chat_template", 8, string(chat)),
    ]
    if kind == "gpt2":
        pairs += [key("tokenizer.ggml.pre", 8, string(pre)), key("tokenizer.ggml.merges", 9, strings(merges))]
    return gguf(pairs)


def main(folder):
    os.makedirs(folder, exist_ok=True)
    kinds = [("gpt2", pre) for pre in PRES] + [("llama", "")]
    for i, (kind, pre) in enumerate(kinds):
        for k, text in enumerate(TEXTS):
            body = text.encode() + (b"\xff\xc0\x80\xe2\x82 \xed\xa0\x80\xf5" if k == 3 else b"")
            options = (i + k) & 1 | 4
            file = vocabulary(kind, pre, ["<|im_start|>enable_thinking", "<start_of_turn>", "", "x"][k])
            with open("%s/%s-%s-%d" % (folder, kind, pre, k), "wb") as f:
                f.write(bytes([options]) + struct.pack("<H", len(body)) + body + file)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
