"""Writes the tiny random models of tests/data/models and their references: PyTorch, transformers (4.57), gguf-py, numpy.

    python make_models.py public|more OUT_DIR [name ...]

`public` are the models of the shared fixtures (their K and IQ types need ggml's quantiser, see models_gguf.py),
`more` the other families and settings.
"""
import json
import os
import sys

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as T

import models_gguf as ggufio
from models_archs import ARCHS
from models_reference import Reference
from models_specs import SPECS

ABOUT = dict(
    tokens=("int32", "[T] prompt token ids, fed from position 0"),
    gen_tokens=("int32", "[G] greedy continuation; gen_tokens[i] = argmax(logits[T-1+i])"),
    logits=("float32", "[N, n_vocab], N = T+G: the prompt, then every generated token, each fed in turn"),
    head_norms=("float32", "[N, n_layer, n_head] L2 norm of each query head's attention output, before the output projection"),
    residual=("float32", "[N, n_layer+1, n_embd] residual stream: before layer 0, then after each layer (before the last norm)"),
    moe_ids=("int32", "[N, n_moe_layer, k] experts chosen, highest router probability first"),
    moe_router_logits=("float32", "[N, n_moe_layer, n_expert] router output before the softmax"),
    moe_weights=("float32", "[N, n_moe_layer, k] final weight of each chosen expert (after renormalisation and scaling, if any)"),
    moe_norm_raw=("float32", "[N, n_moe_layer, k] L2 norm of each chosen expert's output before its weight"),
    moe_norm_all=("float32", "[N, n_moe_layer, n_expert] L2 norm of what every expert makes of the layer's input, chosen or not"),
    moe_norm_weighted=("float32", "[N, n_moe_layer, k] the same after multiplication by its weight"),
    moe_norm_shared=("float32", "[N, n_moe_layer] L2 norm of the shared experts' output (one fused MLP)"),
)


def random_weights(arch, seed):
    """HF weights with scales at which attention, routing and logits are far from uniform."""
    g = torch.Generator().manual_seed(seed)
    config, cls = arch.config()
    with torch.device("meta"):
        shapes = {k: tuple(v.shape) for k, v in cls._from_config(config, attn_implementation="eager").state_dict().items()}
    names = [h for m in arch.maps() for h in m.hf]
    gemma = arch.name.startswith("gemma")
    out = {}
    for k in names:
        s = shapes[k]
        x = torch.randn(s, generator=g)
        if "norm" in k or ".ln_" in k:
            x = 0.2 * x if k.endswith("bias") or gemma else 1 + 0.2 * x
        elif k.endswith("bias"):
            x = 0.2 * x
        elif "embed_tokens" in k or "embed_in" in k or "wte" in k:
            x = x * (0.4 / (arch.p["hidden"] ** 0.5 if gemma else 1))
            if gemma:
                x = x * 2
        elif "wpe" in k:
            x = 0.3 * x
        else:
            fan_in = s[0] if arch.name == "gpt2" else s[1]
            gain = 1.6 if any(q in k for q in ("q_proj", "k_proj", "query_key", "c_attn", "kv_a", "kv_b")) else 1.0
            gain = 2.0 if k.endswith("gate.weight") and "experts" not in k else gain
            gain = 2.0 if "lm_head" in k or "embed_out" in k else gain
            x = x * (gain / fan_in ** 0.5)
        out[k] = x.numpy()
    return out


def prompt(p, seed):
    """Random ids with a few repeats, so that attention has something to match."""
    rng = np.random.default_rng(seed)
    n = p["T"]
    ids = rng.integers(3, p["vocab"] - 1, n)
    ids[n // 2:n // 2 + 5] = ids[2:7]
    return [int(i) for i in ids]


def save(directory, name, x, kind):
    x = np.ascontiguousarray(x, dtype="<i4" if kind == "int32" else "<f4")
    np.save(os.path.join(directory, name + ".npy"), x)
    return list(x.shape)


def make(spec, out_dir, debug):
    p = dict(spec)
    name, qtype, seed = p.pop("name"), T[p.pop("type", "F32")], p.pop("seed")
    arch = ARCHS[p["arch"]](p)
    d = os.path.join(out_dir, name)
    os.makedirs(d, exist_ok=True)
    path = os.path.join(d, "model.gguf")
    hf = random_weights(arch, seed)
    tensors = dict(arch.extra_tensors())
    for m in arch.maps():
        tensors.update(zip(m.gguf, m.fwd([hf[h] for h in m.hf])))
    ggufio.write(path, arch, tensors, qtype, ggufio.TOKENIZERS[arch.name])

    deq, types, _ = ggufio.read(path)
    ids = prompt(p, seed + 1)
    ref = Reference(arch, deq, double=True)
    gen, gap = ref.greedy(ids, p["G"])
    out = ref.forward(ids + gen)
    single = Reference(arch, deq, double=False).forward(ids + gen)
    err = {k: float(np.abs(single[k] - out[k]).max()) for k in out if k != "moe_ids"}
    files = {}
    out["tokens"], out["gen_tokens"] = ids, gen
    if not debug or qtype != T.F32:
        out.pop("residual")
    for k, x in out.items():
        kind, about = ABOUT[k]
        files[k] = dict(file=k + ".npy", dtype=kind, shape=save(d, k, x, kind), what=about)
        if k in err:
            files[k]["float32_error"] = err[k]
            files[k]["tolerance"] = float(f"{max(err[k] * 10, 1e-6):.2g}")
    info = dict(name=name, model="model.gguf", architecture=arch.name, weight_type=qtype.name,
                tensor_types={t: sum(v == t for v in types.values()) for t in sorted(set(types.values()))},
                dimensions={k: v for k, v in p.items() if k not in ("T", "G")}, prompt_length=p["T"], generated=p["G"],
                smallest_greedy_gap=min(gap), reference="transformers, float64, weights dequantised by gguf-py", arrays=files)
    if "moe_ids" in out:
        info["moe_layers"] = ref.moe_layers
        info["smallest_routing_gap"] = ref.moe_margin
        assert np.array_equal(out["moe_ids"], single["moe_ids"]), "routing tie: choose another seed"
    with open(os.path.join(d, "index.json"), "w") as f:
        json.dump(info, f, indent=1)
    print(f"{name:24s} {os.path.getsize(path):9d} B  logits std {out['logits'].std():.2f}  f32 err {err['logits']:.1e} "
          f"norm err {err['head_norms']:.1e}  gap {min(gap):.1e}  route {info.get('smallest_routing_gap', 0):.1e}", flush=True)


if __name__ == "__main__":
    which, out_dir, only = sys.argv[1], sys.argv[2], sys.argv[3:]
    for spec in SPECS[which]:
        if not only or spec["name"] in only:
            make(spec, out_dir, debug=False)
