"""Tiny random models of every newer family in many shapes and settings, written by transformers, made GGUF by llama.cpp's own
converter, and compared: logits and norms of heads and experts with PyTorch in double, logits with llama.cpp.

    python converted_families.py LLAMA.CPP SYNERGY [PATTERN ...]       transformers 5, gguf-py, numpy; a built llama.cpp

One line a model; exit code 1 where one differs from PyTorch or is refused (llama.cpp: - where it refuses, and it pads a
context to 256, leaves out phi3's window and has a GELU of halves). What the converter leaves out of a file nobody can
know: such settings (norm_topk_prob, truncate, clip_qkv, no_rope_layers other than every fourth...) are not among these.
"""
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TQDM_DISABLE"] = "1"
LLAMA, SYNERGY = sys.argv[1], sys.argv[2]
sys.path[:0] = [LLAMA, os.path.join(LLAMA, "gguf-py")]
import gguf  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import transformers as tf  # noqa: E402
from conversion import ModelBase, get_model_class  # noqa: E402

from key_outcomes import build  # noqa: E402

torch.set_num_threads(1)
torch.set_grad_enabled(False)
tf.logging.set_verbosity_error()
tf.logging.disable_progress_bar()
logging.disable(logging.WARNING)

COMMON = dict(vocab_size=270, hidden_size=48, intermediate_size=56, num_hidden_layers=3, num_attention_heads=6, num_key_value_heads=3,
              max_position_embeddings=1024, rms_norm_eps=1e-6, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=0)


def plain(theta=10000.0, **more):
    return dict(rope_type="default", rope_theta=theta, **more)


def linear(factor, theta=10000.0, **more):
    return dict(rope_type="linear", rope_theta=theta, factor=factor, **more)


def yarn(factor, theta=10000.0, length=64, **more):
    return dict(rope_type="yarn", rope_theta=theta, factor=factor, original_max_position_embeddings=length, **more)


BETAS = dict(beta_fast=32.0, beta_slow=1.0)
FEW = dict(num_attention_heads=3, num_key_value_heads=1)
SCALES = dict(embedding_multiplier=3.0, residual_multiplier=0.4, attention_multiplier=0.1, logits_scaling=2.5)
HALF = plain(partial_rotary_factor=0.5)
SLIDING, FULL = "sliding_attention", "full_attention"
MINISTRAL = dict(mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.1, max_position_embeddings=512, **BETAS)


def longrope(length, limit, **more):
    """Phi 3 with factors for short and long contexts; `length` is where the long ones begin."""
    sizes = {**COMMON, **more}
    pairs = int(sizes["hidden_size"] // sizes["num_attention_heads"] * more.get("rotary", 1)) // 2
    rope = dict(rope_type="longrope", rope_theta=10000.0, original_max_position_embeddings=length, short_factor=[1 + 0.07 * i for i in range(pairs)],
                long_factor=[1.7 + 0.9 * i for i in range(pairs)])
    if "rotary" in more:
        rope["partial_rotary_factor"] = more.pop("rotary")
    return dict(rope_parameters=rope, original_max_position_embeddings=length, max_position_embeddings=limit, sliding_window=None, **more)


# family: class of transformers, what all its models have, what each has
FAMILIES = {
    "gptoss": ("GptOss", dict(head_dim=16, num_local_experts=5, num_experts_per_tok=2, sliding_window=7, layer_types=[SLIDING, FULL, SLIDING],
                              rope_parameters=yarn(16.0, 150000.0, 32, truncate=True, **BETAS)), dict(
        heads=FEW, all_chosen=dict(num_experts_per_tok=5), one_expert=dict(num_local_experts=1, num_experts_per_tok=1), one_chosen=dict(num_experts_per_tok=1),
        unscaled=dict(rope_parameters=plain(50000.0)), tied=dict(tie_word_embeddings=True), all_heads=dict(num_attention_heads=3, num_key_value_heads=3))),
    "smollm3": ("SmolLM3", dict(rope_parameters=plain(2e6), use_sliding_window=False, no_rope_layer_interval=4, num_hidden_layers=5), dict(
        tied=dict(tie_word_embeddings=True, num_hidden_layers=8), biased=dict(attention_bias=True), yarn=dict(rope_parameters=yarn(2.0, 5e6)), odd=FEW)),
    "granite": ("Granite", dict(rope_parameters=plain(1e7), **SCALES), dict(
        tied=dict(tie_word_embeddings=True), biased=dict(attention_bias=True, mlp_bias=True, rope_parameters=linear(2.5)), odd=FEW, yarn=dict(rope_parameters=yarn(4.0)),
        unscaled=dict(embedding_multiplier=1.0, residual_multiplier=1.0, attention_multiplier=1.0, logits_scaling=1.0))),
    "granitemoe": ("GraniteMoe", dict(num_local_experts=5, num_experts_per_tok=2, rope_parameters=plain(), **SCALES), dict(
        odd=FEW, all_chosen=dict(num_experts_per_tok=5), one_expert=dict(num_local_experts=1, num_experts_per_tok=1))),
    "granitemoeshared": ("GraniteMoeShared", dict(num_local_experts=5, num_experts_per_tok=2, shared_intermediate_size=40, rope_parameters=plain(), **SCALES), dict(
        odd=FEW)),
    "olmoe": ("Olmoe", dict(num_experts=7, num_experts_per_tok=3, norm_topk_prob=False, rms_norm_eps=1e-5, rope_parameters=plain()), dict(
        groups=dict(), one_chosen=dict(num_experts_per_tok=1, tie_word_embeddings=True), all_chosen=dict(num_experts_per_tok=7, num_attention_heads=3),
        one_expert=dict(num_experts=1, num_experts_per_tok=1), yarn=dict(rope_parameters=yarn(4.0)))),
    "olmo3": ("Olmo3", dict(num_hidden_layers=8, sliding_window=6, rope_parameters={SLIDING: plain(5e5), FULL: yarn(8.0, 5e5, 32)}), dict(
        heads=FEW, first_full=dict(num_hidden_layers=3, layer_types=[FULL, SLIDING, SLIDING]), two_bases=dict(rope_parameters={SLIDING: plain(3e3), FULL: plain(5e5)}),
        all_full=dict(num_hidden_layers=2, layer_types=[FULL] * 2), all_local=dict(num_hidden_layers=2, layer_types=[SLIDING] * 2), tied=dict(tie_word_embeddings=True))),
    "qwen2moe": ("Qwen2Moe", dict(num_experts=5, num_experts_per_tok=2, norm_topk_prob=False, moe_intermediate_size=24, shared_expert_intermediate_size=40,
                                  decoder_sparse_step=1, use_sliding_window=False, rope_parameters=plain(1e6)), dict(
        odd=FEW, all_chosen=dict(num_experts_per_tok=5), one_expert=dict(num_experts=1, num_experts_per_tok=1), tied=dict(tie_word_embeddings=True),
        unbiased=dict(qkv_bias=False), yarn=dict(rope_parameters=yarn(4.0, 1e6)), linear=dict(rope_parameters=linear(3.0)))),
    "glm4": ("Glm4", dict(head_dim=16, attention_bias=True, rope_parameters=HALF), dict(
        odd=FEW, unbiased=dict(attention_bias=False), tied=dict(tie_word_embeddings=True), whole=dict(rope_parameters=plain(5e5, partial_rotary_factor=1.0)),
        linear=dict(rope_parameters=linear(2.0, partial_rotary_factor=0.5)), head24=dict(head_dim=24))),
    "gemma": ("Gemma", dict(head_dim=16, tie_word_embeddings=True, hidden_activation="gelu_pytorch_tanh", rope_parameters=plain()), dict(
        odd=FEW, one_head=dict(head_dim=48, num_attention_heads=1, num_key_value_heads=1), biased=dict(attention_bias=True), wide=dict(head_dim=32))),
    "ministral": ("Ministral3", dict(head_dim=16, sliding_window=None, rope_parameters=yarn(16.0, 1e6, 16, **MINISTRAL)), dict(
        odd=FEW, tied=dict(tie_word_embeddings=True), head8=dict(head_dim=8))),
    "deepseek3": ("DeepseekV3", dict(
        num_key_value_heads=6, moe_intermediate_size=24, n_shared_experts=2, n_routed_experts=8, num_experts_per_tok=3, n_group=2, topk_group=1, norm_topk_prob=True,
        routed_scaling_factor=1.7, first_k_dense_replace=1, kv_lora_rank=16, q_lora_rank=24, qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=12, rope_parameters=plain()),
        dict(groups=dict(), no_groups=dict(n_group=1), unnormed=dict(norm_topk_prob=False), all_groups=dict(n_group=4, topk_group=4),
             all_chosen=dict(n_group=1, num_experts_per_tok=8), no_q_rank=dict(q_lora_rank=None), no_dense=dict(first_k_dense_replace=0), all_dense=dict(first_k_dense_replace=3),
             one_chosen=dict(n_shared_experts=1, n_group=4, topk_group=3, num_experts_per_tok=1), odd=dict(num_attention_heads=5, num_key_value_heads=5),
             tied=dict(tie_word_embeddings=True, v_head_dim=16), yarn=dict(rope_parameters=yarn(8.0, mscale=1.0, mscale_all_dim=1.0, **BETAS)),
             yarn707=dict(rope_parameters=yarn(8.0, mscale=0.707, mscale_all_dim=0.707, **BETAS)))),
    "phi3": ("Phi3", {}, dict(
        long=longrope(16, 128), short=longrope(64, 128), odd=longrope(16, 64, hidden_size=36, **FEW), partial=longrope(16, 256, hidden_size=64, num_attention_heads=4,
                                                                                                                      num_key_value_heads=4, rotary=0.75),
        short_partial=longrope(64, 1024, hidden_size=64, num_attention_heads=4, num_key_value_heads=4, rotary=0.75),
        window=dict(original_max_position_embeddings=1024, sliding_window=9, rope_parameters=plain()))),
}


def words(converter):
    """A vocabulary of bytes and numbered words in place of the tokenizer's files."""
    w, n = converter.gguf_writer, converter.hparams["vocab_size"]
    w.add_tokenizer_model("llama")
    w.add_token_list(["<unk>", "<s>", "</s>"] + ["<0x%02X>" % i for i in range(256)] + ["t%d" % i for i in range(n - 259)])
    w.add_token_scores([0.0] * n)
    w.add_token_types([2, 3, 3] + [6] * 256 + [1] * (n - 259))
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)


def random_model(name, config, seed):
    config._experts_implementation = "eager"
    model = getattr(tf, name + "ForCausalLM")._from_config(config, attn_implementation="eager").float().eval()
    g = torch.Generator().manual_seed(seed)
    for key, p in model.named_parameters():
        x = torch.randn(p.shape, generator=g)
        if "norm" in key and key.endswith("weight"):
            x = 0.2 * x + (0 if name == "Gemma" else 1)
        elif p.dim() == 1 or key.endswith("_bias"):
            x = 0.3 * x
        elif "embed" in key:
            x = 0.5 * x
        else:
            x = x * 1.3 / p.shape[1 if p.dim() == 3 and name == "GptOss" else -1] ** 0.5
        p.copy_(x)
    for key, b in model.named_buffers():
        if "e_score_correction_bias" in key:
            b.copy_(0.1 * torch.randn(b.shape, generator=g))
    model.tie_weights()
    return model


def convert(model, folder):
    model.save_pretrained(folder / "hf")
    path = folder / "hf" / "config.json"
    told = json.loads(path.read_text())
    if told["model_type"] == "deepseek_v3":     # as the published files have it
        path.write_text(json.dumps({**told, "scoring_func": "sigmoid"}))
    kind = get_model_class(ModelBase.load_hparams(folder / "hf", False)["architectures"][0])
    for c in (kind, getattr(kind, "Ministral3Model", kind)):
        c.set_vocab = words
    kind(folder / "hf", gguf.LlamaFileType.ALL_F32, folder / "model.gguf").write()


def reference(model, ids):
    """Logits, norms of heads [T, layers, heads], norms of experts [T, layers, experts]: raw, and with their weights."""
    heads, routed, hooks = {}, {}, []
    for i, layer in enumerate(model.model.layers):
        hooks.append(layer.self_attn.o_proj.register_forward_pre_hook(lambda _, a, i=i: heads.__setitem__(i, a[0][0])))
        for name, part in layer.named_modules():
            if re.fullmatch(r"\w+\.experts", name):
                hooks.append(part.register_forward_pre_hook(lambda m, a, k, i=i: routed.__setitem__(i, (m, *a, *k.values())), with_kwargs=True))
    logits = model(torch.tensor(ids)[None], use_cache=False).logits[0]
    for h in hooks:
        h.remove()
    norms = torch.stack([heads[i].reshape(len(ids), model.config.num_attention_heads, -1).norm(dim=-1) for i in sorted(heads)], 1)
    raw, weighted = [], []
    for i in sorted(routed):
        part, x, chosen, weight = routed[i][:4]
        x, n = x.reshape(len(ids), -1), getattr(part, "num_experts", None) or model.config.num_local_experts
        one = torch.ones(len(ids), 1, dtype=x.dtype)
        r = torch.stack([part(x, torch.full((len(ids), 1), e), one).reshape(len(ids), -1).norm(dim=-1) for e in range(n)], 1)
        w = torch.zeros_like(r).scatter_add_(1, chosen.reshape(len(ids), -1), weight.reshape(len(ids), -1).to(r.dtype))
        raw.append(r)
        weighted.append(r * w)
    return (logits, norms, *((torch.stack(v, 1) for v in (raw, weighted)) if raw else (None, None)))


def ours(folder, *flags):
    out = folder / "recording"
    subprocess.run([SYNERGY, "capture", folder / "model.gguf", "--tokens", folder / "ids.npy", "-o", out, "--exact", "--fresh", "--force", "-t", "1", *flags],
                   check=True, capture_output=True, text=True)
    return np.load(out / "norms.npy")[0], (np.load(out / "logits.npy").reshape(-1, COMMON["vocab_size"]) if "--logits" in flags else None)


def apart(a, b):
    return float((abs(a - b) / (1e-3 + abs(b))).max())


def compare(name, kind, settings, folder, peer):
    folder.mkdir()
    model = random_model(kind, getattr(tf, kind + "Config")(**{**COMMON, **settings}), 5)
    convert(model, folder)
    ids = np.random.default_rng(5).integers(3, COMMON["vocab_size"] - 1, 40)
    np.save(folder / "ids.npy", ids.astype("<i4"))
    logits, heads, raw, weighted = (x if x is None else x.double().numpy() for x in reference(model.double(), ids))
    try:
        norms, found = ours(folder, "--logits")
        told = dict(logits=float(abs(found - logits).max()), heads=apart(norms, heads))
        if raw is not None:
            told["experts"] = apart(ours(folder, "--units", "experts")[0], weighted)
            told["raw"] = apart(ours(folder, "--units", "experts", "--raw-norm", "--all-experts")[0], raw)
    except subprocess.CalledProcessError as e:
        print(f"{name}: REFUSED: {e.stderr.strip()}", flush=True)
        return False
    fine = told["logits"] < 2e-4 and all(v < 2e-4 for k, v in told.items() if k != "logits")
    out = folder / "peer"
    runs = subprocess.run([peer, folder / "model.gguf", ",".join(map(str, ids)), out], capture_output=True).returncode == 0
    told["peer"] = float(abs(np.fromfile(out, "<f4") - found[-1]).max()) if runs else None
    print(f"{name}: " + ", ".join(f"{k} {'-' if v is None else f'{v:.1e}'}" for k, v in told.items()) + ("" if fine else "  DIFFERS FROM PYTORCH"), flush=True)
    return fine


def main():
    count = bad = 0
    with tempfile.TemporaryDirectory() as place:
        peer = build(LLAMA, place)
        for family, (kind, common, models) in FAMILIES.items():
            for name, settings in models.items():
                full = f"{family}-{name}"
                if len(sys.argv) > 3 and not any(re.search(p, full) for p in sys.argv[3:]):
                    continue
                count += 1
                bad += not compare(full, kind, {**common, **settings}, Path(place) / full, peer)
    print(f"{count} models, {bad} differ or are refused")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
