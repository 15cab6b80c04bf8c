"""Architectures: Hugging Face config and model <-> GGUF metadata and tensor names.

Every architecture is described once, by `Arch` subclasses that give
  config()   the transformers configuration and model class
  meta()     the GGUF metadata (list of (key, kind, value))
  maps()     the tensor mapping: a list of Map(gguf names, HF names, forward, inverse)
The same mapping is used forwards to write a GGUF file from HF weights and backwards to load the (dequantised)
tensors of a GGUF file into the HF model.

All arrays are numpy, in HF/torch order (row major, [out, in]); GGUF lists the same dimensions in reverse.
"""
import math
from dataclasses import dataclass
from typing import Callable

import numpy as np
import torch
import transformers as tf


@dataclass
class Map:
    gguf: list
    hf: list
    fwd: Callable = lambda xs: xs
    inv: Callable = lambda xs: xs


def same(g, h):
    return Map([g], [h])


def plus_one(g, h):
    """Gemma stores norm weights as w with the norm using (1 + w); GGUF stores 1 + w."""
    one = np.float32(1)
    return Map([g], [h], lambda xs: [xs[0] + one], lambda xs: [xs[0] - one])


def transpose(g, h):
    return Map([g], [h], lambda xs: [np.ascontiguousarray(xs[0].T)], lambda xs: [np.ascontiguousarray(xs[0].T)])


def interleave(x, n_head):
    """HF half-split rope order -> interleaved pairs (llama architecture), rows of one head at a time."""
    return x.reshape(n_head, 2, x.shape[0] // n_head // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def deinterleave(x, n_head):
    return x.reshape(n_head, x.shape[0] // n_head // 2, 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def rope_rows(g, h, n_head):
    return Map([g], [h], lambda xs: [interleave(xs[0], n_head)], lambda xs: [deinterleave(xs[0], n_head)])


def neox_qkv(g, h, n_head):
    """HF: per head (q, k, v) rows; GGUF: all q rows, all k rows, all v rows."""
    def fwd(xs):
        x = xs[0].reshape(n_head, 3, -1, *xs[0].shape[1:])
        return [np.ascontiguousarray(x.swapaxes(0, 1).reshape(xs[0].shape))]

    def inv(xs):
        x = xs[0].reshape(3, n_head, -1, *xs[0].shape[1:])
        return [np.ascontiguousarray(x.swapaxes(0, 1).reshape(xs[0].shape))]
    return Map([g], [h], fwd, inv)


def experts(g, hs):
    """One 3-d GGUF tensor [n_expert, out, in] from the matrices of all experts."""
    return Map([g], hs, lambda xs: [np.stack(xs)], lambda xs: list(xs[0]))


class Arch:
    """Base: llama-like HF names. `p` is the dict of dimensions given in specs.py (or read from a GGUF file)."""
    name = ""
    tied = False

    def __init__(self, p):
        self.p = p
        self.tied = p.get("tied", False)

    # --- pieces shared by the llama-like ones ---
    def common(self):
        p = self.p
        return dict(vocab_size=p["vocab"], hidden_size=p["hidden"], num_hidden_layers=p["layers"],
                    num_attention_heads=p["heads"], num_key_value_heads=p["kv"], intermediate_size=p["ff"],
                    max_position_embeddings=p["ctx"], rms_norm_eps=p["eps"], rope_theta=p["base"],
                    tie_word_embeddings=self.tied, attn_implementation="eager",
                    bos_token_id=None, eos_token_id=None, pad_token_id=None)

    def base_meta(self):
        p, a = self.p, self.name
        return [(f"{a}.block_count", "u32", p["layers"]), (f"{a}.context_length", "u32", p["ctx"]),
                (f"{a}.embedding_length", "u32", p["hidden"]), (f"{a}.feed_forward_length", "u32", p["ff"]),
                (f"{a}.attention.head_count", "u32", p["heads"])]

    def rms_meta(self):
        p, a = self.p, self.name
        return self.base_meta() + [(f"{a}.attention.head_count_kv", "u32", p["kv"]),
                                   (f"{a}.attention.layer_norm_rms_epsilon", "f32", p["eps"]),
                                   (f"{a}.rope.freq_base", "f32", p["base"])]

    def head_dim_meta(self):
        p, a = self.p, self.name
        return [(f"{a}.attention.key_length", "u32", p["hd"]), (f"{a}.attention.value_length", "u32", p["hd"])]

    def embed_maps(self, norm=same):
        m = [same("token_embd.weight", "model.embed_tokens.weight"), norm("output_norm.weight", "model.norm.weight")]
        if not self.tied:
            m.append(same("output.weight", "lm_head.weight"))
        return m

    def mlp_maps(self, i):
        b, h = f"blk.{i}.", f"model.layers.{i}.mlp."
        return [same(f"{b}ffn_{x}.weight", f"{h}{x}_proj.weight") for x in ("gate", "up", "down")]

    def attn_maps(self, i, q=None, bias=False):
        """q: how q and k rows are mapped, (gguf, hf, n_head) -> Map; default unchanged."""
        p, b, h = self.p, f"blk.{i}.", f"model.layers.{i}.self_attn."
        q = q or (lambda g, hf, n: same(g, hf))
        m = []
        for part in (["weight", "bias"] if bias else ["weight"]):
            m += [q(f"{b}attn_q.{part}", f"{h}q_proj.{part}", p["heads"]),
                  q(f"{b}attn_k.{part}", f"{h}k_proj.{part}", p["kv"]),
                  same(f"{b}attn_v.{part}", f"{h}v_proj.{part}")]
        return m + [same(f"{b}attn_output.weight", f"{h}o_proj.weight")]

    def two_norms(self, i):
        b, h = f"blk.{i}.", f"model.layers.{i}."
        return [same(f"{b}attn_norm.weight", f"{h}input_layernorm.weight"),
                same(f"{b}ffn_norm.weight", f"{h}post_attention_layernorm.weight")]

    def extra_tensors(self):
        """GGUF tensors that have no HF weight."""
        return {}

    def after_build(self, model):
        """Corrections of the HF model that the checkpoint family needs."""

    def layers(self, model):
        return model.model.layers

    def attn_out(self, layer):
        """The output projection; its input is the concatenation of the heads' outputs."""
        return layer.self_attn.o_proj

    def moe(self, layer):
        return None


class Llama(Arch):
    name = "llama"

    def config(self):
        c = self.common()
        r = self.p.get("rope3")
        if r:
            c["rope_scaling"] = dict(rope_type="llama3", factor=r[0], low_freq_factor=r[1], high_freq_factor=r[2],
                                     original_max_position_embeddings=r[3])
        return tf.LlamaConfig(head_dim=self.p["hd"], **c), tf.LlamaForCausalLM

    def meta(self):
        return self.rms_meta() + [("llama.vocab_size", "u32", self.p["vocab"]),
                                  ("llama.rope.dimension_count", "u32", self.p["hd"])]

    def maps(self):
        m = self.embed_maps()
        for i in range(self.p["layers"]):
            m += self.two_norms(i) + self.attn_maps(i, rope_rows) + self.mlp_maps(i)
        return m

    def extra_tensors(self):
        r = self.p.get("rope3")
        if not r:
            return {}
        factor, low, high, orig = r
        out = []
        for i in range(0, self.p["hd"], 2):
            wave = 2 * math.pi * self.p["base"] ** (i / self.p["hd"])
            if wave < orig / high:
                out.append(1.0)
            elif wave > orig / low:
                out.append(factor)
            else:
                s = (orig / wave - low) / (high - low)
                out.append(1 / ((1 - s) / factor + s))
        return {"rope_freqs.weight": np.array(out, np.float32)}


class Mixtral(Llama):
    def config(self):
        c = self.common()
        return tf.MixtralConfig(head_dim=self.p["hd"], num_local_experts=self.p["experts"],
                                num_experts_per_tok=self.p["top"], sliding_window=None, **c), tf.MixtralForCausalLM

    def meta(self):
        return super().meta() + [("llama.expert_count", "u32", self.p["experts"]),
                                 ("llama.expert_used_count", "u32", self.p["top"])]

    def maps(self):
        m = self.embed_maps()
        for i in range(self.p["layers"]):
            b, h = f"blk.{i}.", f"model.layers.{i}.block_sparse_moe."
            m += self.two_norms(i) + self.attn_maps(i, rope_rows)
            m.append(same(f"{b}ffn_gate_inp.weight", f"{h}gate.weight"))
            for g, w in (("gate", "w1"), ("up", "w3"), ("down", "w2")):
                m.append(experts(f"{b}ffn_{g}_exps.weight", [f"{h}experts.{e}.{w}.weight" for e in range(self.p["experts"])]))
        return m

    def moe(self, layer):
        return Softmax(layer.block_sparse_moe, self.p["top"], norm=True, scale=1.0)


class Qwen2(Arch):
    name = "qwen2"

    def config(self):
        return tf.Qwen2Config(use_sliding_window=False, **self.common()), tf.Qwen2ForCausalLM

    def meta(self):
        return self.rms_meta()

    def maps(self):
        m = self.embed_maps()
        for i in range(self.p["layers"]):
            m += self.two_norms(i) + self.attn_maps(i, bias=True) + self.mlp_maps(i)
        return m


class Qwen3(Arch):
    name = "qwen3"

    def config(self):
        return tf.Qwen3Config(head_dim=self.p["hd"], use_sliding_window=False, **self.common()), tf.Qwen3ForCausalLM

    def meta(self):
        return self.rms_meta() + self.head_dim_meta()

    def qk_norms(self, i, f=same):
        b, h = f"blk.{i}.", f"model.layers.{i}.self_attn."
        return [f(f"{b}attn_q_norm.weight", f"{h}q_norm.weight"), f(f"{b}attn_k_norm.weight", f"{h}k_norm.weight")]

    def maps(self):
        m = self.embed_maps()
        for i in range(self.p["layers"]):
            m += self.two_norms(i) + self.attn_maps(i) + self.qk_norms(i) + self.mlp_maps(i)
        return m


class Qwen3Moe(Qwen3):
    name = "qwen3moe"

    def config(self):
        p = self.p
        return tf.Qwen3MoeConfig(head_dim=p["hd"], use_sliding_window=False, num_experts=p["experts"],
                                 num_experts_per_tok=p["top"], moe_intermediate_size=p["ff_exp"], norm_topk_prob=True,
                                 decoder_sparse_step=1, mlp_only_layers=[], **self.common()), tf.Qwen3MoeForCausalLM

    def meta(self):
        p = self.p
        return super().meta() + [("qwen3moe.expert_count", "u32", p["experts"]),
                                 ("qwen3moe.expert_used_count", "u32", p["top"]),
                                 ("qwen3moe.expert_feed_forward_length", "u32", p["ff_exp"])]

    def moe_maps(self, i):
        b, h = f"blk.{i}.", f"model.layers.{i}.mlp."
        n = self.p["experts"]
        return [same(f"{b}ffn_gate_inp.weight", f"{h}gate.weight")] + [
            experts(f"{b}ffn_{x}_exps.weight", [f"{h}experts.{e}.{x}_proj.weight" for e in range(n)])
            for x in ("gate", "up", "down")]

    def maps(self):
        m = self.embed_maps()
        for i in range(self.p["layers"]):
            m += self.two_norms(i) + self.attn_maps(i) + self.qk_norms(i) + self.moe_maps(i)
        return m

    def moe(self, layer):
        return Softmax(layer.mlp, self.p["top"], norm=True, scale=1.0)


class Gemma3(Qwen3):
    name = "gemma3"
    tied = True

    def __init__(self, p):
        super().__init__(p)
        self.tied = True

    def config(self):
        p = self.p
        lin = dict(rope_scaling=dict(rope_type="linear", factor=p["linear"])) if p.get("linear") else {}
        return tf.Gemma3TextConfig(head_dim=p["hd"], query_pre_attn_scalar=p["hd"], sliding_window=p["window"],
                                   sliding_window_pattern=6, rope_local_base_freq=10000.0,
                                   hidden_activation="gelu_pytorch_tanh", **lin, **self.common()), tf.Gemma3ForCausalLM

    def meta(self):
        m = self.rms_meta() + self.head_dim_meta() + [("gemma3.attention.sliding_window", "u32", self.p["window"])]
        if self.p.get("linear"):        # as in the 4B and larger models: global layers only
            m += [("gemma3.rope.scaling.type", "str", "linear"), ("gemma3.rope.scaling.factor", "f32", self.p["linear"])]
        return m

    def four_norms(self, i):
        b, h = f"blk.{i}.", f"model.layers.{i}."
        return [plus_one(f"{b}{g}.weight", f"{h}{n}_layernorm.weight") for g, n in
                (("attn_norm", "input"), ("post_attention_norm", "post_attention"),
                 ("ffn_norm", "pre_feedforward"), ("post_ffw_norm", "post_feedforward"))]

    def maps(self):
        m = self.embed_maps(plus_one)
        for i in range(self.p["layers"]):
            m += self.four_norms(i) + self.attn_maps(i) + self.qk_norms(i, plus_one) + self.mlp_maps(i)
        return m


class Gemma2(Gemma3):
    name = "gemma2"

    def config(self):
        p = self.p
        return tf.Gemma2Config(head_dim=p["hd"], query_pre_attn_scalar=p["hd"], sliding_window=p["window"],
                               attn_logit_softcapping=p["cap_attn"], final_logit_softcapping=p["cap_final"],
                               hidden_activation="gelu_pytorch_tanh", **self.common()), tf.Gemma2ForCausalLM

    def meta(self):
        p = self.p
        # real Gemma 2 files carry no rope.freq_base (10000 is the default of the format)
        return [m for m in self.rms_meta() if not m[0].endswith("freq_base")] + self.head_dim_meta() + [
            ("gemma2.attn_logit_softcapping", "f32", p["cap_attn"]),
            ("gemma2.final_logit_softcapping", "f32", p["cap_final"]),
            ("gemma2.attention.sliding_window", "u32", p["window"])]

    def maps(self):
        m = self.embed_maps(plus_one)
        for i in range(self.p["layers"]):
            m += self.four_norms(i) + self.attn_maps(i) + self.mlp_maps(i)
        return m


class GptNeox(Arch):
    name = "gptneox"

    def config(self):
        p = self.p
        return tf.GPTNeoXConfig(vocab_size=p["vocab"], hidden_size=p["hidden"], num_hidden_layers=p["layers"],
                                num_attention_heads=p["heads"], intermediate_size=p["ff"],
                                max_position_embeddings=p["ctx"], layer_norm_eps=p["eps"], rotary_pct=p["rotary"],
                                rotary_emb_base=int(p["base"]), use_parallel_residual=p["parallel"],
                                hidden_act=p.get("act", "gelu"), tie_word_embeddings=False,
                                attn_implementation="eager", bos_token_id=None, eos_token_id=None), tf.GPTNeoXForCausalLM

    def meta(self):
        p = self.p
        return self.base_meta() + [
            ("gptneox.rope.dimension_count", "u32", int(p["hidden"] // p["heads"] * p["rotary"])),
            ("gptneox.use_parallel_residual", "bool", p["parallel"]),
            ("gptneox.attention.layer_norm_epsilon", "f32", p["eps"])]

    def maps(self):
        m = [same("token_embd.weight", "gpt_neox.embed_in.weight"), same("output.weight", "embed_out.weight")]
        wb = ("weight", "bias")
        m += [same(f"output_norm.{x}", f"gpt_neox.final_layer_norm.{x}") for x in wb]
        for i in range(self.p["layers"]):
            b, h = f"blk.{i}.", f"gpt_neox.layers.{i}."
            m += [neox_qkv(f"{b}attn_qkv.{x}", f"{h}attention.query_key_value.{x}", self.p["heads"]) for x in wb]
            m += [same(f"{b}{g}.{x}", f"{h}{n}.{x}") for x in wb for g, n in
                  (("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm"),
                   ("attn_output", "attention.dense"), ("ffn_up", "mlp.dense_h_to_4h"), ("ffn_down", "mlp.dense_4h_to_h"))]
        return m

    def layers(self, model):
        return model.gpt_neox.layers

    def attn_out(self, layer):
        return layer.attention.dense


class Gpt2(Arch):
    name = "gpt2"
    tied = True

    def __init__(self, p):
        super().__init__(p)
        self.tied = True

    def config(self):
        p = self.p
        return tf.GPT2Config(vocab_size=p["vocab"], n_embd=p["hidden"], n_layer=p["layers"], n_head=p["heads"],
                             n_positions=p["ctx"], n_inner=p["ff"], layer_norm_epsilon=p["eps"],
                             activation_function="gelu_new", attn_implementation="eager",
                             bos_token_id=None, eos_token_id=None), tf.GPT2LMHeadModel

    def meta(self):
        return self.base_meta() + [("gpt2.attention.layer_norm_epsilon", "f32", self.p["eps"])]

    def maps(self):
        m = [same("token_embd.weight", "transformer.wte.weight"), same("position_embd.weight", "transformer.wpe.weight")]
        wb = ("weight", "bias")
        m += [same(f"output_norm.{x}", f"transformer.ln_f.{x}") for x in wb]
        for i in range(self.p["layers"]):
            b, h = f"blk.{i}.", f"transformer.h.{i}."
            m += [same(f"{b}{g}.{x}", f"{h}{n}.{x}") for x in wb for g, n in (("attn_norm", "ln_1"), ("ffn_norm", "ln_2"))]
            for g, n in (("attn_qkv", "attn.c_attn"), ("attn_output", "attn.c_proj"),
                         ("ffn_up", "mlp.c_fc"), ("ffn_down", "mlp.c_proj")):
                m += [transpose(f"{b}{g}.weight", f"{h}{n}.weight"), same(f"{b}{g}.bias", f"{h}{n}.bias")]
        return m

    def layers(self, model):
        return model.transformer.h

    def attn_out(self, layer):
        return layer.attn.c_proj


class Deepseek2(Qwen3Moe):
    """DeepSeek-V2 with multi-head latent attention. p["layout"] is "kv_b" (legacy) or "split";
    p["q_lora"] (optional) adds the low-rank query path of the larger models."""
    name = "deepseek2"

    def config(self):
        p = self.p
        c = self.common()
        c["num_key_value_heads"] = p["heads"]
        y = p["yarn"]
        return tf.DeepseekV2Config(
            first_k_dense_replace=p["dense"], kv_lora_rank=p["kv_lora"], q_lora_rank=p.get("q_lora"),
            n_routed_experts=p["experts"], n_shared_experts=p["shared"], num_experts_per_tok=p["top"],
            moe_intermediate_size=p["ff_exp"], qk_nope_head_dim=p["nope"], qk_rope_head_dim=p["rope"],
            v_head_dim=p["v"], head_dim=p["rope"], topk_method="greedy", norm_topk_prob=False,
            routed_scaling_factor=p["scale"], n_group=None, topk_group=None, mlp_bias=False, attention_bias=False,
            rope_scaling=dict(rope_type="yarn", type="yarn", factor=y["factor"], beta_fast=32, beta_slow=1,
                              mscale=y["mscale"], mscale_all_dim=y["mscale"],
                              original_max_position_embeddings=y["orig"]), **c), tf.DeepseekV2ForCausalLM

    def mscale(self):
        y = self.p["yarn"]
        return 1 + 0.1 * y["mscale"] * math.log(y["factor"])

    def after_build(self, model):
        # The published DeepSeek-V2 code multiplies the softmax scale by mscale^2 when rope scaling is on;
        # the transformers port leaves that out, so it is put back here.
        for l in self.layers(model):
            l.self_attn.scaling *= self.mscale() ** 2

    def meta(self):
        p, y, a = self.p, self.p["yarn"], "deepseek2."
        split = p["layout"] == "split"
        m = self.base_meta() + [
            (a + "attention.head_count_kv", "u32", 1 if split else p["heads"]),
            (a + "attention.layer_norm_rms_epsilon", "f32", p["eps"]), (a + "rope.freq_base", "f32", p["base"]),
            (a + "leading_dense_block_count", "u32", p["dense"]), (a + "vocab_size", "u32", p["vocab"]),
            (a + "attention.kv_lora_rank", "u32", p["kv_lora"])]
        if split:
            m += [(a + "attention.key_length", "u32", p["kv_lora"] + p["rope"]),
                  (a + "attention.value_length", "u32", p["kv_lora"]),
                  (a + "attention.key_length_mla", "u32", p["nope"] + p["rope"]),
                  (a + "attention.value_length_mla", "u32", p["v"])]
        else:
            m += [(a + "attention.key_length", "u32", p["nope"] + p["rope"]),
                  (a + "attention.value_length", "u32", p["v"])]
        if p.get("q_lora") or p.get("q_lora_key") is not None:
            m.append((a + "attention.q_lora_rank", "u32", p.get("q_lora") or p["q_lora_key"]))
        return m + [
            (a + "expert_count", "u32", p["experts"]), (a + "expert_used_count", "u32", p["top"]),
            (a + "expert_shared_count", "u32", p["shared"]), (a + "expert_feed_forward_length", "u32", p["ff_exp"]),
            (a + "expert_weights_scale", "f32", p["scale"]), (a + "rope.dimension_count", "u32", p["rope"]),
            (a + "rope.scaling.type", "str", "yarn"), (a + "rope.scaling.factor", "f32", y["factor"]),
            (a + "rope.scaling.original_context_length", "u32", y["orig"]),
            (a + "rope.scaling.yarn_log_multiplier", "f32", 0.1 * y["mscale"])]

    def kv_b_map(self, b, h):
        p = self.p
        if p["layout"] == "kv_b":
            return same(f"{b}attn_kv_b.weight", f"{h}kv_b_proj.weight")

        def fwd(xs):
            x = xs[0].reshape(p["heads"], p["nope"] + p["v"], p["kv_lora"])
            return [np.ascontiguousarray(x[:, :p["nope"]].swapaxes(1, 2)), np.ascontiguousarray(x[:, p["nope"]:])]

        def inv(xs):
            return [np.concatenate([xs[0].swapaxes(1, 2), xs[1]], axis=1).reshape(-1, p["kv_lora"])]
        return Map([f"{b}attn_k_b.weight", f"{b}attn_v_b.weight"], [f"{h}kv_b_proj.weight"], fwd, inv)

    def maps(self):
        m = self.embed_maps()
        for i in range(self.p["layers"]):
            b, h = f"blk.{i}.", f"model.layers.{i}.self_attn."
            m += self.two_norms(i)
            if self.p.get("q_lora"):
                m += [same(f"{b}attn_q_a.weight", f"{h}q_a_proj.weight"),
                      same(f"{b}attn_q_a_norm.weight", f"{h}q_a_layernorm.weight"),
                      same(f"{b}attn_q_b.weight", f"{h}q_b_proj.weight")]
            else:
                m.append(same(f"{b}attn_q.weight", f"{h}q_proj.weight"))
            m += [same(f"{b}attn_kv_a_mqa.weight", f"{h}kv_a_proj_with_mqa.weight"),
                  same(f"{b}attn_kv_a_norm.weight", f"{h}kv_a_layernorm.weight"),
                  self.kv_b_map(b, h), same(f"{b}attn_output.weight", f"{h}o_proj.weight")]
            if i < self.p["dense"]:
                m += self.mlp_maps(i)
            else:
                m += self.moe_maps(i) + [same(f"{b}ffn_{x}_shexp.weight", f"model.layers.{i}.mlp.shared_experts.{x}_proj.weight")
                                         for x in ("gate", "up", "down")]
        return m

    def moe(self, layer):
        if not hasattr(layer.mlp, "experts"):
            return None
        return Softmax(layer.mlp, self.p["top"], norm=False, scale=self.p["scale"])


class Softmax:
    """How a block of experts routes: softmax over all experts, top k, optional renormalisation, scale."""

    def __init__(self, block, top, norm, scale):
        self.block, self.top, self.norm, self.scale = block, top, norm, scale

    def run(self, x):
        """x [n, hidden] -> router logits, chosen ids (descending), weights, each expert's output, shared output."""
        b = self.block
        logits = x @ b.gate.weight.T
        probs = torch.softmax(logits, -1)
        w, ids = torch.sort(probs, dim=-1, descending=True, stable=True)
        margin = float((w[:, self.top - 1] - w[:, self.top]).min()) if w.shape[1] > self.top else 1.0
        w, ids = w[:, :self.top], ids[:, :self.top]
        if self.norm:
            w = w / w.sum(-1, keepdim=True)
        w = w * self.scale
        every = torch.stack([e(x) for e in b.experts], 1)
        out = torch.gather(every, 1, ids[:, :, None].expand(-1, -1, x.shape[1]))
        shared = b.shared_experts(x) if hasattr(b, "shared_experts") else None
        total = (out * w[:, :, None]).sum(1) + (shared if shared is not None else 0)
        return dict(logits=logits, ids=ids, weights=w, every=every, out=out, shared=shared, total=total, margin=margin)


class Olmo2(Arch):
    """Norms behind attention and feed-forward only; Q and K normed over all heads at once."""
    name = "olmo2"

    def config(self):
        return tf.Olmo2Config(**self.common()), tf.Olmo2ForCausalLM

    def meta(self):
        return self.rms_meta()

    def maps(self):
        m = self.embed_maps()
        for i in range(self.p["layers"]):
            b, h = f"blk.{i}.", f"model.layers.{i}."
            m += self.attn_maps(i) + self.mlp_maps(i)
            m += [same(f"{b}{g}.weight", f"{h}{n}.weight") for g, n in
                  (("attn_q_norm", "self_attn.q_norm"), ("attn_k_norm", "self_attn.k_norm"),
                   ("post_attention_norm", "post_attention_layernorm"),
                   ("post_ffw_norm", "post_feedforward_layernorm"))]
        return m


class Phi3(Arch):
    """Fused Q K V, fused gate and up (gate first), a window in every layer."""
    name = "phi3"

    def config(self):
        p = self.p
        return tf.Phi3Config(sliding_window=p["window"], partial_rotary_factor=p.get("rotary", 1.0),
                             **self.common()), tf.Phi3ForCausalLM

    def meta(self):
        p = self.p
        return self.rms_meta() + [
            ("phi3.attention.sliding_window", "u32", p["window"] or 0),
            ("phi3.rope.dimension_count", "u32", int(p["hidden"] // p["heads"] * p.get("rotary", 1.0)))]

    def maps(self):
        m = self.embed_maps()
        for i in range(self.p["layers"]):
            b, h = f"blk.{i}.", f"model.layers.{i}."
            m += self.two_norms(i) + [same(f"{b}{g}.weight", f"{h}{n}.weight") for g, n in
                                      (("attn_qkv", "self_attn.qkv_proj"), ("attn_output", "self_attn.o_proj"),
                                       ("ffn_up", "mlp.gate_up_proj"), ("ffn_down", "mlp.down_proj"))]
        return m


class Starcoder2(Arch):
    """LayerNorm and biases everywhere, Q K V apart, no gate."""
    name = "starcoder2"

    def config(self):
        p, c = self.p, self.common()
        del c["rms_norm_eps"]
        return tf.Starcoder2Config(norm_epsilon=p["eps"], use_bias=True, sliding_window=None,
                                   residual_dropout=0.0, embedding_dropout=0.0, **c), tf.Starcoder2ForCausalLM

    def meta(self):
        p = self.p
        return self.base_meta() + [("starcoder2.attention.head_count_kv", "u32", p["kv"]),
                                   ("starcoder2.attention.layer_norm_epsilon", "f32", p["eps"]),
                                   ("starcoder2.rope.freq_base", "f32", p["base"])]

    def maps(self):
        m = [same("token_embd.weight", "model.embed_tokens.weight")]
        if not self.tied:
            m.append(same("output.weight", "lm_head.weight"))
        wb = ("weight", "bias")
        m += [same(f"output_norm.{x}", f"model.norm.{x}") for x in wb]
        for i in range(self.p["layers"]):
            b, h = f"blk.{i}.", f"model.layers.{i}."
            m += [same(f"{b}{g}.{x}", f"{h}{n}.{x}") for x in wb for g, n in
                  (("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm"),
                   ("attn_q", "self_attn.q_proj"), ("attn_k", "self_attn.k_proj"), ("attn_v", "self_attn.v_proj"),
                   ("attn_output", "self_attn.o_proj"), ("ffn_up", "mlp.c_fc"), ("ffn_down", "mlp.c_proj"))]
        return m


class LlamaBias(Llama):
    """Biases in attention, as some files of the architecture llama have; linear rope scaling."""

    def config(self):
        p = self.p
        return tf.LlamaConfig(head_dim=p["hd"], attention_bias=True,
                              rope_scaling=dict(rope_type="linear", factor=p["linear"]),
                              **self.common()), tf.LlamaForCausalLM

    def meta(self):
        return super().meta() + [("llama.rope.scaling.type", "str", "linear"),
                                 ("llama.rope.scaling.factor", "f32", self.p["linear"])]

    def maps(self):
        m = self.embed_maps()
        for i in range(self.p["layers"]):
            m += self.two_norms(i) + self.attn_maps(i, rope_rows, bias=True) + self.mlp_maps(i)
            m.append(same(f"blk.{i}.attn_output.bias", f"model.layers.{i}.self_attn.o_proj.bias"))
        return m


class Qwen3Yarn(Qwen3):
    """YaRN as the model cards of Qwen 3 ask for it in long contexts: cos and sin grow by 1 + 0.1 ln factor."""

    def config(self):
        p, c = self.p, self.common()
        y = p["yarn"]
        c["rope_scaling"] = dict(rope_type="yarn", factor=y["factor"], original_max_position_embeddings=y["orig"])
        return tf.Qwen3Config(head_dim=p["hd"], use_sliding_window=False, **c), tf.Qwen3ForCausalLM

    def meta(self):
        y = self.p["yarn"]
        return super().meta() + [("qwen3.rope.scaling.type", "str", "yarn"),
                                 ("qwen3.rope.scaling.factor", "f32", y["factor"]),
                                 ("qwen3.rope.scaling.original_context_length", "u32", y["orig"])]


ARCHS = dict(llama=Llama, mixtral=Mixtral, qwen2=Qwen2, qwen3=Qwen3, qwen3moe=Qwen3Moe, gemma3=Gemma3, gemma2=Gemma2,
             gptneox=GptNeox, gpt2=Gpt2, deepseek2=Deepseek2, olmo2=Olmo2, phi3=Phi3, starcoder2=Starcoder2,
             llama_bias=LlamaBias, qwen3_yarn=Qwen3Yarn)
