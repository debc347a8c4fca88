"""What the tables of formulas share: cases drawn from a seed, and the form that they are stored in.

One THEME.json and one THEME.safetensors a theme, in the form of ../opinfo: a list of samples with `args`, `kwargs` (with the
formula's name and the case's), `outputs`, `cotangents`, `grads`, `written`.
"""

import json
import math
import zlib

import torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

# Of these each is tried with each, in an operation of two.
PAIRED = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -2.0, 1e-30, 1e200, -1e200, math.inf, -math.inf, math.nan]
INF, NAN = math.inf, math.nan
SIZES = dict(N=3, C=4, D=5, H=5, W=6, L=7, T=5, I=4, O=3, K=3, G=2, S=6)
# At these an operation of one number may misbehave.
POINTS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3.0, -3.0, 6.0, 0.3, -0.7, 20.5, -20.5, 40.0, -40.0, 710.0, -745.0]
POINTS += [1e-30, -1e-30, 1e-8, 1e30, -1e30, 1e160, 1e-160, math.inf, -math.inf, math.nan]


def save(tensors, path):
    """The safetensors form: the header's length, the header, the numbers."""
    header, at = {}, 0
    for name, x in tensors.items():
        size = 8 * x.numel()
        header[name] = dict(dtype="I64" if x.dtype == torch.int64 else "F64", shape=list(x.shape), data_offsets=[at, at + size])
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    numbers = b"".join(x.numpy().tobytes() for x in tensors.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + numbers)


class Formula:
    """A formula of the table: PyTorch's side of it, and the arguments that it is tried with.

    `args`: the arguments in order; each "name: kind axes", where kind is nothing (a tensor), `const`, `state`, `diff`, or
    `label(n)`, and may be followed by a range of ordinary values in brackets, as `[0.1,2]`.
    `shapes`: sizes of axes that are not the usual ones, one dict an ordinary case.
    `options`: the formula's constants, one dict a variant; the first is tried with every case.
    `cases`: hostile cases; `points` stands for a table of delicate numbers.
    """

    def __init__(self, function, args, shapes, options, cases, hostile, batch):
        self.function, self.name = function, function.__name__.rstrip("_")
        self.args = [Argument(a) for a in args.split(";")]
        self.shapes, self.options, self.cases, self.batch = shapes or [{}], options or [{}], cases.split(), batch
        self.hostile = hostile.split() if hostile else [a.name for a in self.args if a.kind == ""][:1]


class Argument:
    def __init__(self, text):
        self.name, rest = (s.strip() for s in text.split(":", 1))
        self.range = None
        if "[" in rest:
            rest, limits = rest.rstrip("]").split("[")
            self.range = [float(v) for v in limits.split(",")]
        words = rest.split()
        kinds = ("const", "state", "diff")
        self.kind = words.pop(0) if words and (words[0] in kinds or words[0].startswith("label")) else ""
        self.axes = words

    def draw(self, generator, sizes, case):
        shape = [int(a) if a.isdigit() else sizes[a] for a in self.axes]
        if self.kind.startswith("label"):
            bound = self.kind[6:-1]
            return torch.randint(int(bound) if bound.isdigit() else sizes[bound], shape, generator=generator)
        if self.range:
            lo, hi = self.range
            return lo + (hi - lo) * torch.rand(shape, generator=generator)
        return torch.randn(shape, generator=generator)


def disturbed(x, case, generator, first):
    """The values of a hostile case in place of ordinary ones."""
    flat = x.clone().reshape(-1)
    if case == "ties":
        return torch.randint(-1, 2, x.shape, generator=generator).double()
    if case == "zeros":
        return torch.zeros_like(x)
    if case == "constant":
        return torch.full_like(x, 0.75)
    if case == "huge":
        return x * 1e30
    if case == "tiny":
        return x * 1e-30
    if case == "far":
        return x + 1e4
    if case == "points":
        return torch.tensor([POINTS[i % len(POINTS)] for i in range(len(flat))]).reshape(x.shape)
    if case == "crossed":
        grid = torch.tensor(PAIRED).expand(len(PAIRED), len(PAIRED))
        return grid.T.contiguous() if first else grid.contiguous()
    place = {"inf": [(0, INF)], "neginf": [(1, -INF)], "nan": [(1, NAN)], "nans": [(1, NAN), (2, NAN)], "infs": [(0, INF), (-1, -INF)]}.get(case, [])
    if case in ("allneginf", "allinf"):
        flat[: x.shape[-1]] = -INF if case == "allneginf" else INF
    for at, value in place:
        if len(flat):
            flat[at % len(flat)] = value
    return flat.reshape(x.shape)


class Theme:
    def __init__(self, name):
        self.name, self.formulas = name, []

    def formula(self, args, shapes=None, options=None, cases="ties zeros nan infs huge tiny empty one", hostile=None, batch="N"):
        def note(function):
            self.formulas.append(Formula(function, args, shapes, options, cases, hostile, batch))
            return function

        return note

    def write(self, folder):
        samples, tensors, seen = [], {}, {}
        for f in self.formulas:
            for k, options in enumerate(f.options):
                for j, shape in enumerate(f.shapes):
                    self.sample(samples, tensors, seen, f, f"plain{k}{j}" if k + j else "plain", {**SIZES, **shape}, options)
                if k == 0:
                    for case in f.cases:
                        sizes = {**SIZES, **f.shapes[0]}
                        if case == "empty":
                            sizes[f.batch] = 0
                        if case == "one":
                            sizes = dict.fromkeys(sizes, 1)
                        self.sample(samples, tensors, seen, f, case, sizes, options)
        (folder / f"{self.name}.json").write_text("[" + ",\n".join(json.dumps(s, separators=(",", ":")) for s in samples) + "]\n")
        save(tensors, folder / f"{self.name}.safetensors")
        print(self.name, len(self.formulas), "formulas", len(samples), "cases")

    def sample(self, samples, tensors, seen, f, case, sizes, options):
        generator = torch.Generator().manual_seed(zlib.crc32(f"{[(a.axes, a.kind) for a in f.args]} {case}".encode()))
        options = dict(options)
        absent = options.pop("absent", ())
        entry = dict(args=[], kwargs=dict(formula=f.name, case=case, **options), outputs=[], cotangents={}, grads={}, written={})

        def store(x):
            x = x.detach().clone().contiguous()
            # the same numbers are kept once
            known = seen.setdefault((x.dtype, x.shape, x.numpy().tobytes()), str(len(seen)))
            tensors[known] = x
            return {"tensor": known}

        values, given, states = {}, [], []
        for a in f.args:
            if a.name in absent:
                entry["args"].append(None)
                values[a.name] = None
                continue
            x = a.draw(generator, sizes, case)
            if a.name in f.hostile and not a.kind.startswith("label"):
                x = disturbed(x, case, generator, a.name == f.hostile[0])
            entry["args"].append(store(x))
            if a.kind in ("", "diff"):
                x = x.requires_grad_()
                given.append((a.name, x))
            if a.kind == "state":
                x = x.clone()
                states.append((a.name, x))
            values[a.name] = x
        try:
            outputs = f.function(**values, **options)
        except Exception as e:
            raise RuntimeError(f"{self.name} {f.name} {case} {options}") from e
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        entry["outputs"] = [store(y.double() if y.is_floating_point() else y.long()) for i, y in enumerate(outputs)]
        fed, cotangents = [], []
        for i, y in enumerate(outputs):
            if y.is_floating_point():
                dy = torch.randn(y.shape, generator=generator)
                entry["cotangents"][f"out{i}"] = store(dy)
                if y.requires_grad:
                    fed.append(y)
                    cotangents.append(dy)
        grads = torch.autograd.grad(fed, [x for _, x in given], cotangents, allow_unused=True) if fed and given else [None] * len(given)
        for (name, x), g in zip(given, grads):
            entry["grads"][name] = store(torch.zeros_like(x) if g is None else g)
        for name, x in states:
            entry["written"][name] = store(x)
        samples.append(entry)
