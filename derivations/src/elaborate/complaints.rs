//! Every message about a wrong formula, once: what is wrong, and what to write instead.

use super::tests::complains;

/// One wrong expression over `x: (N, C, L)`, `g: (C)`, labels, an optional tensor, state and constants.
#[track_caller]
fn expression(e: &str, of: &str) {
    statements(&format!("let _ = {e}; x"), of);
}

#[track_caller]
fn statements(body: &str, of: &str) {
    let signature = "x: Tensor<f32, (N, C, L)>, g: Tensor<f32, C>, label: Labels<N>, b: Option<Tensor<f32, C>>, \
        r: &mut Tensor<f32, C>, #[diff] t: f64, eps: f64, n: usize, seed: Seed, k: Window<1>";
    complains(&format!("fn f({signature}) -> Tensor<f32, (N, C, L)> {{ {body} }}"), &[of]);
}

#[track_caller]
fn signature(params: &str, of: &str) {
    complains(&format!("fn f({params}) -> Tensor<f32, N> {{ x }}"), &[of]);
}

#[test]
fn of_the_item() {
    complains("struct S;", &["goes on a function, `fn layer("]);
    complains("fn f(x: Tensor<f32, N>) -> Tensor<f32, N>;", &["goes on a function"]);
    complains("fn f(x: Tensor<f32, N>) -> Tensor<f32, N> { let }", &["the body of this formula cannot be read"]);
    complains(
        "async fn f(x: Tensor<f32, L>) -> Tensor<f32, L> { x }",
        &["an `async` function cannot be a formula: write a plain `fn`"],
    );
    complains("unsafe fn f(x: Tensor<f32, L>) -> Tensor<f32, L> { x }", &["`unsafe` function"]);
    complains("const fn f(x: Tensor<f32, L>) -> Tensor<f32, L> { x }", &["`const` function"]);
    complains("extern \"C\" fn f(x: Tensor<f32, L>) -> Tensor<f32, L> { x }", &["`extern` function"]);
    complains("fn f(&self, x: Tensor<f32, L>) -> Tensor<f32, L> { x }", &["takes no `self`"]);
    complains("fn f<T: Float>(x: Tensor<T, L>) -> Tensor<T, L> where T: Copy { x }", &["no `where` clause"]);
    complains("fn f<T>(x: Tensor<T, L>) -> Tensor<T, L> { x }", &["write `T: Float`"]);
    complains("fn f<T: Clone>(x: Tensor<T, L>) -> Tensor<T, L> { x }", &["write `T: Float`: a type parameter"]);
    complains(
        "fn f<T: Float, U: Float>(x: Tensor<T, L>) -> Tensor<T, L> { x }",
        &["no tensor has the element type `U`: leave it out"],
    );
    complains("fn f<'a>(x: Tensor<f32, L>) -> Tensor<f32, L> { x }", &["are element types, `T: Float`"]);
    complains("fn f<const K: usize>(x: Tensor<f32, L>) -> Tensor<f32, L> { x }", &["are element types, `T: Float`"]);
}

#[test]
fn of_arguments() {
    signature("x: Tensor<f32, N>, (a, b): Tensor<f32, N>", "an argument of a formula is a plain name");
    signature("mut x: Tensor<f32, N>", "write `x: Tensor<f32, N>`");
    signature("x: Tensor<f32, N>, x: Tensor<f32, N>", "two arguments are called `x`");
    signature("x: &Tensor<f32, N>", "by value in a formula: write `Tensor<f32, N>`");
    signature("x: Tensor<f32, N>, s: String", "`String` cannot be an argument of a formula");
    signature("x: Tensor<f32, N>, s: &mut f32", "`f32` cannot be an argument");
    signature("x: Tensor<f32, N>, s: &mut [f32]", "`[f32]` cannot be an argument");
    signature("x: Tensor<f32, N>, s: Option<f64>", "`f64` cannot be an argument");
    signature("x: Tensor<f32, N>, s: Option", "`Option` cannot be an argument");
    signature("x: Tensor<f32, N>, s: [f32; 3]", "`[f32; 3]` cannot be an argument");
    signature("x: Tensor<f32, N>, s: impl Fn()", "cannot be an argument");
    signature("x: Tensor<f32, N>, s: Labels", "`Labels<N>` or `Labels<(N, L)>`");
    signature("x: Tensor<f32, N>, s: Window", "`Window<2>`");
    signature("x: Tensor<f32, N>, s: Window<0>", "`Window<2>`");
    signature("x: Tensor<f32, N>, a: impl Axes", "only helpers take axes");
    signature("x: Tensor<f32, N>, #[dif] t: f64", "may be marked `#[constant]` or `#[diff]`");
    signature("x: Tensor<f32, N>, #[diff] t: f32", "write `#[diff] t: f64`");
    signature("#[diff] x: Tensor<f32, N>", "a tensor has a gradient without it");
    signature("x: Tensor<f32, N>, #[constant] t: f64", "`#[constant]` marks a tensor");
    signature("x: Tensor<f32>", "names no axes: write `Tensor<f32, (N, C)>`");
    signature("x: Tensor<f32, N>, z: Tensor", "names its element type and its axes");
    signature("x: Tensor<f32, N>, z: Tensor<u8, N>", "`u8` is not an element type");
    signature("x: Tensor<f32, N>, z: Tensor<i64, N>", "integers come in as `Labels<N>`");
    signature("x: Tensor<f32, N>, z: Tensor<f128, N>", "`f16`, `bf16`, `f32`, `f64` and type parameters");
    signature("x: Tensor<f32, N>, z: Tensor<f32, (N, N)>", "axis `N` stands twice in this list");
    signature("x: Tensor<f32, N>, z: Tensor<f32, (N, N)>", "`rename(x, N, N2)`");
    signature("x: Tensor<f32, N>, z: Tensor<f32, (Many<S>, Many<R>)>", "at most one `Many<..>`");
    signature("x: Tensor<f32, N>, z: Tensor<f32, Many<N>>", "stands both as `N` and as `Many<N>`");
    signature("x: Tensor<f32, N>, z: Tensor<f32, Many>", "`Many<S>`");
    signature("x: Tensor<f32, N>, z: Tensor<f32, [N; 2]>", "`[N; 2]` is not an axis");
}

#[test]
fn of_the_promise() {
    complains("fn f(x: Tensor<f32, N>) { x }", &["add `-> Tensor<f32, (N, C)>`"]);
    complains("fn f(x: Tensor<f32, N>) -> f32 { sum(x, N) }", &["`Tensor<f32, ()>` is a scalar"]);
    complains("fn f(x: Tensor<f32, N>) -> Tensor<f32, N> { x; }", &["remove the `;` after it"]);
    complains("fn f(x: Tensor<f32, N>) -> Tensor<f32, N> { }", &["its body is empty"]);
    complains("fn f(x: Tensor<f32, N>) -> Tensor<f32, N> { let y = x; }", &["a formula ends with its result"]);
    complains("fn f(x: Tensor<f32, N>) -> Tensor<f32, N> { N }", &["an axis is no value"]);
    complains(
        "fn f(x: Tensor<f32, N>) -> Tensor<f32, N> { (x, x) }",
        &["the formula gives 2 outputs, and its signature promises one output"],
    );
    complains(
        "fn f(x: Tensor<f32, N>) -> (Tensor<f32, N>, Tensor<f32, N>, Tensor<f32, N>) { (x, x) }",
        &["gives 2 outputs, and its signature promises 3 outputs"],
    );
    complains("fn f(x: Tensor<f32, N>) -> (Tensor<f32, N>, Tensor<f32, N>) { x }", &["gives one output"]);
    complains(
        "fn f(x: Tensor<f32, (N, C)>, g: Tensor<f32, C>) -> Tensor<f32, C> { x * g }",
        &["axis `N`, brought in by `x`, and `C` is promised: reduce over it, as in `sum(.., N)`, or promise `(C, N)`"],
    );
    complains("fn f(x: Tensor<f32, N>) -> Tensor<f32, Q> { sum(x, N) }", &["there is no axis `Q`: there is `N`"]);
    complains("fn f(e: f64) -> Tensor<f32, Q> { e * 2.0 }", &["there are none"]);
    complains("fn f(x: Tensor<f32, N>) -> Tensor<i64, N> { x }", &["made of whole numbers"]);
    complains(
        "fn f(x: Tensor<f32, L>, k: Window<1>) -> Tensor<f32, (O, K)> { window(x, L, O, K, k) }",
        &["the result can have holes, where a window reaches over the edge: write `fill(.., 0.0)`"],
    );
    complains(
        "fn f(x: Tensor<f32, L>, n: usize) -> Tensor<f32, (O, K)> { adaptive_window(x, L, O, K, n) }",
        &["the result can have holes"],
    );
    complains(
        "fn f(x: Tensor<f32, L>, k: Window<1>) -> Tensor<f32, (O, P)> { pad_reflect(window(x, L, O, K, k), K, P, 1, 1) }",
        &["this moves positions that may be holes"],
    );
    complains(
        "fn f(x: Tensor<f32, L>, r: &mut Tensor<f32, (O, K)>, k: Window<1>) -> Tensor<f32, L> { *r = stop_gradient(window(x, L, O, K, k)); x }",
        &["the state can have holes"],
    );
    complains(
        "fn f(x: Tensor<f32, L>, k: Window<1>) -> Tensor<f32, (P, J, K)> { window(window(x, L, O, K, k), O, P, J, k) }",
        &["this moves positions that may be holes"],
    );
}

#[test]
fn of_names_and_calls() {
    expression("sigmod(x)", "there is no function `sigmod` in the formula language: did you mean `sigmoid`?");
    expression("x.sigmod()", "did you mean `sigmoid`?");
    expression("x.frobnicate()", "there is no function `frobnicate`");
    expression("x + gg", "there is no value `gg`: did you mean `g`?");
    expression("x + zebra", "there is no value `zebra`: there are `b`, `eps`, `g`");
    expression("x + exp", "`exp` is a function, and is called");
    expression("g(x)", "`g` is a tensor here, and cannot be called");
    expression("(g)(x)", "only a named function can be called");
    expression("sqrt(x, x)", "`sqrt` takes 1 argument, and 2 are given: write `sqrt(x)`");
    expression("x.powi()", "`powi` takes 2 arguments, and 1 is given: write `powi(x, 3)`");
    expression("concat(A, (x, L))", "`concat` takes 3 to 16 arguments");
    expression("f(x)", "`f` calls itself (`f` → `f`)");
    expression("self::f(x)", "a formula cannot be recursive");
    statements("fn h(v: Tensor<f32>) -> Tensor<f32> { h(v) } h(x)", "`h` calls itself (`h` → `h`)");
    statements(
        "fn h(v: Tensor<f32>) -> Tensor<f32> { i(v) } fn i(v: Tensor<f32>) -> Tensor<f32> { h(v) } h(x)",
        "`h` calls itself (`h` → `i` → `h`)",
    );
    statements("fn h(v: Tensor<f32>) -> Tensor<f32> { v } h(x, x)", "`h` takes 1 argument, and 2 are given: write `h(v)`");
}

#[test]
fn of_arguments_of_formulas() {
    let call = |params: &str, args: &str, of: &str| {
        statements(&format!("fn h({params}) -> Tensor<f32> {{ x }} h({args}); x"), of);
    };
    call("x: Tensor<f32>, w: Window<2>", "x, k", "`w` of `h` is `Window<2>`, and this is `Window<1>`");
    call("x: Tensor<f32>, w: Window<1>", "x, 2", "`w` of `h` is `Window<1>`, and this is a number");
    call("x: Tensor<f32>, w: Window<1>", "x, seed", "this is a seed");
    call("x: Tensor<f32>, w: Window<1>", "x, x", "`w` of `h` is a window, and this is a tensor");
    call("x: Tensor<f32>, s: Seed", "x, k", "`s` of `h` is a seed, and this is a window");
    call("x: Tensor<f32>, s: Seed", "x, x", "`s` of `h` is a seed, and this is a tensor");
    call("x: Tensor<f32>, e: f64", "x, x", "`e` of `h` is a constant of the call, and this is a tensor");
    call("x: Tensor<f32>, e: f64", "x, k", "this is a window");
    call("x: Tensor<f32>, a: impl Axes", "x, x", "`a` of `h` is an axis or several, and this is a tensor");
    call("x: Tensor<f32>, #[diff] s: f64", "x, x", "`s` of `h` is a learned scalar");
    call("x: Tensor<f32>, s: &mut Tensor<f32, C>", "x, g", "`s` of `h` is state: pass a `&mut Tensor` argument on");
    call("x: Tensor<f32>, s: Option<Tensor<f32, C>>", "x, g", "`s` of `h` is optional: write `Some(..)` or `None`");
    call("x: Tensor<f32>, s: Labels<N>", "x, g", "`s` of `h` is labels");
    call("x: Tensor<f32>", "b", "this tensor may be absent");
    call("x: Tensor<f32, (A, B)>", "g", "`x` of `h` has axes (A, B), and this has (C)");
    call("x: Tensor<f32, (A, B, Many<S>)>", "g", "`x` of `h` has axes (A, B, Many<S>), and this has (C)");
    call(
        "x: Tensor<f32, (A, B, D)>, y: Tensor<f32, A>",
        "x, g",
        "axis `A` of `h` would be `C` here and is `N` in an earlier argument",
    );
    call("x: Tensor<f32, B>, y: f33", "g, 2", "`f33` cannot be an argument");
}

#[test]
fn of_axes() {
    expression("sum(x, Q)", "there is no axis `Q`: there are `C`, `L`, `N`; an axis is declared in the signature");
    expression("sum(x, (N, N))", "axis `N` stands twice in this list: write it once");
    expression("sum(x, 1.0)", "an axis is wanted here, and this is `1.0`");
    expression("sum(g, N)", "cannot reduce over `N`: `g` has axes (C); it is the same everywhere along `N` already");
    expression("sum(g, (N, C))", "write `sum(g, C)`");
    expression("x + N", "an axis is no value: `index(N)` is the position along it, `len(N)` its extent");
    expression("rename(x, N, C)", "the value has axis `C` already: choose another name");
    expression("rename(x, N, 1)", "the name of an axis is wanted here, and this is `1`");
    expression("rename(g, N, M)", "`g` has no axis `N`: its axes are (C)");
    expression("rename(x, (N, C), M)", "one axis is wanted here, and this is 2");
    expression("split(x, C, G, 2)", "two axes are wanted here, the outer and the inner: `(G, D)`");
    expression("split(x, C, (G, G), 2)", "axis `G` stands twice here");
    expression("split(x, C, (G, D), x)", "a whole number is wanted here, and this is a tensor");
    expression("merge(x, (N, C, L), M)", "two axes are merged at a time");
    expression("merge(g, (N, C), M)", "`g` has no axis `N`");
    expression("slice(x, L, M, 2)", "a range is wanted here");
    expression("stack(S, g)", "the tensors to stack are a tuple");
    expression("concat(M, g, g)", "each part says which of its axes is joined");
    expression("concat(M, (g, C), (g,))", "each part says which of its axes is joined");
    expression("concat(M, (x, C), (x, L))", "a part's own axis appears in another part");
    expression("window(x, L, O, (K, J), k)", "as many positions and taps as axes");
    expression("window(x, L, O, O, k)", "axis `O` stands twice here");
    expression("window(x, L, 1, K, k)", "the names of the window's new axes are wanted here");
    expression("window(g, L, O, K, k)", "`g` has no axis `L`");
    expression("window(x, L, O, K, x)", "an argument `k: Window<1>`), and this is a tensor");
    expression("window(x, L, O, K, eps)", "and this is a number");
    expression(
        "window(x, (C, L), (O, P), (K, J), k)",
        "a window over 2 axes is wanted here (an argument `k: Window<2>`), and this is `Window<1>`",
    );
    expression("adaptive_window(x, (C, L), (O, P), (K, J), 2)", "as many positions, taps and counts as axes");
    expression("adaptive_window(x, L, O, K, g)", "a whole number is wanted here, and this is a tensor");
    expression("adaptive_window(g, L, O, K, 2)", "`g` has no axis `L`");
    expression("adaptive_window(x, L, O, 1, 2)", "the names of the window's new axes are wanted here");
    expression("scatter(g, x, M, 3)", "an index is wanted here: labels, `argmax`, `argmin` or `index(A)`");
    expression("scatter_add(x, label, C, 3)", "the value has axis `C` already");
    expression("scatter_add(g, label, M, 3, C)", "`label` has no axis `C`");
    expression("cumsum(g, N)", "`g` has no axis `N`");
    expression("scan(x, L, x, |h, v| h + v)", "a scan begins with one value, and this has axis `L`");
    expression("scan(x, L, 0.0, |h, v| tanh(h) + v)", "a scan is of the form `|h, v| a * h + b`");
    expression("scan(x, L, 0.0, |h, v| h * h + v)", "a scan is of the form");
    expression("scan(x, L, 0.0, |h| h)", "this closure takes 1 argument");
    expression("roll(g, N, 1)", "`g` has no axis `N`");
    expression("roll(x, C, g)", "a whole number is wanted here, and this is a tensor");
    expression("flip(x, (C, L))", "one axis is wanted here, and this is 2");
    expression("pad(x, L, L, 1, 1, 0.0)", "the value has axis `L` already");
    expression("pad(x, L, M, 1, 1, g)", "an axis is padded with a number, and this is a tensor");
    expression("pad(x, L, M, g, 1, 0.0)", "a whole number is wanted here");
    expression("pad_edge(x, L, 1, 1, 1)", "the name of an axis is wanted here");
    expression("repeat(x, L, M, g)", "a whole number is wanted here");
    expression("any(g, C)", "a mask is wanted here: compare with `gt(a, b)`");
    expression("all(gt(g, 0.0), N)", "cannot reduce over `N`");
    expression("uniform(N, 3)", "an argument `seed: Seed`), and this is a number");
    expression("pick(g, N, label)", "`g` has no axis `N`");
    expression("pick(x, C, g)", "an index is wanted here: labels, `argmax`, `argmin`, `index(A)` or a constant");
    expression("pick(x, (C, L), 1)", "one axis at a time");
    expression("constant([0.5, 0.5], (A, B))", "`constant` names one axis");
    expression("constant(eps, K)", "write the numbers in place");
    expression("constant([eps], K)", "numbers known when the formula is derived");
}

#[test]
fn of_values() {
    expression("if gt(g, 0.0) { g } else { -g }", "write `select(gt(g, 0.0), g, -g)`");
    expression("if g > 0.0 { g } else { -g }", "write `select(gt(g, 0.0), g, -g)`");
    expression("if eps { g } else { -g }", "a condition is wanted here, such as `eps > 0`");
    expression("match g { _ => g }", "`match` chooses once a call");
    expression("match n { a if a > 1 => g, _ => g }", "a guard cannot stand");
    expression("match n { }", "has no arm");
    expression("match b { Ok(b) => b, _ => g }", "matched with `Some(name)` and `None`");
    expression("match b { Some(b) => b }", "does not say what happens otherwise");
    expression("if let Some(v) = g { v } else { g }", "`if let` opens an optional tensor, and this is a tensor");
    expression("if let Ok(v) = b { v } else { g }", "opened with `Some(name)` or `None`");
    expression("g + b", "this tensor may be absent: write `if let Some(b) = b");
    expression("b.unwrap()", "an optional tensor has `map_or(default, |b| ..)`");
    expression("b.map_or(g, g)", "write the closure in place: `|v| ..`");
    expression("g > 0.0", "element by element write `gt(g, 0.0)`");
    expression("g % 2.0", "`%` does not work on tensors: write `x - floor(x / m) * m`");
    expression("gt(g, 0.0) && gt(g, 1.0)", "masks are joined with `&`");
    expression("gt(g, 0.0) || gt(g, 1.0)", "masks are joined with `|`");
    expression("g & gt(g, 0.0)", "a mask is wanted here: compare with `gt(a, b)`");
    expression("select(g, g, g)", "a mask is wanted here");
    expression("g as f64", "a tensor cannot be cast");
    expression("(g, g) + 1.0", "a tensor is wanted here, and this is a tuple");
    expression("g + k", "a tensor or a number is wanted here, and this is a window");
    expression("g + seed", "and this is a seed");
    expression("g + \"one\"", "and this is text");
    expression("g * 1e999", "beyond the range of `f64`: write `f64::INFINITY`");
    expression("powi(g, g)", "write `powf(x, y)`");
    expression(
        "map(g, |v| v + x)",
        "`x` is a tensor: the closure of `map` sees one element at a time; write `select(mask, a, b)`",
    );
    expression("map(g, |v| if v > 0.0 { v })", "add `else { .. }`");
    expression("map(g, |v, w| v)", "this closure takes 2 arguments, and 1 is given");
    expression("map(g, |(v, w)| 1.0)", "a closure's argument is a plain name");
    expression("map(g, exp)", "write the closure in place");
    expression(
        "map(g, |v| v - v.mean(C))",
        "the closure of `map` sees one element at a time, which has no axes: take `mean` out",
    );
    expression("map(g, |v| v * index(C))", "take `index` out of it");
    statements("fn h(t: Tensor<f32>) -> Tensor<f32> { t - max(t, C) } map(g, |v| h(v)) + x", "take `max` out of it");
    expression("pick(x, C, 1.5)", "a whole number is wanted here, and this is `1.5`");
    expression("shift(x, C, 0.5)", "a whole number is wanted here, and this is `0.5`");
    expression("x ** 2", "a power is `powi(x, 2)`");
    expression("ensure(g, \"no\")", "`ensure` checks constants and lengths before anything is computed, and this is a tensor");
    expression("ensure(1.0, \"no\")", "`ensure` checks a condition");
    expression("ensure(eps > 0.0, g)", "the message is a string, and this is a tensor");
    expression("ensure(eps > 0.0, 3)", "the message is a string: `ensure(");
    expression("fill(g, g)", "holes are filled with a number, and this is a tensor");
    expression("bernoulli_like(g, 3, 0.5)", "an argument `seed: Seed`), and this is a number");
    expression("bernoulli_like(g, g, 0.5)", "and this is a tensor");
    expression("bernoulli_like(g, seed, g)", "the keep probability is a constant of the call, and this is a tensor");
    expression("eps.max((g, g))", "a constant is wanted here, and this is a tuple");
    expression("eps.clone_from(g)", "a tensor cannot go to a method of a constant");
}

#[test]
fn of_statements() {
    statements("exp(x); x", "this value is not used: bind it with `let`, or remove it");
    statements("let y: f32 = x; y", "this value is a tensor, and `f32` is none");
    statements("sum(rename(x.frobnicate(), C, E), E)", "there is no function `frobnicate`");
    statements("let y; x", "a `let` of a formula has a value");
    statements("let Some(y) = b else { return x }; x + y", "`let .. else` cannot stand in a formula");
    statements("let (p, q) = (x, x, x); x + p + q", "takes apart a tuple of 2, and the value is a tuple of 3");
    statements("let (p, q) = x; x + p + q", "takes apart a tuple of 2, and the value is a tensor");
    statements("let [p, q] = x; x + p + q", "write `let (a, b) = ..`");
    statements("let y = x; y = x; x", "`y` is not mutable: write `let mut y`");
    statements("y = x; x", "there is no `y` to assign to");
    statements("x.sum(N) = x; x", "assign to a `let mut` name, or to state: `*running = ..`");
    statements("x.sum(N) += x; x", "assign to a `let mut` name, or to state: `*running += ..`");
    statements("*g = g; x", "only state is assigned through `*`: declare the argument as `r: &mut Tensor<..>`");
    statements("*r = x; x", "this value has axis `N`, brought in by `x`, which the state lacks");
    statements(
        "*r = g; x + r",
        "state carries no gradient, and this reads a value that depends on one: write `stop_gradient(*r)`",
    );
    statements("for i in 0..n { } x", "its range must be known: write `for i in 0..3`");
    statements("for i in 0..100 { } x", "a loop of more than 64 rounds is not unrolled");
    statements("struct S; x", "only functions, constants and `use`");
    statements("dbg!(x); x", "a macro call cannot stand in a formula");
    let mut names = String::from("let y = x;");
    for i in 0..5 {
        names += &format!("let y = if eps > {i}.0 {{ y + 1.0 }} else {{ y }};");
    }
    statements(&format!("{names} y"), "combine to more than 16 kernels: split it into formulas, or `select` between values");
}

#[test]
fn of_constructs_that_are_not_in_the_language() {
    expression("loop { }", "a loop without a known count cannot stand in a formula: write `for i in 0..3`");
    expression("while eps > 0.0 { }", "a loop without a known count");
    expression("|v| v", "closures go to `map`, `map_or` and `scan`");
    expression("x[0]", "write `slice(x, L, M, a..b)`, or `pick(x, C, i)`");
    expression("return x", "let the last expression be the result");
    expression("vec!(1)", "write the expression it stands for");
    expression("async { x }", "`async` cannot stand in a formula");
    expression("x.await", "`async` cannot stand in a formula");
    expression("unsafe { x }", "`unsafe` cannot stand in a formula");
    expression("x.field", "pass the value as an argument of its own");
    expression("x?", "`ensure(condition, \"what is wrong\")`");
    expression("0..3", "ranges go to `slice` and `for`");
    expression("&mut x", "state is an argument `r: &mut Tensor<..>`");
    expression("break", "let the loop run its count");
    expression("'a: { x }", "this expression cannot stand in a formula");
}

#[test]
fn of_what_is_too_much() {
    let nested = format!("{}x{}", "(".repeat(100), ")".repeat(100));
    statements(&nested, "nested too deeply: name parts of it with `let`");
    statements(&format!("{}x", "-".repeat(1000)), "nested too deeply");
    statements(&"let y = x + x;".repeat(4000), "more than 20000 tokens: split it into formulas");
    statements("let mut y = x; for i in 0..60 { for j in 0..60 { for h in 0..60 { y = y + 1.0; } } } y", "unroll to too much");
    statements("let mut e = eps; for i in 0..40 { e = e + e; } x * e", "this constant grows too long: compute it outside");
    let mut helpers = String::from("fn h0(v: Tensor<f32>) -> Tensor<f32> { v }");
    for i in 1..40 {
        helpers += &format!("fn h{i}(v: Tensor<f32>) -> Tensor<f32> {{ h{}(v) }}", i - 1);
    }
    statements(&format!("{helpers} h39(x)"), "calls nest deeper than 32 formulas here: f → h39");
}
