"""Gradients and steps of training of the tiny models, by PyTorch in float64 (transformers 4.57, eager attention).

    python gradient_data.py ../data/models ../data/gradients [NAME ...]

NAME is a folder of both. Read are the weights of the model (dequantised by gguf-py), ids.npy [rows, tokens] (-1 where a row
is at its end) and weights.npy, one for each id; the loss is the mean over the C predicted ids of weight * -log p(id). Written:

    losses.npy    the loss with these weights; with all weights 1; before each of the steps
    samples.npy   of the first one's gradient, tensor after tensor in the file's order, every STEP-th number
    largest.npy   the largest magnitude of each tensor's gradient
    gain.npy      [layer, head] gradient of the second one to a factor on each head's output, at 1
    row.npy, train_ids.npy   the first row; the rows that are learnt from, in order, over and over
    logits.npy    of row.npy after the steps

The steps are AdamW's (1711.05101): the gradient scaled down to a norm of CLIP over all tensors, matrices alone decay."""
import os
import sys

import gguf
import numpy as np
import torch

import models_gguf as ggufio
from models_archs import ARCHS
from models_reference import Reference
from models_specs import SPECS

STEP = 7
NAMES = ["llama-f16", "llama-tied", "qwen2-q4_0", "qwen3-bf16"]
STEPS, BATCH, ROWS, RATE, BETA1, BETA2, EPS, DECAY, CLIP = 6, 2, 3, 0.003, 0.9, 0.95, 1e-8, 0.1, 1.0


def row_of(ids, p):
    return [int(i) for i in ids[p] if i >= 0]


def loss_of(ref, ids, weights):
    total, count = 0.0, 0
    for p in range(len(ids)):
        row = row_of(ids, p)
        with ref.mode():
            logits = ref.model(torch.tensor([row]), use_cache=False).logits[0]
        wanted = -torch.log_softmax(logits[:-1], -1).gather(1, torch.tensor(row[1:])[:, None])[:, 0]
        total = total + (torch.tensor(weights[p][1:len(row)], dtype=torch.float64) * wanted).sum()
        count += len(row) - 1
    return total / count


def gradients(ref, ids, weights):
    ref.model.zero_grad()
    loss = loss_of(ref, ids, weights)
    loss.backward()
    return float(loss.detach())


def by_gguf_name(ref):
    """The gradients as a file of the model would hold them: the way there only moves rows."""
    hf = {k: v.grad.numpy() for k, v in ref.model.named_parameters()}
    out = {}
    for m in ref.arch.maps():
        out.update(zip(m.gguf, m.fwd([hf[h] for h in m.hf])))
    return out


def gain_gradients(ref, ids):
    heads, hooks, gains = ref.arch.p["heads"], [], []
    for layer in ref.arch.layers(ref.model):
        gain = torch.ones(heads, dtype=torch.float64, requires_grad=True)

        def scale(_m, args, gain=gain):
            x = args[0]
            return ((x.view(*x.shape[:-1], heads, -1) * gain[:, None]).view(x.shape),) + args[1:]
        hooks.append(ref.arch.attn_out(layer).register_forward_pre_hook(scale))
        gains.append(gain)
    loss = gradients(ref, ids, np.ones(ids.shape))
    for h in hooks:
        h.remove()
    return loss, torch.stack([g.grad for g in gains]).numpy()


def train(ref, ids):
    """Losses before each step; the model is left as the last step made it."""
    params = list(ref.model.parameters())
    moments = [(torch.zeros_like(w), torch.zeros_like(w)) for w in params]
    losses = []
    for s in range(STEPS):
        rows = ids[[(s * BATCH + i) % ROWS for i in range(BATCH)]]
        losses.append(gradients(ref, rows, np.ones(rows.shape)))
        norm = float(torch.sqrt(sum((w.grad ** 2).sum() for w in params)))
        with torch.no_grad():
            for w, (m, v) in zip(params, moments):
                g = w.grad * min(1.0, CLIP / norm)
                if w.dim() == 2:
                    w -= RATE * DECAY * w
                m.mul_(BETA1).add_((1 - BETA1) * g)
                v.mul_(BETA2).add_((1 - BETA2) * g * g)
                w -= RATE * (m / (1 - BETA1 ** (s + 1))) / (torch.sqrt(v / (1 - BETA2 ** (s + 1))) + EPS)
    return losses


def make(spec, model, ids, weights):
    """Everything above as arrays by name, and the gradients by tensor."""
    torch.set_grad_enabled(True)
    arch = ARCHS[spec["arch"]](dict(spec))
    ref = Reference(arch, ggufio.read(model)[0], double=True)
    loss = gradients(ref, ids, weights)
    grads = by_gguf_name(ref)
    plain, gain = gain_gradients(ref, ids)
    losses = train(ref, ids)
    row = row_of(ids, 0)
    with torch.no_grad(), ref.mode():
        logits = ref.model(torch.tensor([row]), use_cache=False).logits[0].numpy()
    order = [t.name for t in gguf.GGUFReader(model).tensors if t.name != "rope_freqs.weight"]
    assert sorted(order) == sorted(grads)
    return dict(losses=np.array([loss, plain, *losses], "<f8"),
                samples=np.concatenate([grads[t].ravel()[::STEP] for t in order]).astype("<f4"),
                largest=np.array([np.abs(grads[t]).max() for t in order], "<f4"), gain=gain.ravel().astype("<f8"),
                row=np.array(row, "<i4"), train_ids=ids[:ROWS], logits=logits.astype("<f4")), grads


def main(models, target, names):
    specs = {s["name"]: s for group in SPECS.values() for s in group}
    for name in names or NAMES:
        folder = os.path.join(target, name)
        ids, weights = (np.load(os.path.join(folder, f + ".npy")) for f in ("ids", "weights"))
        arrays, _ = make(specs[name], os.path.join(models, name, "model.gguf"), ids, weights)
        for key, array in arrays.items():
            np.save(os.path.join(folder, key + ".npy"), array)
        print(name, *("%.6f" % x for x in arrays["losses"]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
