//! Whatever tokens the macro is given, it answers with Rust items: no panic, no overflow of the stack, in bounded time.
//!
//! Formulas are mutated token by token: deleted, doubled, swapped, replaced, wrapped, and strung into long chains.
//!
//! `INPUTS=1000000 SEED=0 cargo test --release -p pullback-derivations --test mutations` for more than CI tries.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use pullback_derivations::build::build;
use pullback_derivations::derive_backward;
use pullback_derivations::elaborate::{Library, Outcome, elaborate};
use pullback_derivations::error::Errors;
use pullback_derivations::syntax::{self, Options};
use quote::quote;
use std::time::{Duration, Instant};

/// Mutated inputs, where nothing else is asked for.
const INPUTS: u64 = 20_000;
const SLOWEST: Duration = Duration::from_secs(20);
/// Less than the threads have on which rustc runs macros.
const STACK: usize = 2 << 20;
/// Of the mutated formulas that are right, one in so many is derived to the end.
const DERIVED: u64 = 16;

const CORPUS: &[&str] = &[
    "pub fn batch_norm(x: Tensor<f32, (N, C, Many<S>)>, gamma: Tensor<f32, C>, beta: Tensor<f32, C>, eps: f64) -> Tensor<f32, (N, C, Many<S>)> {
        let mu = mean(x, (N, S));
        let var = mean(sq(x - mu), (N, S));
        gamma * (x - mu) / sqrt(var + eps) + beta
    }",
    "pub(crate) fn dropout(x: Tensor<f32, Many<S>>, seed: Seed, p: f64) -> Tensor<f32, Many<S>> {
        ensure(0.0 <= p && p <= 1.0, \"the dropout probability must lie in [0, 1]\");
        let keep = bernoulli_like(x, seed, 1.0 - p);
        if p == 1.0 { x * 0.0 } else { x * keep / (1.0 - p) }
    }",
    "fn pool(x: Tensor<f64, (N, C, H, W)>, k: Window<2>) -> Tensor<f64, (N, C, OH, OW)> {
        max(window(x, (H, W), (OH, OW), (KH, KW), k), (KH, KW))
    }",
    "fn cross_entropy(logits: Tensor<f32, (N, C)>, label: Labels<N>, #[constant] w: Tensor<f32, C>) -> Tensor<f32, ()> {
        mean((logsumexp(logits, C) - pick(logits, C, label)) * pick(w, C, label), N)
    }",
    "fn leaky<T: Float>(x: Tensor<T, Many<S>>, b: Option<Tensor<T, Many<S>>>, #[diff] s: f64) -> Tensor<T, Many<S>> {
        let y = b.map_or(x, |b| x + b);
        map(y, |v| if v > 0.0 && v < 6.0 { v } else { s * v })
    }",
    "fn running(x: Tensor<f32, (N, C)>, r: &mut Tensor<f32, C>, n: usize, train: bool) -> Tensor<f32, (N, C)> {
        *r = stop_gradient(0.9 * *r + 0.1 * mean(x, N));
        match n { 0 => x - r, 1 | 2 => x, _ => if train { x * (len(N) as f64) } else { x / 2 } }
    }",
    "fn group(x: Tensor<f32, (N, C, L)>, g: usize, q: Tensor<f32, (N, D)>) -> (Tensor<f32, (N, C, L)>, Tensor<i64, (N, L)>) {
        let s: Tensor<f32, (N, G, D, L)> = split(x, C, (G, D), g);
        let t = merge(select(gt(s, 0.0) | lt(q, 0.5), s, shift(s, L, 1)), (G, D), C);
        let half = slice(t, L, M, 1..);
        let (a, mut c) = (rename(half, M, L2), dot(q, q, D));
        for i in 0..3 { c = c.max(i) + tanh(c).powi(2); }
        (t + c + sum(a.clamp(-1.0, 1.0), L2), argmax(t, C))
    }",
    "fn helpers(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, S)> {
        fn twice(v: Tensor<f32>) -> Tensor<f32> { v + v }
        const HALF: f64 = 0.5;
        let y = stack(S, (sum(x, C), mean(twice(x), C)));
        let z = concat(Z, (y, S), (y * HALF, S));
        y * constant([0.25, 0.5], S) + max(z, Z) * index(S) + other::layer(x)
    }",
    "fn moved(x: Tensor<f32, (N, L)>, label: Labels<(N, L)>, seed: Seed, n: usize) -> Tensor<f32, (N, M)> {
        let wide = pad(roll(flip(x, L), L, 2), L, M, 1, 2, 0.5) + pad_edge(x, L, M, 1, 2);
        let run = scan(cumsum(x, L) * uniform_like(x, seed), L, 0.0, |h, v| 0.9 * h + v);
        let y = select(any(gt(x, 0.0), L), pad_circular(run, L, M, 1, 2), repeat(sum(x, L), N, R, 1));
        wide + y + sum(scatter_add(x, label, P, n, L), P) + mean(adaptive_window(x, L, O, K, 3), (O, K))
    }",
];

#[test]
fn any_tokens_give_items() {
    let asked = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let (first, inputs) = (asked("SEED").unwrap_or(0), asked("INPUTS").unwrap_or(INPUTS));
    let workers: Vec<_> = (0..2)
        .map(|worker| {
            let run = move || (first + worker..first + inputs).step_by(2).for_each(check);
            std::thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread")
        })
        .collect();
    for worker in workers {
        worker.join().expect("no input panics");
    }
}

/// One input, named in a panic's message.
fn check(seed: u64) {
    let mut rng = Rng(seed);
    let formula = CORPUS[rng.below(CORPUS.len())];
    let donors = trees(CORPUS[rng.below(CORPUS.len())].parse().expect("a corpus of tokens"));
    let mut tokens = trees(formula.parse().expect("a corpus of tokens"));
    for _ in 0..1 + rng.below(3) {
        tokens = mutated(tokens, &donors, &mut rng);
    }
    let item: TokenStream = tokens.into_iter().collect();
    let attribute =
        if rng.below(16) == 0 { mutated(trees(quote!(name = Other, crate = a::b)), &donors, &mut rng) } else { vec![] };
    let start = Instant::now();
    let guard = Named(seed);
    if !is_right(item.clone()) || seed.is_multiple_of(DERIVED) {
        let output = derive_backward(attribute.into_iter().collect(), item, "here");
        if let Err(error) = syn::parse2::<syn::File>(output.clone()) {
            panic!("not Rust items ({error}): {output}");
        }
    }
    assert!(start.elapsed() < SLOWEST, "slow: {:?}", start.elapsed());
    std::mem::forget(guard);
}

/// Says which input panicked.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        eprintln!("the input of seed {} fails", self.0);
    }
}

/// Whether the front end accepts a formula.
fn is_right(item: TokenStream) -> bool {
    let mut errors = Errors::default();
    let Some(formula) = syntax::parse(&mut errors, &Options::default(), item) else { return false };
    let Outcome::Typed(typed) = elaborate(&mut errors, &formula, &Library::default()) else { return false };
    if errors.is_empty() {
        for variant in &typed {
            build(&mut errors, &formula, variant);
        }
    }
    errors.is_empty()
}

fn trees(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

/// One mutation, at a random place.
fn mutated(mut tokens: Vec<TokenTree>, donors: &[TokenTree], rng: &mut Rng) -> Vec<TokenTree> {
    if tokens.is_empty() {
        return any(donors, rng).into_iter().collect();
    }
    let at = rng.below(tokens.len());
    let groups: Vec<usize> = (0..tokens.len()).filter(|i| matches!(tokens[*i], TokenTree::Group(_))).collect();
    if !groups.is_empty() && rng.below(4) != 0 {
        let inside = groups[rng.below(groups.len())];
        if let TokenTree::Group(group) = &tokens[inside] {
            let stream = mutated(trees(group.stream()), donors, rng).into_iter().collect();
            tokens[inside] = TokenTree::Group(Group::new(group.delimiter(), stream));
        }
        return tokens;
    }
    match rng.below(20) {
        0..4 => drop(tokens.remove(at)),
        4..7 => tokens.insert(at, tokens[at].clone()),
        7..10 => {
            let other = rng.below(tokens.len());
            tokens.swap(at, other);
        }
        10..14 => {
            if let Some(token) = any(donors, rng) {
                tokens[at] = token;
            }
        }
        14..17 => tokens.splice(at..at, any(donors, rng)).for_each(drop),
        17 => tokens[at] = wrapped(tokens[at].clone(), rng),
        _ => {
            let links = [
                "+ x",
                "-",
                "!",
                ". exp ( )",
                "<",
                "| v |",
                "else if a { x }",
                "A <",
                ", x",
                "( x )",
                "; x",
                "& mut",
                "x =",
                "return",
            ];
            let chain = links[rng.below(links.len())].repeat(1 << rng.below(12));
            tokens.splice(at..at, trees(chain.parse().expect("tokens"))).for_each(drop);
        }
    }
    tokens
}

/// A token from anywhere in the donors.
fn any(donors: &[TokenTree], rng: &mut Rng) -> Option<TokenTree> {
    let words = ["self", "_", "0", "-9223372036854775808", "1e308", "r#fn", "'a'", "f32", "N", "sum", "Some", "async", "'l"];
    if donors.is_empty() || rng.below(8) == 0 {
        return trees(words[rng.below(words.len())].parse().expect("a token")).pop();
    }
    match &donors[rng.below(donors.len())] {
        TokenTree::Group(group) if rng.below(6) != 0 => any(&trees(group.stream()), rng),
        token => Some(token.clone()),
    }
}

/// A token in a nest of groups.
fn wrapped(token: TokenTree, rng: &mut Rng) -> TokenTree {
    let delimiters = [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
    let delimiter = delimiters[rng.below(4)];
    (0..1 << rng.below(10)).fold(token, |inner, _| TokenTree::Group(Group::new(delimiter, inner.into())))
}

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}
