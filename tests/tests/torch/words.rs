//! Words alone, where they are delicate.

use crate::harness::{Difference, Row, row};
use pullback::prelude::*;

/// A formula for each function of one number, of each element.
macro_rules! unary {
    ($($name:ident $op:ident = |$x:ident| $body:expr;)*) => {
        $(
            #[derive_backward]
            fn $name($x: Tensor<f64, Many<S>>) -> Tensor<f64, Many<S>> {
                $body
            }
        )*
        fn unary() -> Vec<Row> {
            vec![$(row!(stringify!($name), $op).differs(known(stringify!($name)))),*]
        }
    };
}

unary! {
    neg Neg = |x| -x;
    square Square = |x| x.sq();
    root Root = |x| x.sqrt();
    reciprocal_root ReciprocalRoot = |x| x.rsqrt();
    reciprocal Reciprocal = |x| x.recip();
    power_0 Power0 = |x| x.powi(0);
    power_1 Power1 = |x| x.powi(1);
    power_2 Power2 = |x| x.powi(2);
    power_3 Power3 = |x| powi(x, 3);
    power_minus_1 PowerMinus1 = |x| powi(x, -1);
    power_minus_2 PowerMinus2 = |x| powi(x, -2);
    power_half PowerHalf = |x| powf(x, 0.5);
    power_three_halves PowerThreeHalves = |x| x.powf(1.5);
    power_minus_half PowerMinusHalf = |x| x.powf(-0.5);
    power_two PowerTwo = |x| x.powf(2.0);
    exponential Exponential = |x| x.exp();
    exponential_2 Exponential2 = |x| exp2(x);
    exponential_m1 ExponentialM1 = |x| x.exp_m1();
    logarithm Logarithm = |x| x.ln();
    logarithm_2 Logarithm2 = |x| x.log2();
    logarithm_1p Logarithm1p = |x| x.ln_1p();
    absolute Absolute = |x| x.abs();
    signed Signed = |x| sign(x) * x;
    floored Floored = |x| x.floor() * x;
    ceiled Ceiled = |x| x.ceil() * x;
    rounded Rounded = |x| x.round() * x;
    sine Sine = |x| sin(x);
    cosine Cosine = |x| cos(x);
    tangent Tangent = |x| tan(x);
    sine_h SineH = |x| sinh(x);
    cosine_h CosineH = |x| cosh(x);
    tangent_h TangentH = |x| tanh(x);
    area_sine AreaSine = |x| asinh(x);
    arc_tangent ArcTangent = |x| atan(x);
    logistic Logistic = |x| sigmoid(x);
    soft_plus SoftPlus = |x| softplus(x);
    error Error = |x| erf(x);
    error_c ErrorC = |x| erfc(x);
    rectified Rectified = |x| max(x, 0.0);
    below_zero BelowZero = |x| minimum(x, 0.0);
    clamped Clamped = |x| x.clamp(-1.0, 1.5);
    mapped_relu MappedRelu = |x| map(x, |v| if v > 0.0 { v } else { 0.0 });
    leaky Leaky = |x| map(x, |v| if v > 0.0 { v } else { 0.1 * v });
    dead_branch_log DeadBranchLog = |x| map(x, |v| if v > 0.25 { v.ln() } else { 0.0 });
    over_itself OverItself = |x| x / x;
    minus_itself MinusItself = |x| x - x;
    times_zero TimesZero = |x| x * 0.0;
    one_over OneOver = |x| 1.0 / x;
    zero_over ZeroOver = |x| 0.0 / x;
    root_of_square RootOfSquare = |x| x.sq().sqrt();
    log_of_sigmoid LogOfSigmoid = |x| log(sigmoid(x));
    log_of_exp LogOfExp = |x| x.exp().log();
    exp_of_log ExpOfLog = |x| exp(log(x));
    x_log_x XLogX = |x| x * log(x);
    nan_to_zero NanToZero = |x| select(eq(x, x), x, 0.0);
    finite_only FiniteOnly = |x| select(lt(abs(x), f64::INFINITY), x, 0.0);
}

/// A formula for each function of two numbers.
macro_rules! binary {
    ($($name:ident $op:ident = |$a:ident, $b:ident| $body:expr;)*) => {
        $(
            #[derive_backward]
            fn $name($a: Tensor<f64, (R, S)>, $b: Tensor<f64, (R, S)>) -> Tensor<f64, (R, S)> {
                $body
            }
        )*
        fn binary() -> Vec<Row> {
            vec![$(row!(stringify!($name), $op).differs(known(stringify!($name)))),*]
        }
    };
}

binary! {
    sum_of_two SumOfTwo = |a, b| a + b;
    difference_of_two DifferenceOfTwo = |a, b| a - b;
    product_of_two ProductOfTwo = |a, b| a * b;
    quotient_of_two QuotientOfTwo = |a, b| a / b;
    power_of_two PowerOfTwo = |a, b| a.powf(b);
    greater_of_two GreaterOfTwo = |a, b| a.max(b);
    lesser_of_two LesserOfTwo = |a, b| minimum(a, b);
    angle_of_two AngleOfTwo = |a, b| atan2(a, b);
    length_of_two LengthOfTwo = |a, b| a.hypot(b);
    chosen_of_two ChosenOfTwo = |a, b| select(gt(a, b), a, b);
    chosen_equal ChosenEqual = |a, b| select(a.eq(b), a * 2, b);
    masked_sum MaskedSum = |a, b| a.ge(b) * a + (!a.lt(b)) * b;
    clamped_by_tensors ClampedByTensors = |a, b| clamp(a, -abs(b), abs(b));
}

/// A formula for each function of a row.
macro_rules! rows_of {
    ($($name:ident $op:ident = |$x:ident| $body:expr, $($axes:ident)*;)*) => {
        $(
            #[derive_backward]
            fn $name($x: Tensor<f64, (N, C)>) -> Tensor<f64, ($($axes),*)> {
                $body
            }
        )*
        fn reductions() -> Vec<Row> {
            vec![$(row!(stringify!($name), $op).differs(known(stringify!($name)))),*]
        }
    };
}

rows_of! {
    summed Summed = |x| x.sum(C), N;
    averaged Averaged = |x| mean(x, C), N;
    multiplied Multiplied = |x| x.prod(C), N;
    multiplied_all MultipliedAll = |x| x.prod((N, C)), ;
    greatest Greatest = |x| x.max(C), N;
    least Least = |x| min(x, C), N;
    any_positive AnyPositive = |x| any(gt(x, 0.0), C) * sum(x, C), N;
    all_positive AllPositive = |x| all(gt(x, 0.0), C) * sum(x, C), N;
    variance Variance = |x| var(x, C), N;
    variance_unbiased VarianceUnbiased = |x| var(x, C) * len(C) / (len(C) as f64 - 1.0), N;
    deviation Deviation = |x| x.var(C).sqrt(), N;
    deviation_eps DeviationEps = |x| sqrt(var(x, C) + 1e-5), N;
    variance_all VarianceAll = |x| var(x, (N, C)), ;
    log_sum_exp LogSumExp = |x| logsumexp(x, C), N;
    log_mean_exp LogMeanExp = |x| logsumexp(x, C) - (len(C) as f64).ln(), N;
    soft_max SoftMax = |x| exp(x - logsumexp(x, C)), N C;
    log_soft_max LogSoftMax = |x| x - x.logsumexp(C), N C;
    accumulated Accumulated = |x| cumsum(x, C), N C;
    accumulated_products AccumulatedProducts = |x| exp(cumsum(log1p(abs(x)), C)), N C;
    length Length = |x| sqrt(sum(x * x, C)), N;
    length_eps LengthEps = |x| sqrt(sum(x * x, C) + 1e-12), N;
    unit Unit = |x| x / sqrt(sum(sq(x), C)), N C;
    unit_clamped UnitClamped = |x| x / max(sqrt(sum(sq(x), C)), 1e-12), N C;
    norm_1 Norm1 = |x| x.abs().sum(C), N;
    norm_inf NormInf = |x| x.abs().max(C), N;
    norm_3 Norm3 = |x| powf(sum(powf(abs(x), 3.0), C), 1.0 / 3.0), N;
    range_of RangeOf = |x| max(x, C) - min(x, C), N;
    standardised_range StandardisedRange = |x| (x - min(x, C)) / (max(x, C) - min(x, C)), N C;
    counted Counted = |x| sum(gt(x, 0), C) + mean(gt(x, 0), (N, C)) * slice(x, C, Z, 0..1).sum(Z), N;
}

#[derive_backward]
fn greatest_and_where(x: Tensor<f64, (N, C)>) -> (Tensor<f64, N>, Tensor<i64, N>) {
    (x.max(C), x.argmax(C))
}

#[derive_backward]
fn least_and_where(x: Tensor<f64, (N, C)>) -> (Tensor<f64, N>, Tensor<i64, N>) {
    (min(x, C), argmin(x, C))
}

#[derive_backward]
fn where_greatest(x: Tensor<f64, (N, C)>) -> (Tensor<i64, N>, Tensor<i64, ()>) {
    (argmax(x, C), argmax(x, (N, C)))
}

#[derive_backward]
fn where_least(x: Tensor<f64, (N, C)>) -> (Tensor<i64, N>, Tensor<i64, ()>) {
    (argmin(x, C), x.argmin((N, C)))
}

#[derive_backward]
fn dotted(x: Tensor<f64, (N, C)>, w: Tensor<f64, C>) -> Tensor<f64, N> {
    x.dot(w, C)
}

#[derive_backward]
fn two_axes_max(x: Tensor<f64, (N, H, W)>) -> (Tensor<f64, N>, Tensor<i64, N>) {
    (max(x, (H, W)), argmax(x, (H, W)))
}

#[derive_backward]
fn two_axes_mean(x: Tensor<f64, (N, C, L)>) -> Tensor<f64, C> {
    x.mean((N, L))
}

#[derive_backward]
fn masked_max(x: Tensor<f64, (N, C)>, #[constant] m: Tensor<f64, (N, C)>) -> Tensor<f64, N> {
    select(gt(m, 0.0), x, f64::NEG_INFINITY).max(C)
}

#[derive_backward]
fn masked_mean(x: Tensor<f64, (N, C)>, #[constant] m: Tensor<f64, (N, C)>) -> Tensor<f64, N> {
    let here = m.gt(0);
    sum(select(here, x, 0.0), C) / here.sum(C)
}

const INDEX: &str = "of several NaN the last counts, as in PyTorch's pools; in its `max` the first";
const LAST_NAN: &[Difference] = &[("nans", "output 1", INDEX), ("nans", "gradient of x", INDEX)];
const ROOT: &str = "PyTorch takes the powers ½ and −½ for roots: √−∞ is NaN, √−0 is −0";
const SIGN: &str = "the sign of NaN is NaN; PyTorch's is 0";
const CLAMP: &str = "PyTorch stops a gradient where a clamp meets NaN; here it goes on";
const DEFINED: &str = "the derivative where PyTorch has 0·∞";

/// Where the answer is another than PyTorch's.
fn known(name: &str) -> &'static [Difference] {
    match name {
        "power_half" => &[("points", "output 0", ROOT), ("points", "gradient of x", ROOT)],
        "power_minus_half" => &[("points", "output 0", ROOT)],
        "absolute" | "signed" => &[("points", "gradient of x", SIGN)],
        "clamped" => &[("points", "gradient of x", CLAMP)],
        "below_zero" => &[("points", "gradient of x", CLAMP)],
        "zero_over" | "log_of_sigmoid" | "log_of_exp" => &[("points", "gradient of x", DEFINED)],
        "clamped_by_tensors" => &[("crossed", "gradient of b", SIGN)],
        "greatest" | "least" => &[("nans", "gradient of x", INDEX)],
        "norm_1" => &[("nan", "gradient of x", SIGN), ("nans", "gradient of x", SIGN)],
        "norm_inf" => &[("nan", "gradient of x", SIGN), ("nans", "gradient of x", SIGN)],
        _ => &[],
    }
}

pub fn rows() -> Vec<Row> {
    let mut rows = unary();
    rows.extend(binary());
    rows.extend(reductions());
    rows.extend([
        row!("greatest_and_where", GreatestAndWhere).differs(LAST_NAN),
        row!("least_and_where", LeastAndWhere).differs(LAST_NAN),
        row!("where_greatest", WhereGreatest).differs(&[("nans", "output 0", INDEX), ("nans", "output 1", INDEX)]),
        row!("where_least", WhereLeast).differs(&[("nans", "output 0", INDEX), ("nans", "output 1", INDEX)]),
        row!("dotted", Dotted),
        row!("two_axes_max", TwoAxesMax).differs(LAST_NAN),
        row!("two_axes_mean", TwoAxesMean),
        row!("masked_max", MaskedMax).differs(&[("nans", "gradient of x", INDEX)]),
        row!("masked_mean", MaskedMean),
    ]);
    rows
}
