//! What is known of each class: its axes, constant, sign, and whether it depends on a cotangent.

use super::language::{Expr, Holes, Payload};
use super::log::Log;
use super::rational::Rational;
use super::views::Memo;
use crate::graph::{AxisSet, BinaryOp, Condition, Distribution, Graph, InputKind, NodeId, Op, ReduceOp, UnaryOp, condition_axes};
use egg::{DidMerge, Id, Language};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

pub type EGraph<'g> = egg::EGraph<Expr, Facts<'g>>;

/// Holds only if proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    Unknown,
    NonNeg,
    Pos,
}

/// What is known of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data {
    /// The axes its value varies over. A node may have more: its value is constant along those.
    pub axes: AxisSet,
    pub constant: Option<Rational>,
    pub sign: Sign,
    /// Whether it can be known only when the backward call begins.
    pub cotangent: bool,
}

/// A value that the backward call may be given.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    pub axes: AxisSet,
    /// Outputs, and what is kept in any case: having it costs nothing more.
    pub there: bool,
    /// Masks and indices: a quarter of the memory.
    pub few: bool,
}

/// The context of an e-graph: interned operators, switches and the log.
pub struct Facts<'g> {
    pub graph: &'g Graph,
    pub off: Vec<&'static str>,
    pub given: Vec<Given>,
    /// Two different constants were found equal: some rule or the problem itself is at fault. Nothing may be used.
    pub conflict: bool,
    pub log: Log,
    pub memo: RefCell<Memo>,
    /// How many unions there were: what depends on the nodes of classes holds as long as this number.
    pub unions: Cell<u64>,
    payloads: Vec<Op>,
    payload_ids: HashMap<Op, Payload>,
    holes: Vec<Vec<Condition>>,
    #[cfg(test)]
    pub shadow: Option<super::tests::Shadow>,
}

impl<'g> Facts<'g> {
    pub fn new(graph: &'g Graph, off: &[&'static str]) -> Facts<'g> {
        Facts {
            graph,
            off: off.to_vec(),
            given: vec![],
            conflict: false,
            log: Log::default(),
            memo: RefCell::default(),
            unions: Cell::new(0),
            payloads: vec![],
            payload_ids: HashMap::new(),
            holes: vec![vec![]],
            #[cfg(test)]
            shadow: None,
        }
    }
    pub fn is_on(&self, rule: &str) -> bool {
        !self.off.contains(&rule)
    }
    /// The operator with its operands numbered from 0.
    pub fn payload(&mut self, op: &Op) -> Payload {
        let mut count = 0;
        let op = op.with_operands(|_| {
            count += 1;
            NodeId(count - 1)
        });
        if let Some(&id) = self.payload_ids.get(&op) {
            return id;
        }
        let id = Payload(self.payloads.len() as u32);
        self.payloads.push(op.clone());
        self.payload_ids.insert(op, id);
        id
    }
    pub fn op(&self, payload: Payload) -> &Op {
        &self.payloads[payload.0 as usize]
    }
    pub fn intern_holes(&mut self, conditions: &[Condition]) -> Holes {
        let at = self.holes.iter().position(|h| h == conditions).unwrap_or_else(|| {
            self.holes.push(conditions.to_vec());
            self.holes.len() - 1
        });
        Holes(at as u32)
    }
    pub fn conditions(&self, holes: Holes) -> &[Condition] {
        &self.holes[holes.0 as usize]
    }
    /// The axes of an expression, from those of its children.
    pub fn axes(&self, expr: &Expr, of: &dyn Fn(Id) -> AxisSet) -> AxisSet {
        match expr {
            Expr::Given(k) => self.given[*k as usize].axes,
            Expr::Red { over, holes, x } => (of(x[0]) | condition_axes(self.conditions(*holes))) - *over,
            Expr::Opaque(payload, x) => self.graph.axes_with(self.op(*payload), &|k| of(x[k.0 as usize])),
            expr => expr.children().iter().fold(AxisSet::EMPTY, |set, i| set | of(*i)),
        }
    }
    /// The positions that an expression's evaluation visits.
    pub fn domain(&self, expr: &Expr, of: &dyn Fn(Id) -> AxisSet) -> AxisSet {
        let own = self.axes(expr, of);
        match expr {
            Expr::Red { over, .. } => own | *over,
            Expr::Opaque(payload, x) => match self.op(*payload) {
                Op::Reduce { axes, .. } => own | axes.iter().copied().collect(),
                Op::Scatter { over, .. } => x.iter().fold(*over, |set, i| set | of(*i)),
                _ => own,
            },
            _ => own,
        }
    }
    /// Whether an operand's elements at other positions are needed: a sum over axes, a maximum, a scatter.
    pub fn is_reduction(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Red { .. } => true,
            Expr::Opaque(payload, _) => {
                matches!(self.op(*payload), Op::Reduce { .. } | Op::Scatter { .. } | Op::Scan { .. })
            }
            _ => false,
        }
    }
    fn sign(&self, expr: &Expr, of: &dyn Fn(Id) -> Sign) -> Sign {
        match expr {
            Expr::Num(k) if k.n > 0 => Sign::Pos,
            Expr::Num(k) if k.n == 0 => Sign::NonNeg,
            Expr::Given(_) | Expr::Num(_) => Sign::Unknown,
            Expr::Len(_) => Sign::Pos,
            Expr::Sum { coefs, terms, .. } => {
                let known = coefs.iter().zip(terms).all(|(c, t)| c.n > 0 && of(*t) >= Sign::NonNeg);
                let positive = terms.iter().any(|t| of(*t) == Sign::Pos);
                if !known {
                    Sign::Unknown
                } else if positive {
                    Sign::Pos
                } else {
                    Sign::NonNeg
                }
            }
            Expr::Prod { exponents, factors } => {
                exponents.iter().zip(factors).map(|(e, f)| power_sign(of(*f), *e)).min().unwrap_or(Sign::Pos)
            }
            Expr::Red { holes, x, .. } => if_any(of(x[0]), *holes != Holes::NONE),
            Expr::Select(x) => of(x[1]).min(of(x[2])),
            Expr::Unary(op, x) => unary_sign(*op, of(x[0])),
            Expr::Opaque(payload, x) => self.opaque_sign(self.op(*payload), &|k| of(x[k])),
        }
    }
    fn opaque_sign(&self, op: &Op, of: &dyn Fn(usize) -> Sign) -> Sign {
        match op {
            Op::Num(bits) if f64::from_bits(*bits) > 0.0 => Sign::Pos,
            Op::Input(i) if self.graph.inputs[i.0 as usize].kind == InputKind::Labels => Sign::NonNeg,
            Op::Index(_) | Op::Test(_) => Sign::NonNeg,
            Op::Binary(b, ..) if b.is_mask() => Sign::NonNeg,
            Op::Binary(BinaryOp::Max, ..) => of(0).max(of(1)),
            Op::Binary(BinaryOp::Min, ..) => of(0).min(of(1)),
            Op::Binary(BinaryOp::Hypot, ..) => Sign::NonNeg,
            Op::Binary(BinaryOp::Pow, ..) if of(0) == Sign::Pos => Sign::Pos,
            Op::Reduce { op: ReduceOp::ArgMax | ReduceOp::ArgMin, .. } => Sign::NonNeg,
            Op::Reduce { op: ReduceOp::Max | ReduceOp::Min, valid, .. } if !valid.is_empty() => Sign::Unknown,
            Op::Reduce { valid, .. } => if_any(of(0), !valid.is_empty()),
            Op::Reindex(_, r) if r.valid.is_empty() => of(0),
            Op::Reindex(_, r) if f64::from_bits(r.fill) >= 0.0 => of(0).min(Sign::NonNeg),
            Op::Scatter { .. } => of(0).min(Sign::NonNeg),
            Op::Random(draw) if draw.distribution != Distribution::Normal => Sign::NonNeg,
            _ => Sign::Unknown,
        }
    }
}

/// A reduction that may skip every position is not known to be positive.
fn if_any(sign: Sign, may_skip: bool) -> Sign {
    if may_skip { sign.min(Sign::NonNeg) } else { sign }
}

fn power_sign(base: Sign, exponent: Rational) -> Sign {
    match base {
        Sign::Pos => Sign::Pos,
        // a root is not negative where it is defined, and its reciprocal not zero
        _ if !exponent.is_int() => {
            if exponent.is_negative() {
                Sign::Pos
            } else {
                Sign::NonNeg
            }
        }
        _ if exponent.n % 2 == 0 => Sign::NonNeg,
        Sign::NonNeg => Sign::NonNeg,
        Sign::Unknown => Sign::Unknown,
    }
}

fn unary_sign(op: UnaryOp, x: Sign) -> Sign {
    match op {
        UnaryOp::Exp | UnaryOp::Exp2 | UnaryOp::Sigmoid | UnaryOp::Softplus | UnaryOp::Cosh | UnaryOp::Erfc => Sign::Pos,
        UnaryOp::Abs => x.max(Sign::NonNeg),
        UnaryOp::Not => Sign::NonNeg,
        UnaryOp::Tanh | UnaryOp::Sinh | UnaryOp::Asinh | UnaryOp::Atan | UnaryOp::Erf | UnaryOp::ExpM1 | UnaryOp::Log1p => x,
        _ => Sign::Unknown,
    }
}

impl<'g> egg::Analysis<Expr> for Facts<'g> {
    type Data = Data;

    fn make(egraph: &mut EGraph<'g>, expr: &Expr, _id: Id) -> Data {
        egraph.analysis.log.made(expr);
        #[cfg(test)]
        super::tests::Shadow::record(egraph, expr, _id);
        let facts = &egraph.analysis;
        let cotangent = match expr {
            Expr::Opaque(payload, x) if x.is_empty() => match facts.op(*payload) {
                Op::Input(i) => matches!(facts.graph.inputs[i.0 as usize].kind, InputKind::Cotangent(_)),
                _ => false,
            },
            Expr::Given(_) => false,
            expr => expr.children().iter().any(|i| egraph[*i].data.cotangent),
        };
        let constant = match expr {
            Expr::Num(k) => Some(*k),
            _ => None,
        };
        let axes = facts.axes(expr, &|i| egraph[i].data.axes);
        Data { axes, constant, sign: facts.sign(expr, &|i| egraph[i].data.sign), cotangent }
    }

    fn merge(&mut self, a: &mut Data, b: Data) -> DidMerge {
        if let (Some(x), Some(y)) = (a.constant, b.constant) {
            self.conflict |= x != y;
        }
        let merged = Data {
            axes: a.axes & b.axes,
            constant: a.constant.or(b.constant),
            sign: a.sign.max(b.sign),
            cotangent: a.cotangent && b.cotangent,
        };
        let did = DidMerge(merged != *a, merged != b);
        *a = merged;
        did
    }

    fn modify(egraph: &mut EGraph<'g>, id: Id) {
        if let Some(constant) = egraph[id].data.constant {
            let number = egraph.add(Expr::Num(constant));
            if egraph.find(number) != egraph.find(id) {
                egraph.union(id, number);
            }
        }
    }

    fn pre_union(egraph: &EGraph<'g>, _a: Id, _b: Id, _: &Option<egg::Justification>) {
        egraph.analysis.unions.set(egraph.analysis.unions.get() + 1);
        #[cfg(test)]
        super::tests::Shadow::compare(egraph, _a, _b);
    }
}
