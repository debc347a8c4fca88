//! Bodies under construction: hash-consed operands and instructions.

use super::{BinaryOp, Body, Fold, Instr, Leaf, Operand, Place, Pointwise, TempId, Val};
use std::collections::HashMap;

impl Pointwise {
    /// The operands, in order.
    pub fn operands(&self) -> Vec<Val> {
        match self {
            Pointwise::Unary(_, x) | Pointwise::Powi(x, _) => vec![*x],
            Pointwise::Binary(_, a, b) => vec![*a, *b],
            Pointwise::Select { mask, a, b } => vec![*mask, *a, *b],
        }
    }
    /// The same operator on other operands.
    pub fn with_operands(&self, mut f: impl FnMut(Val) -> Val) -> Pointwise {
        match self {
            Pointwise::Unary(op, x) => Pointwise::Unary(*op, f(*x)),
            Pointwise::Powi(x, n) => Pointwise::Powi(f(*x), *n),
            Pointwise::Binary(op, a, b) => Pointwise::Binary(*op, f(*a), f(*b)),
            Pointwise::Select { mask, a, b } => Pointwise::Select { mask: f(*mask), a: f(*a), b: f(*b) },
        }
    }
}

impl Operand {
    /// A leaf read at the position itself.
    pub(super) fn plain(leaf: Leaf) -> Operand {
        Operand { leaf, map: vec![], valid: vec![], fill: 0 }
    }
    /// The operands that its map loads.
    pub fn loads(&self) -> impl Iterator<Item = u32> + '_ {
        self.map.iter().filter_map(|(_, place)| match place {
            Place::Load(operand) => Some(*operand),
            Place::Affine(_) => None,
        })
    }
    /// Read at the position itself, everywhere.
    pub fn is_plain(&self) -> bool {
        self.map.is_empty() && self.valid.is_empty()
    }
}

/// A body under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Builder {
    pub body: Body,
    operands: HashMap<Operand, u32>,
    code: HashMap<Pointwise, u32>,
}

impl Builder {
    pub fn operand(&mut self, operand: Operand) -> Val {
        let next = self.body.operands.len() as u32;
        let at = *self.operands.entry(operand.clone()).or_insert(next);
        if at == next {
            self.body.operands.push(operand);
        }
        Val::Operand(at)
    }
    pub fn leaf(&mut self, leaf: Leaf) -> Val {
        self.operand(Operand::plain(leaf))
    }
    pub fn instr(&mut self, op: Pointwise, name: Option<&str>) -> Val {
        match op {
            Pointwise::Select { a, b, .. } if a == b => return a,
            Pointwise::Select { mask: Val::Num(bits), a, b } => return if f64::from_bits(bits) == 0.0 { b } else { a },
            Pointwise::Binary(BinaryOp::Mul, one, x) | Pointwise::Binary(BinaryOp::Mul | BinaryOp::Div, x, one)
                if one == Val::Num(1f64.to_bits()) =>
            {
                return x;
            }
            _ => {}
        }
        let next = self.body.code.len() as u32;
        let at = *self.code.entry(op.clone()).or_insert(next);
        if at == next {
            self.body.code.push(Instr { name: None, op });
        }
        let instr = &mut self.body.code[at as usize];
        if instr.name.is_none() {
            instr.name = name.map(String::from);
        }
        Val::Instr(at)
    }

    /// Adds the operands and instructions of another body. `forward` says which temps are at hand as values of this one.
    pub fn import(&mut self, body: &Body, forward: &dyn Fn(TempId) -> Option<Val>) -> Imported {
        let mut imported = Imported { operands: vec![], code: vec![] };
        for operand in &body.operands {
            let at_hand = match operand.leaf {
                Leaf::Temp(temp) if operand.is_plain() => forward(temp),
                _ => None,
            };
            let val = at_hand.unwrap_or_else(|| {
                let mut operand = operand.clone();
                for (_, place) in &mut operand.map {
                    if let Place::Load(from) = place
                        && let Val::Operand(to) = imported.operands[*from as usize]
                    {
                        *from = to;
                    }
                }
                self.operand(operand)
            });
            imported.operands.push(val);
        }
        for instr in &body.code {
            let op = instr.op.with_operands(|val| imported.val(val));
            let val = self.instr(op, instr.name.as_deref());
            imported.code.push(val);
        }
        imported
    }

    /// The body that computes these results, without what they do not need. `extra` values are kept and renumbered.
    pub fn finish(self, stores: Vec<(TempId, Val)>, folds: Vec<Fold>, extra: &mut [&mut Val]) -> Body {
        let mut live = Live { body: &self.body, operands: vec![false; self.body.operands.len()], code: vec![] };
        live.code = vec![false; self.body.code.len()];
        let results = stores.iter().map(|s| s.1).chain(folds.iter().map(|f| f.value)).chain(extra.iter().map(|v| **v));
        for val in results {
            live.mark(val);
        }
        for at in (0..self.body.code.len()).rev() {
            if live.code[at] {
                for val in self.body.code[at].op.operands() {
                    live.mark(val);
                }
            }
        }
        let (operands, code) = (live.operands, live.code);
        let mut kept = Builder::default();
        let mut imported = Imported { operands: vec![], code: vec![] };
        for (at, operand) in self.body.operands.iter().enumerate() {
            let mut operand = operand.clone();
            for (_, place) in &mut operand.map {
                if let (Place::Load(from), true) = (&mut *place, operands[at])
                    && let Val::Operand(to) = imported.operands[*from as usize]
                {
                    *from = to;
                }
            }
            imported.operands.push(if operands[at] { kept.operand(operand) } else { Val::Num(0) });
        }
        for (at, instr) in self.body.code.iter().enumerate() {
            let val = if code[at] {
                kept.body.code.push(Instr { name: instr.name.clone(), op: instr.op.with_operands(|v| imported.val(v)) });
                Val::Instr(kept.body.code.len() as u32 - 1)
            } else {
                Val::Num(0)
            };
            imported.code.push(val);
        }
        for val in extra {
            **val = imported.val(**val);
        }
        kept.body.stores = stores.into_iter().map(|(temp, val)| (temp, imported.val(val))).collect();
        kept.body.folds = folds.into_iter().map(|f| Fold { value: imported.val(f.value), ..f }).collect();
        kept.body
    }
}

/// Where the values of an imported body are now.
pub(super) struct Imported {
    operands: Vec<Val>,
    code: Vec<Val>,
}

impl Imported {
    pub fn val(&self, val: Val) -> Val {
        match val {
            Val::Num(_) => val,
            Val::Operand(at) => self.operands[at as usize],
            Val::Instr(at) => self.code[at as usize],
        }
    }
}

struct Live<'b> {
    body: &'b Body,
    operands: Vec<bool>,
    code: Vec<bool>,
}

impl Live<'_> {
    fn mark(&mut self, val: Val) {
        match val {
            Val::Num(_) => {}
            Val::Instr(at) => self.code[at as usize] = true,
            Val::Operand(at) => {
                if !std::mem::replace(&mut self.operands[at as usize], true) {
                    let body = self.body;
                    for load in body.operands[at as usize].loads() {
                        self.mark(Val::Operand(load));
                    }
                }
            }
        }
    }
}
