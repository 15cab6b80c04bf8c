"""Writes ../data/ablation.txt: KL(intact || ablated) of the tiny models, by PyTorch in float64.

    python ablation.py ../data/models > ../data/ablation.txt

Heads: their columns of the input of the output projection are set to 0. Experts: their weighted output is taken out
of what the block gives; the routing stays. The ids are tokens.npy of each model; a line is

    MODEL FROM heads|experts UNITS KL        (nats, mean over positions FROM-1 .. T-2)
"""
import os
import sys

import numpy as np
import torch

import models_gguf as ggufio
from models_archs import ARCHS
from models_reference import Reference
from models_specs import SPECS

CASES = [
    ("llama-f16", 1, "heads", "0.0"), ("llama-f16", 9, "heads", "0-2.1,1.3-5"), ("llama-tied-q4_1", 4, "heads", "1.*,0.1"),
    ("llama-q8_0", 5, "heads", "0.*"), ("llama-bias", 3, "heads", "1.0,1.2"),
    ("gemma3-f16", 20, "heads", "2.0,5.*,6.2"), ("gemma3-q4_k", 2, "heads", "0-1.1"), ("gemma3-q5_0", 7, "heads", "5.*"),
    ("gemma2-tiny", 3, "heads", "1-2.0"), ("qwen2-q4_0", 6, "heads", "1.2-4"), ("qwen3-bf16", 4, "heads", "0.5,1.0"),
    ("gptneox-f16", 8, "heads", "0.0,1.5"), ("gptneox-seq-tiny", 2, "heads", "0.*"), ("gpt2-iq4_nl", 3, "heads", "0.1,1.2"),
    ("deepseek2-tiny", 5, "heads", "0.1,2.0"), ("deepseek2-kvb-tiny", 5, "heads", "1.*"),
    ("olmo2", 4, "heads", "0.0,1.1"), ("phi3", 4, "heads", "0.1,1.0"), ("starcoder2", 4, "heads", "0.0,1.1"),
    ("llama-moe-q5_1", 4, "experts", "0.1,1.0-2"), ("qwen3moe-tiny", 4, "experts", "0-1.2,1.0"),
    ("deepseek2-tiny", 4, "experts", "1.0-2,2.4"), ("llama-moe-q5_1", 4, "heads", "1.*"),
]


def span(text, last):
    if text == "*":
        return range(last + 1)
    a, _, b = text.partition("-")
    return range(int(a), int(b or a) + 1)


def units(text, layers, each):
    out = set()
    for part in text.split(","):
        layer, _, index = part.partition(".")
        out |= {(i, j) for i in span(layer, layers - 1) for j in span(index, each - 1)}
    return out


def ablate(ref, kind, chosen):
    """Hooks that silence the units; to be removed by the caller."""
    hooks, heads = [], ref.arch.p["heads"]
    for i, layer in enumerate(ref.arch.layers(ref.model)):
        mine = [j for l, j in chosen if l == i]
        if not mine:
            continue
        if kind == "heads":
            def silence(_m, args, mine=mine):
                x = args[0].clone()
                x.view(*x.shape[:-1], heads, -1)[..., mine, :] = 0
                return (x,) + args[1:]
            hooks.append(ref.arch.attn_out(layer).register_forward_pre_hook(silence))
            continue
        moe = ref.arch.moe(layer)

        def take_out(_m, args, out, moe=moe, mine=mine):
            x = args[0].reshape(-1, args[0].shape[-1])
            with ref.mode():
                g = moe.run(x)
            gone = torch.isin(g["ids"], torch.tensor(mine))
            less = (g["out"] * (g["weights"] * gone)[:, :, None]).sum(1)
            first = out[0] if isinstance(out, tuple) else out
            first = first - less.reshape(first.shape)
            return (first,) + out[1:] if isinstance(out, tuple) else first
        hooks.append(moe.block.register_forward_hook(take_out))
    return hooks


def log_softmax(ref, ids):
    with ref.mode():
        return torch.log_softmax(ref.model(torch.tensor([ids]), use_cache=False).logits[0].double(), -1).numpy()


def main(models):
    specs = {s["name"]: s for group in SPECS.values() for s in group}
    print("# MODEL FROM UNITS LIST KL: written by tests/reference/ablation.py (PyTorch, float64)")
    for name, start, kind, text in CASES:
        p = dict(specs[name])
        arch = ARCHS[p["arch"]](p)
        ref = Reference(arch, ggufio.read(os.path.join(models, name, "model.gguf"))[0], double=True)
        ids = [int(i) for i in np.load(os.path.join(models, name, "tokens.npy"))]
        intact = log_softmax(ref, ids)
        hooks = ablate(ref, kind, units(text, p["layers"], p["heads"] if kind == "heads" else p["experts"]))
        changed = log_softmax(ref, ids)
        for h in hooks:
            h.remove()
        kl = (np.exp(intact) * (intact - changed)).sum(-1)[start - 1:len(ids) - 1].mean()
        print(name, start, kind, text, repr(float(kl)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
