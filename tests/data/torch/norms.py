"""Norms: PyTorch's side."""

import torch
import torch.nn.functional as F

from common import Theme

norms = Theme("norms")
formula = norms.formula
EDGES = "ties constant nan infs tiny far empty"
MAYBE = [{}, dict(absent=["b"]), dict(absent=["g", "b"])]


@formula("x: N C H W; g: C; b: C; rm: state C; rv: state C [0.5,2]", cases=EDGES.replace("empty", ""), batch="N",
         shapes=[dict(H=2, W=3), dict(N=1, H=1, W=2)], options=[dict(training=True, momentum=0.1, eps=1e-5), dict(training=False, momentum=0.1, eps=1e-5), dict(training=True, momentum=0.0, eps=1e-3)])
def batch_norm(x, g, b, rm, rv, training, momentum, eps):
    return F.batch_norm(x, rm, rv, g, b, training, momentum, eps)


@formula("x: N C; g: C; b: C", options=MAYBE, cases=EDGES.replace("empty", ""), shapes=[dict(N=6)])
def batch_norm_flat(x, g, b):
    return F.batch_norm(x, None, None, g, b, True, 0.1, 1e-5)


@formula("x: N L C; g: C; b: C", options=MAYBE, cases=EDGES + " one huge")
def layer_norm(x, g, b):
    return F.layer_norm(x, (x.shape[-1],), g, b, 1e-5)


@formula("x: N C H W; g: C H W; b: C H W", options=MAYBE, cases=EDGES + " one", shapes=[dict(C=2, H=2, W=3)])
def layer_norm_3(x, g, b):
    return F.layer_norm(x, x.shape[1:], g, b, 1e-6)


@formula("x: N C L; g: C; b: C", cases=EDGES + " one", shapes=[dict(C=3, L=4)])
def layer_norm_channels_first(x, g, b):
    u = x.mean(1, keepdim=True)
    s = (x - u).pow(2).mean(1, keepdim=True)
    x = (x - u) / torch.sqrt(s + 1e-6)
    return g[:, None] * x + b[:, None]


@formula("x: N C; g: C", cases=EDGES + " zeros one huge", options=[{}, dict(absent=["g"])])
def rms_norm(x, g):
    return F.rms_norm(x, (x.shape[-1],), g, 1e-6)


@formula("x: N C; g: C", cases=EDGES + " zeros one huge")
def rms_norm_gemma(x, g):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * (1 + g)


@formula("x: N 6 H W; g: 6; b: 6", cases=EDGES, shapes=[dict(H=2, W=3)], options=[dict(groups=3), dict(groups=1), dict(groups=6), dict(groups=2, absent=["g", "b"])])
def group_norm(x, g, b, groups):
    return F.group_norm(x, groups, g, b, 1e-5)


@formula("x: N C L; g: C; b: C", cases=EDGES.replace("empty", ""), options=MAYBE)
def instance_norm(x, g, b):
    return F.instance_norm(x, None, None, g, b, True, 0.1, 1e-5)


@formula("x: N C L; rm: state C; rv: state C [0.5,2]", cases="ties constant nan far")
def instance_norm_running(x, rm, rv):
    return F.instance_norm(x, rm, rv, None, None, True, 0.25, 1e-5)


@formula("x: N C H W", cases="ties zeros nan infs tiny empty one", shapes=[dict(C=5, H=2, W=2), dict(C=2, H=1, W=2)], options=[dict(size=5, alpha=0.1, beta=0.75, k=1.0), dict(size=2, alpha=1.0, beta=0.5, k=2.0), dict(size=3, alpha=0.3, beta=1.0, k=1.5)])
def local_response(x, size, alpha, beta, k):
    return F.local_response_norm(x, size, alpha, beta, k)


@formula("x: N S", cases="ties zeros nan infs tiny huge empty one", options=[dict(p=2.0), dict(p=1.0), dict(p=3.0)])
def normalize_p(x, p):
    return F.normalize(x, p, 1)


@formula("v: O I; g: O", cases="ties nan tiny huge one", batch="O")
def weight_norm(v, g):
    return torch._weight_norm(v, g[:, None], 0)


@formula("x: N I; v: O I; g: O; b: O", cases="ties nan tiny one empty")
def weight_normed_linear(x, v, g, b):
    return F.linear(x, torch._weight_norm(v, g[:, None], 0), b)


@formula("x: N I; w: O I 3; b: O", cases="ties constant nan tiny one", hostile="w", shapes=[{}])
def weight_standardised(x, w, b):
    v, m = torch.var_mean(w.flatten(1), 1, correction=0)
    w = (w - m[:, None, None]) / torch.sqrt(v + 1e-5)[:, None, None]
    return torch.einsum("ni,oik->nok", x, w) + b[:, None]


@formula("x: N C H W; s: N C; b: N C", cases=EDGES.replace("empty", ""), shapes=[dict(H=2, W=3)])
def adain(x, s, b):
    return F.instance_norm(x, eps=1e-5) * (1 + s[..., None, None]) + b[..., None, None]


@formula("x: N L C; s: N C; b: N C; gate: N C; r: N L C", cases=EDGES + " one")
def ada_layer_norm_zero(x, s, b, gate, r):
    return r + gate[:, None] * (F.layer_norm(x, (x.shape[-1],), eps=1e-6) * (1 + s[:, None]) + b[:, None])


@formula("x: N C H W; g: C; b: C", cases="ties zeros nan tiny empty one", shapes=[dict(H=2, W=3)])
def grn(x, g, b):
    gx = torch.sqrt((x * x).sum((2, 3), keepdim=True))  # `vector_norm` has the gradient 0 at 0
    nx = gx / (gx.mean(1, keepdim=True) + 1e-6)
    return g[:, None, None] * (x * nx) + b[:, None, None] + x


@formula("x: N C H W; g: C; b: C; tau: C", cases="ties zeros nan tiny empty one", shapes=[dict(H=2, W=3)])
def filter_response(x, g, b, tau):
    nu2 = x.pow(2).mean((2, 3), keepdim=True)
    y = g[:, None, None] * x * torch.rsqrt(nu2 + 1e-6) + b[:, None, None]
    return torch.maximum(y, tau[:, None, None])


@formula("x: N C H W", cases="ties constant nan tiny far empty", shapes=[dict(H=2, W=3)])
def pixel_norm_then_std(x):
    y = x * torch.rsqrt((x * x).mean(1, keepdim=True) + 1e-8)
    s = torch.sqrt(y.var(0, correction=0) + 1e-8).mean()
    return torch.cat([y, s.expand(y.shape[0], 1, *y.shape[2:])], 1)


@formula("x: N C; g: C; b: C; r: C; d: C", cases="ties constant nan far", shapes=[dict(N=6)])
def batch_renorm(x, g, b, r, d):
    m, s = x.mean(0), torch.sqrt(x.var(0, correction=0) + 1e-3)
    rr = torch.clamp(s.detach() / (0.5 + r.abs().detach()), 1 / 3, 3.0)
    dd = torch.clamp(d.detach(), -5.0, 5.0)
    return ((x - m) / s * rr + dd) * g + b


@formula("x: N C L; w: 3; v: 3", cases="ties constant nan", shapes=[dict(N=4)])
def switchable(x, w, v):
    mi, vi = x.mean(2, keepdim=True), x.var(2, correction=0, keepdim=True)
    ml, vl = mi.mean(1, keepdim=True), x.var((1, 2), correction=0, keepdim=True)
    mb, vb = mi.mean(0, keepdim=True), x.var((0, 2), correction=0, keepdim=True)
    w, v = w.softmax(0), v.softmax(0)
    return (x - (w[0] * mi + w[1] * ml + w[2] * mb)) / torch.sqrt(v[0] * vi + v[1] * vl + v[2] * vb + 1e-5)


@formula("x: N C L; alpha: diff; g: C; b: C", cases="ties zeros nan infs tiny one empty huge")
def dynamic_tanh(x, alpha, g, b):
    return g[:, None] * torch.tanh(alpha * x) + b[:, None]


@formula("x: N L C; sc: diff", cases="ties zeros nan tiny one empty")
def scale_norm(x, sc):
    return sc * x / torch.clamp_min(torch.linalg.vector_norm(x, dim=-1, keepdim=True), 1e-5)


@formula("x: N C L; g: C; b: C", cases="ties constant nan far empty")
def standardised_relu(x, g, b):
    return F.relu(F.layer_norm(x.transpose(1, 2), (x.shape[1],), g, b, 1e-5)).transpose(1, 2).max(2).values


@formula("a: N S; b: N S", cases="ties zeros nan infs tiny huge one empty")
def cosine(a, b):
    return F.cosine_similarity(a, b, 1, 1e-8)


@formula("a: N S; b: N S", cases="ties zeros nan infs tiny one empty", hostile="a b")
def pairwise(a, b):
    return torch.sqrt(((a - b + 1e-6) ** 2).sum(1))


@formula("a: N S; b: M S", cases="ties nan one empty", shapes=[dict(M=5)], hostile="a b")
def distances(a, b):
    return torch.sqrt(((a[:, None] - b) ** 2).sum(-1)), (a[:, None] - b).abs().sum(-1)


@formula("x: N C", cases="ties constant nan far", shapes=[dict(N=5)])
def covariance(x):
    return torch.cov(x.T, correction=1)


@formula("x: N C", cases="ties nan far", shapes=[dict(N=5)])
def correlation(x):
    z = (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + 1e-8)
    return z.T @ z / x.shape[0]


@formula("x: N S", cases="ties constant nan", shapes=[dict(S=9)])
def moments(x):
    m = x.mean(1, keepdim=True)
    v = ((x - m) ** 2).mean(1, keepdim=True)
    z = (x - m) / torch.sqrt(v + 1e-9)
    return m[:, 0], v[:, 0], (z**3).mean(1), (z**4).mean(1) - 3
