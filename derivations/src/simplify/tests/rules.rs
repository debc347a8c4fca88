//! Every rule's mathematics on random numbers. The text of the table is what is tested: it is read, drawn, evaluated.

use crate::simplify::rules::{Rule, TABLE};
use approx::assert_relative_eq;
use std::collections::BTreeMap;
use syn::{BinOp, Expr, Lit, UnOp};

/// The extents of A, B and C.
const LENS: [usize; 3] = [2, 3, 4];
const POINTS: usize = 24;

/// A value at every position of (A, B, C); one that does not vary over an axis is repeated along it.
type Values = Vec<f64>;

fn place(point: usize) -> [usize; 3] {
    [point / 12, point / 4 % 3, point % 4]
}

fn axis(name: &str) -> usize {
    ["A", "B", "C"].iter().position(|a| *a == name).unwrap_or_else(|| panic!("`{name}` is no axis"))
}

fn is_axis(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_uppercase())
}

/// `f: (A, B), z: B > 0` as names, axes and whether positive.
fn variables(text: &str) -> Vec<(String, Vec<usize>, bool)> {
    let mut depth = 0;
    let parts = text.split(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    let read = |part: &str| {
        let (name, rest) = part.split_once(':').expect("`name: axes`");
        let (axes, positive) = rest.split_once('>').map_or((rest, false), |(axes, _)| (axes, true));
        let axes = axes.split(|c: char| !c.is_ascii_alphabetic()).filter(|a| !a.is_empty()).map(axis).collect();
        (name.trim().to_string(), axes, positive)
    };
    parts.filter(|p| !p.trim().is_empty()).map(read).collect()
}

fn draw(rule: &Rule, seed: &mut u64) -> BTreeMap<String, Values> {
    let drawn = variables(rule.variables).into_iter().map(|(name, axes, positive)| {
        let mut table: BTreeMap<Vec<usize>, f64> = BTreeMap::new();
        let values = (0..POINTS).map(|point| {
            let key = axes.iter().map(|a| place(point)[*a]).collect();
            *table.entry(key).or_insert_with(|| {
                *seed ^= *seed << 13;
                *seed ^= *seed >> 7;
                *seed ^= *seed << 17;
                let unit = (*seed >> 11) as f64 / (1u64 << 53) as f64;
                if positive { 0.1 + unit } else { 2.0 * unit - 1.0 }
            })
        });
        (name, values.collect())
    });
    drawn.collect()
}

fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::Path(path) => path.path.get_ident().expect("a name").to_string(),
        _ => panic!("not a name: {expr:?}"),
    }
}

fn axes_of(expr: &Expr) -> Vec<usize> {
    match expr {
        Expr::Tuple(tuple) => tuple.elems.iter().map(|e| axis(&name_of(e))).collect(),
        expr => vec![axis(&name_of(expr))],
    }
}

fn sum(x: &Values, axes: &[usize]) -> Values {
    let agree = |p: usize, q: usize| (0..3).all(|a| axes.contains(&a) || place(p)[a] == place(q)[a]);
    (0..POINTS).map(|p| (0..POINTS).filter(|q| agree(p, *q)).map(|q| x[q]).sum()).collect()
}

/// `y[i] = x[i − 1]`, zero enters.
fn shift(x: &Values, along: usize) -> Values {
    let step = [12, 4, 1][along];
    (0..POINTS).map(|p| if place(p)[along] == 0 { 0.0 } else { x[p - step] }).collect()
}

fn eval(expr: &Expr, env: &BTreeMap<String, Values>) -> Values {
    let pointwise = |args: Vec<Values>, f: &dyn Fn(&[f64]) -> f64| -> Values {
        (0..POINTS).map(|p| f(&args.iter().map(|a| a[p]).collect::<Vec<_>>())).collect()
    };
    match expr {
        Expr::Paren(inner) => eval(&inner.expr, env),
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(value) => vec![value.base10_parse().expect("a number"); POINTS],
            other => panic!("literal {other:?}"),
        },
        Expr::Path(_) => env.get(&name_of(expr)).unwrap_or_else(|| panic!("unknown {}", name_of(expr))).clone(),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => pointwise(vec![eval(&unary.expr, env)], &|v| -v[0]),
        Expr::Binary(binary) => {
            let args = vec![eval(&binary.left, env), eval(&binary.right, env)];
            let f: &dyn Fn(&[f64]) -> f64 = match binary.op {
                BinOp::Add(_) => &|v| v[0] + v[1],
                BinOp::Sub(_) => &|v| v[0] - v[1],
                BinOp::Mul(_) => &|v| v[0] * v[1],
                BinOp::Div(_) => &|v| v[0] / v[1],
                BinOp::Gt(_) => &|v| f64::from(u8::from(v[0] > v[1])),
                _ => panic!("operator {binary:?}"),
            };
            pointwise(args, f)
        }
        Expr::Call(call) => {
            let arg = |i: usize| eval(&call.args[i], env);
            match name_of(&call.func).as_str() {
                "sum" => sum(&arg(0), &axes_of(&call.args[1])),
                "len" => vec![LENS[axis(&name_of(&call.args[0]))] as f64; POINTS],
                "shift" => shift(&arg(0), axis(&name_of(&call.args[1]))),
                "abs" => pointwise(vec![arg(0)], &|v| v[0].abs()),
                "sign" => pointwise(vec![arg(0)], &|v| v[0].signum()),
                "select" => pointwise(vec![arg(0), arg(1), arg(2)], &|v| if v[0] != 0.0 { v[1] } else { v[2] }),
                other => panic!("function {other}"),
            }
        }
        other => panic!("expression {other:?}"),
    }
}

/// The names that an expression reads.
fn names(text: &str) -> Vec<String> {
    let names = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|n| !n.is_empty()).map(str::to_string);
    names.filter(|n| !n.chars().next().is_some_and(|c| c.is_ascii_digit())).collect()
}

#[test]
fn every_rule_holds_on_random_numbers() {
    let mut seed = 0x2545_F491_4F6C_DD1D;
    for rule in TABLE {
        let (left, right) = rule.mathematics.split_once("=>").unwrap_or_else(|| panic!("{} has no `=>`", rule.name));
        let parse = |text: &str| syn::parse_str::<Expr>(text).unwrap_or_else(|e| panic!("{}: {text}: {e}", rule.name));
        let (before, after) = (parse(left), parse(right));
        assert_ne!(before, after, "{} says nothing", rule.name);
        for _ in 0..20 {
            let env = draw(rule, &mut seed);
            let (x, y) = (eval(&before, &env), eval(&after, &env));
            for (p, q) in x.iter().zip(&y) {
                assert_relative_eq!(p, q, epsilon = 1e-12, max_relative = 1e-10);
            }
        }
    }
}

#[test]
fn every_rule_declares_what_it_reads() {
    let functions = ["sum", "len", "abs", "sign", "select", "shift"];
    for rule in TABLE {
        let declared: Vec<String> = variables(rule.variables).into_iter().map(|v| v.0).collect();
        let read = names(rule.mathematics);
        let variables: Vec<&String> = read.iter().filter(|n| !is_axis(n) && !functions.contains(&n.as_str())).collect();
        for name in &variables {
            assert!(declared.contains(name), "{}: {name} is not declared", rule.name);
        }
        for name in &declared {
            assert!(variables.contains(&name), "{}: {name} is not used", rule.name);
        }
        assert_eq!(TABLE.iter().filter(|r| r.name == rule.name).count(), 1, "{} is there twice", rule.name);
    }
}
