#!/usr/bin/env python3
"""Writes a folder of seeds for each fuzz target: files of tests/data behind the bytes of choices that a target takes
first, and what is put together here (vocabularies of both kinds with texts of many scripts, a run.json).

    python3 seeds.py FOLDER        run in tests/fuzz
"""
import glob
import json
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


def tokenizer(put):
    kinds = [("gpt2", pre) for pre in PRES] + [("llama", "")]
    for i, (kind, pre) in enumerate(kinds):
        for k, text in enumerate(TEXTS):
            body = text.encode() + (b"\xff\xc0\x80\xe2\x82 \xed\xa0\x80\xf5" if k == 3 else b"")
            options = (i + k) & 1 | 4
            file = vocabulary(kind, pre, ["<|im_start|>enable_thinking", "<start_of_turn>", "", "x"][k])
            put("fuzz_tokenizer", bytes([options]) + struct.pack("<H", len(body)) + body + file)


def detokenize(put):
    words = [b"<unk>", b"<s>", b"\xe2\x96\x81Hello", b"\xe2\x96\x81", b"<0xE4>", b"<0xB8>", b"<0xAD>", b"'s", b" .",
             "\u0120a\u010a".encode(), b"\xff\xfe", b""]
    types = [2, 3, 1, 1, 6, 6, 6, 1, 1, 1, 1, 5]
    for options in range(8):
        tokens = b"".join(bytes([len(w), t, 100]) + w for w, t in zip(words, types))
        put("fuzz_detokenize", bytes([options, len(words) - 1]) + tokens + bytes(range(len(words))) * 3)


def files(put, target, patterns, choices, most=65536):
    for pattern in patterns:
        for path in sorted(glob.glob("../data/" + pattern)):
            if os.path.getsize(path) > most:
                continue
            with open(path, "rb") as f:
                body = f.read()
            for choice in choices:
                put(target, choice + body)


def templates(put):
    name = string("tokenizer.chat_template") + struct.pack("<I", 8)
    for path in sorted(glob.glob("../data/chat/*.gguf")):
        with open(path, "rb") as f:
            body = f.read()
        at = body.find(name)
        if at >= 0:
            length, = struct.unpack_from("<Q", body, at + len(name))
            source = body[at + len(name) + 8:][:length]
            for choice in (0x1e, 0x09):
                put("fuzz_chat", bytes([choice, 12]) + b" What is it?" + source)


def run():
    heads = {"units": "heads", "first_layer": 0, "tokens": 8, "context": 54, "eos": "ban", "arithmetic": "fast",
             "prompts": "prompts.txt", "chat": "none", "temperature": 0, "top_k": 0, "seed": 1, "all_prompts": 2}
    return {"version": "0.2.0", "identity": "ab" * 32,
            "model": {"name": "x", "file": "x.gguf", "bytes": 9, "sha256": "cd" * 32, "architecture": "llama", "layers": 2,
                      "heads": 2, "experts": 0, "parameters": 17},
            "settings": heads, "shard": 0, "shards": 1, "prompts_sha256": "ef" * 32, "shape": [2, 8, 2, 2],
            "prompts": [{"number": i, "category": "c<", "text": "T\u00e9\"&", "continuation": "\u001b[1m", "length": 8,
                         "ids": [1, 2, 3]} for i in range(2)]}


def main(folder):
    counts = {}

    def put(target, body):
        os.makedirs("%s/%s" % (folder, target), exist_ok=True)
        counts[target] = counts.get(target, 0) + 1
        with open("%s/%s/seed-%03d" % (folder, target, counts[target]), "wb") as f:
            f.write(body)

    tokenizer(put)
    detokenize(put)
    templates(put)
    files(put, "fuzz_gguf", ["gguf/*.gguf"], [b""])
    files(put, "fuzz_model", ["gguf/*.gguf"], [b""])
    for path in sorted(glob.glob("../data/gguf/*.gguf")):
        with open(path, "rb") as f:
            put("fuzz_model", f.read() + bytes([4 + 32]))
    files(put, "fuzz_npy", ["cli/*.npy", "phiid/series/*.npy"], [b"\0", b"\x91"])
    files(put, "fuzz_csv", ["tables/*.csv", "cli/*.csv"], [b"\0", b"\x94", b"\xa1"], 8192)
    for body in (b"a;b;c\n1,5;2;\n3;NA;4\n", b"a\tb\n1\t2\n", b"1 2 3\n4 5 6\n", b"\"a,\"\"b\",c\r\n1,2\r\n", b"sep=;\na;b\n1;2\n",
                 b"\xef\xbb\xbfa,b\n1,-1e-300\n"):
        put("fuzz_csv", b"\x20" + body)
    files(put, "fuzz_json", ["models/*/index.json"], [b""], 16384)
    put("fuzz_json", json.dumps(run(), indent=2).encode())
    put("fuzz_json", b'[1e308, -0, 1E-7, "\\ud83d\\ude00\\u0000\\n", true, null, {}, [[]], 0.1]')
    put("fuzz_prompts", b"numeric\tWhat is 2 + 2?\r\n\n no category\n\xef\xbb\xbf\tx\n")
    put("fuzz_prompts", "\ufeffcaf\u00e9\t\u4e2d\u6587\n".encode())
    for choice in (b"\0", b"\1"):
        put("fuzz_run", choice + json.dumps(run()).encode())
    experts = run()
    experts["settings"]["units"] = "experts"
    put("fuzz_run", b"\0" + json.dumps(experts).encode())
    files(put, "fuzz_cov", ["phiid/*.syncov"], [b"\1", b"\x0f"])
    for body in (struct.pack("<BB16d", 0, 1, *[(i * i) % 7 for i in range(16)]), b"\x20\1" + bytes(range(64)),
                 b"\x21\2" + bytes(range(64)), struct.pack("<BB16d", 2, 1, *[float(i % 5 == 0) for i in range(16)])):
        put("fuzz_phiid", body)
    files(put, "fuzz_phiid", ["phiid/*.syncov"], [b"\3\1"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
