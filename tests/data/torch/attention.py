"""Attention and blocks of transformers: PyTorch's side."""

import math

import torch
import torch.nn.functional as F

from common import Theme

attention = Theme("attention")
formula = attention.formula


def attend(q, k, v, is_causal=False, attn_mask=0.0, scale=None):
    """F.scaled_dot_product_attention by its steps: its kernels have 0 for a row that is NaN."""
    s = q @ k.transpose(-1, -2) * (scale or q.shape[-1] ** -0.5) + attn_mask
    if is_causal:
        s = s.masked_fill(torch.ones(s.shape[-2:], dtype=torch.bool).triu(1), -math.inf)
    return torch.softmax(s, -1) @ v


QKV = "q: N G T D; k: N G L D; v: N G L O"
SMALL = [dict(N=2, G=2, T=3, L=4, D=4, O=3)]
HOSTILE = "ties zeros constant nan tiny empty one"


@formula(QKV, shapes=SMALL, cases=HOSTILE + " infs huge")
def plain(q, k, v):
    return attend(q, k, v)


@formula("q: N G L D; k: N G L D; v: N G L D", shapes=SMALL, cases=HOSTILE)
def causal(q, k, v):
    return attend(q, k, v, is_causal=True)


@formula(QKV + "; m: const N L", shapes=SMALL, cases=HOSTILE.replace("one", ""))
def padding_mask(q, k, v, m):
    keep = m > -0.5
    s = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    s = s.masked_fill(~keep[:, None, None], -math.inf)
    p = torch.softmax(s, -1)
    p = torch.where(keep.any(1)[:, None, None, None], p, 0.0)  # a row that sees nothing gives nothing
    return p @ v


@formula(QKV + "; b: T L", shapes=SMALL, cases=HOSTILE + " infs")
def biased(q, k, v, b):
    return attend(q, k, v, attn_mask=b, scale=0.3)


@formula("q: N G L D; k: N G L D; v: N G L D; slope: G", shapes=SMALL, cases=HOSTILE)
def alibi(q, k, v, slope):
    i = torch.arange(q.shape[2])
    d = (i[:, None] - i).double()
    s = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) - slope[:, None, None] * d
    return torch.softmax(s.masked_fill(d < 0, -math.inf), -1) @ v


@formula("q: N 4 L D; k: N 2 L D; v: N 2 L D", shapes=SMALL, cases="ties nan tiny empty")
def grouped_query(q, k, v):
    return attend(q, k.repeat_interleave(2, 1), v.repeat_interleave(2, 1))


def rotate(x, base=100.0):
    half = x.shape[-1] // 2
    a = torch.arange(x.shape[-2])[:, None] * base ** (-torch.arange(half) / half)
    c, s = a.cos(), a.sin()
    x1, x2 = x[..., :half], x[..., half:]
    return torch.cat([x1 * c - x2 * s, x2 * c + x1 * s], -1)


@formula("x: N L 6", cases="ties nan tiny empty one")
def rotary(x):
    return rotate(x)


@formula("q: N G L D; k: N G L D; v: N G L D", shapes=SMALL, cases="ties nan tiny")
def rotary_attention(q, k, v):
    return attend(rotate(q), rotate(k), v, is_causal=True)


@formula("x: N L 4; p: N L 4 ", cases="ties nan")
def rotary_interleaved(x, p):
    a = torch.arange(x.shape[1])[:, None] * torch.tensor([1.0, 0.1])
    z = torch.view_as_complex(x.reshape(*x.shape[:2], 2, 2)) * torch.polar(torch.ones_like(a), a)
    return torch.view_as_real(z).flatten(2) + p


@formula("q: N G L D; k: N G L D; v: N G L D", shapes=SMALL, cases="ties zeros nan tiny one")
def linear_attention(q, k, v):
    q, k = F.elu(q) + 1, F.elu(k) + 1
    return q @ (k.transpose(-1, -2) @ v) / (q @ k.sum(2)[..., None] + 1e-6)


@formula("q: N L D; k: N L D; v: N L O", shapes=SMALL, cases="ties zeros nan tiny one")
def causal_linear(q, k, v):
    q, k = F.relu(q) + 0.1, F.relu(k) + 0.1
    kv = (k[..., None] * v[..., None, :]).cumsum(1)
    z = k.cumsum(1)
    return (q[..., None] * kv).sum(2) / ((q * z).sum(2) + 1e-6)[..., None]


@formula("q: N L D; k: N L D; v: N L D", shapes=[dict(L=7)], cases="ties nan tiny")
def sliding_window(q, k, v):
    i = torch.arange(q.shape[1])
    near = (i[:, None] - i).abs() <= 2
    s = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
    return torch.softmax(s.masked_fill(~near, -math.inf), -1) @ v


@formula(QKV + "; tau: G", shapes=SMALL, cases="ties nan tiny one")
def cosine_attention(q, k, v, tau):
    q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
    s = q @ k.transpose(-1, -2) * torch.exp(torch.clamp(tau, max=math.log(100.0)))[:, None, None]
    return torch.softmax(s, -1) @ v


@formula(QKV, shapes=SMALL, cases="ties nan tiny one zeros")
def capped(q, k, v):
    s = 5.0 * torch.tanh(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) / 5.0)
    p = torch.softmax(s, -1)
    return p @ v, torch.logsumexp(s, -1), p.max(-1).values


@formula("q: N T D; k: N L D; v: N L D", shapes=SMALL, cases="ties nan tiny one zeros")
def sink(q, k, v):
    s = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    m = torch.clamp_min(s.max(-1, keepdim=True).values, 0.0).detach()
    e = torch.exp(s - m)
    return e @ v / (torch.exp(-m) + e.sum(-1, keepdim=True))


@formula("q: N T D; k: N L D; w: D; v: N L O", shapes=SMALL, cases="ties nan tiny one zeros")
def additive(q, k, w, v):
    s = torch.tanh(q[:, :, None] + k[:, None]) @ w
    return torch.softmax(s, -1) @ v


@formula("x: N L 6; wq: 6 6; wk: 6 6; wv: 6 6; wo: 6 6; g: 6", shapes=[dict(L=4)], cases="ties nan tiny empty")
def multi_head(x, wq, wk, wv, wo, g):
    n, l, c = x.shape
    h = F.layer_norm(x, (c,), g, None, 1e-5)
    q, k, v = [(h @ w.T).reshape(n, l, 2, 3).transpose(1, 2) for w in (wq, wk, wv)]
    y = attend(q, k, v, is_causal=True).transpose(1, 2).reshape(n, l, c)
    return x + y @ wo.T


@formula("x: N L 4; w1: 8 4; b1: 8; w2: 4 8; b2: 4; g: 4; b: 4", cases="ties nan tiny empty one")
def feed_forward(x, w1, b1, w2, b2, g, b):
    h = F.layer_norm(x, (x.shape[-1],), g, b, 1e-5)
    return x + F.linear(F.gelu(F.linear(h, w1, b1)), w2, b2)


@formula("x: N T D; w: S D; a: S O D", shapes=[dict(S=4)], cases="ties nan tiny empty one")
def soft_experts(x, w, a):
    p = torch.softmax(x @ w.T, -1)
    y = torch.einsum("ntd,sod->ntso", x, a)
    return (p[..., None] * y).sum(2), (p.mean((0, 1)) ** 2).sum() * w.shape[0]


@formula("x: N D; w: S D; a: S O D", shapes=[dict(S=4)], cases="nan tiny one")
def top_1_experts(x, w, a):
    p = torch.softmax(x @ w.T, -1)
    v, i = p.max(-1)
    y = torch.einsum("nd,nod->no", x, a[i])
    return v[:, None] * y


@formula("x: N L C; w: C", cases="ties zeros nan tiny one infs")
def attentive_pool(x, w):
    a = torch.softmax(torch.tanh(x) @ w, 1)
    return (a[..., None] * x).sum(1)


@formula("x: N C H W", shapes=[dict(C=3, H=2, W=3)], cases="ties zeros nan tiny one")
def non_local(x):
    f = x.flatten(2)
    s = torch.softmax(f.transpose(1, 2) @ f, -1)
    return (f @ s.transpose(1, 2)).reshape(x.shape) + x


@formula("u: N L K D", shapes=[dict(L=3, K=2, D=3)], cases="ties zeros nan tiny")
def routing(u):
    b = torch.zeros(u.shape[:3])
    for i in range(3):
        c = torch.softmax(b, 2)
        s = (c[..., None] * u).sum(1)
        n2 = (s * s).sum(-1, keepdim=True)
        v = n2 / (1 + n2) * s / torch.sqrt(n2 + 1e-8)
        b = b + (u * v[:, None]).sum(-1)
    return v
