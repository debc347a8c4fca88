//! What the formulas of the corpus become.

use super::corpus::{Case, all};
use crate::graph::*;
use crate::simplify::cost::Sizes;
use crate::simplify::saves::is_barrier;
use crate::simplify::{Options, Simplified, simplify};

/// One node as text, with the user's inputs by name.
pub fn show(graph: &Graph, id: NodeId) -> String {
    let s = |x: &NodeId| show(graph, *x);
    let axes = |a: &[AxisId]| a.iter().map(|a| graph.axes[a.0 as usize].name.clone()).collect::<Vec<_>>().join("");
    match graph.op(id) {
        Op::Input(i) => graph.inputs[i.0 as usize].name.clone(),
        Op::Num(bits) => format!("{}", f64::from_bits(*bits)),
        Op::Host(h) => graph.hosts[h.0 as usize].name.clone(),
        Op::Len(a) => format!("|{}|", axes(&[*a])),
        Op::Index(a) => format!("index({})", axes(&[*a])),
        Op::Unary(UnaryOp::Neg, x) => format!("-{}", s(x)),
        Op::Unary(op, x) => format!("{}({})", op.name(), s(x)),
        Op::Binary(BinaryOp::Add, a, b) => format!("({} + {})", s(a), s(b)),
        Op::Binary(BinaryOp::Sub, a, b) => format!("({} - {})", s(a), s(b)),
        Op::Binary(BinaryOp::Mul, a, b) => format!("{}*{}", s(a), s(b)),
        Op::Binary(BinaryOp::Div, a, b) => format!("({}/{})", s(a), s(b)),
        Op::Binary(op, a, b) => format!("{}({}, {})", op.name(), s(a), s(b)),
        Op::Powi(x, n) => format!("{}^{n}", s(x)),
        Op::Select { mask, a, b } => format!("select({}, {}, {})", s(mask), s(a), s(b)),
        Op::Reduce { op, axes: over, x, .. } => format!("{}[{}]({})", op.name(), axes(over), s(x)),
        Op::Reindex(x, _) => format!("view({})", s(x)),
        Op::Random(_) => "draw".into(),
        op => format!("{op:?}"),
    }
}

/// The backward as it will be planned: reductions over full-size domains, given what is kept.
pub fn reductions(case: &Case, s: &Simplified) -> usize {
    let sizes = Sizes::of(&s.graph);
    let mut seen = vec![false; s.graph.len()];
    let mut work = s.grads.clone();
    let mut count = 0;
    while let Some(id) = work.pop() {
        let given = s.saved.contains(&id) || case.outputs.contains(&id);
        if given || std::mem::replace(&mut seen[id.0 as usize], true) {
            continue;
        }
        count += usize::from(is_barrier(&s.graph, &sizes, id));
        work.extend(s.graph.op(id).operands());
    }
    count
}

/// The raw adjoint, with saves by minimum cut.
pub fn unsimplified(case: &Case) -> Simplified {
    simplify(&case.problem(), &Options { enabled: false, ..Options::default() })
}

#[test]
fn table() {
    for case in all() {
        let s = case.simplified();
        case.check(&s);
        println!(
            "{:20} {:?} raw {} -> reductions {} sweeps {} cost {} | {} nodes {} classes {} iterations",
            case.name,
            s.report.stop,
            reductions(&case, &unsimplified(&case)),
            reductions(&case, &s),
            s.report.cost.unwrap().sweeps,
            s.report.cost.unwrap().total,
            s.report.nodes,
            s.report.classes,
            s.report.iterations
        );
        for id in &s.saved {
            println!("      saved {:.150}", show(&s.graph, *id));
        }
        if s.graph.len() < 50 {
            for id in &s.grads {
                println!("      grad {:.600}", show(&s.graph, *id));
            }
        }
    }
}
