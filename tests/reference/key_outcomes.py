"""tests/data/model_keys.tsv: every key and tensor that llama.cpp may read, set in the tiny models, and what comes of it.

    key_outcomes.py LLAMA.CPP SYNERGY OUT.tsv [MODEL...]

LLAMA.CPP: a checkout with its libraries built in build/ (static; 050ee92d04c2e1f639025786dea701c70e7d4204 wrote the
table that is committed); SYNERGY: the program of tools/. The names of the keys are read out of the checkout, so that a
key that it learns is a row by itself. Each change is made to each model, both run it, and
what they disagree in must stand in DECISIONS with its reason, or nothing is written. Columns: outcome, models, change,
numbers, reason. Outcomes:

    model     the logits without a change, at PLACES behind IDS (both alike), and how near these must be
    refused   llama.cpp refuses the file, and so must we
    same      the change changes nothing
    logits    the logits change by these numbers
    kept out  llama.cpp runs it (and mostly does not read it); we refuse it, the reason stands there
    taken     llama.cpp refuses it, or leaves it out; we compute with it, the reason stands there
    passed    llama.cpp refuses it, or changes; to us it changes nothing, the reason stands there

All weights are made float32 first, so that rounding hides nothing. A change: NAME=KIND:VALUE;... sets keys behind the architecture's name (u uint32, f float, b bool, s text; capitals are
arrays); NAME[ROWSxCOLUMNS]+CENTRE adds a tensor whose i-th element is CENTRE + ((37 i + 11) mod 64 - 31.5) / 64; a
layer's name has '*' for its number and is added to every layer that has the weight that it goes with."""
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import gguf
import numpy as np

IDS = [(37 * i + 11) % 256 for i in range(16)]
PLACES = [3, 77, 150, 211]

# Where we differ from llama.cpp on purpose: outcome, models, change (regular expressions), why.
YARN = r"rope\.scaling\.type=s:yarn;rope\.scaling\.factor=f:4;rope\.scaling\.original_context_length=u:64"
LATENT = "deepseek.*"
DECISIONS = [
    ("kept out", ".*", r"attention\.causal=b:0", "we know causal attention only"),
    ("kept out", ".*", r"blk\.\*\..*\.scale\[1\]\+1", "the factors of NVFP4's weights: a type that is not known here"),
    ("kept out", ".*", YARN + r";rope\.scaling\.yarn_(attn|ext)_factor=.*", "llama.cpp runs YaRN as if it were not there; it would change YaRN"),
    ("kept out", ".*", YARN + r";rope\.scaling\.yarn_log_multiplier=.*", "llama.cpp runs YaRN as if it were not there; no such model of this family is known"),
    ("taken", ".*", r".*rope\.scaling\.yarn_beta_fast=.*", "llama.cpp reads YaRN's betas in few families; transformers (beta_fast, beta_slow) in all"),
    ("kept out", "llama-bias", r"rope\.scaling\.type=s:yarn", "YaRN without the context that it begins from"),
    ("taken", "olmo2|olmo3period", r"(attention\.sliding_window=u:4;)?rope\.freq_base_swa=f:.*",
     "its local layers turn at the speed that the file tells, as in transformers; llama.cpp reads that key and does without"),
    ("taken", "gemma3.*|olmo.*", r"attention\.sliding_window=u:4;attention\.sliding_window_pattern=B:1,0",
     "llama.cpp reads the array as a period; the layers that it says are local in transformers (layer_types)"),
    ("kept out", LATENT, r"expert_gating_func=u:3", "softmax over the chosen is gpt-oss's alone"),
    ("kept out", ".*", r"expert_group_count=.*", "groups of experts are DeepSeek's alone"),
    ("kept out", LATENT, r"rope\.scal.*", "latent attention has YaRN's factors in its own way: of scalings only that, whole, is known in it"),
    ("kept out", ".*", r"rope\.scaling\.type=s:longrope", "longrope without its factors"),
    ("taken|passed", "gemma2-tiny|gptoss", r"rope\.scaling\.type=s:none;rope\.scaling\.factor=f:4", "none is none; llama.cpp goes on scaling the layers with a window"),
    ("passed", LATENT, r"attention\.(head_count_kv|key_length)=u:3", "the _mla keys have a head's size, and the latent is one for all heads"),
    ("passed|taken", LATENT, r"attention\.temperature_scale=f:0\.7(;rope.*)?", "llama.cpp wants a length beside it; the original context is that length, as in transformers"),
    ("passed", ".*", r"expert_used_count=u:3", "there are no experts to choose"),
    ("passed", ".*", r"(cls|dense_2)\..*", "a head for embeddings or classes behind the last layer: no part of foretelling a token"),
    ("passed", ".*", r"extra\.weight.*", "a name that no part of a language model has"),
    ("passed", ".*", r"rope_factors_(long|short)\.weight.*", "the scaling of the file is not longrope"),
    ("passed", "gpt2.*", r"rope_freqs\.weight.*", "nothing is rotated"),
    ("taken", "phi3.*", r"attention\.sliding_window=.*", "llama.cpp leaves phi3's window out; transformers has it"),
    ("passed", "phi3.*", r"rope_freqs\.weight.*", "the factors of long contexts stand in their place"),
    ("taken", ".*", r"rope_freqs\.weight.*", "factors of the frequencies mean the same in every family that rotates"),
    ("taken", ".*", r"blk\.\*\.attn_(output|q|k|v)\.bias.*", "transformers' attention_bias; llama.cpp refuses it or leaves it out without a word"),
]

FLOATS = re.compile(r"scale|eps|softcap|clamp|temperature_s|freq_base|factor|beta|alibi|linear|attn_|alpha|multiplier|residual_mix")
BOOLS = re.compile(r"causal|weights_norm|swin_norm|before_residual|parallel|finetuned|dt_b_c_rms")
LEFT_OUT = {"block_count", "context_length", "embedding_length",  # another model, not another reading of this one
            "attention.head_count", "feed_forward_length"}

# Several keys at once, or values beside the ones that values() makes up
MORE = """
attention.causal=b:1
rope.scaling.type=s:none;rope.scaling.factor=f:4
rope.scaling.type=s:linear;rope.scaling.factor=f:4
rope.scaling.type=s:linear;rope.scaling.factor=f:4;rope.scale_linear=f:2
rope.scaling.type=s:yarn;rope.scaling.factor=f:4;rope.scaling.original_context_length=u:64
rope.scaling.type=s:yarn;rope.scaling.factor=f:4;rope.scaling.original_context_length=u:64;rope.scaling.attn_factor=f:1.5
rope.scaling.type=s:yarn;rope.scaling.factor=f:4;rope.scaling.original_context_length=u:64;rope.scaling.yarn_attn_factor=f:1.5
rope.scaling.type=s:yarn;rope.scaling.factor=f:4;rope.scaling.original_context_length=u:64;rope.scaling.yarn_ext_factor=f:0.5
rope.scaling.type=s:yarn;rope.scaling.factor=f:4;rope.scaling.original_context_length=u:64;rope.scaling.yarn_beta_fast=f:8;rope.scaling.yarn_beta_slow=f:2
rope.scaling.type=s:yarn;rope.scaling.factor=f:4;rope.scaling.original_context_length=u:64;rope.scaling.yarn_log_multiplier=f:0.1
rope.scaling.type=s:longrope
rope.freq_base=f:500
attention.sliding_window=u:4
attention.sliding_window=u:4;attention.sliding_window_pattern=u:2
attention.sliding_window=u:4;attention.sliding_window_pattern=B:1,0
attention.sliding_window=u:4;rope.freq_base_swa=f:700
attention.temperature_scale=f:0.7;attention.temperature_length=u:4
attention.temperature_scale=f:0.7;rope.scaling.original_context_length=u:4
attention.head_count_kv=U:1
expert_gating_func=u:1
expert_gating_func=u:3
expert_weights_norm=b:0
expert_group_count=u:2;expert_group_used_count=u:1
logit_scale=f:1
residual_scale=f:1
embedding_scale=f:1
attention.max_alibi_bias=f:0
attention.clamp_kqv=f:0
router_logit_softcapping=f:0
"""

# Tensors beside the biases of weights: name, shape, centre. Sizes: d embedding, h a head, n heads, q all heads,
# k all key heads, f feed-forward, e experts, r half a rotation, 1.
TENSORS = """
blk.*.attn_q_norm.weight h 1
blk.*.attn_k_norm.weight h 1
blk.*.attn_q_norm.weight q 1
blk.*.attn_norm_2.weight d 1
blk.*.attn_sinks.weight n 0
blk.*.post_attention_norm.weight d 1
blk.*.post_ffw_norm.weight d 1
blk.*.attn_sub_norm.weight d 1
blk.*.ffn_sub_norm.weight f 1
blk.*.attn_output_norm.weight d 1
blk.*.layer_output_norm.weight d 1
blk.*.layer_output_scale.weight 1 1
blk.*.attn_gate.weight dxq 0
blk.*.attn_q.scale 1 1
blk.*.ffn_up.scale 1 1
blk.*.ffn_act.scales f 1
blk.*.exp_probs_b.bias e 0
blk.*.ffn_gate_inp_shexp.weight d 0
blk.*.rope_freqs.weight r 2
blk.*.attn_rot_embd r 1
rope_freqs.weight r 2
rope_factors_long.weight r 2
rope_factors_short.weight r 2
token_embd_norm.weight d 1
token_embd_norm.bias d 0
token_types.weight dx2 0
output_norm.bias d 0
output.bias v 0
output.scale 1 1
per_layer_model_proj.weight dxd 0
cls.weight dxd 0
cls.output.bias 1 0
dense_2.weight dxd 0
extra.weight d 0
"""


class Model:
    """A tiny model: its keys as bytes, and its tensors, all as float32: what differs then is not the arithmetic."""

    def __init__(self, folder):
        self.name = os.path.basename(os.path.normpath(folder))
        self.path = os.path.join(folder, "model.gguf")
        r = gguf.GGUFReader(self.path)
        self.keys = {f.name: b"".join(bytes(p) for p in f.parts) for f in r.fields.values() if not f.name.startswith("GGUF.")}
        self.arch = r.fields["general.architecture"].contents()
        self.tensors, self.data = [], b""
        for t in r.tensors:
            weights = gguf.dequantize(t.data, t.tensor_type).astype("<f4").tobytes()
            self.tensors.append((t.name, [int(n) for n in t.shape], len(self.data)))
            self.data += weights + bytes(-len(weights) % 32)

        def number(key, default):
            f = r.fields.get(f"{self.arch}.{key}")
            v = f.contents() if f else default
            return int(v[0] if isinstance(v, list) else v)

        d, heads = number("embedding_length", 0), number("attention.head_count", 1)
        h = number("attention.key_length_mla", number("attention.key_length", d // heads))
        self.layers = number("block_count", 0)
        self.size = {"d": d, "n": heads, "h": h, "q": h * heads, "k": h * number("attention.head_count_kv", heads),
                     "f": number("feed_forward_length", 1), "e": number("expert_count", 0) or 4, "1": 1, "2": 2,
                     "r": number("rope.dimension_count", h) // 2, "v": next(s[1] for n, s, _ in self.tensors if n == "token_embd.weight")}

    def weights(self):
        """Names with '*' for the layer, with the shape of the first."""
        seen = {}
        for name, shape, _ in self.tensors:
            seen.setdefault(re.sub(r"^blk\.\d+\.", "blk.*.", name), shape)
        return seen


def text(s):
    raw = s.encode()
    return len(raw).to_bytes(8, "little") + raw


def value(kind, words):
    number = {"u": (4, np.uint32), "f": (6, np.float32), "b": (7, np.uint8)}
    if kind == "s":
        return (8).to_bytes(4, "little") + text(words)
    if kind.islower():
        code, dtype = number[kind]
        return code.to_bytes(4, "little") + np.array([float(words)]).astype(dtype).tobytes()
    code, dtype = number[kind.lower()]
    items = np.array([float(w) for w in words.split(",")]).astype(dtype)
    return b"".join([(9).to_bytes(4, "little"), code.to_bytes(4, "little"), len(items).to_bytes(8, "little"), items.tobytes()])


def filling(count, centre):
    return (centre + ((37 * np.arange(count) + 11) % 64 - 31.5) / 64).astype("<f4")


def spread(words, layers):
    """An array that is shorter than the model is deep begins again."""
    items = words.split(",")
    return ",".join(items[i % len(items)] for i in range(layers))


def changed(model, change):
    """The model's file with the change made."""
    keys, tensors, data = dict(model.keys), list(model.tensors), bytearray(model.data)
    for part in filter(None, change.split(";")):
        new = re.fullmatch(r"(.*)\[([0-9x]+)\]\+([01-9.]+)", part)
        if not new:
            name, kind, words = re.fullmatch(r"([^=]*)=(.):(.*)", part).groups()
            name = f"{model.arch}.{name}"
            keys[name] = text(name) + value(kind, spread(words, model.layers) if kind.isupper() else words)
            continue
        shape = [int(n) for n in new[2].split("x")]
        stem = new[1].rpartition(".")[0] + ".weight"
        have = {t[0] for t in tensors}
        layers = [i for i in range(model.layers) if stem.replace("*", str(i)) in have] or range(model.layers)
        for name in [new[1].replace("*", str(i)) for i in layers] if "*" in new[1] else [new[1]]:
            data += bytes(-len(data) % 32)
            tensors.append((name, shape, len(data)))
            data += filling(int(np.prod(shape)), float(new[3])).tobytes()
    out = [b"GGUF", (3).to_bytes(4, "little"), len(tensors).to_bytes(8, "little"), len(keys).to_bytes(8, "little"), *keys.values()]
    for name, shape, at in tensors:
        out += [text(name), len(shape).to_bytes(4, "little"), *(n.to_bytes(8, "little") for n in shape), (0).to_bytes(4, "little"), at.to_bytes(8, "little")]
    head = b"".join(out)
    return head + bytes(-len(head) % 32) + bytes(data)


def values(key):
    """What a key is set to that shows whether it is read."""
    if key.endswith("scaling.type"):
        return ["s:linear", "s:yarn"]
    if key == "hidden_activation":
        return ["s:silu"]
    if key in ("classifier.output_labels",):
        return []
    if key.endswith("pattern"):
        return ["u:2"]
    if BOOLS.search(key):
        return ["b:0"] if "causal" in key else ["b:1"]
    if "freq_base" in key:
        return ["f:5000"]
    if "beta" in key or "factor" in key or "linear" in key:
        return ["f:2"]
    if FLOATS.search(key):
        return ["f:0.7"]
    if "gating" in key:
        return ["u:2"]
    return ["u:3"]


def changes(model, keys):
    out = [f"{k}={v}" for k in keys if k not in LEFT_OUT for v in values(k)] + MORE.split()
    have = model.weights()
    for name, shape in have.items():
        if name.endswith(".weight") and name[:-6] + "bias" not in have:
            out.append(f"{name[:-6]}bias[{'x'.join(map(str, shape[1:] or shape))}]+0")
    for line in TENSORS.split("\n"):
        if line:
            name, shape, centre = line.split()
            if name not in have and f"{name[:-5]}.weight" not in have:
                out.append(f"{name}[{'x'.join(str(model.size[c]) for c in shape.split('x'))}]+{centre}")
    return list(dict.fromkeys(out))


class Programs:
    def __init__(self, peer, synergy):
        self.peer, self.synergy, self.place = peer, synergy, tempfile.mkdtemp()

    def run(self, file, tag):
        """Both programs' last logits; None where they refuse."""
        base = os.path.join(self.place, tag)
        path, out, ids = base + ".gguf", base + ".f32", base + ".npy"
        with open(path, "wb") as f:
            f.write(file)
        np.save(ids, np.array(5 * IDS, "<i4"))  # longer than any context that longrope begins from
        theirs = ours = None
        if subprocess.run([self.peer, path, ",".join(map(str, IDS)), out], capture_output=True).returncode == 0:
            theirs = np.fromfile(out, "<f4")
            if not np.isfinite(theirs).all():
                theirs = None
        subprocess.run(["rm", "-rf", base])
        r = subprocess.run([self.synergy, "capture", path, "--tokens", ids, "-o", base, "--logits", "--exact", "-t", "1"], capture_output=True, text=True)
        if r.returncode == 0:
            ours = np.load(base + "/logits.npy")[0, len(IDS) - 1]
        elif r.returncode != 1:
            sys.exit(f"{self.synergy}: exit code {r.returncode}: {r.stderr}")
        return theirs, ours, r.stderr.strip()


UNREAD = "llama.cpp does not read it in this family: who wrote it meant another computation"


def decide(kind, model, change, moved):
    """Why we differ from llama.cpp."""
    for kinds, models, pattern, why in DECISIONS:
        if re.fullmatch(kinds, kind) and re.fullmatch(models, model) and re.fullmatch(pattern, change):
            return why
    return UNREAD if kind == "kept out" and moved == 0 else None


def outcome(model, change, programs, base, near):
    """(outcome, numbers, how far llama.cpp moves, what we say or how far we move)."""
    theirs, ours, told = programs.run(changed(model, change), model.name)
    moved = None if theirs is None else theirs - base[0]
    we = None if ours is None else ours - base[1]
    if ours is None:
        kind = "refused" if theirs is None else "kept out"
    elif theirs is not None and abs(moved - we).max() <= near:
        kind = "same" if abs(we).max() == 0 else "logits"
    else:
        kind = "taken" if abs(we).max() > 0 else "passed"
    numbers = " ".join("%.6g" % x for x in moved[PLACES]) if kind == "logits" else ""
    return kind, numbers, None if moved is None else float(abs(moved).max()), told if ours is None else float(abs(we).max())


def of_model(model, keys, programs):
    theirs, ours, told = programs.run(changed(model, ""), model.name)
    if theirs is None or ours is None:
        sys.exit(f"{model.name}: {told or 'llama.cpp refuses it'}")
    apart = float(abs(theirs - ours).max())
    near = max(8 * apart, 1e-4)
    rows = [(model.name, "", "model", " ".join("%.6g" % x for x in theirs[PLACES]), "%.1e" % near, None)]
    rows += [(model.name, c, *outcome(model, c, programs, (theirs, ours), near)) for c in changes(model, keys)]
    print(f"{model.name}: {len(rows)} rows, {apart:.1e} apart", flush=True)
    return rows


def build(llama, place):
    here = os.path.dirname(os.path.abspath(__file__))
    out = os.path.join(place, "peer_logits")
    libraries = [os.path.join(d, f) for d, _, files in os.walk(os.path.join(llama, "build", "ggml")) for f in files if f.endswith(".a")]
    subprocess.run(["g++", "-O1", "-o", out, os.path.join(here, "peer_logits.cpp"), f"-I{llama}/include", f"-I{llama}/ggml/include",
                    f"{llama}/build/src/libllama.a", "-Wl,--start-group", *libraries, "-Wl,--end-group", "-fopenmp", "-lpthread", "-ldl", "-lm"], check=True)
    return out


def main():
    llama, synergy, out = sys.argv[1:4]
    here = os.path.dirname(os.path.abspath(__file__))
    folders = sys.argv[4:] or [os.path.join(here, "..", "data", n) for n in MODELS]
    with open(os.path.join(llama, "src", "llama-arch.cpp"), encoding="utf-8") as f:
        keys = sorted(set(re.findall(r'"%s\.([a-z0-9_.]+)"', f.read())))
    programs = Programs(build(llama, tempfile.mkdtemp()), synergy)
    with ThreadPoolExecutor(2) as pool:
        rows = [r for rs in pool.map(lambda p: of_model(Model(p), keys, programs), folders) for r in rs]
    commit = subprocess.run(["git", "-C", llama, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    return write(rows, commit, out)


def write(rows, commit, out):
    merged, undecided = {}, 0
    for name, change, kind, numbers, moved, ours in rows:
        why = ""
        if kind in ("kept out", "taken", "passed"):
            why = decide(kind, name, change, moved)
            if why is None:
                print(f"{name}: {change}: {kind}, and no decision says why; llama.cpp {moved}, we {ours}")
                undecided += 1
        elif kind == "model":
            why = moved
        merged.setdefault((kind, name if numbers else "", change, numbers, why), []).append(name)
    if undecided:
        return 1
    reasons = list(dict.fromkeys(k[4] for k in merged if k[0] not in ("model", "refused", "same", "logits")))
    with open(out, "w", encoding="utf-8") as f:
        f.write(f"# by tests/reference/key_outcomes.py (it says what stands here), with llama.cpp {commit}\n")
        for i, why in enumerate(reasons):
            f.write(f"why\t{i + 1}\t{why}\n")
        for (kind, _, change, numbers, why), names in sorted(merged.items(), key=lambda row: row[0][0] != "model"):
            last = why if kind == "model" else str(reasons.index(why) + 1) if why else ""
            f.write("\t".join([kind, ",".join(names), change, numbers, last]).rstrip() + "\n")
    return 0


MODELS = ["models/" + n for n in ("llama-tied", "llama-bias", "llama-moe-q5_1", "qwen2-q4_0", "qwen3-bf16", "qwen3moe-tiny", "gemma2-tiny",
                                  "gemma3-f16", "gptneox-seq-tiny", "gptneox-f16", "gpt2-iq4_nl", "deepseek2-tiny", "olmo2", "starcoder2")]
MODELS += ["families/" + n for n in ("deepseek3", "gemma", "glm4", "gptoss", "granite", "granitemoe", "mistral3", "olmo3period", "olmoe", "phi3long", "qwen2moe", "smollm3")]

if __name__ == "__main__":
    sys.exit(main())
