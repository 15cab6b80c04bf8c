"""Tokens a second of PyTorch on the model that `synergy train` makes by default, to stand beside it.

usage: pytorch_train.py [LAYERS WIDTH HEADS FF VOCAB ROWS LENGTH STEPS THREADS]

The same llama (RMSNorm, rope, gated SiLU, tied output), float32, AdamW, clipping by the global norm; attention is
PyTorch's own scaled_dot_product_attention. Ids are random: the time does not depend on them. Prints tokens/s of the
median step behind two of warm-up."""
import sys
import time

import torch
import torch.nn.functional as F

L, D, H, FF, V, B, T, STEPS, THREADS = (list(map(int, sys.argv[1:])) + [10, 128, 8, 352, 256, 32, 128, 12, 2][len(sys.argv) - 1:])
torch.set_num_threads(THREADS)
torch.manual_seed(1)
half = D // H // 2
angle = torch.arange(T)[:, None] * 10000.0 ** (-torch.arange(half) / half)
COS, SIN = torch.cos(angle), torch.sin(angle)


def rotate(x):
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * COS - b * SIN, a * SIN + b * COS), -1).flatten(-2)


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        linear = lambda i, o: torch.nn.Linear(i, o, bias=False)
        self.norm1, self.norm2 = (torch.nn.RMSNorm(D, 1e-5) for _ in range(2))
        self.q, self.k, self.v, self.o = (linear(D, D) for _ in range(4))
        self.gate, self.up, self.down = linear(D, FF), linear(D, FF), linear(FF, D)

    def forward(self, x):
        h = self.norm1(x)
        split = lambda y: y.view(-1, T, H, D // H).transpose(1, 2)
        a = F.scaled_dot_product_attention(rotate(split(self.q(h))), rotate(split(self.k(h))), split(self.v(h)), is_causal=True)
        x = x + self.o(a.transpose(1, 2).reshape(-1, T, D))
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(V, D)
        self.layers = torch.nn.Sequential(*[Layer() for _ in range(L)])
        self.norm = torch.nn.RMSNorm(D, 1e-5)

    def forward(self, ids):
        return F.linear(self.norm(self.layers(self.table(ids))), self.table.weight)


model = Model()
optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
times = []
for step in range(STEPS + 2):
    ids = torch.randint(V, (B, T))
    start = time.perf_counter()
    optimiser.zero_grad()
    loss = F.cross_entropy(model(ids)[:, :-1].reshape(-1, V), ids[:, 1:].reshape(-1))
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    times.append(time.perf_counter() - start)
times = sorted(times[2:])
print(f"{sum(p.numel() for p in model.parameters())} weights, {B * T / times[len(times) // 2]:.0f} tokens/s")
