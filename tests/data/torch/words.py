"""Words alone, where they are delicate: PyTorch's side."""

import math

import torch
import torch.nn.functional as F

from common import Theme

words = Theme("words")
CASES = "points empty"
LARGE = dict(S=31)


def unary(name, function, cases=CASES):
    def side(x):
        return function(x)

    side.__name__ = name
    words.formula("x: S", shapes=[LARGE], cases=cases, batch="S")(side)


for name, function in {
    "neg": torch.neg,
    "square": torch.square,
    "root": torch.sqrt,
    "reciprocal_root": torch.rsqrt,
    "reciprocal": torch.reciprocal,
    "power_0": lambda x: x**0,
    "power_1": lambda x: x**1,
    "power_2": lambda x: x**2,
    "power_3": lambda x: x**3,
    "power_minus_1": lambda x: x**-1,
    "power_minus_2": lambda x: x**-2,
    "power_half": lambda x: x**0.5,
    "power_three_halves": lambda x: x**1.5,
    "power_minus_half": lambda x: x**-0.5,
    "power_two": lambda x: torch.pow(x, 2.0),
    "exponential": torch.exp,
    "exponential_2": torch.exp2,
    "exponential_m1": torch.expm1,
    "logarithm": torch.log,
    "logarithm_2": torch.log2,
    "logarithm_1p": torch.log1p,
    "absolute": torch.abs,
    "signed": lambda x: torch.sign(x) * x,
    "floored": lambda x: torch.floor(x) * x,
    "ceiled": lambda x: torch.ceil(x) * x,
    "rounded": lambda x: torch.round(x) * x,
    "sine": torch.sin,
    "cosine": torch.cos,
    "tangent": torch.tan,
    "sine_h": torch.sinh,
    "cosine_h": torch.cosh,
    "tangent_h": torch.tanh,
    "area_sine": torch.asinh,
    "arc_tangent": torch.atan,
    "logistic": torch.sigmoid,
    "soft_plus": lambda x: F.softplus(x, threshold=45.0),
    "error": torch.erf,
    "error_c": torch.erfc,
    "rectified": torch.relu,
    "below_zero": lambda x: torch.clamp(x, max=0.0),
    "clamped": lambda x: torch.clamp(x, -1.0, 1.5),
    "mapped_relu": lambda x: torch.where(x > 0, x, 0.0),
    "leaky": lambda x: F.leaky_relu(x, 0.1),
    "dead_branch_log": lambda x: torch.where(x > 0.25, torch.log(torch.where(x > 0.25, x, 1.0)), 0.0),
    "over_itself": lambda x: x / x,
    "minus_itself": lambda x: x - x,
    "times_zero": lambda x: x * 0.0,
    "one_over": lambda x: 1.0 / x,
    "zero_over": lambda x: 0.0 / x,
    "root_of_square": lambda x: torch.sqrt(torch.square(x)),
    "log_of_sigmoid": lambda x: torch.log(torch.sigmoid(x)),
    "log_of_exp": lambda x: torch.log(torch.exp(x)),
    "exp_of_log": lambda x: torch.exp(torch.log(x)),
    "x_log_x": lambda x: x * torch.log(x),
    "nan_to_zero": lambda x: torch.where(x == x, x, 0.0),
    "finite_only": lambda x: torch.where(torch.abs(x) < math.inf, x, 0.0),
}.items():
    unary(name, function)


for name, function in {
    "sum_of_two": torch.add,
    "difference_of_two": torch.sub,
    "product_of_two": torch.mul,
    "quotient_of_two": torch.div,
    "power_of_two": torch.pow,
    "greater_of_two": torch.maximum,
    "lesser_of_two": torch.minimum,
    "angle_of_two": torch.atan2,
    "length_of_two": torch.hypot,
    "chosen_of_two": lambda a, b: torch.where(a > b, a, b),
    "chosen_equal": lambda a, b: torch.where(a == b, a * 2, b),
    "masked_sum": lambda a, b: (a >= b).double() * a + (~(a < b)).double() * b,
    "clamped_by_tensors": lambda a, b: torch.maximum(torch.minimum(a, torch.abs(b)), -torch.abs(b)),
}.items():
    side = (lambda f: lambda a, b: f(a, b))(function)
    side.__name__ = name
    words.formula("a: 14 S; b: 14 S", shapes=[dict(S=14)], cases="crossed ties zeros empty", hostile="a b", batch="S")(side)

ROWS = "ties zeros constant nan nans inf neginf infs allneginf allinf huge tiny far empty one"


def reduction(name, function, cases=ROWS, args="x: N C", **rest):
    function.__name__ = name
    words.formula(args, shapes=[{}, dict(N=2, C=37)], cases=cases, **rest)(function)


reduction("summed", lambda x: x.sum(1))
reduction("averaged", lambda x: x.mean(1))
reduction("multiplied", lambda x: x.prod(1))
reduction("multiplied_all", lambda x: x.prod())
reduction("greatest", lambda x: x.max(1).values)
reduction("least", lambda x: x.min(1).values)
reduction("greatest_and_where", lambda x: x.max(1))
reduction("least_and_where", lambda x: x.min(1))
reduction("where_greatest", lambda x: (x.argmax(1), x.flatten().argmax()), cases=ROWS.replace(" empty", ""))
reduction("where_least", lambda x: (x.argmin(1), x.flatten().argmin()), cases=ROWS.replace(" empty", ""))
reduction("any_positive", lambda x: (x > 0).any(1).double() * x.sum(1))
reduction("all_positive", lambda x: (x > 0).all(1).double() * x.sum(1))
reduction("counted", lambda x: (x > 0).double().sum(1) + (x > 0).double().mean() * x[:, 0])
reduction("variance", lambda x: x.var(1, correction=0))
reduction("variance_unbiased", lambda x: x.var(1, correction=0) * x.shape[1] / (x.shape[1] - 1.0), cases=ROWS.replace(" one", ""))
reduction("deviation", lambda x: torch.sqrt(x.var(1, correction=0)))
reduction("deviation_eps", lambda x: torch.sqrt(x.var(1, correction=0) + 1e-5))
reduction("variance_all", lambda x: x.var(correction=0))
reduction("log_sum_exp", lambda x: torch.logsumexp(x, 1))
reduction("log_mean_exp", lambda x: torch.logsumexp(x, 1) - math.log(x.shape[1]))
reduction("soft_max", lambda x: torch.exp(x - torch.logsumexp(x, 1, keepdim=True)))
reduction("log_soft_max", lambda x: x - torch.logsumexp(x, 1, keepdim=True))
reduction("accumulated", lambda x: x.cumsum(1))
reduction("accumulated_products", lambda x: torch.exp(torch.log(x.abs() + 1.0).cumsum(1)))
reduction("length", lambda x: torch.sqrt((x * x).sum(1)))
reduction("length_eps", lambda x: torch.sqrt((x * x).sum(1) + 1e-12))
reduction("unit", lambda x: x / torch.sqrt((x * x).sum(1, keepdim=True)))
reduction("unit_clamped", lambda x: F.normalize(x, dim=1))
reduction("norm_1", lambda x: x.abs().sum(1))
reduction("norm_inf", lambda x: x.abs().max(1).values)
reduction("norm_3", lambda x: (x.abs() ** 3.0).sum(1) ** (1.0 / 3.0))
reduction("range_of", lambda x: x.max(1).values - x.min(1).values)
reduction("standardised_range", lambda x: (x - x.min(1, keepdim=True).values) / (x.max(1, keepdim=True).values - x.min(1, keepdim=True).values))
reduction("dotted", lambda x, w: x @ w, args="x: N C; w: C", hostile="x")
reduction("two_axes_max", lambda x: x.flatten(1).max(1), args="x: N H W")
reduction("two_axes_mean", lambda x: x.mean((0, 2)), args="x: N C L", batch="C")
reduction("masked_max", lambda x, m: torch.where(m > 0, x, -math.inf).max(1).values, args="x: N C; m: const N C")
reduction("masked_mean", lambda x, m: torch.where(m > 0, x, 0.0).sum(1) / (m > 0).double().sum(1), args="x: N C; m: const N C")
