//! A plan as text: phases, sweeps and what each writes, in the notation of formulas.

use super::*;
use std::fmt::Write;

/// Describes a plan, a line a result.
pub fn describe(graph: &Graph, plan: &Plan) -> String {
    let mut printer = Printer { graph, plan, out: String::new() };
    for phase in &plan.phases {
        match phase {
            Phase::Nest(nest) => printer.nest(nest),
            Phase::Gemm(gemm) => printer.gemm(gemm),
            Phase::Scatter(scatter) => printer.scatter(scatter),
            Phase::Scan(scan) => printer.scan(scan),
        }
    }
    printer.out
}

/// The body with a name for every instruction whose value is used more than once.
fn with_lets(body: &Body) -> Body {
    let mut uses = vec![0; body.code.len()];
    let stored = body.stores.iter().map(|s| s.1).chain(body.folds.iter().map(|f| f.value));
    let read = body.code.iter().flat_map(|i| i.op.operands());
    for val in stored.chain(read) {
        if let Val::Instr(at) = val {
            uses[at as usize] += 1;
        }
    }
    let mut named = body.clone();
    let repeated = named.code.iter_mut().zip(uses).filter(|(i, uses)| *uses > 1 && i.name.is_none());
    for (number, (instr, _)) in repeated.enumerate() {
        instr.name = Some(format!("v{}", number + 1));
    }
    named
}

struct Printer<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    out: String,
}

impl Printer<'_> {
    fn line(&mut self, indent: usize, text: &str) {
        // writing to a string cannot fail
        let _ = writeln!(self.out, "{:1$}{text}", "", 2 * indent);
    }
    fn nest(&mut self, nest: &Nest) {
        let small = nest.outer.is_empty() && nest.steps.iter().all(|s| s.wide);
        if small {
            self.line(0, "small");
        } else {
            let outer = self.axes(nest.outer);
            self.line(0, &format!("nest over [{outer}]"));
        }
        nest.steps.iter().for_each(|s| self.sweep(s));
        if !nest.after.is_empty() {
            self.line(0, "after");
            nest.after.iter().for_each(|s| self.sweep(s));
        }
    }
    fn sweep(&mut self, sweep: &Sweep) {
        let kind = if sweep.wide { "each" } else { "sweep" };
        let mut head = format!("{kind} [{}]", self.axes(sweep.domain));
        if !sweep.guard.is_empty() {
            let _ = write!(head, " where {}", self.conditions(&sweep.guard));
        }
        self.line(1, &head);
        let body = &with_lets(&sweep.body);
        self.lets(body);
        for (temp, val) in &body.stores {
            let value = self.val(body, *val);
            self.result(*temp, &value);
        }
        for fold in &body.folds {
            let axes = fold.axes.iter().map(|a| self.axis(*a)).collect::<Vec<_>>().join(",");
            let value = self.val(body, fold.value);
            self.result(fold.temp, &format!("{}_{{{axes}}} {value}", fold.op.name()));
        }
    }
    fn lets(&mut self, body: &Body) {
        for (at, instr) in body.code.iter().enumerate() {
            if let Some(name) = &instr.name {
                let value = self.instr(body, at as u32, true);
                self.line(2, &format!("let {name} = {value}"));
            }
        }
    }
    fn gemm(&mut self, gemm: &Gemm) {
        let sets = [("m", gemm.m), ("n", gemm.n), ("k", gemm.k), ("batch", gemm.batch)];
        let sets: Vec<String> = sets.into_iter().map(|(n, set)| format!("{n} [{}]", self.axes(set))).collect();
        let guard = if gemm.guard.is_empty() { String::new() } else { format!(" where {}", self.conditions(&gemm.guard)) };
        self.line(0, &format!("gemm {}{guard}", sets.join(" ")));
        let body = Body::default();
        let (a, b) = (self.operand(&body, &gemm.a), self.operand(&body, &gemm.b));
        self.result(gemm.out, &format!("{a} · {b}"));
    }
    fn scan(&mut self, scan: &Scan) {
        let (domain, axis) = (self.axes(scan.domain), self.axis(scan.axis));
        let way = if scan.reverse { "back along" } else { "along" };
        self.line(0, &format!("scan [{domain}] {way} {axis}"));
        let body = &with_lets(&scan.body);
        self.lets(body);
        let (a, b) = (self.val(body, scan.a), self.val(body, scan.b));
        self.result(scan.out, &format!("{a} · before + {b}"));
    }
    fn scatter(&mut self, scatter: &Scatter) {
        let domain = self.axes(scatter.domain);
        self.line(0, &format!("scatter over [{domain}]"));
        let body = &with_lets(&scatter.body);
        self.lets(body);
        let (value, index) = (self.val(body, scatter.value), self.val(body, scatter.index));
        let axis = self.axis(scatter.axis);
        self.result(scatter.out, &format!("{} {value} at {axis} = {index}", scatter.op.name()));
    }
    fn result(&mut self, temp: TempId, value: &str) {
        let t = &self.plan.temps[temp.0 as usize];
        let axes = t.axes.iter().map(|a| self.axis(*a)).collect::<Vec<_>>().join(",");
        let scope = match t.scope {
            Scope::Block => "block".into(),
            Scope::Memory => "memory".into(),
            Scope::Root(k) => format!("root {k}"),
        };
        let elem = match t.elem {
            Elem::Data => "data",
            Elem::Wide => "wide",
            Elem::Index => "index",
        };
        let text = format!("{}[{axes}] ({scope}, {elem}) = {value}", t.name);
        self.line(2, &text);
    }

    fn val(&self, body: &Body, val: Val) -> String {
        match val {
            Val::Num(bits) => format!("{}", f64::from_bits(bits)),
            Val::Operand(at) => self.operand(body, &body.operands[at as usize]),
            Val::Instr(at) => self.instr(body, at, false),
        }
    }
    fn instr(&self, body: &Body, at: u32, whole: bool) -> String {
        let instr = &body.code[at as usize];
        if let (Some(name), false) = (&instr.name, whole) {
            return name.clone();
        }
        let val = |v: &Val| self.val(body, *v);
        match &instr.op {
            Pointwise::Unary(UnaryOp::Neg, x) => format!("-{}", val(x)),
            Pointwise::Unary(op, x) => format!("{}({})", op.name(), val(x)),
            Pointwise::Powi(x, n) => format!("powi({}, {n})", val(x)),
            Pointwise::Select { mask, a, b } => format!("select({}, {}, {})", val(mask), val(a), val(b)),
            Pointwise::Binary(op, a, b) => {
                let sign = match op {
                    BinaryOp::Add => "+",
                    BinaryOp::Sub => "-",
                    BinaryOp::Mul => "*",
                    BinaryOp::Div => "/",
                    op => return format!("{}({}, {})", op.name(), val(a), val(b)),
                };
                let text = format!("{} {sign} {}", val(a), val(b));
                if whole { text } else { format!("({text})") }
            }
        }
    }
    fn operand(&self, body: &Body, operand: &Operand) -> String {
        let mut text = match &operand.leaf {
            Leaf::Input(i) => self.graph.inputs[i.0 as usize].name.clone(),
            Leaf::Temp(t) => self.plan.temps[t.0 as usize].name.clone(),
            Leaf::Given(k) => {
                let node = self.plan.given[*k as usize].0;
                self.graph.names.get(&node).cloned().unwrap_or_else(|| format!("given{k}"))
            }
            Leaf::Host(h) => self.graph.hosts[h.0 as usize].name.clone(),
            Leaf::Int(i) => self.int(*i),
            Leaf::Len(a) => format!("len({})", self.axis(*a)),
            Leaf::Index(axes) => format!("index({})", axes.iter().map(|a| self.axis(*a)).collect::<Vec<_>>().join(",")),
            Leaf::Test(conditions) => format!("test({})", self.conditions(conditions)),
            Leaf::Random(d) => format!("random{}", d.number),
        };
        if !operand.map.is_empty() {
            let place = |(axis, place): &(AxisId, Place)| match place {
                Place::Affine(e) => format!("{} = {}", self.axis(*axis), self.affine(e)),
                Place::Load(at) => {
                    let index = body.operands.get(*at as usize).map_or("?".into(), |o| self.operand(body, o));
                    format!("{} = {index}", self.axis(*axis))
                }
            };
            let places: Vec<String> = operand.map.iter().map(place).collect();
            let _ = write!(text, "[{}]", places.join(", "));
        }
        if !operand.valid.is_empty() {
            let _ = write!(text, "{{{} else {}}}", self.conditions(&operand.valid), f64::from_bits(operand.fill));
        }
        text
    }

    fn axis(&self, axis: AxisId) -> String {
        self.graph.axes[axis.0 as usize].name.clone()
    }
    fn axes(&self, axes: AxisSet) -> String {
        axes.iter().map(|a| self.axis(a)).collect::<Vec<_>>().join(",")
    }
    fn int(&self, id: IntId) -> String {
        match self.plan.ints.get(id) {
            crate::graph::Int::Const(value) => value.to_string(),
            crate::graph::Int::Len(a) => format!("|{}|", self.axis(a)),
            crate::graph::Int::Host(h) => self.graph.hosts[h.0 as usize].name.clone(),
            crate::graph::Int::Add(a, b) => format!("({} + {})", self.int(a), self.int(b)),
            crate::graph::Int::Sub(a, b) => format!("({} - {})", self.int(a), self.int(b)),
            crate::graph::Int::Mul(a, b) => format!("{}*{}", self.int(a), self.int(b)),
            crate::graph::Int::FloorDiv(a, b) => format!("({} / {})", self.int(a), self.int(b)),
            crate::graph::Int::Gcd(a, b) => format!("gcd({}, {})", self.int(a), self.int(b)),
        }
    }
    fn affine(&self, e: &Affine) -> String {
        let mut parts = vec![];
        for (axis, k) in &e.terms {
            match self.int(*k).as_str() {
                "1" => parts.push(self.axis(*axis)),
                "-1" => parts.push(format!("-{}", self.axis(*axis))),
                k => parts.push(format!("{k}*{}", self.axis(*axis))),
            }
        }
        let offset = self.int(e.offset);
        if offset != "0" || parts.is_empty() {
            parts.push(offset);
        }
        let mut text = parts.join(" + ").replace("+ -", "- ");
        if let Some(div) = e.div {
            text = format!("({text}) / {}", self.int(div));
        }
        if let Some(modulo) = e.modulo {
            text = format!("({text}) mod {}", self.int(modulo));
        }
        text
    }
    fn conditions(&self, list: &[Condition]) -> String {
        let one = |c: &Condition| match c {
            Condition::Range { e, lo, hi } => format!("{} ≤ {} < {}", self.int(*lo), self.affine(e), self.int(*hi)),
            Condition::Divides { e, by } => format!("{} | {}", self.int(*by), self.affine(e)),
        };
        list.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}
