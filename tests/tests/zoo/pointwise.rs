//! Every function of the vocabulary that works element by element.

use pullback::prelude::*;

/// One formula for each function of one number.
macro_rules! unary {
    ($($name:ident $op:ident = |$x:ident| $body:expr;)*) => {
        $(
            #[derive_backward]
            fn $name($x: Tensor<f32, Many<S>>) -> Tensor<f32, Many<S>> {
                $body
            }
            gradient_test!($op);
        )*
    };
}

unary! {
    point_neg PointNeg = |x| -x;
    point_sq PointSq = |x| sq(x);
    point_sqrt PointSqrt = |x| sqrt(x);
    point_rsqrt PointRsqrt = |x| rsqrt(x);
    point_recip PointRecip = |x| recip(x);
    point_powi PointPowi = |x| powi(x, 3);
    point_powi_negative PointPowiNegative = |x| powi(x, -2);
    point_powf PointPowf = |x| powf(x, 1.5);
    point_exp PointExp = |x| exp(x);
    point_exp2 PointExp2 = |x| exp2(x);
    point_exp_m1 PointExpM1 = |x| exp_m1(x);
    point_log PointLog = |x| log(x);
    point_ln PointLn = |x| x.ln();
    point_log2 PointLog2 = |x| log2(x);
    point_log1p PointLog1p = |x| log1p(x);
    point_ln_1p PointLn1p = |x| x.ln_1p();
    point_abs PointAbs = |x| abs(x);
    point_sin PointSin = |x| sin(x);
    point_cos PointCos = |x| cos(x);
    point_tan PointTan = |x| tan(x);
    point_sinh PointSinh = |x| sinh(x);
    point_cosh PointCosh = |x| cosh(x);
    point_tanh PointTanh = |x| tanh(x);
    point_asinh PointAsinh = |x| asinh(x);
    point_atan PointAtan = |x| atan(x);
    point_sigmoid PointSigmoid = |x| sigmoid(x);
    point_softplus PointSoftplus = |x| softplus(x);
    point_erf PointErf = |x| erf(x);
    point_erfc PointErfc = |x| erfc(x);
    point_clamp PointClamp = |x| clamp(x, -0.5, 1.5);
    point_sign PointSign = |x| x * sign(x + 0.25);
    point_floor PointFloor = |x| x * floor(x);
    point_ceil PointCeil = |x| x * ceil(x);
    point_round PointRound = |x| x * round(x);
    point_maximum PointMaximum = |x| maximum(x, 0.5);
    point_minimum PointMinimum = |x| minimum(0.5, x);
    point_halves PointHalves = |x| x / 2 + 3 - 2 * x * x;
    point_chain PointChain = |x| x.sq().exp_m1().tanh().powi(2);
}

/// One formula for each function of two tensors, one of them broadcast.
macro_rules! binary {
    ($($name:ident $op:ident = |$a:ident, $b:ident| $body:expr;)*) => {
        $(
            #[derive_backward]
            fn $name($a: Tensor<f32, (N, C)>, $b: Tensor<f32, C>) -> Tensor<f32, (N, C)> {
                $body
            }
            gradient_test!($op);
        )*
    };
}

binary! {
    two_add TwoAdd = |a, b| a + b;
    two_sub TwoSub = |a, b| b - a;
    two_mul TwoMul = |a, b| a * b;
    two_div TwoDiv = |a, b| a / b;
    two_max TwoMax = |a, b| max(a, b);
    two_min TwoMin = |a, b| min(a, b);
    two_atan2 TwoAtan2 = |a, b| atan2(a, b);
    two_hypot TwoHypot = |a, b| hypot(a, b);
    two_powf TwoPowf = |a, b| powf(a, b);
    two_clamp TwoClamp = |a, b| clamp(a, b, b + 1.0);
    two_gt TwoGt = |a, b| select(gt(a, b), a * a, b);
    two_ge TwoGe = |a, b| select(ge(a, 0.0), a, a * b);
    two_lt TwoLt = |a, b| select(a.lt(b), a, 2.0 * b);
    two_le TwoLe = |a, b| a * le(a, b) + b;
    two_eq TwoEq = |a, b| select(eq(sign(b), 1.0), a * b, a);
    two_ne TwoNe = |a, b| select(ne(a, b), a / (1.0 + b * b), b);
    two_masks TwoMasks = |a, b| select((gt(a, 0.0) & lt(b, 1.0)) | !ge(a, b), a * b, a - b);
}
