//! Operands of a sweep: which leaf, at which index, where.

use super::{Emitter, KernelArg};
use crate::graph::{Affine, Condition, Distribution, Draw, Int, IntId};
use crate::plan::{Leaf, Operand, Place};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

impl Emitter<'_> {
    /// An integer, negated or not, as a signed literal or a variable.
    fn int(&mut self, id: IntId) -> Integer {
        match self.ints.as_const(id) {
            Some(value) => Integer::Known(value),
            None => Integer::Variable(self.int_variable(id)),
        }
    }
    pub(super) fn int_variable(&mut self, id: IntId) -> Ident {
        let wanted = self.int_words(id, 3).filter(|words| words.len() <= 32).unwrap_or_else(|| "int".into());
        self.arg(KernelArg::Int(id), &wanted)
    }
    /// An integer in words: `extent_h`, `minus_k_pad_0`.
    fn int_words(&self, id: IntId, depth: u32) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        let words = |id| self.int_words(id, depth);
        Some(match self.ints.get(id) {
            Int::Const(value) => value.to_string().replace('-', "minus_"),
            Int::Host(host) => self.graph.hosts[host.0 as usize].name.clone(),
            Int::Len(axis) => format!("extent_{}", self.graph.axes[axis.0 as usize].name),
            Int::Sub(a, b) if self.ints.as_const(a) == Some(0) => format!("minus_{}", words(b)?),
            Int::Add(a, b) => format!("{}_plus_{}", words(a)?, words(b)?),
            Int::Sub(a, b) => format!("{}_minus_{}", words(a)?, words(b)?),
            Int::Mul(a, b) => format!("{}_times_{}", words(a)?, words(b)?),
            Int::FloorDiv(a, b) => format!("{}_over_{}", words(a)?, words(b)?),
            Int::Gcd(a, b) => format!("gcd_{}_{}", words(a)?, words(b)?),
        })
    }

    /// An index as arithmetic of axes: `oh * stride + kh - padding`.
    fn index(&mut self, e: &Affine) -> TokenStream {
        let mut sum: Option<TokenStream> = None;
        for (axis, coefficient) in &e.terms {
            let axis = self.axis(*axis);
            let term = match self.int(*coefficient) {
                Integer::Known(1) => quote!(#axis),
                Integer::Known(-1) => quote!(-#axis),
                Integer::Known(k) => {
                    let k = signed(k);
                    quote!(#axis * #k)
                }
                Integer::Variable(k) => quote!(#axis * #k),
            };
            sum = Some(match sum {
                None => term,
                Some(sum) => quote!(#sum + #term),
            });
        }
        let linear = match (sum, self.int(e.offset)) {
            (Some(sum), Integer::Known(0)) => sum,
            (Some(sum), Integer::Known(k)) if k < 0 => {
                let k = Literal::i64_unsuffixed(k.saturating_neg());
                quote!(#sum - #k)
            }
            (Some(sum), Integer::Known(k)) => {
                let k = Literal::i64_unsuffixed(k);
                quote!(#sum + #k)
            }
            (Some(sum), Integer::Variable(k)) => quote!(#sum + #k),
            (None, Integer::Known(k)) => {
                let k = signed(k);
                quote!(Index::constant(#k))
            }
            (None, Integer::Variable(k)) => quote!(Index::constant(#k)),
        };
        let bare = e.terms.len() == 1 && linear.clone().into_iter().count() == 1;
        if e.div.is_none() && e.modulo.is_none() {
            return linear;
        }
        let mut index = if bare { quote!(Index::from(#linear)) } else { quote!((#linear)) };
        if let Some(div) = e.div {
            let div = self.int(div).tokens();
            index = quote!(#index.floor_div(#div));
        }
        if let Some(modulo) = e.modulo {
            let modulo = self.int(modulo).tokens();
            index = quote!(#index.modulo(#modulo));
        }
        index
    }

    pub(super) fn condition(&mut self, condition: &Condition) -> TokenStream {
        let index = self.index(condition.affine());
        let method = match condition {
            Condition::Range { lo, hi, .. } => {
                let (lo, hi) = (self.int(*lo).tokens(), self.int(*hi).tokens());
                quote!(within(#lo, #hi))
            }
            Condition::Divides { by, .. } => {
                let by = self.int(*by).tokens();
                quote!(divides(#by))
            }
        };
        match index.clone().into_iter().count() {
            1 => quote!(Index::from(#index).#method),
            _ if ends_in_call(&index) => quote!(#index.#method),
            _ => quote!((#index).#method),
        }
    }
    pub(super) fn conditions(&mut self, list: &[Condition]) -> TokenStream {
        let list: Vec<TokenStream> = list.iter().map(|c| self.condition(c)).collect();
        quote!([#(#list),*])
    }
    pub(super) fn guard(&mut self, guard: &[Condition]) -> Option<TokenStream> {
        (!guard.is_empty()).then(|| {
            let conditions = self.conditions(guard);
            quote!(.guard(#conditions))
        })
    }

    /// An operand; `all` are those of its body, which its index may load from.
    pub(super) fn operand(&mut self, operand: &Operand, all: &[Operand]) -> TokenStream {
        let mut tokens = match &operand.leaf {
            Leaf::Index(axes) => {
                let axes = self.axis_list(axes.iter().copied());
                quote!(Operand::index(#axes))
            }
            Leaf::Test(conditions) => {
                let conditions = self.conditions(conditions);
                quote!(Operand::test(#conditions))
            }
            Leaf::Random(draw) => self.draw(draw),
            leaf => {
                let array = self.array(leaf).cloned();
                quote!(#array.here())
            }
        };
        for (axis, place) in &operand.map {
            let axis = self.axis(*axis);
            let place = match place {
                Place::Affine(e) => self.index(e),
                Place::Load(k) => self.operand(&all[*k as usize], all),
            };
            tokens = quote!(#tokens.at(#axis, #place));
        }
        if !operand.valid.is_empty() {
            let conditions = self.conditions(&operand.valid);
            let fill = super::body::number(f64::from_bits(operand.fill));
            tokens = quote!(#tokens.valid(#conditions, #fill));
        }
        tokens
    }

    fn draw(&mut self, draw: &Draw) -> TokenStream {
        let name = self.graph.hosts[draw.seed.0 as usize].name.clone();
        let seed = self.arg(KernelArg::Seed(draw.seed), &name);
        let number = Literal::u32_unsuffixed(draw.number);
        let axes = self.axis_list(draw.axes.clone());
        match (draw.distribution, draw.param) {
            (Distribution::Bernoulli, Some(keep)) => {
                let keep = self.host(keep);
                quote!(Operand::bernoulli(#seed, #number, #axes, #keep))
            }
            (Distribution::Bernoulli, None) => quote!(Operand::bernoulli(#seed, #number, #axes, 0.5)),
            (Distribution::Uniform, _) => quote!(Operand::uniform(#seed, #number, #axes)),
            (Distribution::Normal, _) => quote!(Operand::normal(#seed, #number, #axes)),
        }
    }
}

enum Integer {
    Known(i64),
    Variable(Ident),
}

impl Integer {
    fn tokens(self) -> TokenStream {
        match self {
            Integer::Known(value) => signed(value),
            Integer::Variable(ident) => quote!(#ident),
        }
    }
}

fn signed(value: i64) -> TokenStream {
    let literal = Literal::u64_unsuffixed(value.unsigned_abs());
    if value < 0 { quote!(-#literal) } else { quote!(#literal) }
}

/// `Index::constant(3)` and `(..).floor_div(2)` need no parentheses before a method.
fn ends_in_call(tokens: &TokenStream) -> bool {
    let first = tokens.clone().into_iter().next();
    let starts = match first {
        Some(proc_macro2::TokenTree::Ident(ident)) => ident == Ident::new("Index", Span::call_site()),
        Some(proc_macro2::TokenTree::Group(_)) => true,
        _ => false,
    };
    starts && matches!(tokens.clone().into_iter().last(), Some(proc_macro2::TokenTree::Group(_)))
}
