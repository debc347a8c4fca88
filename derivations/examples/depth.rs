fn main() {
    let a: Vec<String> = std::env::args().collect();
    let n: usize = a[2].parse().unwrap();
    let r = |s: &str| s.repeat(n);
    let body = match a[1].as_str() {
        "paren" => format!("{}x{}", r("("), r(")")),
        "brace" => format!("{}x{}", r("{"), r("}")),
        "bracket" => format!("{}x{}", r("["), r("]")),
        "call" => format!("{}x{}", r("exp("), r(")")),
        "if" => format!("{}x{}", r("if a { "), r("} else { y }")),
        "match" => format!("{}x{}", r("match a { _ => "), r("}")),
        "fn" => format!("{}x{}", r("fn f() { "), r("}")),
        "neg" => format!("{}x", r("-")),
        "ref" => format!("{}x", r("&")),
        "mut" => format!("{}x", r("&mut ")),
        "return" => format!("{}x", r("return ")),
        "assign" => format!("{}x", r("x = ")),
        "closure" => format!("{}x", r("|v| ")),
        "closure0" => format!("{}x", r("|| ")),
        "plus" => format!("{}x", r("x + ")),
        "method" => format!("x{}", r(".exp()")),
        "field" => format!("x{}", r(".e")),
        "elseif" => format!("{}{{}}", r("if a {} else ")),
        "type" => format!("let x: {}x{};", r("A<"), r(">")),
        "cast" => format!("x{}", r(" as f64")),
        "typeref" => format!("let x: {}A = x;", r("&")),
        "patref" => format!("let {}x = x;", r("&")),
        "pat" => format!("let {}x{} = x;", r("("), r(")")),
        "let" => format!("{}x", r("let x = ")),
        "range" => format!("{}x", r(".. ")),
        "and" => format!("{}x", r("x && ")),
        "break" => format!("{}x", r("break ")),
        "at" => format!("let {}x = x;", r("x @ ")),
        "or" => format!("let {}x = x;", r("x | ")),
        _ => panic!(),
    };
    let full = a[3] == "full";
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            let item: proc_macro2::TokenStream =
                format!("fn f(x: Tensor<f32, N>, a: bool) -> Tensor<f32, N> {{ {body} }}").parse().unwrap();
            if full {
                pullback_derivations::derive_backward(Default::default(), item, "");
            } else {
                drop(syn::parse2::<syn::ItemFn>(item));
            }
        })
        .unwrap()
        .join()
        .unwrap();
}
