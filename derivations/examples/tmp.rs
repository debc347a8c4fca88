use pullback_derivations::*;
use pullback_derivations::elaborate::{elaborate, Library, Outcome};
fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let item: proc_macro2::TokenStream = text.parse().unwrap();
    let mut errors = error::Errors::default();
    let f = syntax::parse(&mut errors, &syntax::Options::default(), item).unwrap();
    let Outcome::Typed(ts) = elaborate(&mut errors, &f, &Library::default()) else { panic!() };
    println!("{:?}", errors.messages());
    for t in ts {
        let v = variant(&mut errors, &f, t, &simplify::Options::default());
        for (i, id) in v.graph.ids().enumerate() { println!("{i}: {:?} {:?}", v.graph.op(id), v.graph.axes_of(id)); }
        println!("{:#?}", v.mathematics);
        println!("FORWARD {:#?}", v.forward);
    }
}
