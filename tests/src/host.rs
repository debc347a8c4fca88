//! Evaluates the constants of a formula: the small part of Rust that its scalars are written in.

use pullback::Window;
use pullback::reference::Window2d;
use quote::ToTokens;
use syn::{BinOp, Expr, Lit};

/// A constant of a call.
#[derive(Clone, Debug)]
pub enum Constant {
    Number(f64),
    Window(Window2d),
    /// A window over up to three axes.
    Sliding(Window<3>),
    /// Whether an optional argument is there.
    Present(bool),
    /// A window's divisor.
    Divisor(Option<i64>),
}

impl From<f64> for Constant {
    fn from(value: f64) -> Self {
        Constant::Number(value)
    }
}

impl From<Window2d> for Constant {
    fn from(value: Window2d) -> Self {
        Constant::Window(value)
    }
}

/// The value of a scalar expression; `variable` knows the names in it.
///
/// # Panics
/// If the expression is none of those understood.
pub fn number(tokens: &impl ToTokens, variable: &dyn Fn(&str) -> Constant) -> f64 {
    match constant(tokens, variable) {
        Constant::Number(value) => value,
        other => panic!("{} is {other:?}, no number", tokens.to_token_stream()),
    }
}

/// The same of a constant of any kind.
pub fn constant(tokens: &impl ToTokens, variable: &dyn Fn(&str) -> Constant) -> Constant {
    let text = tokens.to_token_stream();
    let expr: Expr = syn::parse2(text.clone()).unwrap_or_else(|e| panic!("{text}: {e}"));
    value(&expr, variable)
}

fn value(expr: &Expr, variable: &dyn Fn(&str) -> Constant) -> Constant {
    let number = |e: &Expr| number(e, variable);
    match expr {
        Expr::Paren(e) => value(&e.expr, variable),
        Expr::Group(e) => value(&e.expr, variable),
        Expr::Cast(e) => value(&e.expr, variable),
        Expr::Lit(e) => Constant::Number(match &e.lit {
            Lit::Int(n) => n.base10_parse().expect("an integer"),
            Lit::Float(x) => x.base10_parse().expect("a number"),
            Lit::Bool(b) => f64::from(u8::from(b.value)),
            other => panic!("{}", other.to_token_stream()),
        }),
        Expr::Unary(e) => Constant::Number(match e.op {
            syn::UnOp::Neg(_) => -number(&e.expr),
            syn::UnOp::Not(_) => f64::from(u8::from(number(&e.expr) == 0.0)),
            _ => panic!("{}", e.to_token_stream()),
        }),
        Expr::Path(e) => match e.path.segments.last().map(|s| s.ident.to_string()).as_deref() {
            Some("FRAC_1_SQRT_2") => Constant::Number(std::f64::consts::FRAC_1_SQRT_2),
            Some("FRAC_2_SQRT_PI") => Constant::Number(std::f64::consts::FRAC_2_SQRT_PI),
            Some(name) => variable(name),
            None => panic!("an empty path"),
        },
        Expr::Binary(e) => Constant::Number(binary(&e.op, number(&e.left), number(&e.right))),
        Expr::If(e) => {
            let branch = if number(&e.cond) != 0.0 { &e.then_branch } else { else_branch(e) };
            let [syn::Stmt::Expr(result, None)] = branch.stmts.as_slice() else { panic!("a branch is one expression") };
            value(result, variable)
        }
        // `Window::new([2, 2])`, the one function that constants are made with.
        Expr::Call(e) => Constant::Sliding(Window::new(three(&e.args[0], 1, variable))),
        Expr::Macro(e) => Constant::Number(f64::from(u8::from(matched(&e.mac, variable)))),
        Expr::MethodCall(e) => match (value(&e.receiver, variable), e.method.to_string().as_str()) {
            (Constant::Sliding(k), name) if e.args.len() == 1 && is_option(name) => sliding(k, name, &e.args[0], variable),
            (receiver, name) => {
                let args: Vec<f64> = e.args.iter().map(number).collect();
                method(&receiver, name, &args)
            }
        },
        other => panic!("{}", other.to_token_stream()),
    }
}

fn is_option(name: &str) -> bool {
    ["stride", "padding", "dilation", "ceil_mode", "count_padding", "divisor"].contains(&name)
}

/// A window with one option more.
fn sliding(k: Window<3>, option: &str, arg: &Expr, variable: &dyn Fn(&str) -> Constant) -> Constant {
    let number = || number(arg, variable);
    Constant::Sliding(match option {
        "stride" => k.stride(three(arg, 1, variable)),
        "padding" => k.padding(three(arg, 0, variable)),
        "dilation" => k.dilation(three(arg, 1, variable)),
        "ceil_mode" => k.ceil_mode(number() != 0.0),
        "count_padding" => k.count_padding(number() != 0.0),
        _ => k.divisor(number() as i64),
    })
}

/// An array of up to three numbers, and `rest` in place of others.
fn three(expr: &Expr, rest: usize, variable: &dyn Fn(&str) -> Constant) -> [usize; 3] {
    let Expr::Array(array) = expr else { panic!("{} is no array", expr.to_token_stream()) };
    [0, 1, 2].map(|i| array.elems.get(i).map_or(rest, |e| number(e, variable) as usize))
}

/// `matches!(n, 1 | 2)`, which the arms of a `match` become.
fn matched(mac: &syn::Macro, variable: &dyn Fn(&str) -> Constant) -> bool {
    let parse = |input: syn::parse::ParseStream<'_>| {
        let value = input.parse::<Expr>()?;
        input.parse::<syn::Token![,]>()?;
        Ok((value, syn::Pat::parse_multi(input)?))
    };
    let (value, pattern) = mac.parse_body_with(parse).expect("`matches!`");
    let value = number(&value, variable);
    let fits = |pattern: &syn::Pat| match pattern {
        syn::Pat::Lit(literal) => number(literal, variable) == value,
        syn::Pat::Wild(_) => true,
        other => panic!("{}", other.to_token_stream()),
    };
    match &pattern {
        syn::Pat::Or(all) => all.cases.iter().any(fits),
        one => fits(one),
    }
}

fn else_branch(e: &syn::ExprIf) -> &syn::Block {
    match e.else_branch.as_ref().map(|(_, branch)| &**branch) {
        Some(Expr::Block(block)) => &block.block,
        _ => panic!("`if` without a plain `else`"),
    }
}

fn binary(op: &BinOp, a: f64, b: f64) -> f64 {
    let truth = |holds: bool| f64::from(u8::from(holds));
    match op {
        BinOp::Add(_) => a + b,
        BinOp::Sub(_) => a - b,
        BinOp::Mul(_) => a * b,
        BinOp::Div(_) => a / b,
        BinOp::And(_) => truth(a != 0.0 && b != 0.0),
        BinOp::Or(_) => truth(a != 0.0 || b != 0.0),
        BinOp::Eq(_) => truth(a == b),
        BinOp::Ne(_) => truth(a != b),
        BinOp::Lt(_) => truth(a < b),
        BinOp::Gt(_) => truth(a > b),
        BinOp::Le(_) => truth(a <= b),
        BinOp::Ge(_) => truth(a >= b),
        other => panic!("{}", other.to_token_stream()),
    }
}

fn method(receiver: &Constant, name: &str, args: &[f64]) -> Constant {
    let first = args.first().copied().unwrap_or(0.0);
    let number = match (receiver, name) {
        (Constant::Present(present), "is_some") => f64::from(u8::from(*present)),
        (Constant::Divisor(divisor), "is_some") => f64::from(u8::from(divisor.is_some())),
        (Constant::Divisor(divisor), "unwrap_or") => divisor.map_or(first, |d| d as f64),
        (Constant::Sliding(k), "divides_by") => return Constant::Divisor(k.divides_by()),
        (Constant::Sliding(k), "counts_padding") => f64::from(u8::from(k.counts_padding())),
        (Constant::Sliding(k), "kernel") => k.kernel(first as usize) as f64,
        (Constant::Sliding(k), "step") => k.step(first as usize) as f64,
        (Constant::Sliding(k), "dilate") => k.dilate(first as usize) as f64,
        (Constant::Sliding(k), "pad") => k.pad(first as usize) as f64,
        (Constant::Sliding(k), "output_len") => k.output_len(first as usize, args[1] as usize) as f64,
        (Constant::Window(k), "divides_by") => return Constant::Divisor(k.divisor),
        (Constant::Window(k), "counts_padding") => f64::from(u8::from(k.count_padding)),
        (Constant::Window(k), name) => along(k, name, first as usize, args) as f64,
        (Constant::Number(n), "clamp") => n.clamp(first, args[1]),
        (Constant::Number(n), "rem_euclid") => n.rem_euclid(first),
        // draws of the interpreter do not depend on the seed
        (Constant::Number(seed), "fold_in") => *seed,
        (receiver, name) => panic!("{receiver:?}.{name}"),
    };
    Constant::Number(number)
}

fn along(k: &Window2d, name: &str, axis: usize, args: &[f64]) -> usize {
    match name {
        "kernel" => k.kernel[axis],
        "step" => k.stride[axis],
        "dilate" => k.dilation[axis],
        "pad" => k.padding[axis],
        "output_len" => {
            let [kernel, stride] = [k.kernel, k.stride].map(|option| [option[axis]; 2]);
            let [padding, dilation] = [k.padding, k.dilation].map(|option| [option[axis]; 2]);
            let square = Window2d { kernel, stride, padding, dilation, ..*k };
            square.output([args[1] as usize; 2]).expect("a window that fits")[0]
        }
        other => panic!("a window's {other}"),
    }
}
