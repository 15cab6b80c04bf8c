"""Writes tests/data/chat/ids.tsv: the ids of llama.cpp's tokenizer for what jinja2 makes of the templates of chat_data.py.

    python chat_ids.py LLAMA-TOKENIZE TOKENIZER_DATA OUT.tsv

Special tokens are parsed, and no begin token is put before the one that the template writes or leaves out.
"""
import ast
import subprocess
import sys
import tempfile

import gguf

from chat_data import SYSTEM, TEMPLATES, USER, environment

VOCABULARIES = ["spm-phi3", "spm-llama", "spm-gemma", "bpe-smollm"]
NAMES = ["chatml", "chatml-bos", "llama2", "mistral", "gemma3", "phi3", "thinking", "deepseek", "zephyr"]


def token(fields, name):
    key = fields.get("tokenizer.ggml.%s_token_id" % name)
    words = fields["tokenizer.ggml.tokens"]
    return bytes(words.parts[words.data[key.contents()]]).decode() if key else ""


def main(tokenize, folder, out):
    rows = []
    for vocabulary in VOCABULARIES:
        path = "%s/%s.gguf" % (folder, vocabulary)
        fields = gguf.GGUFReader(path).fields
        for name in NAMES:
            for kind in ("user", "system"):
                messages = ([{"role": "system", "content": SYSTEM}] if kind == "system" else []) + [{"role": "user", "content": USER}]
                text = environment().from_string(TEMPLATES[name]).render(
                    messages=messages, add_generation_prompt=True, bos_token=token(fields, "bos"), eos_token=token(fields, "eos"))
                with tempfile.NamedTemporaryFile("w", newline="") as f:
                    f.write(text)
                    f.flush()
                    said = subprocess.run([tokenize, "-m", path, "-f", f.name, "--ids", "--no-bos", "--no-escape", "--log-disable"],
                                          capture_output=True, text=True, check=True).stdout
                rows.append("%s\t%s\t%s\t%s\n" % (vocabulary, name, kind, " ".join(map(str, ast.literal_eval(said)))))
    open(out, "w", newline="").write("".join(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
