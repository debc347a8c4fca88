use super::{Names, body, words};
use crate::elaborate::Library;
use crate::error::Errors;
use crate::syntax::{self, Options, vocabulary};
use proc_macro2::{Ident, Span};
use quote::{format_ident, quote};

/// The written body of a formula over `x: (N, C)`, `b: Option<C>`, `r: &mut C`, `eps` and `k`.
fn written(statements: &str) -> Option<String> {
    let text = format!(
        "fn f(x: Tensor<f32, (N, C)>, b: Option<Tensor<f32, C>>, r: &mut Tensor<f32, C>, eps: f64, k: usize) -> Tensor<f32, (N, C)> {{ {statements} }}"
    );
    let formula = syntax::parse(&mut Errors::default(), &Options::default(), text.parse().expect("tokens")).expect("a formula");
    let call = Ident::new("call", Span::call_site());
    let names = Names { krate: &quote!(p), call: &call, args: &|i| format_ident!("arg{i}") };
    let tokens = body(&formula, &Library::default(), &names, &["N".into(), "C".into()], 2)?;
    let text = tokens.to_string().replace("p :: formula :: written ::", "").replace(' ', "");
    Some(text.split_once("lety0=").expect("a result").1.split_once("::core::result").expect("an end").0.into())
}

fn becomes(statements: &str, expected: &str) {
    let found = written(statements).unwrap_or_else(|| panic!("`{statements}` is not written"));
    assert_eq!(found, format!("{{{expected}}};"), "{statements}");
}

#[test]
fn expressions_stand_as_they_are_and_numbers_become_values() {
    becomes("x * 2.0 - eps", "x*run.num(2.0)-run.num(eps)");
    becomes("x * (2.0 * eps) / k", "x*run.num((2.0*eps))/run.num(k)");
    becomes("-x + 5000000000", "-x+run.num(5000000000i64)");
    becomes("x.powi(2).sum(C) + x.max(0)", "sum(powi(x,2),&[&axis_C])+max2(x,run.num(0))");
    becomes("x + len(C) as f64 * 0.5", "x+run.num((run.len(&[&axis_C])asf64)*0.5)");
    becomes("let s = 2.0; x * s.sqrt()", "lets=2.0;x*run.num((2.0asf64).sqrt())");
}

#[test]
fn branches_agree_on_what_they_give() {
    becomes("if eps > 0.0 { x } else { 0.0 }", "ifeps>0.0{x}else{run.num(0.0)}");
    becomes("x * if k == 1 { 2.0 } else { 3.0 }", "x*run.num(ifk==1{2.0}else{3.0})");
    becomes("if (0.0..=1.0).contains(&eps) { x } else { 0.0 }", "if(0.0..=1.0).contains(&(eps)){x}else{run.num(0.0)}");
    becomes("match k { 0 => x, _ => 1.0 }", "matchk{0=>{x}_=>{run.num(1.0)}}");
    becomes(
        "let (a, c) = if k > 1 { (x, 1.0) } else { (2.0, 3.0) }; a * c",
        "let(a,c,)=ifk>1{(x,1.0,)}else{{let(part0,part1,)=(2.0,3.0,);(run.num(part0),part1,)}};a*run.num(c)",
    );
    becomes("b.map_or(x, |v| x + v)", "matchb{::core::option::Option::Some(v)=>{x+v}::core::option::Option::None=>x,}");
    becomes("match (b, k) { (Some(v), 1) => x + v, _ => x }", "match(b,k,){(::core::option::Option::Some(v),1,)=>{x+v}_=>{x}}");
    becomes("map(x, |v| if v > 0.0 { v } else { 0.0 })", "map(x,|v|{ifholds(gt(v,run.num(0.0))){v}else{run.num(0.0)}})");
}

#[test]
fn what_changes_is_a_tensor_from_the_start_if_it_ends_as_one() {
    becomes("let mut a = 0.0; for i in 0..3 { a += x * i; } a", "leta=0.0;letmuta=run.num(a);foriin0..3{a=a+(x*run.num(i));};a");
    becomes("let mut a = 1.0; for i in 0..3 { a *= 2.0; } x * a", "letmuta=1.0;foriin0..3{a=a*(2.0);};x*run.num(a)");
    becomes("*r = stop_gradient(mean(x, N)); x - *r", "r.write(stop_gradient(mean(x,&[&axis_N])));x-r.read()");
}

#[test]
fn calls_are_blocks_and_never_begin_a_statement() {
    let helper = "fn h(t: Tensor<f32, (A, B)>) -> Tensor<f32, (A, B)> { t * 2.0 }";
    let block = "{let(t,)=(x,);letaxis_A=Name::new();letaxis_B=Name::new();t.bind(&[&axis_A,&axis_B],::core::option::Option::None);lety0={t*run.num(2.0)};y0.promised(&[&axis_A,&axis_B])}";
    becomes(&format!("{helper} h(x) + 1.0"), &format!("({block}+run.num(1.0))"));
    becomes(&format!("{helper} h(x)"), block);
}

#[test]
fn a_nested_function_names_the_axes_around_it() {
    let inner = "fn inner(t: Tensor<f32>) -> Tensor<f32> { sum(t, C) }";
    becomes(&format!("{inner} inner(x)"), "{let(t,)=(x,);lety0={sum(t,&[&axis_C])};y0}");
    // where another function's axis of the same name is between, the terms are run
    let between = "fn outer(t: Tensor<f32, (C, A)>) -> Tensor<f32, (C, A)> { t * inner(t) }";
    assert!(written(&format!("{inner} {between} outer(x)")).is_none());
}

#[test]
fn names_of_the_body_do_not_meet_those_around_it() {
    let found = written("let run = x; let axis_C = run; axis_C * 2.0 + sum(run, C)").expect("written");
    assert_eq!(found, "{letrun=x;letaxis_C=run;axis_C*run_.num(2.0)+sum(run,&[&axis_C_])};");
}

#[test]
fn every_word_is_written() {
    // of these the terms are run
    let by_terms = ["scatter", "scatter_add"];
    for word in vocabulary::WORDS {
        let special = ["ensure", "stack", "concat", "constant", "ln", "ln_1p", "maximum", "minimum"];
        let known = special.contains(&word.name) || words::arguments(word.name) == Some(word.args.0);
        assert!(words::new_axes(word.name).is_none_or(|at| at == vocabulary::new_axes(word.name)), "{}", word.name);
        assert_eq!(known, !by_terms.contains(&word.name), "{}", word.name);
    }
}
