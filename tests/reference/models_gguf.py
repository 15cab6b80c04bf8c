"""GGUF files: writing random models, quantising, reading back as dequantised float arrays, tiny tokenizers."""
import ctypes
import os

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

_ggml = None


def ggml():
    """libggml, only used as a quantiser (gguf-py cannot encode the K- and IQ-types).
    The references never use it: they dequantise with gguf-py."""
    global _ggml
    if _ggml is None:
        bin_dir = os.path.join(os.environ["LLAMA_CPP"], "build/bin")
        _ggml = ctypes.CDLL(os.path.join(bin_dir, "libggml-base.so"))
        _ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
        _ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64,
                                              ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    return _ggml


def quantize(x, qtype):
    """float32 [..., n] -> bytes as uint8 [..., row bytes] (F32/F16 keep their dtype)."""
    x = np.ascontiguousarray(x, np.float32)
    try:
        return gguf.quants.quantize(x, qtype)
    except NotImplementedError:
        pass
    block, size = gguf.GGML_QUANT_SIZES[qtype]
    n = x.shape[-1]
    out = np.zeros((*x.shape[:-1], n // block * size), np.uint8)
    importance = np.ones(n, np.float32)
    ggml().ggml_quantize_chunk(int(qtype), x.ctypes.data, out.ctypes.data, 0, x.size // n, n, importance.ctypes.data)
    return out


def tensor_type(name, x, qtype):
    """Which type a tensor gets in a file of type qtype: 1-d tensors, routers and position embeddings stay F32;
    rows that are no multiple of the block length fall back to Q8_0, then F16."""
    if x.ndim < 2 or "ffn_gate_inp" in name or name == "position_embd.weight":
        return T.F32
    for q in (qtype, T.Q8_0):
        if x.shape[-1] % gguf.GGML_QUANT_SIZES[q][0] == 0:
            return q
    return T.F16


def write(path, arch, tensors, qtype, tokenizer, overrides=()):
    """tensors: {gguf name: float32 array in torch order}."""
    w = gguf.GGUFWriter(path, arch.name)
    w.add_name(os.path.basename(os.path.dirname(path)))
    w.add_file_type(int(gguf.LlamaFileType[{"F32": "ALL_F32"}.get(qtype.name, "MOSTLY_" + qtype.name)
                    if qtype.name not in ("Q3_K", "Q4_K", "Q5_K") else f"MOSTLY_{qtype.name}_M"]))
    meta = {k: (kind, v) for k, kind, v in arch.meta()}
    meta.update({k: (kind, v) for k, kind, v in overrides})
    for k, (kind, v) in meta.items():
        dict(u32=w.add_uint32, f32=w.add_float32, bool=w.add_bool, str=w.add_string)[kind](k, v)
    tokenizer(w, arch.p["vocab"])
    for name, x in tensors.items():
        q = tensor_type(name, x, qtype)
        w.add_tensor(name, quantize(x, q), raw_dtype=q)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def read(path):
    """{gguf name: dequantised float32 array in torch order}, {name: type}, the reader."""
    r = gguf.GGUFReader(path)
    out, types = {}, {}
    for t in r.tensors:
        shape = [int(d) for d in reversed(t.shape)]
        out[t.name] = np.array(gguf.quants.dequantize(t.data, t.tensor_type), np.float32).reshape(shape)
        types[t.name] = t.tensor_type.name
    return out, types, r


# --- tiny valid tokenizers ---

PIECES = "the and ing er on an in re at to of is it or en ed th he st nd es ar al le ou ve me se ll ne".split()


def spm(w, n_vocab):
    """SentencePiece style: <unk> <s> </s>, 256 byte tokens, then pieces."""
    toks, types = ["<unk>", "<s>", "</s>"], [2, 3, 3]
    toks += [f"<0x{i:02X}>" for i in range(256)]
    types += [6] * 256
    pieces = ["\u2581"] + [chr(c) for c in range(97, 123)] + PIECES + ["\u2581" + p for p in PIECES]
    for p in pieces[:n_vocab - len(toks)]:
        toks.append(p)
        types.append(1)
    while len(toks) < n_vocab:
        toks.append(f"<pad{len(toks)}>")
        types.append(5)
    w.add_tokenizer_model("llama")
    w.add_tokenizer_pre("default")
    w.add_token_list(toks)
    w.add_token_scores([0.0] * 259 + [-float(i) for i in range(n_vocab - 259)])
    w.add_token_types(types)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_unk_token_id(0)
    w.add_add_bos_token(True)
    w.add_add_space_prefix(False)


def byte_alphabet():
    """GPT-2's printable stand-ins for the 256 bytes."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    m, n = {}, 0
    for b in range(256):
        if b in keep:
            m[b] = chr(b)
        else:
            m[b] = chr(256 + n)
            n += 1
    return m


def bpe(pre):
    def add(w, n_vocab):
        toks = [byte_alphabet()[i] for i in range(256)]
        types, merges = [1] * 256, []
        space = byte_alphabet()[32]
        for piece in ["th", "he", "in", "er", "an", "re", "on", "at", "the", "ing", "and", "ed", "or", space + "t",
                      space + "a", space + "the", space + "and", "is", "it", "en"]:
            for cut in range(1, len(piece)):
                if piece[:cut] in toks and piece[cut:] in toks and len(toks) < n_vocab - 2:
                    merges.append(f"{piece[:cut]} {piece[cut:]}")
                    toks.append(piece)
                    types.append(1)
                    break
        while len(toks) < n_vocab - 1:
            toks.append(f"<pad{len(toks)}>")
            types.append(5)
        toks.append("<|endoftext|>")
        types.append(3)
        w.add_tokenizer_model("gpt2")
        w.add_tokenizer_pre(pre)
        w.add_token_list(toks)
        w.add_token_types(types)
        w.add_token_merges(merges)
        w.add_bos_token_id(n_vocab - 1)
        w.add_eos_token_id(n_vocab - 1)
        w.add_add_bos_token(False)
    return add


TOKENIZERS = dict(llama=spm, gemma2=spm, gemma3=spm, qwen2=bpe("qwen2"), qwen3=bpe("qwen2"), qwen3moe=bpe("qwen2"),
                  gptneox=bpe("olmo"), gpt2=bpe("gpt-2"), deepseek2=bpe("deepseek-llm"),
                  olmo2=bpe("olmo"), phi3=spm, starcoder2=bpe("gpt-2"))
