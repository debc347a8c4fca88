"""Pools, convolutions, resampling and re-indexing: PyTorch's side."""

import math

import torch
import torch.nn.functional as F

from common import Theme

spatial = Theme("spatial")
formula = spatial.formula
EDGES = "ties zeros nan nans neginf huge tiny empty"
PLANE = [dict(C=2, H=5, W=6)]


def window(k, s=None, p=(0, 0), d=(1, 1), ceil=False):
    return dict(k=k, s=s or k, p=list(p), d=list(d), ceil=ceil)


WINDOWS = [window([2, 2]), window([3, 2], [2, 1], (1, 1), (1, 2)), window([3, 3], [2, 2], (1, 1), ceil=True), window([2, 3], [3, 2], (1, 0), ceil=True)]


@formula("x: N C H W", shapes=PLANE, options=WINDOWS, cases=EDGES.replace("neginf", "allneginf"))
def max_pool(x, k, s, p, d, ceil):
    return F.max_pool2d(x, k, s, p, d, ceil, return_indices=True)


@formula("x: N C H W", shapes=PLANE, options=[{**w, "count": c} for w in WINDOWS if w["d"] == [1, 1] for c in (True, False)], cases=EDGES + " infs")
def mean_pool(x, k, s, p, d, ceil, count):
    return F.avg_pool2d(x, k, s, p, ceil, count)


@formula("x: N C H W [0.1,2]", shapes=PLANE, options=[dict(p=2.0), dict(p=3.0), dict(p=1.0)], cases="empty tiny")
def lp_pool(x, p):
    return F.lp_pool2d(x, p, 2, 2)


@formula("x: N C L", options=[dict(k=3, s=2, p=1)], cases=EDGES)
def max_minus_mean(x, k, s, p):
    return F.max_pool1d(x, k, s, p) - F.avg_pool1d(x, k, s, p, count_include_pad=False)


@formula("x: N C H W", shapes=PLANE + [dict(C=2, H=7, W=4)], cases="ties nan tiny empty", options=[dict(size=[2, 3]), dict(size=[3, 4]), dict(size=[1, 1])])
def adaptive(x, size):
    return F.adaptive_avg_pool2d(x, size), F.adaptive_max_pool2d(x, size)


@formula("x: N C H W", cases="ties zeros nan nans one empty")
def global_pools(x):
    return torch.cat([x.mean((2, 3)), x.flatten(2).max(2).values], 1)


@formula("x: N C H W; w: O C 3 3; b: O", shapes=PLANE, cases="ties nan infs tiny empty", options=[dict(s=[1, 1], p=[1, 1], d=[1, 1]), dict(s=[2, 1], p=[0, 2], d=[1, 2])])
def conv(x, w, b, s, p, d):
    return F.conv2d(x, w, b, s, p, d)


@formula("x: N 4 H W; w: 6 2 3 3", shapes=PLANE, cases="ties nan tiny empty")
def grouped_conv(x, w):
    return F.conv2d(x, w, padding=1, groups=2)


@formula("x: N C H W; w: C 3 3", shapes=PLANE, cases="ties nan tiny empty")
def depthwise(x, w):
    return F.conv2d(x, w[:, None], padding=1, groups=x.shape[1])


@formula("x: N C L; w: O C 3; b: O", cases="ties nan tiny empty")
def causal_conv(x, w, b):
    return F.conv1d(F.pad(x, (4, 0)), w, b, dilation=2)


@formula("x: N C L; w: C O 3", cases="ties nan tiny empty")
def transposed_conv(x, w):
    return F.conv_transpose1d(x, w, stride=2, padding=1)


@formula("x: N C T H W; w: O C 2 2 2", shapes=[dict(N=2, C=2, T=3, H=3, W=3, O=2)], cases="ties nan")
def conv_3d(x, w):
    return F.conv3d(x, w, stride=1)


@formula("x: N C H W", shapes=PLANE, cases="ties nan")
def unfold(x):
    return F.unfold(x, (2, 3), padding=(1, 0), stride=(1, 2)).reshape(x.shape[0], x.shape[1], 6, -1)


@formula("x: N C 3 4", cases="ties nan")
def fold_1d(x):
    # overlap-add of frames of 4, 2 apart
    return F.fold(x.permute(0, 1, 3, 2).reshape(x.shape[0], -1, 3), (1, 8), (1, 4), stride=(1, 2))[:, :, 0]


@formula("x: N 8 H W", shapes=[dict(H=2, W=3)], cases="ties nan")
def pixel_shuffle(x):
    return F.pixel_shuffle(x, 2)


@formula("x: N C 4 6", cases="ties nan")
def pixel_unshuffle(x):
    return F.pixel_unshuffle(x, 2)


@formula("x: N 6 H W", shapes=[dict(H=2, W=2)], cases="ties nan")
def channel_shuffle(x):
    return F.channel_shuffle(x, 3)


@formula("x: N C L", cases="ties nan empty")
def upsample_nearest(x):
    return F.interpolate(x, scale_factor=3, mode="nearest")


@formula("x: N C L", cases="ties nan empty")
def tiled(x):
    return x.repeat(1, 1, 3)


@formula("x: N C H W", shapes=PLANE, cases="ties nan empty")
def upsample_bilinear(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


@formula("x: N C H W", shapes=PLANE, cases="ties nan empty", options=[dict(mode="reflect"), dict(mode="replicate"), dict(mode="circular"), dict(mode="constant")])
def padded(x, mode):
    return F.pad(x, (1, 2, 2, 1), mode, **(dict(value=0.5) if mode == "constant" else {})) ** 2


@formula("x: N C H W", shapes=PLANE, cases="ties zeros nan empty")
def sobel(x):
    k = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    c = x.shape[1]
    gx = F.conv2d(F.pad(x, (1, 1, 1, 1), "replicate"), k.expand(c, 1, 3, 3), groups=c)
    gy = F.conv2d(F.pad(x, (1, 1, 1, 1), "replicate"), k.T.expand(c, 1, 3, 3), groups=c)
    return torch.sqrt(gx**2 + gy**2 + 1e-6)


@formula("x: N C H W; y: N C H W", shapes=[dict(C=2, H=6, W=6)], cases="constant ties nan tiny", hostile="x y")
def ssim(x, y):
    pool = lambda z: F.avg_pool2d(z, 3, 1)
    mx, my = pool(x), pool(y)
    sx, sy, sxy = pool(x * x) - mx * mx, pool(y * y) - my * my, pool(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    return (((2 * mx * my + c1) * (2 * sxy + c2)) / ((mx**2 + my**2 + c1) * (sx + sy + c2))).mean()


@formula("x: N C H W", shapes=PLANE, cases="ties nan empty")
def blur_pool(x):
    k = torch.tensor([1.0, 2.0, 1.0]) / 4
    c = x.shape[1]
    return F.conv2d(F.pad(x, (1, 1, 1, 1), "reflect"), (k[:, None] * k).expand(c, 1, 3, 3), stride=2, groups=c)


@formula("x: N C H W", shapes=PLANE, cases="ties zeros nan")
def stochastic_free_pool(x):
    # probability-weighted pooling as in evaluation: sum of squares over the sum
    return F.avg_pool2d(x * x, 2) / (F.avg_pool2d(x.abs(), 2) + 1e-8)


@formula("x: N C H W", shapes=PLANE, cases="ties nan empty")
def soft_pool(x):
    e = torch.exp(x)
    return F.avg_pool2d(x * e, 2) / F.avg_pool2d(e, 2)


@formula("x: N C L", cases="ties nan nans neginf")
def log_sum_exp_pool(x):
    return torch.logsumexp(x.unfold(2, 3, 2), 3)


@formula("x: N C L", cases="ties zeros nan constant")
def moving_variance(x):
    w = x.unfold(2, 3, 1)
    return w.var(3, correction=0), w.prod(3), w.min(3).values


@formula("x: N C H W; y: N C H W", shapes=[dict(C=2, H=4, W=4)], cases="ties nan")
def max_unpool(x, y):
    p, i = F.max_pool2d(x, 2, return_indices=True)
    return F.max_unpool2d(p, i, 2) + y


@formula("x: N C H W", shapes=[dict(C=2, H=4, W=4)], cases="ties zeros nan")
def pyramid(x):
    return torch.cat([F.adaptive_max_pool2d(x, k).flatten(1) for k in (1, 2, 4)], 1)


@formula("x: N L C", cases="ties nan empty", options=[dict(by=2), dict(by=-3)])
def time_shift(x, by):
    y = torch.zeros_like(x)
    n = x.shape[1]
    y[:, max(by, 0) : n + min(by, 0)] = x[:, max(-by, 0) : n - max(by, 0)]
    return torch.roll(x, by, 1) * x + y - x.flip(1)


@formula("w: 7 D; label: label(7) N L; p: L D", cases="nan ties empty", hostile="w", shapes=[dict(L=4)])
def embedded(w, label, p):
    return F.embedding(label, w) + p


@formula("x: N D; label: label(4) N", cases="nan ties empty", shapes=[dict(N=6)])
def segment_sums(x, label):
    s = torch.zeros(4, x.shape[1]).index_add(0, label, x)
    n = torch.zeros(4).index_add(0, label, torch.ones(len(label)))
    return s / torch.clamp_min(n, 1.0)[:, None], s


@formula("x: N C L", cases="ties zeros nan", shapes=[dict(L=6)])
def haar(x):
    a, b = x[..., 0::2], x[..., 1::2]
    return (a + b) / math.sqrt(2), (a - b) / math.sqrt(2)


@formula("x: N C H W; g: N H W", shapes=[dict(C=2, H=4, W=4)], cases="ties nan", hostile="x")
def involution(x, g):
    p = F.pad(x, (1, 1, 1, 1)).unfold(2, 3, 1).unfold(3, 3, 1)
    return (p * g[:, None, :, :, None, None]).sum((-1, -2))
