"""Dimensions and seeds of the tiny models."""


def s(name, arch, seed, **kw):
    d = dict(name=name, arch=arch, seed=seed, ctx=4096, eps=1e-5, base=10000.0, T=32, G=16, vocab=300)
    d.update(kw)
    return d


YARN = dict(factor=40.0, mscale=0.707, orig=4096)

PUBLIC = [
    # float32 bases
    s("llama", "llama", 1001, layers=3, hidden=96, heads=6, kv=2, hd=16, ff=160, base=500000.0, rope3=(8.0, 1.0, 4.0, 512)),
    s("llama-tied", "llama", 1002, layers=2, hidden=80, heads=5, kv=1, hd=16, ff=144, tied=True, vocab=288),
    s("llama-moe", "mixtral", 1003, layers=2, hidden=64, heads=4, kv=2, hd=16, ff=96, experts=5, top=2, base=1e6),
    s("qwen2", "qwen2", 1004, layers=3, hidden=96, heads=6, kv=2, hd=16, ff=128, base=1e6, eps=1e-6, tied=True),
    s("qwen3", "qwen3", 1005, layers=3, hidden=64, heads=6, kv=3, hd=24, ff=128, base=1e6, eps=1e-6),
    s("qwen3moe", "qwen3moe", 1006, layers=2, hidden=64, heads=6, kv=2, hd=32, ff=160, ff_exp=48, experts=7, top=3, base=1e6, eps=1e-6),
    s("gemma3", "gemma3", 1007, layers=7, hidden=64, heads=3, kv=1, hd=32, ff=128, window=8, base=1e6, eps=1e-6, T=40, vocab=304),
    s("gemma3-linear", "gemma3", 1015, layers=6, hidden=48, heads=4, kv=2, hd=16, ff=72, window=8, base=1e6, eps=1e-6, linear=8.0),
    s("gemma2", "gemma2", 1008, layers=4, hidden=64, heads=6, kv=3, hd=16, ff=128, window=8, cap_attn=4.0, cap_final=5.0, eps=1e-6),
    s("gptneox", "gptneox", 1009, layers=3, hidden=96, heads=6, kv=6, hd=16, ff=256, rotary=0.25, parallel=True),
    s("gptneox-seq", "gptneox", 1010, layers=2, hidden=80, heads=5, kv=5, hd=16, ff=192, rotary=0.5, parallel=False),
    s("gpt2", "gpt2", 1011, ctx=128, layers=2, hidden=60, heads=5, kv=5, hd=12, ff=240),
    s("deepseek2", "deepseek2", 1012, layers=3, hidden=64, heads=5, kv=5, hd=0, ff=96, ff_exp=32, nope=24, rope=16, v=20,
      kv_lora=32, dense=1, experts=6, top=3, shared=2, scale=1.0, yarn=YARN, layout="split", q_lora_key=0, eps=1e-6),
    s("deepseek2-kvb", "deepseek2", 1013, layers=3, hidden=64, heads=3, kv=3, hd=0, ff=96, ff_exp=32, nope=16, rope=8, v=24,
      kv_lora=48, dense=1, experts=8, top=2, shared=1, scale=2.5, yarn=dict(factor=16.0, mscale=1.0, orig=2048), layout="kv_b", eps=1e-6),
    s("deepseek2-qlora", "deepseek2", 1014, layers=2, hidden=64, heads=5, kv=5, hd=0, ff=96, ff_exp=32, nope=16, rope=16, v=16,
      kv_lora=32, q_lora=40, dense=1, experts=6, top=3, shared=1, scale=1.5, yarn=YARN, layout="split", eps=1e-6),
    # one file per weight type
    s("gptneox-f16", "gptneox", 1101, type="F16", layers=2, hidden=96, heads=6, kv=6, hd=16, ff=160, rotary=0.25, parallel=True),
    s("qwen3-bf16", "qwen3", 1102, type="BF16", layers=2, hidden=64, heads=6, kv=3, hd=24, ff=128, base=1e6, eps=1e-6),
    s("llama-q8_0", "llama", 1103, type="Q8_0", layers=2, hidden=96, heads=6, kv=2, hd=16, ff=160, base=500000.0, rope3=(8.0, 1.0, 4.0, 512)),
    s("qwen2-q4_0", "qwen2", 1104, type="Q4_0", layers=2, hidden=96, heads=6, kv=2, hd=16, ff=128, base=1e6, eps=1e-6, tied=True),
    s("llama-tied-q4_1", "llama", 1105, type="Q4_1", layers=2, hidden=96, heads=3, kv=1, hd=32, ff=192, tied=True),
    s("gemma3-q5_0", "gemma3", 1106, type="Q5_0", layers=6, hidden=64, heads=3, kv=1, hd=32, ff=96, window=8, base=1e6, eps=1e-6),
    s("llama-moe-q5_1", "mixtral", 1107, type="Q5_1", layers=2, hidden=64, heads=4, kv=2, hd=16, ff=96, experts=5, top=2, base=1e6),
    s("deepseek2-q8_0", "deepseek2", 1108, type="Q8_0", layers=2, hidden=64, heads=5, kv=5, hd=0, ff=96, ff_exp=32, nope=32, rope=16, v=32,
      kv_lora=32, dense=1, experts=6, top=3, shared=2, scale=1.0, yarn=YARN, layout="split", q_lora_key=0, eps=1e-6),
    s("qwen2-q2_k", "qwen2", 1109, type="Q2_K", layers=2, hidden=256, heads=8, kv=2, hd=32, ff=512, base=1e6, eps=1e-6, tied=True),
    s("gptneox-q3_k", "gptneox", 1110, type="Q3_K", layers=1, hidden=256, heads=4, kv=4, hd=64, ff=512, rotary=0.25, parallel=True),
    s("gemma3-q4_k", "gemma3", 1111, type="Q4_K", layers=2, hidden=256, heads=4, kv=1, hd=64, ff=512, window=8, base=1e6, eps=1e-6),
    s("qwen3moe-q5_k", "qwen3moe", 1112, type="Q5_K", layers=1, hidden=256, heads=4, kv=2, hd=64, ff=256, ff_exp=256, experts=4, top=2, base=1e6, eps=1e-6),
    s("deepseek2-q6_k", "deepseek2", 1113, type="Q6_K", layers=2, hidden=256, heads=4, kv=4, hd=0, ff=256, ff_exp=256, nope=48, rope=16, v=64,
      kv_lora=256, dense=1, experts=3, top=2, shared=1, scale=1.0, yarn=YARN, layout="kv_b", q_lora_key=0, eps=1e-6),
    s("gpt2-iq4_nl", "gpt2", 1114, ctx=128, type="IQ4_NL", layers=2, hidden=96, heads=6, kv=6, hd=16, ff=384),
    s("llama-iq4_xs", "llama", 1115, type="IQ4_XS", layers=2, hidden=256, heads=8, kv=2, hd=32, ff=512, base=500000.0, rope3=(8.0, 1.0, 4.0, 512)),
]

# families and settings that the shared fixtures do not have
MORE = [
    s("olmo2", "olmo2", 2001, type="F16", layers=2, hidden=48, heads=6, kv=3, hd=8, ff=80, base=500000.0, eps=1e-6, vocab=280, T=20, G=8),
    s("olmo2-q8_0", "olmo2", 2002, type="Q8_0", layers=2, hidden=64, heads=2, kv=2, hd=32, ff=128, base=500000.0, eps=1e-6, vocab=280, T=20, G=8),
    s("phi3", "phi3", 2003, type="F16", layers=2, hidden=48, heads=3, kv=3, hd=16, ff=56, window=8, vocab=280, T=20, G=8),
    s("phi3-q8_0", "phi3", 2004, type="Q8_0", layers=2, hidden=96, heads=4, kv=2, hd=24, ff=128, window=None, rotary=0.75, vocab=280, T=20, G=8, tied=True),
    s("starcoder2", "starcoder2", 2005, type="BF16", layers=2, hidden=48, heads=6, kv=2, hd=8, ff=128, base=999999.0, tied=True, vocab=280, T=20, G=8),
    s("starcoder2-q4_0", "starcoder2", 2006, type="Q4_0", layers=2, hidden=64, heads=4, kv=1, hd=16, ff=128, base=100000.0, vocab=280, T=20, G=8),
    s("llama-bias", "llama_bias", 2007, type="F16", layers=2, hidden=48, heads=6, kv=2, hd=8, ff=80, linear=4.0, vocab=280, T=20, G=8),
    s("qwen3-yarn", "qwen3_yarn", 2008, type="F16", layers=2, hidden=48, heads=4, kv=2, hd=16, ff=48, base=10000.0, eps=1e-6, vocab=280, T=20, G=8,
      yarn=dict(factor=4.0, orig=64)),
    # two of the fixtures at half their size
    s("llama-f16", "llama", 1001, type="F16", layers=3, hidden=96, heads=6, kv=2, hd=16, ff=160, base=500000.0, rope3=(8.0, 1.0, 4.0, 512)),
    s("gemma3-f16", "gemma3", 1007, type="F16", layers=7, hidden=64, heads=3, kv=1, hd=32, ff=128, window=8, base=1e6, eps=1e-6, T=40, vocab=304),
    # smaller ones of families whose fixtures are too large to lie in the repository
    s("gemma2-tiny", "gemma2", 2009, layers=4, hidden=32, heads=4, kv=2, hd=8, ff=48, window=6, cap_attn=3.0, cap_final=4.0,
      eps=1e-6, vocab=288, T=20, G=6),
    s("qwen3moe-tiny", "qwen3moe", 2010, type="BF16", layers=2, hidden=32, heads=4, kv=1, hd=16, ff=64, ff_exp=24, experts=7, top=3,
      base=1e6, eps=1e-6, vocab=280, T=20, G=6),
    s("deepseek2-tiny", "deepseek2", 2011, type="F16", layers=3, hidden=32, heads=3, kv=3, hd=0, ff=48, ff_exp=16, nope=12, rope=8, v=10,
      kv_lora=24, q_lora=20, dense=1, experts=6, top=2, shared=2, scale=1.5, yarn=YARN, layout="split", eps=1e-6,
      vocab=280, T=20, G=6),
    s("deepseek2-kvb-tiny", "deepseek2", 2012, type="F16", layers=2, hidden=32, heads=4, kv=4, hd=0, ff=48, ff_exp=16, nope=8, rope=4, v=12,
      kv_lora=16, dense=1, experts=5, top=3, shared=1, scale=2.5, yarn=dict(factor=16.0, mscale=1.0, orig=2048),
      layout="kv_b", eps=1e-6, vocab=280, T=20, G=6),
    s("gptneox-seq-tiny", "gptneox", 2013, type="F16", layers=2, hidden=40, heads=5, kv=5, hd=8, ff=96, rotary=0.5, parallel=False,
      vocab=280, T=20, G=6),
]

SPECS = dict(public=PUBLIC, more=MORE)
