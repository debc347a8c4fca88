//! The operator table: every pointwise operator, with its name and its value in `f64`.

macro_rules! operators {
    ($(#[$doc:meta])* $kind:ident($($arg:ident),*) { $($(#[$vdoc:meta])* $variant:ident $name:literal => $value:expr;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $kind { $($(#[$vdoc])* $variant,)* }
        impl $kind {
            /// Every operator, in the order of the table.
            pub const ALL: &'static [$kind] = &[$($kind::$variant),*];
            /// The name in formulas and in the generated code.
            pub fn name(self) -> &'static str {
                match self { $($kind::$variant => $name,)* }
            }
            /// The value, in `f64`.
            pub fn eval(self, $($arg: f64),*) -> f64 {
                match self { $($kind::$variant => $value,)* }
            }
        }
    };
}

operators! {
    /// Pointwise operators of one operand.
    UnaryOp(x) {
        Neg "neg" => -x;
        Sqrt "sqrt" => x.sqrt();
        Rsqrt "rsqrt" => 1.0 / x.sqrt();
        Recip "recip" => 1.0 / x;
        Exp "exp" => x.exp();
        Exp2 "exp2" => x.exp2();
        ExpM1 "exp_m1" => x.exp_m1();
        Log "log" => x.ln();
        Log2 "log2" => x.log2();
        Log1p "log1p" => x.ln_1p();
        Abs "abs" => x.abs();
        /// −1, 0 or 1; NaN for NaN.
        Sign "sign" => if x == 0.0 { 0.0 } else if x.is_nan() { x } else { x.signum() };
        Floor "floor" => x.floor();
        Ceil "ceil" => x.ceil();
        /// Ties to even.
        Round "round" => x.round_ties_even();
        Sin "sin" => x.sin();
        Cos "cos" => x.cos();
        Tan "tan" => x.tan();
        Sinh "sinh" => x.sinh();
        Cosh "cosh" => x.cosh();
        Tanh "tanh" => x.tanh();
        Asinh "asinh" => x.asinh();
        Atan "atan" => x.atan();
        Sigmoid "sigmoid" => 1.0 / (1.0 + (-x).exp());
        /// log(1 + eˣ), without overflow.
        Softplus "softplus" => x.max(0.0) + (-x.abs()).exp().ln_1p();
        Erf "erf" => super::special::erf(x);
        Erfc "erfc" => super::special::erfc(x);
        /// The complement of a mask.
        Not "not" => 1.0 - x;
        /// The value itself; its derivative is zero.
        Stop "stop_gradient" => x;
    }
}

fn mask(b: bool) -> f64 {
    if b { 1.0 } else { 0.0 }
}

operators! {
    /// Pointwise operators of two operands. Comparisons give masks, 0 and 1.
    BinaryOp(a, b) {
        Add "add" => a + b;
        Sub "sub" => a - b;
        Mul "mul" => a * b;
        Div "div" => a / b;
        Pow "powf" => a.powf(b);
        /// NaN if either is.
        Max "max" => if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) };
        /// NaN if either is.
        Min "min" => if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) };
        Atan2 "atan2" => a.atan2(b);
        Hypot "hypot" => a.hypot(b);
        Gt "gt" => mask(a > b);
        Ge "ge" => mask(a >= b);
        Lt "lt" => mask(a < b);
        Le "le" => mask(a <= b);
        Eq "eq" => mask(a == b);
        Ne "ne" => mask(a != b);
        And "and" => mask(a != 0.0 && b != 0.0);
        Or "or" => mask(a != 0.0 || b != 0.0);
    }
}

impl BinaryOp {
    /// Whether the result is a mask.
    pub fn is_mask(self) -> bool {
        use BinaryOp::*;
        matches!(self, Gt | Ge | Lt | Le | Eq | Ne | And | Or)
    }
}

/// Reductions. Ties of the maxima and minima go to the first in row-major order of the axes as named;
/// a NaN wins, the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReduceOp {
    Sum,
    Prod,
    Max,
    Min,
    /// The row-major index, within the named axes, of the maximum.
    ArgMax,
    /// The row-major index, within the named axes, of the minimum.
    ArgMin,
}

impl ReduceOp {
    /// Every reduction.
    pub const ALL: &'static [ReduceOp] =
        &[ReduceOp::Sum, ReduceOp::Prod, ReduceOp::Max, ReduceOp::Min, ReduceOp::ArgMax, ReduceOp::ArgMin];
    pub fn name(self) -> &'static str {
        match self {
            ReduceOp::Sum => "sum",
            ReduceOp::Prod => "prod",
            ReduceOp::Max => "max",
            ReduceOp::Min => "min",
            ReduceOp::ArgMax => "argmax",
            ReduceOp::ArgMin => "argmin",
        }
    }
    /// The value of a reduction over nothing.
    pub fn identity(self) -> f64 {
        match self {
            ReduceOp::Sum | ReduceOp::ArgMax | ReduceOp::ArgMin => 0.0,
            ReduceOp::Prod => 1.0,
            ReduceOp::Max => f64::NEG_INFINITY,
            ReduceOp::Min => f64::INFINITY,
        }
    }
}
