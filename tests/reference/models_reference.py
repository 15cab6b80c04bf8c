"""Runs the transformers model and records what the C code is checked against."""
import numpy as np
import torch
import transformers
from torch.overrides import TorchFunctionMode

torch.set_num_threads(1)
torch.set_grad_enabled(False)
transformers.logging.set_verbosity_error()


class AllDouble(TorchFunctionMode):
    """transformers casts to float32 in norms, softmax and rope; inside this mode those casts go to float64."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = {k: (torch.float64 if v is torch.float32 else v) for k, v in (kwargs or {}).items()}
        args = tuple(torch.float64 if a is torch.float32 else a for a in args)
        if func is torch.Tensor.float:
            func = torch.Tensor.double
        return func(*args, **kwargs)


class Plain:
    def __enter__(self):
        return self

    def __exit__(self, *a):
        return False


class Reference:
    """The HF model of `arch` filled with GGUF tensors (float arrays by GGUF name)."""

    def __init__(self, arch, tensors, double):
        self.arch, self.double = arch, double
        self.mode = AllDouble if double else Plain
        dtype = torch.float64 if double else torch.float32
        config, cls = arch.config()
        torch.set_default_dtype(dtype)
        with self.mode():
            config.dtype = dtype
            model = cls._from_config(config, attn_implementation="eager")
        torch.set_default_dtype(torch.float32)
        model = model.to(dtype).eval()
        sd = {}
        for m in arch.maps():
            xs = m.inv([np.asarray(tensors[g], np.float64) for g in m.gguf])
            sd.update({h: torch.from_numpy(np.ascontiguousarray(x)).to(dtype) for h, x in zip(m.hf, xs)})
        own = model.state_dict()
        if arch.tied:
            for k in ("lm_head.weight",):
                own.pop(k, None)
        missing = set(own) - set(sd)
        missing = {k for k in missing if not k.endswith((".attn.bias", ".masked_bias"))}
        assert not missing and not set(sd) - set(own), (missing, set(sd) - set(own))
        model.load_state_dict(sd, strict=False)
        model.tie_weights()
        arch.after_build(model)
        self.model = model

    def forward(self, ids):
        """ids: list of token ids from position 0 -> dict of numpy arrays (time first)."""
        rec, hooks = {}, []
        layers = list(self.arch.layers(self.model))

        def grab(key):
            def hook(_m, args, *rest):
                rec[key] = args[0].detach()[0]
            return hook

        def grab_out(key):
            def hook(_m, _args, out):
                rec[key] = (out[0] if isinstance(out, tuple) else out).detach()[0]
            return hook

        moe = {}
        hooks.append(layers[0].register_forward_pre_hook(grab("x0")))
        for i, l in enumerate(layers):
            hooks.append(self.arch.attn_out(l).register_forward_pre_hook(grab(f"heads{i}")))
            hooks.append(l.register_forward_hook(grab_out(f"x{i + 1}")))
            r = self.arch.moe(l)
            if r:
                moe[i] = r
                hooks.append(r.block.register_forward_pre_hook(grab(f"moe_in{i}")))
                hooks.append(r.block.register_forward_hook(grab_out(f"moe_out{i}")))
        with self.mode():
            logits = self.model(torch.tensor([ids]), use_cache=False).logits[0]
        for h in hooks:
            h.remove()
        p = self.arch.p
        n, nl = len(ids), len(layers)
        out = dict(logits=logits.numpy())
        out["head_norms"] = torch.stack(
            [rec[f"heads{i}"].reshape(n, p["heads"], -1).norm(dim=-1) for i in range(nl)], 1).numpy()
        out["residual"] = torch.stack([rec[f"x{i}"].reshape(n, -1) for i in range(nl + 1)], 1).numpy()
        if moe:
            rs = []
            for i, r in moe.items():
                with self.mode():
                    g = r.run(rec[f"moe_in{i}"].reshape(n, -1))
                err = float((g["total"] - rec[f"moe_out{i}"].reshape(n, -1)).abs().max())
                assert err < (1e-9 if self.double else 1e-3), err      # our routing is the model's routing
                rs.append(g)

            def put(f):
                return torch.stack([f(g) for g in rs], 1).numpy()
            out["moe_router_logits"] = put(lambda g: g["logits"])
            out["moe_ids"] = put(lambda g: g["ids"]).astype(np.int32)
            out["moe_weights"] = put(lambda g: g["weights"])
            out["moe_norm_raw"] = put(lambda g: g["out"].norm(dim=-1))
            out["moe_norm_all"] = put(lambda g: g["every"].norm(dim=-1))
            out["moe_norm_weighted"] = put(lambda g: (g["out"] * g["weights"][:, :, None]).norm(dim=-1))
            if rs[0]["shared"] is not None:
                out["moe_norm_shared"] = put(lambda g: g["shared"].norm(dim=-1))
            self.moe_layers = list(moe)
            self.moe_margin = min(g["margin"] for g in rs)
        return out

    def greedy(self, prompt, steps):
        """Greedy continuation by plain re-evaluation (no cache): ids and the smallest top1-top2 gap."""
        ids, gap = list(prompt), []
        for _ in range(steps):
            with self.mode():
                last = self.model(torch.tensor([ids]), use_cache=False).logits[0, -1]
            top = torch.topk(last, 2)
            gap.append(float(top.values[0] - top.values[1]))
            ids.append(int(top.indices[0]))
        return ids[len(prompt):], gap
