"""Cuts the fixtures of gradients (PyTorch, float64; see the README beside them) down to what a clone carries.

usage: gradient_data.py FIXTURES/gradients FIXTURES/models tests/data/gradients

Of every tensor each STEP-th number of the weighted gradient, one tensor after the other in the order of the model's
file (samples.npy), and the largest magnitude of each (largest.npy); ids, weights, the two losses, the gains of the
plain loss, and what six steps of AdamW gave."""
import os
import sys

import numpy as np
from gguf import GGUFReader

STEP = 7
source, models, target = sys.argv[1:]
for name in ["llama", "llama-tied", "qwen2", "qwen3"]:
    z = np.load(f"{source}/{name}.npz")
    folder = f"{target}/{name}"
    os.makedirs(folder, exist_ok=True)
    tensors = [t.name for t in GGUFReader(f"{models}/{name}/model.gguf").tensors if t.name != "rope_freqs.weight"]
    grads = [z["grad/" + t].ravel() for t in tensors]
    np.save(f"{folder}/samples.npy", np.concatenate([g[::STEP] for g in grads]).astype("<f4"))
    np.save(f"{folder}/largest.npy", np.array([np.abs(g).max() for g in grads], "<f4"))
    np.save(f"{folder}/ids.npy", z["ids"])
    np.save(f"{folder}/train_ids.npy", z["ids"][:3])
    np.save(f"{folder}/weights.npy", z["weights"])
    np.save(f"{folder}/losses.npy", np.array([z["loss"], z["loss_plain"], *z["train/losses"]], "<f8"))
    np.save(f"{folder}/gain.npy", z["gain"].ravel())
    row = z["ids"][0]
    np.save(f"{folder}/row.npy", row[row >= 0])
    np.save(f"{folder}/logits.npy", z["train/logits"][: (row >= 0).sum()].astype("<f4"))
