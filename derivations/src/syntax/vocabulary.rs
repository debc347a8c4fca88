//! The words of the formula language: names, how many arguments, how they are written.

/// A function of the vocabulary.
#[derive(Debug)]
pub struct Word {
    pub name: &'static str,
    /// Least and most arguments.
    pub args: (usize, usize),
    /// An example of a call, for error messages.
    pub usage: &'static str,
}

macro_rules! words {
    ($($name:literal $min:literal..=$max:literal $usage:literal)*) => {
        /// The whole vocabulary.
        pub const WORDS: &[Word] = &[$(Word { name: $name, args: ($min, $max), usage: $usage }),*];
    };
}

words! {
    "sq" 1..=1 "sq(x)"
    "sqrt" 1..=1 "sqrt(x)"
    "rsqrt" 1..=1 "rsqrt(x)"
    "recip" 1..=1 "recip(x)"
    "powi" 2..=2 "powi(x, 3)"
    "powf" 2..=2 "powf(x, 1.5)"
    "exp" 1..=1 "exp(x)"
    "exp2" 1..=1 "exp2(x)"
    "exp_m1" 1..=1 "exp_m1(x)"
    "log" 1..=1 "log(x)"
    "ln" 1..=1 "ln(x)"
    "log2" 1..=1 "log2(x)"
    "log1p" 1..=1 "log1p(x)"
    "ln_1p" 1..=1 "ln_1p(x)"
    "abs" 1..=1 "abs(x)"
    "sign" 1..=1 "sign(x)"
    "floor" 1..=1 "floor(x)"
    "ceil" 1..=1 "ceil(x)"
    "round" 1..=1 "round(x)"
    "sin" 1..=1 "sin(x)"
    "cos" 1..=1 "cos(x)"
    "tan" 1..=1 "tan(x)"
    "sinh" 1..=1 "sinh(x)"
    "cosh" 1..=1 "cosh(x)"
    "tanh" 1..=1 "tanh(x)"
    "asinh" 1..=1 "asinh(x)"
    "atan" 1..=1 "atan(x)"
    "sigmoid" 1..=1 "sigmoid(x)"
    "softplus" 1..=1 "softplus(x)"
    "erf" 1..=1 "erf(x)"
    "erfc" 1..=1 "erfc(x)"
    "max" 2..=2 "max(x, N)` or `max(a, b)"
    "min" 2..=2 "min(x, N)` or `min(a, b)"
    "maximum" 2..=2 "maximum(a, b)"
    "minimum" 2..=2 "minimum(a, b)"
    "clamp" 3..=3 "clamp(x, lo, hi)"
    "atan2" 2..=2 "atan2(y, x)"
    "hypot" 2..=2 "hypot(a, b)"
    "gt" 2..=2 "gt(a, b)"
    "ge" 2..=2 "ge(a, b)"
    "lt" 2..=2 "lt(a, b)"
    "le" 2..=2 "le(a, b)"
    "eq" 2..=2 "eq(a, b)"
    "ne" 2..=2 "ne(a, b)"
    "select" 3..=3 "select(mask, a, b)"
    "map" 2..=2 "map(x, |v| if v > 0.0 { v } else { 0.0 })"
    "sum" 2..=2 "sum(x, (N, C))"
    "mean" 2..=2 "mean(x, (N, C))"
    "prod" 2..=2 "prod(x, N)"
    "argmax" 2..=2 "argmax(x, C)"
    "argmin" 2..=2 "argmin(x, C)"
    "any" 2..=2 "any(mask, N)"
    "all" 2..=2 "all(mask, N)"
    "var" 2..=2 "var(x, N)"
    "logsumexp" 2..=2 "logsumexp(x, C)"
    "cumsum" 2..=2 "cumsum(x, T)"
    "scan" 4..=4 "scan(x, T, h0, |h, v| a * h + v)"
    "dot" 3..=3 "dot(a, b, K)"
    "window" 5..=5 "window(x, (H, W), (OH, OW), (KH, KW), k)"
    "adaptive_window" 5..=5 "adaptive_window(x, (H, W), (OH, OW), (KH, KW), (oh, ow))"
    "rename" 3..=3 "rename(x, A, B)"
    "split" 4..=4 "split(x, C, (G, D), g)"
    "merge" 3..=3 "merge(x, (G, D), C)"
    "slice" 4..=4 "slice(x, L, M, 1..3)"
    "shift" 3..=3 "shift(x, L, 1)"
    "roll" 3..=3 "roll(x, L, 1)"
    "flip" 2..=2 "flip(x, L)"
    "pad" 6..=6 "pad(x, L, M, lo, hi, 0.0)"
    "pad_reflect" 5..=5 "pad_reflect(x, L, M, lo, hi)"
    "pad_edge" 5..=5 "pad_edge(x, L, M, lo, hi)"
    "pad_circular" 5..=5 "pad_circular(x, L, M, lo, hi)"
    "stack" 2..=2 "stack(S, (a, b))"
    "concat" 3..=16 "concat(C, (a, A), (b, B))"
    "repeat" 4..=4 "repeat(x, L, M, 2)"
    "pick" 3..=3 "pick(x, C, label)"
    "scatter_add" 4..=5 "scatter_add(x, label, C, n)"
    "scatter" 4..=5 "scatter(x, label, C, n)"
    "index" 1..=1 "index(A)"
    "len" 1..=1 "len(A)"
    "constant" 2..=2 "constant([0.25, 0.5, 0.25], K)"
    "bernoulli_like" 3..=3 "bernoulli_like(x, seed, keep)"
    "uniform_like" 2..=2 "uniform_like(x, seed)"
    "normal_like" 2..=2 "normal_like(x, seed)"
    "bernoulli" 3..=3 "bernoulli((N, C), seed, keep)"
    "uniform" 2..=2 "uniform((N, C), seed)"
    "normal" 2..=2 "normal((N, C), seed)"
    "stop_gradient" 1..=1 "stop_gradient(x)"
    "ensure" 2..=2 "ensure(condition, \"what is wrong\")"
    "fill" 2..=2 "fill(x, 0.0)"
}

/// The word of this name.
pub fn word(name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|w| w.name == name)
}

/// Which arguments of a word name axes that it may introduce.
pub fn new_axes(word: &str) -> &'static [usize] {
    match word {
        "window" | "adaptive_window" => &[2, 3],
        "stack" | "concat" => &[0],
        "constant" => &[1],
        "rename" | "split" | "merge" | "slice" | "repeat" | "scatter" | "scatter_add" => &[2],
        "pad" | "pad_reflect" | "pad_edge" | "pad_circular" => &[2],
        _ => &[],
    }
}

impl Word {
    /// Whether its result may have axes that nothing had before.
    pub fn introduces(&self) -> bool {
        let re_indexing =
            ["window", "split", "rename", "merge", "slice", "pad", "repeat", "stack", "concat", "scatter", "constant"];
        re_indexing.iter().any(|part| self.name.contains(part))
    }
}

/// What the language has in place of a method that other libraries have.
pub fn instead_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "matmul" | "mm" | "bmm" | "einsum" | "inner" | "outer" | "mv" => "a sum of products over the axis `K` is `dot(a, b, K)`",
        "relu" => "write `max(x, 0.0)`",
        "softmax" => "write `exp(x - logsumexp(x, C))`",
        "log_softmax" => "write `x - logsumexp(x, C)`",
        "transpose" | "t" | "permute" | "permuted_axes" | "swap_axes" | "swapaxes" | "reversed_axes" => {
            "axes go by name, and the promised output may order them as it likes"
        }
        "reshape" | "view" | "flatten" | "into_shape" | "unflatten" => {
            "`split(x, C, (G, D), g)` makes one axis two, and `merge(x, (G, D), C)` two one"
        }
        "squeeze" | "unsqueeze" | "expand" | "broadcast" | "insert_axis" => "axes go by name, and a missing one broadcasts",
        "clone" | "to_owned" | "contiguous" => "a value may be used again as it is",
        "std" => "write `sqrt(var(x, C))`",
        "norm" => "write `sqrt(sum(sq(x), C))`",
        "pow" => "write `powi(x, 2)` or `powf(x, 1.5)`",
        "square" => "write `sq(x)`",
        "detach" => "write `stop_gradient(x)`",
        "masked_fill" | "where_self" | "where" => "write `select(mask, a, b)`",
        "gather" | "index_select" | "take" => "write `pick(x, C, label)`",
        "sum_axis" => "write `sum(x, C)`",
        "mean_axis" => "write `mean(x, C)`",
        "amax" => "write `max(x, C)`",
        "amin" => "write `min(x, C)`",
        "mapv" => "write `map(x, |v| ..)`",
        "cumprod" => "write `exp(cumsum(log(x), T))`",
        "chunk" | "narrow" => "write `slice(x, L, M, a..b)`",
        "cat" => "write `concat(C, (a, A), (b, B))`",
        "shape" | "size" | "dim" | "numel" => "the length of an axis is `len(C)`",
        "log10" => "write `log(x) / 10.0.ln()`",
        _ => return None,
    })
}

/// The word that `name` probably misspells: within two edits, and closer to it than to half of another word, so that
/// formulas called `gelu` or `silu` are not taken for `ge` and `sin`.
pub fn nearest(name: &str) -> Option<&'static str> {
    let candidates = WORDS.iter().map(|w| (edit_distance(name, w.name), w.name));
    let (distance, word) = candidates.min()?;
    let same_start = name.chars().next() == word.chars().next();
    (distance <= 2 && 2 * distance < word.len().min(name.len()) && same_start).then_some(word)
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substitution = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_words_have_a_neighbour_and_layers_do_not() {
        for (typo, meant) in
            [("sigmod", "sigmoid"), ("maen", "mean"), ("sqrtt", "sqrt"), ("logsumxp", "logsumexp"), ("winodw", "window")]
        {
            assert_eq!(nearest(typo), Some(meant));
        }
        for layer in ["gelu", "silu", "elu", "mish", "relu", "celu", "nll", "softmax", "norm", "swish", "linear", "mse"] {
            assert_eq!(nearest(layer), None, "{layer}");
        }
    }
}
