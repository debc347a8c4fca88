use pullback_tests::programs::interpreted::{Case, Groups, check_call};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&args[1]).unwrap();
    let extents: Vec<(String, usize)> = args[2..]
        .iter()
        .map(|a| {
            let (n, e) = a.split_once('=').unwrap();
            (n.to_string(), e.parse().unwrap())
        })
        .collect();
    let extents: Vec<(&str, usize)> = extents.iter().map(|(n, e)| (n.as_str(), *e)).collect();
    if std::env::var_os("MATH").is_some() {
        let item: syn::ItemFn = syn::parse_file(&text)
            .unwrap()
            .items
            .into_iter()
            .filter_map(|i| if let syn::Item::Fn(f) = i { Some(f) } else { None })
            .next_back()
            .unwrap();
        let mut errors = pullback_derivations::error::Errors::default();
        let formula = pullback_derivations::syntax::parse(&mut errors, &Default::default(), quote::quote!(#item)).unwrap();
        let pullback_derivations::elaborate::Outcome::Typed(v) =
            pullback_derivations::elaborate::elaborate(&mut errors, &formula, &Default::default())
        else {
            panic!()
        };
        for t in v {
            let v = pullback_derivations::variant(&mut errors, &formula, t, &Default::default());
            println!("{:#?}\n{}", v.mathematics, pullback_derivations::plan::describe(&v.graph, &v.backward));
        }
    }
    println!("{:?}", check_call(&Case::read(&text, &extents, &[]), Groups::All));
}
