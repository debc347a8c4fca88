"""Recurrences, blocks of networks, gates, state, and the rest: PyTorch's side."""

import math

import torch
import torch.nn.functional as F

from common import Theme

networks = Theme("networks")
formula = networks.formula
CELL = dict(shapes=[dict(N=2, I=3, D=4, T=4)], cases="ties zeros nan infs tiny empty one", hostile="x")


@formula("x: N I; h: N D; w: D I; u: D D; b: D", **{**CELL, "cases": "ties zeros nan infs tiny empty one"})
def rnn_cell(x, h, w, u, b):
    return torch.tanh(x @ w.T + h @ u.T + b)


@formula("x: N I; h: N D; c: N D; w: 4 D I; u: 4 D D; b: 4 D", **CELL)
def lstm_cell(x, h, c, w, u, b):
    w, u, b = w.reshape(-1, w.shape[-1]), u.reshape(-1, u.shape[-1]), b.reshape(-1)
    return torch.lstm_cell(x, (h, c), w, u, b, torch.zeros_like(b))


@formula("x: N I; h: N D; w: 3 D I; u: 3 D D; bi: 3 D; bh: 3 D", **CELL)
def gru_cell(x, h, w, u, bi, bh):
    return torch.gru_cell(x, h, w.reshape(-1, w.shape[-1]), u.reshape(-1, u.shape[-1]), bi.reshape(-1), bh.reshape(-1))


@formula("x: N T D; a: D [0.1,0.9]; h: N D", shapes=[dict(N=2, T=5, D=3)], cases="ties nan tiny one empty zeros infs")
def leaky_scan(x, a, h):
    out = []
    for t in range(x.shape[1]):
        h = a * h + (1 - a) * x[:, t]
        out.append(h)
    return torch.stack(out, 1)


@formula("x: N T D; f: N T D; z: N T D", shapes=[dict(N=2, T=5, D=3)], cases="ties nan tiny one zeros", hostile="x f")
def sru(x, f, z):
    c, out = torch.zeros(x.shape[0], x.shape[2]), []
    for t in range(x.shape[1]):
        g = torch.sigmoid(f[:, t])
        c = g * c + (1 - g) * x[:, t]
        out.append(torch.tanh(c) * torch.sigmoid(z[:, t]))
    return torch.stack(out, 1)


@formula("x: N T D; dt: N T D; a: D K [-1,-0.1]; b: N T K; c: N T K", shapes=[dict(N=2, T=4, D=3, K=2)], cases="ties nan tiny one zeros", hostile="x")
def selective_scan(x, dt, a, b, c):
    dt = F.softplus(dt)
    h, out = torch.zeros(x.shape[0], x.shape[2], a.shape[1]), []
    for t in range(x.shape[1]):
        h = torch.exp(dt[:, t, :, None] * a) * h + (dt[:, t] * x[:, t])[..., None] * b[:, t, None]
        out.append((h * c[:, t, None]).sum(-1))
    return torch.stack(out, 1)


@formula("r: N T; v: N T", shapes=[dict(T=5)], cases="ties nan tiny one zeros infs")
def discounted(r, v):
    g, out = torch.zeros(r.shape[0]), []
    for t in reversed(range(r.shape[1])):
        g = r[:, t] + 0.9 * g
        out.append(g)
    return torch.stack(out[::-1], 1) - v


@formula("x: N C H W; w1: K C; b1: K; w2: C K; b2: C", shapes=[dict(N=2, C=4, K=2, H=2, W=3)], cases="ties zeros nan tiny empty one")
def squeeze_excite(x, w1, b1, w2, b2):
    s = x.mean((2, 3))
    s = torch.sigmoid(F.linear(F.relu(F.linear(s, w1, b1)), w2, b2))
    return x * s[..., None, None]


@formula("x: N C H W; w1: C C 3 3; g1: C; b1: C; w2: C C 3 3; g2: C; b2: C", shapes=[dict(N=2, C=2, H=3, W=4)], cases="ties nan")
def residual(x, w1, g1, b1, w2, g2, b2):
    y = F.relu(F.batch_norm(F.conv2d(x, w1, padding=1), None, None, g1, b1, True))
    y = F.batch_norm(F.conv2d(y, w2, padding=1), None, None, g2, b2, True)
    return F.relu(y + x)


@formula("x: N C H W; w: C 7 7; g: C; b: C; w1: E C; b1: E; w2: C E; b2: C; s: C", shapes=[dict(N=2, C=3, E=5, H=4, W=3)], cases="ties nan tiny")
def conv_next(x, w, g, b, w1, b1, w2, b2, s):
    y = F.conv2d(x, w[:, None], padding=3, groups=x.shape[1]).permute(0, 2, 3, 1)
    y = F.layer_norm(y, (x.shape[1],), g, b, 1e-6)
    y = F.linear(F.gelu(F.linear(y, w1, b1)), w2, b2) * s
    return x + y.permute(0, 3, 1, 2)


@formula("x: N C H W; we: E C; wd: E 3 3; wp: C E", shapes=[dict(N=2, C=2, E=4, H=4, W=3)], cases="ties nan tiny")
def inverted_residual(x, we, wd, wp):
    y = F.relu6(torch.einsum("nchw,ec->nehw", x, we))
    y = F.relu6(F.conv2d(y, wd[:, None], padding=1, groups=y.shape[1]))
    return x + torch.einsum("nehw,ce->nchw", y, wp)


@formula("x: N C H W; w: C 2 3 3", shapes=[dict(N=2, C=3, H=4, W=4)], cases="ties nan tiny")
def spatial_attention(x, w):
    s = torch.stack([x.mean(1), x.max(1).values], 1)
    return x * torch.sigmoid(F.conv2d(s, w[:1], padding=1))


@formula("x: N C L; w: 3", cases="ties nan tiny one")
def efficient_channel(x, w):
    s = F.conv1d(x.mean(2)[:, None], w[None, None], padding=1)[:, 0]
    return x * torch.sigmoid(s)[..., None]


@formula("x: N I; t: N I; wt: I I; bt: I; wh: I I", cases="ties zeros nan tiny empty one")
def highway(x, t, wt, bt, wh):
    g = torch.sigmoid(F.linear(x, wt, bt))
    return g * F.relu(x @ wh.T) + (1 - g) * x + t * 0.5


@formula("x: N I; w: O I; b: O; r: state O", cases="ties nan one tiny", options=[dict(training=True), dict(training=False)])
def normalised_linear(x, w, b, r, training):
    y = F.linear(x, w, b)
    if training:
        with torch.no_grad():
            r.mul_(0.9).add_(0.1 * y.abs().mean(0))
    return y / (r + 1.0).detach()


@formula("x: N I; w: O I; b: O; s: O", options=[{}, dict(absent=["b"]), dict(absent=["s"]), dict(absent=["b", "s"])], cases="ties nan infs one tiny empty")
def optional_linear(x, w, b, s):
    y = x @ w.T
    if s is not None:
        y = y * torch.exp(s)
    return y if b is None else y + b


@formula("a: N I; b: N I; w: O I I", cases="ties nan one tiny empty")
def bilinear(a, b, w):
    return F.bilinear(a, b, w)


@formula("x: N 6; b: 6", cases="ties nan tiny")
def factorised_machine(x, b):
    e = x[:, :, None] * torch.stack([b, b.flip(0)], 1)
    return 0.5 * (e.sum(1) ** 2 - (e**2).sum(1)).sum(1)


@formula("x: N I; mu: K I; ls: K I; lp: K", cases="ties nan tiny one", hostile="x")
def gaussian_mixture(x, mu, ls, lp):
    d = (x[:, None] - mu) / ls.exp()
    l = -0.5 * (d**2).sum(2) - ls.sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi) + F.log_softmax(lp, 0)
    return torch.logsumexp(l, 1), torch.softmax(l, 1)


@formula("x: N I; s: I; t: I; w: I", cases="ties nan tiny zeros one")
def planar_flow(x, s, t, w):
    a = torch.tanh(x @ w + 0.1)
    z = x + s * a[:, None]
    psi = (1 - a**2)[:, None] * w
    return z * torch.exp(t), torch.log(torch.abs(1 + psi @ s) + 1e-9)


@formula("x: N T; y: N T", shapes=[dict(T=6)], cases="ties nan one zeros constant", hostile="x y")
def pearson_lags(x, y):
    y = torch.roll(y, 1, 1)
    a, b = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    return (a * b).sum(1) / torch.sqrt((a * a).sum(1) * (b * b).sum(1) + 1e-8)


@formula("a: N K; h: const K K", shapes=[dict(K=4)], cases="ties nan tiny one")
def graph_layer(a, h):
    adj = (h > 0).double() + torch.eye(h.shape[0])
    d = adj.sum(1).rsqrt()
    return F.relu(a @ (d[:, None] * adj * d))


@formula("x: N S; k: diff; c: diff", shapes=[dict(S=5)], cases="ties nan infs tiny one empty zeros")
def learned_soft_threshold(x, k, c):
    t = F.softplus(k)
    return torch.sign(x) * F.relu(x.abs() - t) + c * x


@formula("x: N D; g: N D D", shapes=[dict(D=3)], cases="ties nan tiny one")
def quadratic_form(x, g):
    a = g @ g.transpose(1, 2) + torch.eye(g.shape[1])
    return (x[:, None] @ a @ x[..., None])[:, 0, 0], torch.diagonal(a, dim1=1, dim2=2).sum(1)


@formula("a: N S 3; b: N S 3", shapes=[dict(S=2)], cases="ties nan tiny")
def cross_product(a, b):
    return torch.cross(a, b, dim=-1), torch.atan2(torch.sqrt((torch.cross(a, b, dim=-1) ** 2).sum(-1) + 1e-30), (a * b).sum(-1))


@formula("x: N S; n: const N S", cases="ties nan tiny one zeros")
def newton_root(x, n):
    a = x.abs() + 1.0
    y = a
    for _ in range(4):
        y = 0.5 * (y + a / y)
    return y * n


@formula("x: N S; y: N S", cases="ties nan one zeros infs tiny", hostile="x y")
def interval(x, y):
    lo, hi = torch.minimum(x, y), torch.maximum(x, y)
    m = torch.stack([lo, hi], 2)
    return m.mean(2), hi - lo, (x >= y).long().argmax(1)


@formula("p: N S [0.1,0.9]", cases="one", shapes=[dict(S=5)])
def running_products(p):
    # the weights of alpha compositing
    t = torch.cumprod(torch.cat([torch.ones(len(p), 1), 1 - p], 1), 1)[:, :-1]
    return p * t


@formula("x: ; y: ; z: diff", cases="zeros nan infs tiny huge", hostile="x y")
def numbers(x, y, z):
    return x * torch.tanh(y) + z * x**2, torch.hypot(x, y + 2.0)
