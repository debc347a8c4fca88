"""Writes PyTorch's operator samples: `python make.py`, in this folder, with torch 2.15, expecttest and safetensors.

All samples of an operator, or where they are many some 150 of them, evenly spaced.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.testing._internal.common_methods_invocations import op_db

MOST = 150
FOLDER = Path(__file__).parent
# outputs that PyTorch's own tests feed no cotangent into
STATISTICS = ("native_batch_norm", "native_layer_norm")


class Recorder:
    """One sample: its arguments as the call takes them, and as they are written down."""

    def __init__(self, index, store):
        self.index, self.store, self.leaves = index, store, []

    def keep(self, label, tensor):
        key = f"{self.index}.{label}"
        self.store[key] = tensor.detach().clone().contiguous()
        return {"tensor": key}

    def argument(self, label, value):
        if isinstance(value, torch.Tensor):
            leaf = value.detach().clone().requires_grad_(value.requires_grad)
            self.leaves.append((label, leaf, leaf.detach().clone()))
            return self.keep(label, leaf), leaf
        if isinstance(value, torch.dtype):
            return str(value), value
        return (list(value) if isinstance(value, tuple) else value), value

    def record(self, op, sample):
        args = [self.argument(f"arg{i}", a) for i, a in enumerate((sample.input, *sample.args))]
        kwargs = {name: self.argument(name, a) for name, a in sample.kwargs.items()}
        result = op.op(*(a for _, a in args), **{name: a for name, (_, a) in kwargs.items()})
        outputs = list(result) if isinstance(result, (list, tuple)) else [result]
        kept = {
            "args": [a for a, _ in args],
            "kwargs": {name: a for name, (a, _) in kwargs.items()},
            "outputs": [self.keep(f"out{i}", y) for i, y in enumerate(outputs)],
        }
        roots = [(i, y) for i, y in enumerate(outputs) if y.requires_grad]
        if op.name in STATISTICS:
            roots = roots[:1]
        if roots:
            self.gradients(kept, roots)
        written = [(label, x) for label, x, before in self.leaves if not torch.equal(x.detach(), before)]
        if written:
            kept["written"] = {label: self.keep(f"after_{label}", x) for label, x in written}
        return kept

    def gradients(self, kept, roots):
        generator = torch.Generator().manual_seed(self.index)
        cotangents = [torch.randn(y.shape, generator=generator, dtype=y.dtype) for _, y in roots]
        kept["cotangents"] = {f"out{i}": self.keep(f"cot{i}", dy) for (i, _), dy in zip(roots, cotangents)}
        wanted = [(label, x) for label, x, _ in self.leaves if x.requires_grad]
        grads = torch.autograd.grad([y for _, y in roots], [x for _, x in wanted], cotangents, allow_unused=True)
        kept["grads"] = {
            label: None if dx is None else self.keep(f"grad_{label}", dx) for (label, _), dx in zip(wanted, grads)
        }


def write(op, key):
    samples = list(op.sample_inputs("cpu", torch.float64, requires_grad=True))
    store, step = {}, -(-len(samples) // MOST)
    kept = [Recorder(i, store).record(op, s) for i, s in enumerate(samples) if i % step == 0]
    (FOLDER / f"{key}.json").write_text(json.dumps(kept))
    save_file(store, FOLDER / f"{key}.safetensors")
    print(f"{key}: {len(kept)} of {len(samples)}")


torch.manual_seed(0)
torch.set_num_threads(1)
present = {file.stem for file in FOLDER.glob("*.json")}
for op in op_db:
    key = op.name.removeprefix("nn.functional.") + (f".{op.variant_test_name}" if op.variant_test_name else "")
    if key in present:
        write(op, key)
