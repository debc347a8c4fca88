//! What kernels look like.

use super::{ArrayAxes, kernel};
use crate::graph::{BinaryOp, Graph, InputKind, Op, UnaryOp};
use crate::plan::{Elem, Root, plan};
use expect_test::{Expect, expect};
use proc_macro2::{Ident, Span};
use quote::quote;

/// The body of `run`, pretty-printed.
#[track_caller]
fn check(graph: &Graph, roots: &[Root], arrays: &[ArrayAxes], expected: Expect) {
    let plan = plan(graph, roots, &[]);
    let name = Ident::new("Forward", Span::call_site());
    let kernel = kernel(graph, &plan.ints, &plan, name, &quote!(::pullback), "", arrays, &[]);
    let file: syn::File = syn::parse2(kernel.tokens.clone()).expect("a struct and an implementation");
    let printed = prettyplease::unparse(&file);
    let body = printed.split("at.script(space);\n").nth(1).and_then(|rest| rest.split("k.run();").next()).unwrap_or("");
    let body: Vec<&str> = body.lines().map(|l| l.strip_prefix("            ").unwrap_or(l)).collect();
    expected.assert_eq(&body.join("\n"));
    // the same tokens every time
    let again =
        super::kernel(graph, &plan.ints, &plan, Ident::new("Forward", Span::call_site()), &quote!(::pullback), "", arrays, &[]);
    assert_eq!(kernel.tokens.to_string(), again.tokens.to_string());
}

#[test]
fn a_normalisation() {
    let mut g = Graph::default();
    let (n, c) = (g.add_axis("N", None, 32), g.add_axis("C", None, 64));
    let x = g.add_input("x", &[n, c], InputKind::Tensor);
    let sum = g.sum(c, x);
    let len = g.add(Op::Len(c));
    let mu = g.binary(BinaryOp::Div, sum, len);
    g.names.insert(mu, "mu".into());
    let centred = g.binary(BinaryOp::Sub, x, mu);
    let square = g.powi(centred, 2);
    let squares = g.sum(c, square);
    let var = g.binary(BinaryOp::Div, squares, len);
    let eps = g.add_host("eps", "eps");
    let eps = g.add(Op::Host(eps));
    let var = g.binary(BinaryOp::Add, var, eps);
    let rstd = g.unary(UnaryOp::Rsqrt, var);
    let y = g.binary(BinaryOp::Mul, centred, rstd);
    check(
        &g,
        &[Root::output(y)],
        &[ArrayAxes { axes: vec![n, c], elem: Elem::Data }],
        expect![[r#"
            let x = k.input(x, [n, c]);
            let out = k.root(out, [n, c]);
            let sum_x = k.wide([n]);
            let mu = k.wide([n]);
            let sum = k.wide([n]);
            let value = k.wide([n]);
            k.nest([n]);
            k.sweep([n, c], [x.here()], [])
                .sum(sum_x, [c])
                .body({ #[inline(always)] move |[x], []| Out::store([]).sum([x]) });
            k.each([n], [sum_x.here()])
                .store(mu)
                .body({
                    #[inline(always)]
                    move |[sum_x], []| {
                        let mu = sum_x / len_c;
                        Out::store([mu])
                    }
                });
            k.sweep([n, c], [x.here()], [mu.here()])
                .sum(sum, [c])
                .body({
                    #[inline(always)]
                    move |[x], [mu]| Out::store([]).sum([(x - mu).sq()])
                });
            k.each([n], [sum.here()])
                .store(value)
                .body({
                    #[inline(always)]
                    move |[sum], []| Out::store([(sum / len_c + eps).rsqrt()])
                });
            k.sweep([n, c], [x.here()], [mu.here(), value.here()])
                .store(out)
                .body({
                    #[inline(always)]
                    move |[x], [mu, value]| Out::store([((x - mu) * value).narrow()])
                });
        "#]],
    );
}

#[test]
fn masks_and_numbers_on_the_left() {
    let mut g = Graph::default();
    let i = g.add_axis("I", None, 64);
    let x = g.add_input("x", &[i], InputKind::Tensor);
    let (zero, one) = (g.num(0.0), g.num(1.0));
    let mask = g.binary(BinaryOp::Gt, x, zero);
    let rest = g.binary(BinaryOp::Sub, one, x);
    let ratio = g.binary(BinaryOp::Div, one, rest);
    let y = g.select(mask, ratio, zero);
    check(
        &g,
        &[Root::output(y)],
        &[ArrayAxes { axes: vec![i], elem: Elem::Data }],
        expect![[r#"
        let x = k.input(x, [i]);
        let out = k.root(out, [i]);
        k.nest([i]);
        k.sweep([i], [x.here()], [])
            .store(out)
            .body({
                #[inline(always)]
                move |[x], []| Out::store([
                    V::select(
                        x.gt(V::num(0.0)),
                        (V::num(1.0) - x).recip(),
                        V::num(0.0),
                    ),
                ])
            });
    "#]],
    );
}
