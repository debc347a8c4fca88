//! One task at a time: from a node to a body in SSA form. Views move through pointwise operations to the leaves.

use super::body::Builder;
use super::tasks::{Finder, Task, Work};
use super::views::{Access, compose, identity};
use super::{Elem, Leaf, Operand, Place, Pointwise, Val, gemm};
use crate::graph::{AxisId, AxisSet, BinaryOp, Condition, Graph, NodeId, Op, ReduceOp, Reindex, Source, UnaryOp, condition_axes};
use std::collections::{BTreeSet, HashMap};

/// Values nested deeper than this are cut by a store: recursion stays shallow, and so do the emitted bodies.
const DEPTH: usize = 200;

/// The lowering of one task.
pub(super) struct Lowering<'f, 'w> {
    pub finder: &'f mut Finder<'w>,
    domain: AxisSet,
    /// Conditions that hold wherever the body is evaluated: the guard.
    known: Vec<Condition>,
    pub builder: Builder,
    memo: HashMap<(NodeId, Access), Val>,
    guards: HashMap<(NodeId, Access), Vec<Condition>>,
    inlined: BTreeSet<NodeId>,
    depth: usize,
    /// The sum is the user's own: what it is over positions that a factor makes zero is for the other factors to say.
    exact: bool,
}

impl<'f, 'w> Lowering<'f, 'w> {
    /// The task that computes a node.
    pub fn task(finder: &'f mut Finder<'w>, node: NodeId) -> Task {
        let mut lowering = Lowering::new(finder);
        match lowering.finder.graph.op(node).clone() {
            Op::Reduce { op, axes, x, valid } => lowering.reduction(node, op, axes, x, valid),
            Op::Scatter { op, x, axis, index, over } => {
                lowering.domain = over;
                lowering.scatter(node, op, x, (axis, index))
            }
            Op::Scan { axis, reverse, a, b } => lowering.scan(node, axis, reverse, [a, b]),
            _ => lowering.pointwise(node),
        }
    }
    /// The task that copies a node that needs no task of its own.
    pub fn copy(finder: &'f mut Finder<'w>, node: NodeId) -> Task {
        let mut lowering = Lowering::new(finder);
        lowering.domain = lowering.finder.graph.axes_of(node);
        let value = lowering.value(node, &Access::default());
        lowering.finish(node, vec![], Work::Store { value })
    }
    fn new(finder: &'f mut Finder<'w>) -> Lowering<'f, 'w> {
        let (domain, known) = (AxisSet::EMPTY, vec![]);
        let (memo, guards, inlined) = (HashMap::new(), HashMap::new(), BTreeSet::new());
        Lowering { finder, domain, known, builder: Builder::default(), memo, guards, inlined, depth: 0, exact: false }
    }

    fn pointwise(mut self, node: NodeId) -> Task {
        self.domain = self.finder.graph.axes_of(node);
        let value = self.compute(node, &Access::default());
        self.finish(node, vec![], Work::Store { value })
    }
    fn scatter(mut self, node: NodeId, op: ReduceOp, x: NodeId, (axis, index): (AxisId, NodeId)) -> Task {
        self.domain |= self.finder.graph.axes_of(x) | self.finder.graph.axes_of(index);
        let value = self.value(x, &Access::default());
        let index = self.value(index, &Access::default());
        self.finish(node, vec![], Work::Scatter { op, axis, value, index })
    }
    fn scan(mut self, node: NodeId, axis: AxisId, reverse: bool, operands: [NodeId; 2]) -> Task {
        self.domain = self.finder.graph.axes_of(node);
        let [a, b] = operands.map(|x| self.value(x, &Access::default()));
        self.finish(node, vec![], Work::Scan { axis, reverse, a, b })
    }
    fn reduction(mut self, node: NodeId, op: ReduceOp, axes: Vec<AxisId>, x: NodeId, valid: Vec<Condition>) -> Task {
        let over: AxisSet = axes.iter().copied().collect();
        self.domain = self.finder.graph.axes_of(x) | over | condition_axes(&valid);
        self.exact = self.finder.graph.is_forward(node);
        let mut guard = self.finder.arith.conditions(&valid, &[], &[]).unwrap_or(valid);
        if op == ReduceOp::Sum {
            if let Some(mut product) = gemm::find(self.finder, over, x) {
                product.guard.extend(guard);
                return self.contraction(node, product, over);
            }
            self.known = guard.clone();
            // what reads one axis alone, the edge of a shift, would keep the sum from the sweeps of others for little
            let derived = self.guard_of(x, &Access::default());
            guard.extend(derived.into_iter().filter(|c| c.axes().len() > 1));
        }
        let guard = self.finder.arith.minimal(guard, &[]);
        self.known = guard.clone();
        let value = self.value(x, &Access::default());
        self.finish(node, guard, Work::Fold { op, axes, value })
    }
    fn contraction(mut self, node: NodeId, product: gemm::Product, k: AxisSet) -> Task {
        let a = self.gemm_operand(product.a);
        let b = self.gemm_operand(product.b);
        let sides = gemm::sides(&self.finder.graph, &product, k);
        let axes = sides.m | sides.n | sides.k | sides.batch;
        self.domain = axes | condition_axes(&product.guard);
        let mut guard = product.guard.clone();
        self.move_guard(product.guard, [(product.a, a), (product.b, b)]);
        if !self.exact {
            // where a factor is zero nothing is added, whatever the other factor is
            guard.extend([a, b].into_iter().flat_map(|val| self.zeros_of(val)));
        }
        guard.sort();
        guard.dedup();
        self.finish(node, guard, Work::Gemm { a, b, sides })
    }
    /// Conditions outside of which an operand reads zero.
    fn zeros_of(&self, val: Val) -> Vec<Condition> {
        match val {
            Val::Operand(at) => {
                let operand = &self.builder.body.operands[at as usize];
                if f64::from_bits(operand.fill) == 0.0 { operand.valid.clone() } else { vec![] }
            }
            _ => vec![],
        }
    }

    fn finish(self, node: NodeId, guard: Vec<Condition>, mut work: Work) -> Task {
        let mut kept: Vec<&mut Val> = match &mut work {
            Work::Store { value } | Work::Fold { value, .. } => vec![value],
            Work::Gemm { a, b, .. } | Work::Scan { a, b, .. } => vec![a, b],
            Work::Scatter { value, index, .. } => vec![value, index],
        };
        let body = self.builder.finish(vec![], vec![], &mut kept);
        let reads = self.finder.reads(&body);
        let elem = if matches!(work, Work::Gemm { .. }) { Elem::Data } else { self.finder.natural_elem(node) };
        let (axes, domain, inlined) = (self.finder.graph.axes_of(node), self.domain, self.inlined);
        Task { node, axes, domain, guard, body, work, root: None, elem, large: false, inlined, reads }
    }

    /// The value of a node, read at `at`.
    pub fn value(&mut self, node: NodeId, at: &Access) -> Val {
        let at = at.on(self.finder.graph.axes_of(node));
        if let Some(val) = self.memo.get(&(node, at.clone())) {
            return *val;
        }
        let val = match self.finder.leaf(node) {
            Some(leaf) => self.read(leaf, &at, vec![], 0),
            None => {
                let pointwise = self.finder.graph.op(node).is_pointwise();
                let moved = !at.is_identity();
                if pointwise && (self.depth > DEPTH || self.finder.worth_storing(node, self.domain, moved)) {
                    self.stored(node, &at)
                } else {
                    self.compute(node, &at)
                }
            }
        };
        self.memo.insert((node, at), val);
        val
    }
    /// A node that is materialised now, read at `at`.
    fn stored(&mut self, node: NodeId, at: &Access) -> Val {
        self.finder.store(node);
        match self.finder.leaf(node) {
            Some(leaf) => self.read(leaf, at, vec![], 0),
            None => unreachable!("a stored node is a leaf"),
        }
    }
    fn read(&mut self, leaf: Leaf, at: &Access, mut valid: Vec<Condition>, fill: u64) -> Val {
        valid.extend(at.safe.iter().cloned());
        let valid = self.finder.arith.minimal(valid, &self.known);
        let fill = if valid.is_empty() { 0 } else { fill };
        self.builder.operand(Operand { leaf, map: at.map.clone(), valid, fill })
    }

    /// Evaluates a node here, in the body.
    fn compute(&mut self, node: NodeId, at: &Access) -> Val {
        self.depth += 1;
        self.inlined.insert(node);
        let op = self.finder.graph.op(node).clone();
        let val = match op {
            Op::Num(bits) => Val::Num(bits),
            Op::Host(h) => self.builder.leaf(Leaf::Host(h)),
            Op::Len(a) => self.builder.leaf(Leaf::Len(a)),
            Op::Int(i) => self.builder.leaf(Leaf::Int(i)),
            Op::Index(a) => match &at.map[..] {
                [(_, Place::Load(operand))] => Val::Operand(*operand),
                _ => self.read(Leaf::Index(vec![a]), at, vec![], 0),
            },
            Op::Random(draw) => self.read(Leaf::Random(draw), at, vec![], 0),
            Op::Test(conditions) => match self.finder.arith.conditions(&conditions, &at.map, &self.facts(at, &[])) {
                Some(conditions) => self.test(conditions),
                None => self.stored(node, at),
            },
            Op::Reindex(..) => self.view(node, at),
            Op::Binary(..)
                if at.is_identity()
                    && let Some(axes) = row_major(&self.finder.graph, node) =>
            {
                self.builder.leaf(Leaf::Index(axes))
            }
            Op::Input(_) | Op::Reduce { .. } | Op::Scatter { .. } | Op::Scan { .. } => self.stored(node, at),
            op => self.operation(node, &op, at),
        };
        self.depth -= 1;
        val
    }
    fn operation(&mut self, node: NodeId, op: &Op, at: &Access) -> Val {
        let op = match op {
            Op::Unary(UnaryOp::Stop, x) | Op::Broadcast(x, _) => return self.value(*x, at),
            Op::Unary(u, x) => Pointwise::Unary(*u, self.value(*x, at)),
            Op::Powi(x, n) => Pointwise::Powi(self.value(*x, at), *n),
            Op::Binary(b, x, y) => {
                let x = self.value(*x, at);
                Pointwise::Binary(*b, x, self.value(*y, at))
            }
            Op::Select { mask, a, b } => {
                let mask = self.value(*mask, at);
                if let Val::Num(bits) = mask {
                    return self.value(if f64::from_bits(bits) == 0.0 { *b } else { *a }, at);
                }
                let a = self.value(*a, at);
                Pointwise::Select { mask, a, b: self.value(*b, at) }
            }
            _ => unreachable!("not pointwise"),
        };
        let name = self.finder.graph.names.get(&node).filter(|_| at.is_identity()).cloned();
        self.builder.instr(op, name.as_deref())
    }
    /// 1 where all conditions hold, given those that are known to.
    fn test(&mut self, conditions: Vec<Condition>) -> Val {
        let conditions = self.finder.arith.minimal(conditions, &self.known);
        if conditions.is_empty() { Val::Num(1f64.to_bits()) } else { self.builder.leaf(Leaf::Test(conditions)) }
    }

    /// A view, and the views under it as far as one condition and one fill say them all.
    fn view(&mut self, node: NodeId, at: &Access) -> Val {
        if let Some(source) = self.finder.costly_source(node) {
            self.finder.store(source);
        }
        let (mut x, mut here, mut valid, mut fill) = (node, at.clone(), vec![], None);
        while let Op::Reindex(source, r) = self.finder.graph.op(x).clone() {
            if x != node && self.finder.leaf(x).is_some() || fill.is_some_and(|f| f != r.fill && !r.valid.is_empty()) {
                break;
            }
            match self.through(&here, &r, source, &valid) {
                Some((inner, conditions)) => {
                    if !r.valid.is_empty() {
                        fill = Some(r.fill);
                    }
                    valid.extend(conditions);
                    self.inlined.insert(x);
                    (x, here) = (source, inner);
                }
                None if x == node => return self.stored(node, at),
                None => break,
            }
        }
        let valid = self.finder.arith.minimal(valid, &self.known);
        let fill = fill.unwrap_or(0);
        let here = here.on(self.finder.graph.axes_of(x));
        if valid.is_empty() {
            return self.value(x, &here);
        }
        let moved = here.clone().guarded(&valid);
        if self.finder.graph.op(x).is_pointwise() && self.finder.worth_storing(x, self.domain, true) {
            self.finder.store(x);
        }
        if let Some(leaf) = self.finder.leaf(x) {
            return self.read(leaf, &here, valid, fill);
        }
        let inner = self.value(x, &moved);
        let mask = self.test(valid);
        self.builder.instr(Pointwise::Select { mask, a: inner, b: Val::Num(fill) }, None)
    }
    /// Where the source of a view is read, if its result is read at `at`.
    fn through(&mut self, at: &Access, r: &Reindex, source: NodeId, valid: &[Condition]) -> Option<(Access, Vec<Condition>)> {
        let mut loads = vec![];
        for (axis, place) in &r.map {
            if let Source::Load(index) = place {
                // where the views so far do not lead inside, the index is not read either
                loads.push((*axis, self.load(*index, &at.clone().guarded(valid))));
            }
        }
        let holds = self.facts(at, valid);
        compose(&mut self.finder.arith, at, r, self.finder.graph.axes_of(source), &loads, &holds)
    }
    /// What holds where a value is used.
    fn facts(&self, at: &Access, more: &[Condition]) -> Vec<Condition> {
        self.known.iter().chain(&at.safe).chain(more).cloned().collect()
    }
    /// The index that a node's value says.
    fn load(&mut self, index: NodeId, at: &Access) -> Place {
        if let (Op::Index(axis), true) = (self.finder.graph.op(index), at.map.is_empty()) {
            let axis = *axis;
            return Place::Affine(identity(&mut self.finder.arith, axis));
        }
        match self.value(index, at) {
            Val::Operand(operand) => Place::Load(operand),
            _ => match self.stored(index, &at.on(self.finder.graph.axes_of(index))) {
                Val::Operand(operand) => Place::Load(operand),
                _ => unreachable!("a read is an operand"),
            },
        }
    }

    /// Conditions outside of which a value is certainly zero, or was meant not to count: a sum skips such positions. In
    /// the user's own values zero times infinity or NaN is NaN, and counts.
    fn guard_of(&mut self, node: NodeId, at: &Access) -> Vec<Condition> {
        if self.depth > DEPTH || self.finder.leaf(node).is_some() {
            return vec![];
        }
        let key = (node, at.clone());
        if let Some(guard) = self.guards.get(&key) {
            return guard.clone();
        }
        self.depth += 1;
        let guard = self.find_guard(node, at);
        self.depth -= 1;
        self.guards.insert(key, guard.clone());
        guard
    }
    fn find_guard(&mut self, node: NodeId, at: &Access) -> Vec<Condition> {
        let is_zero = |n| self.finder.graph.as_num(n) == Some(0.0);
        match self.finder.graph.op(node).clone() {
            Op::Unary(UnaryOp::Neg, x) => self.guard_of(x, at),
            Op::Binary(BinaryOp::Div, x, _) if !self.exact => self.guard_of(x, at),
            Op::Binary(BinaryOp::Mul, x, y) if !self.exact => {
                let mut guard = self.guard_of(x, at);
                guard.extend(self.guard_of(y, at));
                guard.sort();
                guard.dedup();
                guard
            }
            Op::Binary(BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul, x, y) => {
                let (mut guard, other) = (self.guard_of(x, at), self.guard_of(y, at));
                guard.retain(|c| other.contains(c));
                guard
            }
            Op::Select { mask, a, b } if is_zero(b) => {
                let mut guard = self.guard_of(a, at);
                if let Op::Test(conditions) = self.finder.graph.op(mask).clone() {
                    let holds = self.facts(at, &guard);
                    guard.extend(self.finder.arith.conditions(&conditions, &at.map, &holds).into_iter().flatten());
                }
                guard
            }
            Op::Reindex(x, r) if r.valid.is_empty() || f64::from_bits(r.fill) == 0.0 => {
                // what is loaded cannot be in a condition: any operand stands for it
                let load = |(axis, s): &(AxisId, Source)| matches!(s, Source::Load(_)).then_some((*axis, Place::Load(0)));
                let loads: Vec<_> = r.map.iter().filter_map(load).collect();
                let axes = self.finder.graph.axes_of(x);
                let holds = self.facts(at, &[]);
                let arith = &mut self.finder.arith;
                let Some((inner, mut guard)) = compose(arith, at, &r, axes, &loads, &holds) else { return vec![] };
                let inner = inner.guarded(&guard);
                guard.extend(self.guard_of(x, &inner));
                guard
            }
            _ => vec![],
        }
    }

    /// An operand of a contraction: a plain access, whose source is materialised if need be.
    fn gemm_operand(&mut self, node: NodeId) -> Val {
        let mut source = node;
        while let (None, Op::Reindex(x, _)) = (self.finder.leaf(source), self.finder.graph.op(source).clone()) {
            source = x;
        }
        if self.finder.leaf(source).is_none() {
            self.finder.store(source);
        }
        let val = self.value(node, &Access::default());
        match val {
            Val::Operand(at) if self.is_packable(&self.builder.body.operands[at as usize]) => val,
            _ => self.stored(node, &Access::default()),
        }
    }
    fn is_packable(&self, operand: &Operand) -> bool {
        let tensor = matches!(operand.leaf, Leaf::Input(_) | Leaf::Given(_) | Leaf::Temp(_));
        tensor && operand.loads().next().is_none()
    }
    /// Holes of a contraction: where one operand can read zero instead, it does.
    fn move_guard(&mut self, guard: Vec<Condition>, sides: [(NodeId, Val); 2]) {
        for c in guard {
            let fitting = sides.into_iter().find_map(|(node, val)| {
                let Val::Operand(at) = val else { return None };
                let operand = &self.builder.body.operands[at as usize];
                let zero = operand.valid.is_empty() || f64::from_bits(operand.fill) == 0.0;
                (zero && c.axes().is_subset(self.finder.graph.axes_of(node))).then_some(at)
            });
            if let Some(at) = fitting {
                let operand = &mut self.builder.body.operands[at as usize];
                let mut valid = std::mem::take(&mut operand.valid);
                valid.push(c);
                operand.valid = self.finder.arith.minimal(valid, &[]);
                operand.fill = 0;
            }
        }
    }
}

/// The axes whose row-major index a value is: `index(A)`, `index(A)·len(B) + index(B)`, and so on.
fn row_major(graph: &Graph, node: NodeId) -> Option<Vec<AxisId>> {
    let len_of = |node: NodeId| if let Op::Len(axis) = graph.op(node) { Some(*axis) } else { None };
    match graph.op(node) {
        Op::Index(axis) => Some(vec![*axis]),
        Op::Broadcast(x, _) => row_major(graph, *x),
        Op::Binary(BinaryOp::Add, x, y) => [(*x, *y), (*y, *x)].into_iter().find_map(|(outer, inner)| {
            let (Op::Binary(BinaryOp::Mul, p, q), Op::Index(last)) = (graph.op(outer), graph.op(inner)) else { return None };
            let sides = [(*p, *q), (*q, *p)].into_iter();
            let mut axes = sides.filter(|(_, len)| len_of(*len) == Some(*last)).find_map(|(index, _)| row_major(graph, index))?;
            axes.push(*last);
            Some(axes)
        }),
        _ => None,
    }
}
