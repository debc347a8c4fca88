//! Bodies of sweeps: pointwise instructions as one closure that reads as mathematics.

use super::wide::Wide;
use super::{Emitter, Names};
use crate::graph::{AxisSet, BinaryOp, ReduceOp, UnaryOp};
use crate::plan::{Body, Leaf, Operand, Pointwise, Val};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

/// A body, in the pieces that a sweep is made of.
pub(super) struct Emitted {
    /// Scalars that are the same all over, computed before.
    pub before: Vec<TokenStream>,
    /// Operands of the layer's type.
    pub data: Vec<TokenStream>,
    /// Operands that are not rounded to the layer's type.
    pub wide: Vec<TokenStream>,
    /// `.store(y).sum(s, [n])`
    pub targets: TokenStream,
    pub closure: TokenStream,
}

/// What an expression's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An `f64`, the same everywhere.
    Uniform,
    Lanes,
    /// An `f64` a lane.
    Wide,
    Mask,
}

/// How tightly an expression binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Sum,
    Product,
    Negation,
    Atom,
}

#[derive(Clone)]
struct Expr {
    tokens: TokenStream,
    kind: Kind,
    level: Level,
}

impl Expr {
    fn new(kind: Kind, level: Level, tokens: TokenStream) -> Expr {
        Expr { tokens, kind, level }
    }
    /// In parentheses if it binds less tightly.
    fn at(&self, level: Level) -> TokenStream {
        let tokens = &self.tokens;
        if self.level < level { quote!((#tokens)) } else { quote!(#tokens) }
    }
}

/// Numbers that have a name.
const CONSTANTS: &[(f64, &str)] = {
    use std::f64::consts::*;
    &[
        (PI, "PI"),
        (E, "E"),
        (LN_2, "LN_2"),
        (LN_10, "LN_10"),
        (SQRT_2, "SQRT_2"),
        (FRAC_1_SQRT_2, "FRAC_1_SQRT_2"),
        (FRAC_2_SQRT_PI, "FRAC_2_SQRT_PI"),
        (FRAC_PI_2, "FRAC_PI_2"),
        (FRAC_1_PI, "FRAC_1_PI"),
        (FRAC_2_PI, "FRAC_2_PI"),
        (LOG2_E, "LOG2_E"),
        (TAU, "TAU"),
    ]
};

/// A number as tokens, never a negative literal.
pub(crate) fn number(value: f64) -> TokenStream {
    if value.is_nan() {
        return quote!(f64::NAN);
    }
    let magnitude = if value.is_infinite() {
        quote!(f64::INFINITY)
    } else if let Some((_, name)) = CONSTANTS.iter().find(|(known, _)| *known == value.abs()) {
        let name = Ident::new(name, Span::call_site());
        quote!(::core::f64::consts::#name)
    } else {
        let literal = Literal::f64_unsuffixed(value.abs());
        quote!(#literal)
    };
    if value.is_sign_negative() { quote!(-#magnitude) } else { magnitude }
}

/// The values of one body, as they are emitted.
struct Writer<'w> {
    body: &'w Body,
    /// The type of the lanes.
    lane: TokenStream,
    operands: Vec<Option<Expr>>,
    code: Vec<Option<Expr>>,
    lets: Vec<TokenStream>,
    before: Vec<TokenStream>,
    uses: Vec<usize>,
    wide: Vec<bool>,
    names: Names,
}

impl Emitter<'_> {
    /// A body of a sweep over data.
    pub(super) fn body(&mut self, body: &Body, domain: AxisSet) -> Emitted {
        let is_repeated =
            |o: &Operand| o.is_plain() && self.tensor_axes(&o.leaf).is_some_and(|axes| axes != domain && axes.is_subset(domain));
        let widths = Wide::of(body, |leaf| self.is_wide(leaf), is_repeated);
        self.body_of(body, false, widths, &[])
    }
    /// A body of a sweep over few numbers, all `f64`. It may store values in arrays of the emitter's own as well.
    pub(super) fn small_body(&mut self, body: &Body, extra: &[(Ident, Val)]) -> Emitted {
        self.body_of(body, true, Wide::none(body), extra)
    }
    fn body_of(&mut self, body: &Body, wide: bool, widths: Wide, extra: &[(Ident, Val)]) -> Emitted {
        let results: Vec<Val> = body.stores.iter().map(|s| s.1).chain(body.folds.iter().map(|f| f.value)).collect();
        let results: Vec<Val> = results.into_iter().chain(extra.iter().map(|e| e.1)).collect();
        let uses = uses(body, &results);
        let (mut data, mut wides) = (vec![], vec![]);
        let (mut data_names, mut wide_names) = (vec![], vec![]);
        let mut operands = vec![None; body.operands.len()];
        // scalars first: their names are taken inside
        for (i, operand) in body.operands.iter().enumerate() {
            operands[i] = match &operand.leaf {
                Leaf::Host(host) => Some(self.host(*host)).map(|h| quote!(#h)),
                Leaf::Len(axis) => Some(self.len(*axis)).map(|l| quote!(#l)),
                Leaf::Int(int) => Some(self.int_variable(*int)).map(|v| quote!((#v as f64))),
                _ => None,
            }
            .map(|tokens| Expr::new(Kind::Uniform, Level::Atom, tokens));
        }
        let mut names = self.taken();
        for (i, operand) in body.operands.iter().enumerate() {
            if operands[i].is_some() || uses.0[i] == 0 {
                continue;
            }
            let name = names.fresh(&self.leaf_name(&operand.leaf));
            let tokens = self.operand(operand, &body.operands);
            if widths.operands[i] {
                wides.push(tokens);
                wide_names.push(name.clone());
            } else {
                data.push(tokens);
                data_names.push(name.clone());
            }
            let kind = if widths.operands[i] { Kind::Wide } else { Kind::Lanes };
            operands[i] = Some(Expr::new(kind, Level::Atom, quote!(#name)));
        }
        let lane = if wide { quote!(<V::One>) } else { quote!(V) };
        let code = vec![None; body.code.len()];
        let mut writer =
            Writer { body, lane, operands, code, lets: vec![], before: vec![], uses: uses.1, wide: widths.code, names };
        for at in 0..body.code.len() {
            if writer.uses[at] > 0 {
                writer.instruction(self, at);
            }
        }
        let (targets, out) = self.results(&writer, extra);
        let Writer { lets, before, .. } = writer;
        let value = if lets.is_empty() { quote!(#out) } else { quote!({ #(#lets)* #out }) };
        let closure = quote!({
            #[inline(always)]
            move |[#(#data_names),*], [#(#wide_names),*]| #value
        });
        Emitted { before, data, wide: wides, targets, closure }
    }

    /// The targets of stores and folds, and the closure's value.
    fn results(&self, writer: &Writer, extra: &[(Ident, Val)]) -> (TokenStream, TokenStream) {
        let body = writer.body;
        let mut targets = TokenStream::new();
        let mut stored = vec![];
        for (temp, value) in &body.stores {
            let target = &self.temps[temp];
            targets.extend(quote!(.store(#target)));
            stored.push(writer.lanes(*value));
        }
        for (target, value) in extra {
            targets.extend(quote!(.store(#target)));
            stored.push(writer.lanes(*value));
        }
        let is_wide = |v: Val| writer.value(v).kind == Kind::Wide;
        let sums_are_wide = body.folds.iter().any(|f| f.op == ReduceOp::Sum && is_wide(f.value));
        let mut groups: [(&str, Vec<TokenStream>); 4] = [("sum", vec![]), ("max", vec![]), ("argmax", vec![]), ("prod", vec![])];
        for (i, fold) in body.folds.iter().enumerate() {
            let Some((group, call)) = self.target(body, i) else { continue };
            targets.extend(call);
            let value = match fold.op {
                ReduceOp::Min | ReduceOp::ArgMin => {
                    let x = writer.as_lanes(&writer.value(fold.value)).at(Level::Negation);
                    quote!(-#x)
                }
                ReduceOp::Sum => writer.summand(fold.value, sums_are_wide),
                _ => writer.lanes(fold.value),
            };
            groups[group].1.push(value);
        }
        let mut out = quote!(Out::store([#(#stored),*]));
        for (group, values) in groups.iter().filter(|g| !g.1.is_empty()) {
            let group = Ident::new(group, Span::call_site());
            out.extend(quote!(.#group([#(#values),*])));
        }
        (targets, out)
    }

    /// Where a fold's result goes, and among which values it stands; `None`: its arg form brings it along.
    fn target(&self, body: &Body, i: usize) -> Option<(usize, TokenStream)> {
        let fold = &body.folds[i];
        let arg_of = |op: ReduceOp| match op {
            ReduceOp::Max => Some(ReduceOp::ArgMax),
            ReduceOp::Min => Some(ReduceOp::ArgMin),
            _ => None,
        };
        let same = |f: &crate::plan::Fold, op| f.op == op && f.value == fold.value && same_axes(&f.axes, &fold.axes);
        let by_arg = arg_of(fold.op).is_some_and(|op| body.folds.iter().any(|f| same(f, op)));
        if by_arg && !body.folds[..i].iter().any(|f| same(f, fold.op)) {
            return None;
        }
        let target = &self.temps[&fold.temp];
        let axes = fold.axes.iter().map(|a| &self.axes[a]);
        let axes = quote!([#(#axes),*]);
        let value = |op: ReduceOp| body.folds.iter().find(|f| same(f, op)).map(|f| &self.temps[&f.temp]);
        Some(match fold.op {
            ReduceOp::Sum => (0, quote!(.sum(#target, #axes))),
            ReduceOp::Prod => (3, quote!(.prod(#target, #axes))),
            ReduceOp::Max => (1, quote!(.max(#target, #axes))),
            ReduceOp::Min => (1, quote!(.min(#target, #axes))),
            ReduceOp::ArgMax => match value(ReduceOp::Max) {
                Some(value) => (2, quote!(.max_and_argmax(#value, #target, #axes))),
                None => (2, quote!(.argmax(#target, #axes))),
            },
            ReduceOp::ArgMin => match value(ReduceOp::Min) {
                Some(value) => (2, quote!(.min_and_argmin(#value, #target, #axes))),
                None => (2, quote!(.argmin(#target, #axes))),
            },
        })
    }
}

fn same_axes(a: &[crate::graph::AxisId], b: &[crate::graph::AxisId]) -> bool {
    let set = |list: &[crate::graph::AxisId]| list.iter().copied().collect::<crate::graph::AxisSet>();
    set(a) == set(b)
}

/// How often each operand and instruction is used, dead code not counted.
fn uses(body: &Body, results: &[Val]) -> (Vec<usize>, Vec<usize>) {
    let (mut operands, mut code) = (vec![0; body.operands.len()], vec![0; body.code.len()]);
    let mut count = |v: Val, code: &mut Vec<usize>| match v {
        Val::Num(_) => {}
        Val::Operand(k) => operands[k as usize] += 1,
        Val::Instr(k) => code[k as usize] += 1,
    };
    results.iter().for_each(|v| count(*v, &mut code));
    for at in (0..body.code.len()).rev() {
        if code[at] > 0 {
            for v in body.code[at].op.operands() {
                count(v, &mut code);
            }
        }
    }
    (operands, code)
}

impl Writer<'_> {
    fn value(&self, v: Val) -> Expr {
        match v {
            Val::Num(bits) => {
                let value = f64::from_bits(bits);
                let level = if value.is_sign_negative() { Level::Negation } else { Level::Atom };
                Expr::new(Kind::Uniform, level, number(value))
            }
            Val::Operand(k) => self.operands[k as usize].clone().expect("counted as used"),
            Val::Instr(k) => self.code[k as usize].clone().expect("written in order"),
        }
    }
    /// As lanes, whatever it is.
    fn as_lanes(&self, e: &Expr) -> Expr {
        let (lane, tokens, narrow) = (&self.lane, &e.tokens, e.at(Level::Atom));
        match e.kind {
            Kind::Lanes => e.clone(),
            Kind::Uniform => Expr::new(Kind::Lanes, Level::Atom, quote!(#lane::num(#tokens))),
            Kind::Mask => Expr::new(Kind::Lanes, Level::Atom, quote!(#lane::mask(#tokens))),
            Kind::Wide => Expr::new(Kind::Lanes, Level::Atom, quote!(#narrow.narrow())),
        }
    }
    fn lanes(&self, v: Val) -> TokenStream {
        self.as_lanes(&self.value(v)).tokens
    }
    /// Whether a value is a product of extents.
    fn is_count(&self, v: Val) -> bool {
        match v {
            Val::Num(_) => false,
            Val::Operand(k) => matches!(self.body.operands[k as usize].leaf, Leaf::Len(_)),
            Val::Instr(k) => match self.body.code[k as usize].op {
                Pointwise::Binary(BinaryOp::Mul, a, b) => self.is_count(a) && self.is_count(b),
                _ => false,
            },
        }
    }
    /// A value to be summed: wide if others beside it are.
    fn summand(&self, v: Val, wide: bool) -> TokenStream {
        let e = self.value(v);
        if !wide || e.kind == Kind::Wide {
            return if wide { e.tokens } else { self.as_lanes(&e).tokens };
        }
        let x = self.as_lanes(&e).at(Level::Atom);
        quote!(#x.wide())
    }
    fn as_mask(&self, e: &Expr) -> Expr {
        if e.kind == Kind::Mask {
            return e.clone();
        }
        let x = self.as_lanes(e).at(Level::Atom);
        Expr::new(Kind::Mask, Level::Atom, quote!(#x.holds()))
    }

    /// Writes an instruction: inline if it is used once and has no name, else as a variable.
    fn instruction(&mut self, emitter: &mut Emitter, at: usize) {
        let instr = &self.body.code[at];
        let args: Vec<Expr> = instr.op.operands().into_iter().map(|v| self.value(v)).collect();
        let uniform = args.iter().all(|a| a.kind == Kind::Uniform);
        let e = match uniform {
            true => uniform_expr(&instr.op, &args),
            false if self.wide[at] => self.wide_expr(&instr.op, &args),
            false => self.lane_expr(&instr.op, &args),
        };
        let named = instr.name.is_some() || self.uses[at] > 1;
        let variable = if uniform { !is_plain(&instr.op) || named } else { named && e.level != Level::Atom || self.uses[at] > 1 };
        if !variable {
            self.code[at] = Some(e);
            return;
        }
        let general = if self.is_count(Val::Instr(at as u32)) { "count" } else { default_name(&instr.op) };
        let wanted = instr.name.clone().unwrap_or_else(|| general.into());
        let name = if uniform { emitter.local(&wanted) } else { self.names.fresh(&wanted) };
        if uniform {
            self.names.fresh(&name.to_string());
        }
        let tokens = &e.tokens;
        let statement = quote!(let #name = #tokens;);
        if uniform {
            self.before.push(statement)
        } else {
            self.lets.push(statement)
        }
        self.code[at] = Some(Expr::new(e.kind, Level::Atom, quote!(#name)));
    }

    fn lane_expr(&self, op: &Pointwise, args: &[Expr]) -> Expr {
        let lane = &self.lane;
        let method = |name: &str, x: &Expr, rest: &[TokenStream]| {
            let (x, name) = (self.as_lanes(x).at(Level::Atom), Ident::new(name, Span::call_site()));
            Expr::new(Kind::Lanes, Level::Atom, quote!(#x.#name(#(#rest),*)))
        };
        match op {
            Pointwise::Unary(UnaryOp::Neg, _) => {
                let x = self.as_lanes(&args[0]).at(Level::Negation);
                Expr::new(Kind::Lanes, Level::Negation, quote!(-#x))
            }
            Pointwise::Unary(UnaryOp::Stop, _) => args[0].clone(),
            Pointwise::Unary(UnaryOp::Not, _) => {
                let x = self.as_mask(&args[0]).at(Level::Negation);
                Expr::new(Kind::Mask, Level::Negation, quote!(!#x))
            }
            Pointwise::Unary(u, _) => method(u.name(), &args[0], &[]),
            Pointwise::Powi(_, 2) => method("sq", &args[0], &[]),
            Pointwise::Powi(_, n) => {
                let literal = Literal::u32_unsuffixed(n.unsigned_abs());
                let n = if *n < 0 { quote!(-#literal) } else { quote!(#literal) };
                method("powi", &args[0], &[n])
            }
            Pointwise::Select { .. } => {
                let mask = self.as_mask(&args[0]).tokens;
                let (a, b) = (self.as_lanes(&args[1]).tokens, self.as_lanes(&args[2]).tokens);
                Expr::new(Kind::Lanes, Level::Atom, quote!(#lane::select(#mask, #a, #b)))
            }
            Pointwise::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), ..) => self.sum(*op, &args[0], &args[1]),
            Pointwise::Binary(BinaryOp::Mul, ..) => {
                // numbers stand on the right
                let (a, b) = if args[0].kind == Kind::Uniform { (&args[1], &args[0]) } else { (&args[0], &args[1]) };
                let a = self.as_lanes(a).at(Level::Product);
                let b = self.right(b).at(Level::Negation);
                Expr::new(Kind::Lanes, Level::Product, quote!(#a * #b))
            }
            Pointwise::Binary(BinaryOp::Div, Val::Num(bits), _) if f64::from_bits(*bits) == 1.0 => method("recip", &args[1], &[]),
            Pointwise::Binary(BinaryOp::Div, ..) => {
                let a = self.as_lanes(&args[0]).at(Level::Product);
                let b = self.right(&args[1]).at(Level::Negation);
                Expr::new(Kind::Lanes, Level::Product, quote!(#a / #b))
            }
            Pointwise::Binary(op @ (BinaryOp::And | BinaryOp::Or), ..) => {
                let and = *op == BinaryOp::And;
                let level = if and { Level::And } else { Level::Or };
                let (a, b) = (self.as_mask(&args[0]).at(level), self.as_mask(&args[1]).at(level));
                Expr::new(Kind::Mask, level, if and { quote!(#a & #b) } else { quote!(#a | #b) })
            }
            Pointwise::Binary(op, ..) => {
                let b = self.as_lanes(&args[1]).tokens;
                let kind = if op.is_mask() { Kind::Mask } else { Kind::Lanes };
                Expr { kind, ..method(op.name(), &args[0], &[b]) }
            }
        }
    }
    /// A right operand of an operator: an `f64` may stay one.
    fn right(&self, e: &Expr) -> Expr {
        if e.kind == Kind::Uniform { e.clone() } else { self.as_lanes(e) }
    }
    fn sum(&self, op: BinaryOp, a: &Expr, b: &Expr) -> Expr {
        let (a, b) = if op == BinaryOp::Add && a.kind == Kind::Uniform { (b, a) } else { (a, b) };
        let (left, right) = (self.as_lanes(a).at(Level::Sum), self.right(b).at(Level::Product));
        let tokens = if op == BinaryOp::Add { quote!(#left + #right) } else { quote!(#left - #right) };
        Expr::new(Kind::Lanes, Level::Sum, tokens)
    }

    /// Arithmetic in `f64`: of its operands one at least is wide.
    fn wide_expr(&self, op: &Pointwise, args: &[Expr]) -> Expr {
        let lanes = |e: &Expr| if e.kind == Kind::Wide { e.clone() } else { self.as_lanes(e) };
        let widened = |e: &Expr| {
            let x = lanes(e);
            let tokens = x.at(Level::Atom);
            if x.kind == Kind::Wide { x } else { Expr::new(Kind::Wide, Level::Atom, quote!(#tokens.wide())) }
        };
        let binary = |op: TokenStream, level: Level, above: Level, commutes: bool| {
            let (a, b) = if commutes && args[0].kind == Kind::Uniform { (&args[1], &args[0]) } else { (&args[0], &args[1]) };
            let left = if b.kind == Kind::Wide { lanes(a) } else { widened(a) }.at(level);
            let right = if b.kind == Kind::Uniform { b.clone() } else { lanes(b) }.at(above);
            Expr::new(Kind::Wide, level, quote!(#left #op #right))
        };
        match op {
            Pointwise::Unary(UnaryOp::Stop, _) => widened(&args[0]),
            Pointwise::Unary(..) => {
                let x = widened(&args[0]).at(Level::Negation);
                Expr::new(Kind::Wide, Level::Negation, quote!(-#x))
            }
            Pointwise::Binary(BinaryOp::Add, ..) => binary(quote!(+), Level::Sum, Level::Product, true),
            Pointwise::Binary(BinaryOp::Sub, ..) => binary(quote!(-), Level::Sum, Level::Product, false),
            Pointwise::Binary(BinaryOp::Mul, ..) => binary(quote!(*), Level::Product, Level::Negation, true),
            Pointwise::Binary(..) => binary(quote!(/), Level::Product, Level::Negation, false),
            Pointwise::Powi(..) | Pointwise::Select { .. } => {
                let x = widened(&args[0]).at(Level::Atom);
                Expr::new(Kind::Wide, Level::Atom, quote!(#x.sq()))
            }
        }
    }
}

/// An operator of `f64`s.
fn is_plain(op: &Pointwise) -> bool {
    use BinaryOp::{Add, Div, Mul, Sub};
    matches!(op, Pointwise::Unary(UnaryOp::Neg, _) | Pointwise::Binary(Add | Sub | Mul | Div, ..))
}

fn uniform_expr(op: &Pointwise, args: &[Expr]) -> Expr {
    let lift = |e: &Expr| {
        let tokens = &e.tokens;
        quote!(<V::One>::num(#tokens))
    };
    let (kind, level) = (Kind::Uniform, Level::Atom);
    let number = |tokens: TokenStream| Expr::new(kind, level, quote!(#tokens.first()));
    let call = |name: &str, rest: &[TokenStream]| {
        let (x, name) = (lift(&args[0]), Ident::new(name, Span::call_site()));
        quote!(#x.#name(#(#rest),*))
    };
    match op {
        Pointwise::Unary(UnaryOp::Neg, _) => {
            let x = args[0].at(Level::Negation);
            Expr::new(kind, Level::Negation, quote!(-#x))
        }
        Pointwise::Unary(UnaryOp::Stop, _) => args[0].clone(),
        Pointwise::Unary(UnaryOp::Not, _) => {
            let x = args[0].at(Level::Product);
            Expr::new(kind, Level::Sum, quote!(1.0 - #x))
        }
        Pointwise::Unary(u, _) => number(call(u.name(), &[])),
        Pointwise::Powi(_, n) => {
            let literal = Literal::u32_unsuffixed(n.unsigned_abs());
            let n = if *n < 0 { quote!(-#literal) } else { quote!(#literal) };
            number(call("powi", &[n]))
        }
        Pointwise::Binary(BinaryOp::Add, ..) => infix(Level::Sum, &quote!(+), args),
        Pointwise::Binary(BinaryOp::Sub, ..) => infix(Level::Sum, &quote!(-), args),
        Pointwise::Binary(BinaryOp::Mul, ..) => infix(Level::Product, &quote!(*), args),
        Pointwise::Binary(BinaryOp::Div, ..) => infix(Level::Product, &quote!(/), args),
        Pointwise::Binary(op @ (BinaryOp::And | BinaryOp::Or), ..) => {
            let (a, b) = (lift(&args[0]), lift(&args[1]));
            let both = if *op == BinaryOp::And { quote!(#a.holds() & #b.holds()) } else { quote!(#a.holds() | #b.holds()) };
            number(quote!(<V::One>::mask(#both)))
        }
        Pointwise::Binary(op, ..) => {
            let value = call(op.name(), &[lift(&args[1])]);
            number(if op.is_mask() { quote!(<V::One>::mask(#value)) } else { value })
        }
        Pointwise::Select { .. } => {
            let (m, a, b) = (lift(&args[0]), lift(&args[1]), lift(&args[2]));
            number(quote!(<V::One>::select(#m.holds(), #a, #b)))
        }
    }
}

fn infix(level: Level, operator: &TokenStream, args: &[Expr]) -> Expr {
    let above = if level == Level::Sum { Level::Product } else { Level::Negation };
    let (a, b) = (args[0].at(level), args[1].at(above));
    Expr::new(Kind::Uniform, level, quote!(#a #operator #b))
}

fn default_name(op: &Pointwise) -> &'static str {
    match op {
        Pointwise::Unary(UnaryOp::Neg, _) => "negated",
        Pointwise::Unary(u, _) => u.name(),
        Pointwise::Binary(BinaryOp::Add, ..) => "sum",
        Pointwise::Binary(BinaryOp::Sub, ..) => "difference",
        Pointwise::Binary(BinaryOp::Mul, ..) => "product",
        Pointwise::Binary(BinaryOp::Div, ..) => "quotient",
        Pointwise::Binary(op, ..) => op.name(),
        Pointwise::Powi(..) => "power",
        Pointwise::Select { .. } => "selected",
    }
}
