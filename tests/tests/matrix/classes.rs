//! The classes of construct, each as formulas that take `x` over `(N, C)` to `(N, C)`, so that any one can stand inside or
//! around any other. A class is a module; its members are the functions in it.
//!
//! Beside `x` they may take what the test supplies: `a`, `w`, `b`, `label`, `seed`, `k`, `s`, `t`, `flag`.

pub mod arithmetic {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn broadcast(x: Tensor<f32, (N, C)>, a: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
        -x * a + x / 2 - (0.3 - a) * 1.5
    }
    #[derive_backward]
    pub fn quotient(x: Tensor<f32, (N, C)>, a: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
        (x + a) / (x * x + 1.5)
    }
}

pub mod powers {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn roots(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        sqrt(sq(x) + 0.5) - x * rsqrt(sq(x) + 0.7)
    }
    #[derive_backward]
    pub fn integers(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        0.1 * powi(x, 3) + recip(sq(x) + 1.0) - powi(sq(x) + 1.0, -2)
    }
    #[derive_backward]
    pub fn real(x: Tensor<f32, (N, C)>, a: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
        powf(sq(x) + 0.5, 0.7) * powf(sq(a) + 0.4, 0.2 * x)
    }
}

pub mod exponentials {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn natural(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        exp(-sq(x)) + log(sq(x) + 0.6)
    }
    #[derive_backward]
    pub fn base_two(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        exp2(-0.5 * sq(x)) * log2(sq(x) + 1.2)
    }
    #[derive_backward]
    pub fn near_one(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        exp_m1(-0.3 * sq(x)) + log1p(sq(x))
    }
}

pub mod waves {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn circular(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        sin(x) + cos(2.0 * x) * atan(x) + tan(0.3 * sin(x))
    }
    #[derive_backward]
    pub fn hyperbolic(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        tanh(x) + asinh(x) * 0.5 + sinh(0.5 * tanh(x)) / cosh(tanh(x))
    }
    #[derive_backward]
    pub fn of_two(x: Tensor<f32, (N, C)>, a: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
        atan2(x, sq(a) + 0.5) + hypot(x, a + 2.0)
    }
}

pub mod activations {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn gates(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x * sigmoid(1.3 * x) + 0.2 * softplus(-x)
    }
    #[derive_backward]
    pub fn normal(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        0.5 * x * (1.0 + erf(x)) + erfc(0.4 * x)
    }
}

pub mod steps {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn signs(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        abs(x - 0.05) + 0.3 * x * sign(x + 0.03)
    }
    #[derive_backward]
    pub fn integers(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x * floor(2.0 * x + 0.13) - 0.5 * x * ceil(x + 0.17) + x * round(1.5 * x + 0.21)
    }
}

pub mod extremes {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn of_number(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        max(x, 0.04) - 0.5 * min(x, -0.11) + clamp(x, -0.4, 0.52)
    }
    #[derive_backward]
    pub fn of_tensor(x: Tensor<f32, (N, C)>, a: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
        maximum(x, a) + 0.3 * minimum(2.0 * x, a + 0.1)
    }
}

pub mod masks {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn chosen(x: Tensor<f32, (N, C)>, a: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
        select(gt(x, a) | lt(x, -0.35), x, 0.1 * a * x)
    }
    #[derive_backward]
    pub fn triangle(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let below = le(index(C), index(N)) & ne(index(C), 1);
        select(!below, 0.5 * x, sq(x)) + x * ge(x, 0.02) - eq(index(C), 0)
    }
}

pub mod maps {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn leaky(x: Tensor<f32, (N, C)>, s: f64) -> Tensor<f32, (N, C)> {
        map(x, |v| if v > 0.03 { v } else { s * v })
    }
    #[derive_backward]
    pub fn elu(x: Tensor<f32, (N, C)>, #[diff] t: f64) -> Tensor<f32, (N, C)> {
        x.map(|v| if v > 0.0 { v } else { t * exp_m1(v) })
    }
}

pub mod branches {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn on_flag(x: Tensor<f32, (N, C)>, flag: bool) -> Tensor<f32, (N, C)> {
        if flag { x * 0.7 + 0.1 } else { sq(x) }
    }
    #[derive_backward]
    pub fn on_number(x: Tensor<f32, (N, C)>, s: f64) -> Tensor<f32, (N, C)> {
        if s == 0.0 { x } else { x + s * sin(x) }
    }
}

pub mod options {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn if_let(x: Tensor<f32, (N, C)>, b: Option<Tensor<f32, C>>) -> Tensor<f32, (N, C)> {
        if let Some(b) = b { x * b + 0.2 } else { x }
    }
    #[derive_backward]
    pub fn mapped(x: Tensor<f32, (N, C)>, b: Option<Tensor<f32, C>>) -> Tensor<f32, (N, C)> {
        let y = 0.8 * x;
        b.map_or(y, |b| y + sq(b))
    }
    #[derive_backward]
    pub fn matched(x: Tensor<f32, (N, C)>, b: Option<Tensor<f32, C>>) -> Tensor<f32, (N, C)> {
        match b {
            Some(bias) => x - bias * x,
            None => x + 1.0,
        }
    }
}

pub mod sums {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn of_rows(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x - mean(x, C) + 0.2 * x * sum(sq(x), C)
    }
    #[derive_backward]
    pub fn of_columns(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        (x - mean(x, N)) / (1.0 + mean(sq(x), (N, C)))
    }
}

pub mod products {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn of_rows(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x + 0.3 * prod(1.0 + 0.4 * tanh(x), C)
    }
    #[derive_backward]
    pub fn of_columns(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x * prod(0.5 + sigmoid(x), N)
    }
}

pub mod winners {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn values(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x - 0.5 * max(x, C) + 0.3 * x * min(x, (N, C))
    }
    #[derive_backward]
    pub fn positions(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x * (1.0 + argmax(x, C)) - 0.2 * x * argmin(x, N)
    }
}

pub mod moments {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn normalised(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        (x - mean(x, C)) * rsqrt(var(x, C) + 0.3)
    }
    #[derive_backward]
    pub fn log_softmax(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x - logsumexp(x, C)
    }
    #[derive_backward]
    pub fn softmax(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let e = exp(x - max(x, N));
        e / sum(e, N)
    }
}

pub mod contractions {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn bottleneck(x: Tensor<f32, (N, C)>, w: Tensor<f32, (D, C)>) -> Tensor<f32, (N, C)> {
        dot(dot(x, w, C), w, D)
    }
    #[derive_backward]
    pub fn scaled(x: Tensor<f32, (N, C)>, a: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
        x + a * dot(x, a, C) - 0.2 * dot(x, x, (N, C))
    }
}

pub mod windows {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn largest(x: Tensor<f32, (N, C)>, k: Window<1>) -> Tensor<f32, (N, C)> {
        rename(max(window(x, C, O, K, k), K), O, C)
    }
    #[derive_backward]
    pub fn average(x: Tensor<f32, (N, C)>, k: Window<1>) -> Tensor<f32, (N, C)> {
        rename(mean(window(x, C, O, K, k), K), O, C)
    }
    #[derive_backward]
    pub fn filled(x: Tensor<f32, (N, C)>, k: Window<1>) -> Tensor<f32, (N, C)> {
        rename(sum(exp(-sq(fill(window(x, C, O, K, k), 0.5))), K), O, C)
    }
}

pub mod renames {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn pairs(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let other = rename(x, N, M);
        x - 0.3 * dot(dot(x, other, C), other, M)
    }
    #[derive_backward]
    pub fn distances(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x * exp(-sum(sq(x - rename(x, N, M)), (M, C)))
    }
}

pub mod splits {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn grouped(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let g = split(x, C, (G, I), 2);
        merge(g - mean(g, I) * 0.5, (G, I), C)
    }
    #[derive_backward]
    pub fn shuffled(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let g = split(x, C, (G, I), 2);
        0.5 * merge(sq(g), (I, G), C) + x
    }
}

pub mod slices {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn swapped(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let (low, high) = (slice(x, C, L, ..1), slice(x, C, U, 1..));
        concat(C, (sq(high), U), (low, L))
    }
    #[derive_backward]
    pub fn stacked(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        mean(stack(S, (x, sq(x), sin(x))), S)
    }
}

pub mod shifts {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn differences(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x - 0.5 * shift(x, C, 1)
    }
    #[derive_backward]
    pub fn back(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        sq(shift(x, N, -1)) + x * shift(x, C, 2)
    }
}

pub mod turns {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn rolled(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x - 0.5 * roll(sq(x), C, 1) + 0.2 * x * roll(x, N, -2)
    }
    #[derive_backward]
    pub fn mirrored(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x + 0.3 * flip(x, C) * sin(flip(x, N))
    }
}

pub mod pads {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn with_number(x: Tensor<f32, (N, C)>, s: f64) -> Tensor<f32, (N, C)> {
        let y = pad(x, C, P, 1, 2, s);
        0.5 * x + slice(sq(y), P, C, ..len(C)) - slice(pad(x, N, M, 2, 0, 0.0), M, N, 1..len(N) + 1)
    }
    #[derive_backward]
    pub fn reflected(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let y = pad_reflect(x, C, P, 2, 3);
        x - 0.4 * slice(y, P, C, 1..len(C) + 1) + 0.2 * slice(y, P, C, 5..len(C) + 5)
    }
    #[derive_backward]
    pub fn held(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let y = pad_edge(x, C, P, 3, 2);
        sq(slice(y, P, C, 1..len(C) + 1)) + 0.7 * slice(y, P, C, 5..)
    }
    #[derive_backward]
    pub fn joined(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let y = pad_circular(x, N, M, 3, 1);
        x * slice(y, M, N, 1..len(N) + 1) - 0.3 * slice(y, M, N, 4..)
    }
    #[derive_backward]
    pub fn repeated(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let y = repeat(x, C, P, 3);
        0.5 * slice(sq(y), P, C, 2..len(C) + 2) + x * mean(y, P)
    }
}

pub mod shares {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn average(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let coarse = mean(adaptive_window(x, C, O, K, 3), K);
        x - 0.4 * rename(mean(adaptive_window(coarse, O, P, J, len(C)), J), P, C)
    }
    #[derive_backward]
    pub fn largest(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let w = adaptive_window(x, (N, C), (M, O), (J, K), (2, 3));
        x * max(w, (M, O, J, K)) + 0.3 * x * sum(var(w, (J, K)) + logsumexp(w, (J, K)), (M, O))
    }
    #[derive_backward]
    pub fn filled(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let w = fill(adaptive_window(x, C, O, K, 3), 0.5);
        x + 0.2 * sum(sq(w) * (1 + index(K)), (O, K)) - 0.1 * prod(adaptive_window(x, C, O, K, 3), (O, K))
    }
}

pub mod quantifiers {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn somewhere(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        select(any(gt(x, 0.45), C), x, 0.5 * sq(x))
    }
    #[derive_backward]
    pub fn everywhere(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x * all(lt(x, 0.62), N) + 0.2 * x * all(gt(x, -5.0), (N, C))
    }
}

pub mod picks {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn centred(x: Tensor<f32, (N, C)>, label: Labels<N>) -> Tensor<f32, (N, C)> {
        x - 0.4 * pick(x, C, label)
    }
    #[derive_backward]
    pub fn one_hot(x: Tensor<f32, (N, C)>, label: Labels<N>) -> Tensor<f32, (N, C)> {
        select(eq(index(C), label), sq(x), x * pick(x, C, label))
    }
}

pub mod scatters {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn totals(x: Tensor<f32, (N, C)>, label: Labels<N>) -> Tensor<f32, (N, C)> {
        let total = scatter_add(x, label, G, 3);
        x - 0.4 * pick(total, G, label) + 0.1 * sum(sq(total), G)
    }
    #[derive_backward]
    pub fn lasts(x: Tensor<f32, (N, C)>, label: Labels<N>) -> Tensor<f32, (N, C)> {
        let kept = scatter(sq(x), label, G, 3);
        x + 0.3 * pick(kept, G, label) - 0.2 * x * sum(kept, G)
    }
    #[derive_backward]
    pub fn aligned(x: Tensor<f32, (N, C)>, label: Labels<N>) -> Tensor<f32, (N, C)> {
        let spread: Tensor<f32, (N, C, G)> = scatter_add(x, label, G, 3);
        mean(spread * (1 + index(G)), G) + sum(scatter(x * x, argmax(x, C), P, 4, N), P)
    }
}

pub mod scans {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn running(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        0.5 * cumsum(x, C) + 0.1 * cumsum(sq(x), N) * x
    }
    #[derive_backward]
    pub fn smoothed(x: Tensor<f32, (N, C)>, a: Tensor<f32, C>, #[diff] t: f64) -> Tensor<f32, (N, C)> {
        scan(x, N, sin(a), |h, v| tanh(t) * h + (1.0 - tanh(t)) * v)
    }
    #[derive_backward]
    pub fn gated(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        scan(x, C, 0.0, |h, v| sigmoid(v) * (h - 0.3 * v) + select(gt(v, 0.04), v - h / 3.0, 0.2))
    }
}

pub mod indices {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn ramp(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x * (index(C) + 1) / len(C) + 0.1 * index(N)
    }
    #[derive_backward]
    pub fn smoothed(x: Tensor<f32, (N, C)>, k: Window<1>) -> Tensor<f32, (N, C)> {
        let weights = constant([0.25, 0.5, 0.25], K);
        rename(dot(fill(window(x, C, O, K, k), 0.0), weights, K), O, C)
    }
}

pub mod draws {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn dropped(x: Tensor<f32, (N, C)>, seed: Seed) -> Tensor<f32, (N, C)> {
        x * bernoulli_like(x, seed, 0.6) / 0.6 + 0.1 * x
    }
    #[derive_backward]
    pub fn channels(x: Tensor<f32, (N, C)>, seed: Seed) -> Tensor<f32, (N, C)> {
        sq(x) * bernoulli(C, seed, 0.5) + x
    }
    #[derive_backward]
    pub fn noise(x: Tensor<f32, (N, C)>, seed: Seed) -> Tensor<f32, (N, C)> {
        x * uniform_like(x, seed) + sq(x) * normal((N, C), seed)
    }
    #[derive_backward]
    pub fn shared_noise(x: Tensor<f32, (N, C)>, seed: Seed) -> Tensor<f32, (N, C)> {
        x + 0.1 * sin(x) * uniform(N, seed) * normal_like(x, seed)
    }
}

pub mod stops {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn held(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        x * stop_gradient(sigmoid(x)) + 0.5 * x
    }
    #[derive_backward]
    pub fn checked(x: Tensor<f32, (N, C)>, s: f64) -> Tensor<f32, (N, C)> {
        ensure(s >= 0.0, "the scale must not be negative");
        x + s * stop_gradient(mean(x, C)) * sq(x)
    }
}

pub mod helpers {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn nested(x: Tensor<f32, (N, C)>, #[diff] t: f64) -> Tensor<f32, (N, C)> {
        fn swish(v: Tensor<f32, (N, C)>, beta: f64) -> Tensor<f32, (N, C)> {
            v * sigmoid(beta * v)
        }
        swish(x, 2.0) + t * x
    }
    #[derive_backward]
    pub fn unrolled(x: Tensor<f32, (N, C)>, #[diff] t: f64) -> Tensor<f32, (N, C)> {
        let mut y = x;
        let mut power = x;
        for i in 1..4 {
            power *= t * x;
            y += power / i as f64;
        }
        let (y, scale) = (y, 0.5);
        y * scale
    }
}

pub mod methods {
    use pullback::prelude::*;

    #[derive_backward]
    pub fn chained(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
        let y = x.sq().ln_1p();
        (y - y.mean(C)).tanh()
    }
}
