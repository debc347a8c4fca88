//! The table: formulas, and what their best hand-written forms cost.
//!
//! A tensor is full-size if it has more than an eighth of the elements of the largest one. A tensor that several sweeps of
//! one nest read is counted once: its block stays in cache. What is counted as saved is neither an argument nor an output.

use std::fmt;

/// Memory traffic of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moves {
    /// Passes over full-size domains, in cache or not.
    pub sweeps: usize,
    /// Full-size tensors read from memory.
    pub reads: usize,
    /// Full-size tensors written to memory.
    pub writes: usize,
    /// Reductions over full-size domains.
    pub reductions: usize,
    /// Matrix products.
    pub contractions: usize,
}

impl Moves {
    pub fn numbers(&self) -> [u64; 5] {
        [self.sweeps, self.reads, self.writes, self.reductions, self.contractions].map(|n| n as u64)
    }
}

impl fmt::Display for Moves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [s, r, w, e, g] = self.numbers();
        write!(f, "{s} sweeps {r} r {w} w {e} Σ {g} ·")
    }
}

const fn moves(sweeps: usize, reads: usize, writes: usize, reductions: usize) -> Moves {
    Moves { sweeps, reads, writes, reductions, contractions: 0 }
}

impl Moves {
    const fn products(self, contractions: usize) -> Moves {
        Moves { contractions, ..self }
    }
}

/// A formula, and the best form that is known for it, counted by hand.
pub struct Row {
    pub name: &'static str,
    pub source: &'static str,
    /// The same layer with other names, other orders of axes, or written another way.
    pub also: &'static [(&'static str, &'static str)],
    /// The numbers in which the engine's form is worse: which, by how much, and why.
    pub worse: &'static [(&'static str, u64, &'static str)],
    pub forward: Moves,
    pub backward: Moves,
    /// The axes of each tensor kept for the backward call, and the bytes of an element. Statistics are kept in `f64`:
    /// rounded to `f32`, gradients at a large mean are wrong in the third digit.
    pub saved: &'static [(&'static str, u64)],
}

pub const ROWS: &[Row] = &[
    Row {
        name: "batch norm",
        source: "fn f(x: Tensor<f32, (N, C, Many<S>)>, gamma: Tensor<f32, C>, beta: Tensor<f32, C>, eps: f64) -> Tensor<f32, (N, C, Many<S>)> {
            let mu = mean(x, (N, S));
            let var = mean(sq(x - mu), (N, S));
            gamma * (x - mu) / sqrt(var + eps) + beta
        }",
        also: &[
            ("rsqrt", "fn f(x: Tensor<f32, (N, C, Many<S>)>, gamma: Tensor<f32, C>, beta: Tensor<f32, C>, eps: f64) -> Tensor<f32, (N, C, Many<S>)> {
                let mu = mean(x, (N, S));
                let rstd = rsqrt(mean(sq(x - mu), (N, S)) + eps);
                (x - mu) * rstd * gamma + beta
            }"),
            ("x̂ named", "fn f(x: Tensor<f32, (N, C, Many<S>)>, gamma: Tensor<f32, C>, beta: Tensor<f32, C>, eps: f64) -> Tensor<f32, (N, C, Many<S>)> {
                let d = x - mean(x, (N, S));
                let xhat = d / sqrt(mean(d * d, (N, S)) + eps);
                xhat * gamma + beta
            }"),
            ("helpers, NHWC, var", "fn f(input: Tensor<f32, (B, H, W, K)>, scale: Tensor<f32, K>, shift_by: Tensor<f32, K>, epsilon: f64) -> Tensor<f32, (B, H, W, K)> {
                fn centred(x: Tensor<f32, (B, H, W, K)>) -> Tensor<f32, (B, H, W, K)> { x - mean(x, (B, H, W)) }
                fn normalised(x: Tensor<f32, (B, H, W, K)>, e: f64) -> Tensor<f32, (B, H, W, K)> { centred(x) * rsqrt(var(x, (B, H, W)) + e) }
                normalised(input, epsilon) * scale + shift_by
            }"),
        ],
        worse: &[],
        // Σx, then Σ(x−μ)², then y, each channel's block in cache
        forward: moves(3, 1, 1, 2),
        // Σdy and Σdy·x̂ in one sweep, then dx = γ·rstd·(dy − Σdy/m − x̂·Σdy·x̂/m): the two sums are dβ and dγ
        backward: moves(2, 2, 1, 2),
        saved: &[("C", 8), ("C", 8)],
    },
    Row {
        name: "layer norm",
        source: "fn f(x: Tensor<f32, (N, D)>, gamma: Tensor<f32, D>, beta: Tensor<f32, D>, eps: f64) -> Tensor<f32, (N, D)> {
            let mu = mean(x, D);
            let var = mean(sq(x - mu), D);
            gamma * (x - mu) / sqrt(var + eps) + beta
        }",
        also: &[
            ("rsqrt", "fn f(x: Tensor<f32, (N, D)>, gamma: Tensor<f32, D>, beta: Tensor<f32, D>, eps: f64) -> Tensor<f32, (N, D)> {
                let d = x - mean(x, D);
                d * rsqrt(mean(sq(d), D) + eps) * gamma + beta
            }"),
            ("permuted, helpers", "fn f(h: Tensor<f32, (E, T)>, w: Tensor<f32, E>, b: Tensor<f32, E>, tiny: f64) -> Tensor<f32, (E, T)> {
                fn centre(v: Tensor<f32, (E, T)>) -> Tensor<f32, (E, T)> { v - v.mean(E) }
                fn spread(v: Tensor<f32, (E, T)>, tiny: f64) -> Tensor<f32, T> { sqrt(mean(centre(v).powi(2), E) + tiny) }
                b + centre(h) / spread(h, tiny) * w
            }"),
        ],
        worse: &[],
        // as batch norm, by rows
        forward: moves(3, 1, 1, 2),
        // two sums a row (γ·dy, γ·dy·x̂) and two a column (dβ, dγ) in one sweep, then dx
        backward: moves(2, 2, 1, 4),
        saved: &[("N", 8), ("N", 8)],
    },
    Row {
        name: "group norm",
        source: "fn f(x: Tensor<f32, (N, C, H, W)>, gamma: Tensor<f32, C>, beta: Tensor<f32, C>, groups: usize, eps: f64) -> Tensor<f32, (N, C, H, W)> {
            let g = split(x, C, (G, D), groups);
            let mu = mean(g, (D, H, W));
            let var = mean(sq(g - mu), (D, H, W));
            merge((g - mu) / sqrt(var + eps), (G, D), C) * gamma + beta
        }",
        also: &[
            ("rsqrt, NHWC", "fn f(x: Tensor<f32, (B, Y, X, F)>, w: Tensor<f32, F>, b: Tensor<f32, F>, groups: usize, eps: f64) -> Tensor<f32, (B, Y, X, F)> {
                let v = split(x, F, (Q, R), groups);
                let d = v - mean(v, (R, Y, X));
                let n = d * rsqrt(mean(d * d, (R, Y, X)) + eps);
                w * merge(n, (Q, R), F) + b
            }"),
        ],
        worse: &[("backward reductions", 2, "both means of a group are summed from x; that their parts by channel are dβ and dγ is hidden behind `split`")],
        forward: moves(3, 1, 1, 2),
        // Σ_HW dy and Σ_HW dy·(x−μ) a channel of each sample: dβ, dγ and both means of a group are small sums of these
        backward: moves(2, 2, 1, 2),
        saved: &[("N G", 8), ("N G", 8)],
    },
    Row {
        name: "RMS norm",
        source: "fn f(x: Tensor<f32, (N, D)>, gamma: Tensor<f32, D>, eps: f64) -> Tensor<f32, (N, D)> {
            gamma * x / sqrt(mean(sq(x), D) + eps)
        }",
        also: &[
            ("rsqrt, permuted", "fn f(h: Tensor<f32, (E, T)>, w: Tensor<f32, E>, eps: f64) -> Tensor<f32, (E, T)> {
                let rstd = rsqrt(mean(h * h, E) + eps);
                h * rstd * w
            }"),
            ("helper", "fn f(x: Tensor<f32, (N, D)>, gamma: Tensor<f32, D>, eps: f64) -> Tensor<f32, (N, D)> {
                fn rms(v: Tensor<f32, (N, D)>, eps: f64) -> Tensor<f32, N> { sqrt(eps + mean(powi(v, 2), D)) }
                (x / rms(x, eps)) * gamma
            }"),
        ],
        worse: &[],
        // Σx², then y
        forward: moves(2, 1, 1, 1),
        // Σγ·dy·x a row, dγ a column; then dx
        backward: moves(2, 2, 1, 2),
        saved: &[("N", 8)],
    },
    Row {
        name: "L2 normalise",
        source: "fn f(x: Tensor<f32, (N, D)>, eps: f64) -> Tensor<f32, (N, D)> { x / sqrt(sum(sq(x), D) + eps) }",
        also: &[("rsqrt, permuted", "fn f(v: Tensor<f32, (E, T)>, eps: f64) -> Tensor<f32, (E, T)> { v * rsqrt(eps + sum(v * v, E)) }")],
        worse: &[],
        forward: moves(2, 1, 1, 1),
        // Σdy·y, then dx = (dy − y·Σdy·y)/|x|
        backward: moves(2, 2, 1, 1),
        saved: &[("N", 8)],
    },
    Row {
        name: "softmax",
        source: "fn f(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> { let e = exp(x - max(x, C)); e / sum(e, C) }",
        also: &[
            ("permuted", "fn f(z: Tensor<f32, (K, B)>) -> Tensor<f32, (K, B)> { let e = (z - z.max(K)).exp(); e * recip(e.sum(K)) }"),
            ("helpers", "fn f(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
                fn shifted(v: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> { exp(v - max(v, C)) }
                shifted(x) / sum(shifted(x), C)
            }"),
        ],
        worse: &[],
        // the maximum, Σexp, then y: with a shift, two passes over a row in cache before it is written
        forward: moves(3, 1, 1, 2),
        // Σdy·y, then dx = y·(dy − Σdy·y)
        backward: moves(2, 2, 1, 1),
        // y is enough
        saved: &[],
    },
    Row {
        name: "log-softmax",
        source: "fn f(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> { x - logsumexp(x, C) }",
        also: &[("spelled out", "fn f(z: Tensor<f32, (B, K)>) -> Tensor<f32, (B, K)> { let d = z - max(z, K); d - log(sum(exp(d), K)) }")],
        worse: &[],
        forward: moves(3, 1, 1, 2),
        // Σdy, then dx = dy − exp(y)·Σdy
        backward: moves(2, 2, 1, 1),
        // from y; that exp(y) is exp(x − max)/Z the rules do not know (SIMPLIFY.md, pitfall 8): two numbers a row instead
        saved: &[("N", 8), ("N", 8)],
    },
    Row {
        name: "log-softmax with NLL",
        source: "fn f(x: Tensor<f32, (N, C)>, label: Labels<N>) -> Tensor<f32, ()> { mean(logsumexp(x, C) - pick(x, C, label), N) }",
        also: &[("permuted", "fn f(z: Tensor<f32, (K, B)>, target: Labels<B>) -> Tensor<f32, ()> { mean(z.logsumexp(K) - z.pick(K, target), B) }")],
        worse: &[],
        // the maximum, then Σexp
        forward: moves(2, 1, 0, 2),
        // dx = (softmax − onehot)·dy/N, no reduction
        backward: moves(1, 1, 1, 0),
        saved: &[("N", 8), ("N", 8)],
    },
    Row {
        name: "log-softmax, then NLL",
        source: "fn f(x: Tensor<f32, (N, C)>, label: Labels<N>) -> Tensor<f32, ()> {
            let m = max(x, C);
            let logp = x - m - log(sum(exp(x - m), C));
            -mean(pick(logp, C, label), N)
        }",
        also: &[],
        worse: &[
            ("backward sweeps", 1, "that the cotangent of a pick sums to what was picked, no rule knows: it is summed"),
            ("backward reductions", 1, "the same"),
        ],
        // the same loss
        forward: moves(2, 1, 0, 2),
        backward: moves(1, 1, 1, 0),
        saved: &[("N", 8), ("N", 8)],
    },
    Row {
        name: "cosine similarity",
        source: "fn f(a: Tensor<f32, (N, D)>, b: Tensor<f32, (N, D)>, eps: f64) -> Tensor<f32, N> {
            dot(a, b, D) / (sqrt(sum(sq(a), D) + eps) * sqrt(sum(sq(b), D) + eps))
        }",
        also: &[
            ("unit vectors", "fn f(p: Tensor<f32, (N, E)>, q: Tensor<f32, (N, E)>, eps: f64) -> Tensor<f32, N> {
                fn length(v: Tensor<f32, (N, E)>, eps: f64) -> Tensor<f32, N> { sqrt(dot(v, v, E) + eps) }
                dot(p, q, E) / length(p, eps) / length(q, eps)
            }"),
        ],
        worse: &[],
        // a·b, |a|², |b|² in one sweep
        forward: moves(1, 2, 0, 3),
        // da = dy·(b/(|a||b|) − y·a/|a|²), db alike
        backward: moves(1, 2, 2, 0),
        saved: &[("N", 8), ("N", 8)],
    },
    Row {
        name: "GELU",
        source: "fn f(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> { 0.5 * x * (1.0 + erf(x * 0.7071067811865476)) }",
        also: &[("normal distribution", "fn f(v: Tensor<f32, (B, D)>) -> Tensor<f32, (B, D)> {
            fn phi(v: Tensor<f32, (B, D)>) -> Tensor<f32, (B, D)> { (1.0 + erf(v / 1.4142135623730951)) / 2 }
            v * phi(v)
        }")],
        worse: &[],
        // pointwise, from x
        forward: moves(1, 1, 1, 0),
        backward: moves(1, 2, 1, 0),
        saved: &[],
    },
    Row {
        name: "GELU, tanh",
        source: "fn f(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> { 0.5 * x * (1.0 + tanh(0.7978845608028654 * (x + 0.044715 * powi(x, 3)))) }",
        also: &[("products", "fn f(v: Tensor<f32, (B, D)>) -> Tensor<f32, (B, D)> {
            let u = 0.7978845608028654 * v * (1.0 + 0.044715 * v * v);
            v / 2 * (tanh(u) + 1.0)
        }")],
        worse: &[],
        forward: moves(1, 1, 1, 0),
        backward: moves(1, 2, 1, 0),
        saved: &[],
    },
    Row {
        name: "SiLU",
        source: "fn f(x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> { x * sigmoid(x) }",
        also: &[("quotient", "fn f(v: Tensor<f32, (B, D)>) -> Tensor<f32, (B, D)> { v / (1.0 + exp(-v)) }")],
        worse: &[],
        forward: moves(1, 1, 1, 0),
        backward: moves(1, 2, 1, 0),
        saved: &[],
    },
    Row {
        name: "mean pool",
        source: "fn f(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> { mean(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW)) }",
        also: &[("NHWC", "fn f(v: Tensor<f32, (B, Y, X, F)>, k: Window<2>) -> Tensor<f32, (B, P, Q, F)> { mean(window(v, (Y, X), (P, Q), (I, J), k), (I, J)) }")],
        worse: &[("forward sweeps", 1, "the sum is divided in a sweep of its own, over a block in cache")],
        // one sweep over the windows, summing each; backward gathers dy at the windows that hold an element
        forward: moves(1, 1, 1, 1),
        backward: moves(1, 1, 1, 1),
        saved: &[],
    },
    Row {
        name: "max pool",
        source: "fn f(x: Tensor<f32, (N, C, H, W)>, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> { max(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW)) }",
        also: &[("NHWC", "fn f(v: Tensor<f32, (B, Y, X, F)>, k: Window<2>) -> Tensor<f32, (B, P, Q, F)> { max(window(v, (Y, X), (P, Q), (I, J), k), (I, J)) }")],
        worse: &[],
        // one sweep: the maximum and where it was, one byte an output
        forward: moves(1, 1, 2, 2),
        // dy gathered where the byte names the element
        backward: moves(1, 2, 1, 1),
        saved: &[("N C OH OW", 1)],
    },
    Row {
        name: "dropout",
        source: "fn f(x: Tensor<f32, Many<S>>, seed: Seed, p: f64) -> Tensor<f32, Many<S>> { x * bernoulli_like(x, seed, 1.0 - p) / (1.0 - p) }",
        also: &[("named", "fn f(v: Tensor<f32, (B, D)>, seed: Seed, p: f64) -> Tensor<f32, (B, D)> { let keep = bernoulli((B, D), seed, 1.0 - p); keep / (1.0 - p) * v }")],
        worse: &[],
        // the mask is drawn again
        forward: moves(1, 1, 1, 0),
        backward: moves(1, 1, 1, 0),
        saved: &[],
    },
    Row {
        name: "bn→relu→max pool",
        source: "fn f(x: Tensor<f32, (N, C, H, W)>, gamma: Tensor<f32, C>, beta: Tensor<f32, C>, eps: f64, k: Window<2>) -> Tensor<f32, (N, C, OH, OW)> {
            let mu = mean(x, (N, H, W));
            let var = mean(sq(x - mu), (N, H, W));
            let r = max(gamma * (x - mu) / sqrt(var + eps) + beta, 0.0);
            max(window(r, (H, W), (OH, OW), (KH, KW), k), (KH, KW))
        }",
        // no second spelling: written with rsqrt the mask's sum is shared, and the row has 3 backward reductions
        also: &[],
        worse: &[("backward reductions", 1, "relu's mask guards each sum, so that what it drops stays zero")],
        // Σx, Σ(x−μ)², then the windows of relu(γ·x̂ + β), with the byte
        forward: moves(3, 1, 2, 4),
        // the pool's gradient gathered into the channel's block, masked by relu; Σ and Σ·x̂ of it; dx
        backward: moves(3, 3, 1, 3),
        saved: &[("C", 8), ("C", 8), ("N C OH OW", 1)],
    },
    Row {
        name: "dropout→add→layer norm",
        source: "fn f(x: Tensor<f32, (N, D)>, res: Tensor<f32, (N, D)>, gamma: Tensor<f32, D>, beta: Tensor<f32, D>, seed: Seed, p: f64, eps: f64) -> Tensor<f32, (N, D)> {
            let h = x * bernoulli_like(x, seed, 1.0 - p) / (1.0 - p) + res;
            let mu = mean(h, D);
            let var = mean(sq(h - mu), D);
            gamma * (h - mu) / sqrt(var + eps) + beta
        }",
        also: &[("helpers, rsqrt, permuted", "fn f(v: Tensor<f32, (E, T)>, skip: Tensor<f32, (E, T)>, w: Tensor<f32, E>, b: Tensor<f32, E>, seed: Seed, p: f64, eps: f64) -> Tensor<f32, (E, T)> {
            fn norm(h: Tensor<f32, (E, T)>, eps: f64) -> Tensor<f32, (E, T)> {
                let d = h - mean(h, E);
                d * rsqrt(mean(sq(d), E) + eps)
            }
            fn drop(v: Tensor<f32, (E, T)>, keep: Tensor<f32, (E, T)>, p: f64) -> Tensor<f32, (E, T)> { v * keep / (1.0 - p) }
            norm(skip + drop(v, bernoulli_like(v, seed, 1.0 - p), p), eps) * w + b
        }")],
        worse: &[],
        // Σh, Σ(h−μ)², y, with h = x·keep/(1−p) + res in cache
        forward: moves(3, 2, 1, 2),
        // as layer norm with h made again from x and res; dres, and dx = dres·keep/(1−p)
        backward: moves(2, 3, 2, 4),
        saved: &[("N", 8), ("N", 8)],
    },
    Row {
        name: "attention, one head",
        source: "fn f(q: Tensor<f32, (B, T, D)>, k: Tensor<f32, (B, S, D)>, v: Tensor<f32, (B, S, E)>) -> Tensor<f32, (B, T, E)> {
            let z = dot(q, k, D) / sqrt(len(D) as f64);
            let e = exp(z - max(z, S));
            dot(e / sum(e, S), v, S)
        }",
        also: &[],
        worse: &[
            ("backward sweeps", 1, "dy/Σ is computed for dv, where the weights themselves would do"),
            ("saved bytes", 16384, "beside the exponentials, their sums"),
            ("forward writes", 1, "exp(z − max) is kept, and the weights are written beside it for the second product"),
            ("forward reads", 1, "the same, read back"),
            ("backward reads", 1, "dy/Σ again"),
            ("backward writes", 1, "dy/Σ again, written for the product"),
        ],
        // z = q·k; p = softmax(z), a row in cache; p·v. Read: q, k, z, p, v
        forward: moves(3, 5, 3, 2).products(2),
        // dp = dy·vᵀ; dz = p·(dp − Σdp·p); dq = dz·k, dk = dzᵀ·q, dv = pᵀ·dy: two tensors read for each of the five
        backward: moves(2, 10, 5, 1).products(4),
        saved: &[("B T S", 4)],
    },
];
