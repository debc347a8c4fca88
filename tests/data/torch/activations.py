"""Activations: PyTorch's side."""

import math

import torch
import torch.nn.functional as F

from common import Theme

activations = Theme("activations")
ONE = dict(shapes=[dict(S=31)], cases="points ties empty", batch="S")
formula = activations.formula


def of_one(name, function, **options):
    side = (lambda f: lambda x, **options: f(x, **options))(function)
    side.__name__ = name
    formula("x: S", **ONE, **options)(side)


of_one("relu6", lambda x: F.relu6(x))
of_one("leaky_relu", lambda x, slope: F.leaky_relu(x, slope), options=[dict(slope=0.01), dict(slope=-0.5), dict(slope=1.5)])
of_one("elu", lambda x, alpha: F.elu(x, alpha), options=[dict(alpha=1.0), dict(alpha=0.3)])
of_one("celu", lambda x, alpha: torch.where(x > 0, x, alpha * torch.expm1(torch.where(x > 0, 0.0, x) / alpha)), options=[dict(alpha=1.5)])
of_one("selu", lambda x: F.selu(x))
of_one("gelu", lambda x: F.gelu(x))
of_one("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"))
of_one("quick_gelu", lambda x: x * torch.sigmoid(1.702 * x))
of_one("silu", lambda x: F.silu(x))
of_one("mish", lambda x: F.mish(x))
of_one("hardswish", lambda x: F.hardswish(x))
of_one("hardsigmoid", lambda x: F.hardtanh(x + 3, 0.0, 6.0) / 6)  # F.hardsigmoid multiplies by 1/6 in single precision
of_one("hardtanh", lambda x, lo, hi: F.hardtanh(x, lo, hi), options=[dict(lo=-1.0, hi=1.0), dict(lo=-0.5, hi=2.5)])
of_one("hardshrink", lambda x, lambd: F.hardshrink(x, lambd), options=[dict(lambd=0.5)])
of_one("softshrink", lambda x, lambd: F.softshrink(x, lambd), options=[dict(lambd=0.5)])
of_one("tanhshrink", lambda x: x - torch.tanh(x))
of_one("threshold", lambda x, t, v: F.threshold(x, t, v), options=[dict(t=0.5, v=-2.0)])
of_one("softsign", lambda x: x / (1 + torch.abs(x)))
of_one("logsigmoid", lambda x: F.logsigmoid(x))
of_one("softplus_beta", lambda x, beta, threshold: F.softplus(x, beta, threshold), options=[dict(beta=2.0, threshold=20.0), dict(beta=0.5, threshold=5.0)])
of_one("squared_relu", lambda x: torch.relu(x) ** 2)
of_one("bent_identity", lambda x: (torch.sqrt(x * x + 1) - 1) / 2 + x)
of_one("gaussian", lambda x: torch.exp(-(x**2)))
of_one("sinc", lambda x: torch.where(x == 0, 1.0, torch.sin(x) / torch.where(x == 0, 1.0, x)))
of_one("snake", lambda x, a: x + torch.sin(a * x) ** 2 / a, options=[dict(a=0.7)])
of_one("sigmoid_by_hand", lambda x: 1 / (1 + torch.exp(-x)))
of_one("tanh_by_hand", lambda x: 2 * torch.sigmoid(2 * x) - 1)
of_one("isru", lambda x, a: x * torch.rsqrt(1 + a * x * x), options=[dict(a=3.0)])
of_one("isrlu", lambda x, a: torch.where(x < 0, x / torch.sqrt(1 + a * x * x), x), options=[dict(a=3.0)])
of_one("symlog", lambda x: torch.sign(x) * torch.log1p(torch.abs(x)))
of_one("smooth_step", lambda x: (t := torch.clamp((x + 1) / 2, 0, 1)) * t * (3 - 2 * t))
of_one("lisht", lambda x: x * torch.tanh(x))
of_one("phish", lambda x: x * torch.tanh(F.gelu(x)))
of_one("logit", lambda x, eps: torch.logit(torch.clamp(x, eps, 1 - eps)), options=[dict(eps=1e-6)])
of_one("triangle", lambda x: torch.clamp_min(1 - torch.abs(x), 0.0))
of_one("sawtooth", lambda x: x - torch.floor(x))
of_one("round_straight", lambda x: x + (torch.round(x) - x).detach())
of_one("one_of_seven", lambda x, kind: [x, F.relu(x), torch.tanh(x), torch.sigmoid(x), F.silu(x), torch.sin(x), x**2][kind], options=[dict(kind=k) for k in range(7)])


@formula("x: N C S; w: C [-0.5,0.5]", cases="points ties empty one", hostile="x")
def prelu(x, w):
    return F.prelu(x, w)


@formula("x: N C; a: diff; b: diff", cases="points ties empty one")
def pade(x, a, b):
    return (x + a * x**2) / (1 + torch.abs(b * x))


@formula("x: N S; beta: diff", shapes=[dict(S=31, N=1)], cases="points empty")
def swish_learned(x, beta):
    return x * torch.sigmoid(beta * x)


@formula("x: N S; p1: C; p2: C; beta: C", shapes=[dict(S=4)], cases="ties nan one", hostile="x")
def acon_c(x, p1, p2, beta):
    d = (p1 - p2) * x
    return d * torch.sigmoid(beta * d) + p2 * x


@formula("x: N 8", cases="ties zeros nan infs huge tiny empty")
def glu(x):
    return F.glu(x, 1)


@formula("x: N 8", cases="ties zeros nan infs huge tiny empty")
def geglu(x):
    a, b = x.chunk(2, 1)
    return a * F.gelu(b)


@formula("x: N C; gate: N C; value: N C", cases="ties zeros nan infs tiny empty one")
def swiglu(x, gate, value):
    return F.silu(x * gate) * value


@formula("x: N G K C", cases="ties nan empty one")
def maxout(x):
    return x.max(2).values


@formula("x: N 8", cases="ties nan infs empty")
def crelu(x):
    return torch.cat([F.relu(x), F.relu(-x)], 1)


@formula("x: N S", cases="zeros ties nan infs neginf allneginf huge tiny one empty", options=[dict(t=1.0), dict(t=0.3)])
def softmax_t(x, t):
    return F.softmax(x / t, 1)


@formula("x: N S", cases="zeros ties nan infs neginf allneginf huge tiny one empty")
def log_softmax_shifted(x):
    return F.log_softmax(x, 1)


@formula("x: N S", cases="zeros ties nan huge tiny one empty")
def softmin(x):
    return F.softmin(x, 1)


@formula("x: N C H W", cases="zeros ties nan huge tiny one empty")
def softmax_2d(x):
    return F.softmax(x, 1)


@formula("x: N S", cases="ties zeros nan infs tiny one empty")
def spatial_softargmax(x):
    return (F.softmax(x, 1) * torch.arange(x.shape[1])).sum(1)


@formula("x: N S", cases="ties zeros nan tiny one empty")
def squash(x):
    n2 = (x * x).sum(1, keepdim=True)
    return n2 / (1 + n2) * x / torch.sqrt(n2 + 1e-8)


@formula("x: N S; b: const N S", cases="ties zeros nan huge tiny one empty")
def straight_gumbel(x, b):
    y = F.softmax((x + b) / 0.5, 1)
    hard = F.one_hot(y.argmax(1), x.shape[1]).double()
    return hard - y.detach() + y


@formula("x: N C; c: 5 [-1,1]", cases="ties zeros nan one empty")
def rbf(x, c):
    return torch.exp(-((x[..., None] - c) ** 2) / 0.5).sum(-1)


@formula("x: N 6", cases="ties zeros nan infs huge tiny empty")
def top_half(x):
    a = x.reshape(-1, 3, 2)
    return torch.maximum(a[..., 0], a[..., 1]), torch.minimum(a[..., 0], a[..., 1])
