"""Losses: PyTorch's side."""

import math

import torch
import torch.nn.functional as F

from common import Theme

losses = Theme("losses")
formula = losses.formula
PAIR = "ties zeros nan infs huge tiny empty one"
TWO = dict(cases=PAIR, hostile="x")


@formula("x: N C; t: N C", **TWO)
def mse(x, t):
    return F.mse_loss(x, t)


@formula("x: N C; t: N C", **TWO)
def mae(x, t):
    return F.l1_loss(x, t)


@formula("x: N C; t: N C", options=[dict(beta=1.0), dict(beta=0.3)], **TWO)
def smooth_l1(x, t, beta):
    return F.smooth_l1_loss(x, t, beta=beta)


@formula("x: N C; t: N C", options=[dict(delta=1.0), dict(delta=0.4)], **TWO)
def huber(x, t, delta):
    return F.huber_loss(x, t, delta=delta)


@formula("x: N C; t: N C", **TWO)
def log_cosh(x, t):
    d = x - t
    return (d + F.softplus(-2 * d, threshold=45.0) - math.log(2)).mean()


@formula("x: N C; t: N C", options=[dict(q=0.5), dict(q=0.9)], **TWO)
def quantile(x, t, q):
    e = t - x
    return torch.where(e >= 0, q * e, (q - 1) * e).mean()


@formula("x: N 3; t: N", cases=PAIR, hostile="x")
def pinball_many(x, t):
    q = torch.tensor([0.1, 0.5, 0.9])
    e = t[:, None] - x
    return torch.where(e > 0, q * e, (q - 1) * e).sum(1).mean()


@formula("x: N C; t: N C", cases=PAIR.replace("zeros", ""), hostile="x")
def charbonnier(x, t):
    return torch.sqrt((x - t) ** 2 + 1e-6).mean()


@formula("x: N C; t: N C", cases="ties zeros nan tiny empty one", hostile="x")
def wing(x, t):
    d = (x - t).abs()
    c = 0.5 - 0.5 * math.log(1 + 0.5 / 2.0)
    return torch.where(d < 0.5, 0.5 * torch.log(1 + d / 2.0), d - c).mean()


@formula("x: N C; t: N C [0.1,3]", cases="ties nan tiny empty one", hostile="x")
def msle(x, t):
    return ((torch.log1p(x.abs()) - torch.log1p(t)) ** 2).mean()


@formula("x: N S; label: label(S) N", cases=PAIR, options=[dict(smoothing=0.0), dict(smoothing=0.1)])
def cross_entropy(x, label, smoothing):
    return F.cross_entropy(x, label, label_smoothing=smoothing)


@formula("x: N S; label: label(S) N; w: const S [0.1,2]", cases=PAIR.replace("empty", ""), options=[dict(ignore=-100), dict(ignore=2)])
def cross_entropy_weighted(x, label, w, ignore):
    return F.cross_entropy(x, label, w, ignore_index=ignore)


@formula("x: N S H W; label: label(S) N H W", cases=PAIR, shapes=[dict(S=4, H=2, W=3)])
def cross_entropy_2d(x, label):
    return F.cross_entropy(x, label, reduction="sum")


@formula("x: N S; t: N S [0,1]", cases=PAIR)
def cross_entropy_soft(x, t):
    return F.cross_entropy(x, t)


@formula("x: N S; label: label(S) N", cases=PAIR, options=[dict(gamma=2.0, alpha=0.25), dict(gamma=0.5, alpha=1.0)])
def focal(x, label, gamma, alpha):
    logp = F.log_softmax(x, 1).gather(1, label[:, None])[:, 0]
    p = logp.exp()
    return (-alpha * (1 - p) ** gamma * logp).mean()


@formula("x: N C; t: const N C [0,1]", cases=PAIR)
def bce_logits(x, t):
    return F.binary_cross_entropy_with_logits(x, t)


@formula("x: N C; t: const N C [0,1]; pw: const C [0.5,2]", cases="ties zeros nan tiny empty one")
def bce_logits_weighted(x, t, pw):
    # by the same steps, which have a kink at 0 that F.binary_cross_entropy_with_logits has not
    return (1 - t) * x + (1 + (pw - 1) * t) * (torch.log1p(torch.exp(-x.abs())) + F.relu(-x))


@formula("x: N C [0.01,0.99]; t: const N C [0,1]", cases="empty one")
def bce(x, t):
    return F.binary_cross_entropy(x, t)


@formula("x: N C; t: const N C [0,1]", cases="ties zeros nan tiny empty one")
def focal_binary(x, t):
    p = torch.sigmoid(x)
    ce = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    pt = p * t + (1 - p) * (1 - t)
    return ((0.25 * t + 0.75 * (1 - t)) * ce * (1 - pt) ** 2).mean()


@formula("x: N C H W; t: const N C H W [0,1]", cases="ties zeros nan infs huge tiny one", shapes=[dict(H=2, W=3)])
def dice(x, t):
    p = torch.sigmoid(x)
    i = (p * t).sum((2, 3))
    return (1 - (2 * i + 1) / (p.sum((2, 3)) + t.sum((2, 3)) + 1)).mean()


@formula("x: N S; label: label(S) N", cases="ties zeros nan tiny one", shapes=[dict(N=4)])
def soft_dice_multiclass(x, label):
    p = F.softmax(x, 1)
    t = F.one_hot(label, x.shape[1]).double()
    return 1 - ((2 * (p * t).sum(0) + 1e-5) / (p.sum(0) + t.sum(0) + 1e-5)).mean()


@formula("x: N S; t: const N S [0,1]", cases="ties zeros nan tiny one")
def tversky(x, t):
    p = torch.sigmoid(x)
    tp, fp, fn = (p * t).sum(1), (p * (1 - t)).sum(1), ((1 - p) * t).sum(1)
    return ((1 - (tp + 1) / (tp + 0.3 * fp + 0.7 * fn + 1)) ** 0.75).mean()


@formula("x: N S; t: N S [0.05,1]", cases="ties zeros nan tiny empty one")
def kl(x, t):
    return F.kl_div(F.log_softmax(x, 1), t, reduction="batchmean")


@formula("x: N S; t: N S", cases=PAIR.replace("huge", "").replace("infs", ""), hostile="x", options=[dict(temperature=1.0), dict(temperature=4.0)])
def distillation(x, t, temperature):
    a, b = F.log_softmax(x / temperature, 1), F.log_softmax(t / temperature, 1)
    return (b.exp() * (b - a)).sum(1).mean() * temperature**2


@formula("x: N S; t: N S", cases="ties zeros nan tiny empty one", hostile="x")
def jensen_shannon(x, t):
    p, q = F.softmax(x, 1), F.softmax(t, 1)
    m = (p + q) / 2
    return ((p * (p / m).log()).sum(1) / 2 + (q * (q / m).log()).sum(1) / 2).mean()


@formula("mu: N S; lv: N S", cases="ties zeros nan infs tiny empty one", hostile="mu lv")
def kl_gaussian(mu, lv):
    return -0.5 * (1 + lv - mu**2 - lv.exp()).sum(1).mean()


@formula("x: N C; t: N C; v: N C [0.1,2]", cases="ties nan tiny empty one", hostile="x", options=[dict(full=False), dict(full=True)])
def gaussian_nll(x, t, v, full):
    return F.gaussian_nll_loss(x, t, v, full=full, eps=1e-6)


@formula("x: N C; t: const N C [0,4]", cases="ties zeros nan infs tiny empty one", options=[dict(log_input=True), dict(log_input=False)])
def poisson_nll(x, t, log_input):
    if not log_input:
        x = x.abs()
    return F.poisson_nll_loss(x, t, log_input=log_input)


@formula("a: N S; p: N S; n: N S", cases="ties nan tiny empty one", hostile="a p n")
def triplet(a, p, n):
    return F.triplet_margin_loss(a, p, n, margin=0.8)


@formula("a: N; b: N; y: const N", cases="zeros nan infs huge tiny empty one", hostile="a b")
def margin_ranking(a, b, y):
    return F.margin_ranking_loss(a, b, torch.sign(y), 0.3)


@formula("x: N; y: const N", cases="zeros nan infs tiny empty one")
def hinge_embedding(x, y):
    return F.hinge_embedding_loss(x, torch.where(y > 0, 1.0, -1.0), 1.0)


@formula("a: N S; b: N S; y: const N", cases="ties nan tiny one empty", hostile="a b")
def cosine_embedding(a, b, y):
    c = (a * b).sum(1) / torch.sqrt(((a * a).sum(1) + 1e-12) * ((b * b).sum(1) + 1e-12))
    return torch.where(y > 0, 1 - c, torch.clamp_min(c - 0.1, 0)).mean()


@formula("x: N S; label: label(S) N", cases="ties zeros nan infs tiny empty one", options=[dict(p=1), dict(p=2)])
def multi_margin(x, label, p):
    z = F.relu(1.0 - x.gather(1, label[:, None]) + x) ** p
    return (torch.where(F.one_hot(label, x.shape[1]) > 0, 0.0, z).sum(1) / x.shape[1]).mean()


@formula("x: N C; t: const N C [0,1]", cases="ties zeros nan infs tiny empty one")
def multilabel_soft_margin(x, t):
    return F.multilabel_soft_margin_loss(x, t)


@formula("x: N C; t: const N C", cases="ties zeros nan infs tiny empty one huge")
def soft_margin(x, t):
    return F.softplus(-torch.sign(t) * x, threshold=45.0).mean()


@formula("x: N; t: const N", cases="ties zeros nan infs tiny empty one huge")
def squared_hinge(x, t):
    return (torch.clamp_min(1 - torch.sign(t) * x, 0.0) ** 2).mean()


@formula("a: N S; b: N S", cases="ties nan one", shapes=[dict(N=5, S=3)], hostile="a b")
def info_nce(a, b):
    a, b = F.normalize(a, dim=1), F.normalize(b, dim=1)
    logits = a @ b.T / 0.1
    label = torch.arange(len(a))
    return (F.cross_entropy(logits, label) + F.cross_entropy(logits.T, label)) / 2


@formula("z: 6 S", cases="ties nan", shapes=[dict(S=3)])
def nt_xent(z):
    z = F.normalize(z, dim=1)
    s = (z @ z.T / 0.5).masked_fill(torch.eye(6, dtype=torch.bool), -math.inf)
    return F.cross_entropy(s, (torch.arange(6) + 3) % 6)


@formula("a: N S; b: N S", cases="ties constant", shapes=[dict(N=5, S=3)], hostile="a b")
def barlow(a, b):
    za = (a - a.mean(0)) / torch.sqrt(a.var(0, correction=0) + 1e-5)
    zb = (b - b.mean(0)) / torch.sqrt(b.var(0, correction=0) + 1e-5)
    c = za.T @ zb / a.shape[0]
    eye = torch.eye(c.shape[0])
    return (((c - eye) ** 2) * torch.where(eye > 0, 1.0, 0.005)).sum()


@formula("a: N S; b: N S", cases="ties constant", shapes=[dict(N=5, S=3)], hostile="a b")
def vicreg(a, b):
    n, s = a.shape
    std = [F.relu(1 - torch.sqrt(x.var(0, correction=1) + 1e-4)).mean() for x in (a, b)]
    cov = []
    for x in (a, b):
        c = torch.cov(x.T)
        cov.append((c**2).sum() / s - (torch.diagonal(c) ** 2).sum() / s)
    return 25 * F.mse_loss(a, b) + 25 * (std[0] + std[1]) / 2 + cov[0] + cov[1]


@formula("z: N S; label: const N", cases="ties nan", shapes=[dict(N=6, S=3)], hostile="z")
def sup_con(z, label):
    label = label > 0
    z = F.normalize(z, dim=1)
    s = z @ z.T / 0.3
    self_ = torch.eye(len(z), dtype=torch.bool)
    logp = s - torch.logsumexp(s.masked_fill(self_, -math.inf), 1, keepdim=True)
    same = (label[:, None] == label) & ~self_
    return -((torch.where(same, logp, 0.0)).sum(1) / torch.clamp_min(same.sum(1), 1)).mean()


@formula("x: N D; w: S D; label: label(S) N", cases="ties nan one", hostile="x")
def arc_face(x, w, label):
    c = F.normalize(x, dim=1) @ F.normalize(w, dim=1).T
    sine = torch.sqrt(torch.clamp(1 - c * c, 1e-9, 1.0))
    phi = c * math.cos(0.5) - sine * math.sin(0.5)
    phi = torch.where(c > math.cos(math.pi - 0.5), phi, c - math.sin(math.pi - 0.5) * 0.5)
    hot = F.one_hot(label, w.shape[0]).bool()
    return F.cross_entropy(16.0 * torch.where(hot, phi, c), label)


@formula("x: N D; w: S D; label: label(S) N", cases="ties nan one", hostile="x")
def cos_face(x, w, label):
    c = F.normalize(x, dim=1) @ F.normalize(w, dim=1).T
    return F.cross_entropy(8.0 * (c - 0.35 * F.one_hot(label, w.shape[0])), label)


@formula("x: N D; c: S D; label: label(S) N", cases="ties nan one zeros empty", hostile="x")
def center_loss(x, c, label):
    return 0.5 * ((x - c[label]) ** 2).sum(1).mean() if len(x) else 0.5 * ((x - c[label]) ** 2).sum(1).mean()


@formula("x: N C H W", cases="ties zeros nan tiny one", shapes=[dict(C=2, H=3, W=4)])
def total_variation(x):
    return ((x[..., 1:, :] - x[..., :-1, :]).abs()).sum() + ((x[..., 1:] - x[..., :-1]).abs()).sum()


@formula("b: N 4 [0,1]; t: N 4 [0,1]", cases="empty", shapes=[dict(N=6)])
def giou(b, t):
    def corners(z):
        c, s = z[:, :2], z[:, 2:]
        return c - s / 2, c + s / 2

    (b0, b1), (t0, t1) = corners(b), corners(t)
    inter = torch.clamp_min(torch.minimum(b1, t1) - torch.maximum(b0, t0), 0).prod(1)
    union = (b1 - b0).prod(1) + (t1 - t0).prod(1) - inter
    hull = (torch.maximum(b1, t1) - torch.minimum(b0, t0)).prod(1)
    return (1 - inter / union + (hull - union) / hull).mean()


@formula("x: N S; y: N S", cases="ties nan one empty", hostile="x")
def concordance(x, y):
    mx, my = x.mean(1, keepdim=True), y.mean(1, keepdim=True)
    cov = ((x - mx) * (y - my)).mean(1)
    return 1 - 2 * cov / (x.var(1, correction=0) + y.var(1, correction=0) + (mx - my)[:, 0] ** 2 + 1e-9)


@formula("r: N S; old: const N S; adv: const N S", cases="ties zeros nan tiny empty one", hostile="r")
def ppo(r, old, adv):
    ratio = torch.exp(r - old)
    return -torch.minimum(ratio * adv, torch.clamp(ratio, 0.8, 1.2) * adv).mean()


@formula("c: N; rj: N", cases="ties zeros infs huge tiny empty one", hostile="c rj")
def dpo(c, rj):
    return -F.logsigmoid(0.1 * (c - rj)).mean()


@formula("x: N T; t: N T", cases="ties nan one", hostile="x")
def list_mle(x, t):
    # the list in the order of its indices
    lse = torch.logcumsumexp(x.flip(1), 1).flip(1)
    return ((lse - x) * torch.sigmoid(t)).sum(1).mean()


@formula("x: N S", cases="ties zeros nan infs tiny one empty")
def entropy(x):
    logp = F.log_softmax(x, 1)
    return -(logp.exp() * logp).sum(1)


@formula("p: N S [0.05,1]; t: N S [0.05,1]", cases="ties nan one", hostile="p t")
def earth_movers(p, t):
    p, t = p / p.sum(1, keepdim=True), t / t.sum(1, keepdim=True)
    return torch.sqrt(((p.cumsum(1) - t.cumsum(1)) ** 2).mean(1) + 1e-12).mean()


@formula("x: N C S; label: label(S) N C; m: const N C", cases="ties nan zeros one", hostile="x", shapes=[dict(S=4)])
def token_loss(x, label, m):
    nll = F.cross_entropy(x.flatten(0, 1), label.flatten(), reduction="none").reshape(label.shape)
    live = (m > 0).double()
    z = torch.logsumexp(x, 2)
    return ((nll + 1e-2 * z**2) * live).sum() / torch.clamp_min(live.sum(), 1.0), (x.argmax(2) == label).double().mean()
