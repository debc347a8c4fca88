use super::*;
use crate::{Seed, Window};
use approx::assert_relative_eq;

const A: Axis = Axis(0);
const B: Axis = Axis(1);
const C: Axis = Axis(2);
const D: Axis = Axis(3);

/// A variable, each of whose elements carries its own tangent.
fn variable(dims: &[(Axis, usize)], values: &[f64]) -> Value {
    let n = values.len();
    let tangents = (0..n * n).map(|i| if i / n == i % n { 1.0 } else { 0.0 }).collect();
    Value::variable(dims, values.to_vec(), n, tangents)
}

fn values(x: &Value) -> Vec<f64> {
    x.values_over(x.dims())
}

/// The Jacobian, a row an element of the result.
fn jacobian(y: &Value) -> Vec<f64> {
    y.tangents_over(y.dims(), y.width())
}

/// Compares tangents with central differences of the values.
fn check_slopes(dims: &[(Axis, usize)], x: &[f64], f: impl Fn(&Value) -> Value) {
    let y = f(&variable(dims, x));
    let (jacobian, h) = (jacobian(&y), 1e-5);
    for k in 0..x.len() {
        let moved = |by: f64| {
            let mut x = x.to_vec();
            x[k] += by;
            f(&Value::constant(dims, x)).values_over(y.dims())
        };
        let (above, below) = (moved(h), moved(-h));
        for (i, (a, b)) in above.iter().zip(&below).enumerate() {
            let slope = (a - b) / (2.0 * h);
            assert_relative_eq!(jacobian[i * x.len() + k], slope, max_relative = 1e-5, epsilon = 1e-7);
        }
    }
}

#[test]
fn slopes_of_one_operand() {
    let x = [0.3, 1.7, 2.4];
    let both = [-2.3, -0.4, 0.6, 1.8];
    type Unary = fn(&Value) -> Value;
    let positive: [Unary; 6] = [sqrt, rsqrt, recip, log, log2, log1p];
    let anywhere: [Unary; 21] = [
        neg, sq, exp, exp2, exp_m1, abs, sign, floor, ceil, round, sin, cos, tan, sinh, cosh, tanh, asinh, atan, sigmoid,
        softplus, erf,
    ];
    positive.iter().for_each(|f| check_slopes(&[(A, 3)], &x, f));
    anywhere.iter().for_each(|f| check_slopes(&[(A, 4)], &both, f));
    check_slopes(&[(A, 4)], &both, erfc);
    for n in [-3, -1, 0, 1, 2, 5] {
        check_slopes(&[(A, 4)], &both, |x| powi(x, n));
    }
}

#[test]
fn slopes_of_two_operands() {
    let x = [0.3, 1.7, 2.4, 0.9];
    let two: [fn(&Value, &Value) -> Value; 9] = [add, sub, mul, div, powf, atan2, hypot, max2, min2];
    for f in two {
        // Both operands vary with the same variable.
        check_slopes(&[(A, 4)], &x, |x| f(&slice(x, A, B, 0, 2), &slice(x, A, C, 2, 4)));
    }
}

#[test]
fn axes_align_by_name_and_repeat() {
    let x = Value::constant(&[(A, 2), (B, 3)], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let bias = Value::constant(&[(B, 3)], vec![10.0, 20.0, 30.0]);
    assert_eq!(values(&add(&x, &bias)), [10.0, 21.0, 32.0, 13.0, 24.0, 35.0]);
    assert_eq!(add(&bias, &x).values_over(&[(A, 2), (B, 3)]), [10.0, 21.0, 32.0, 13.0, 24.0, 35.0]);
    assert_eq!(x.values_over(&[(B, 3), (A, 2)]), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    assert_eq!(bias.values_over(&[(A, 2), (B, 3)]), [10.0, 20.0, 30.0, 10.0, 20.0, 30.0]);
}

#[test]
fn kinks_have_their_conventional_slopes() {
    let slope = |x: f64, f: &dyn Fn(&Value) -> Value| jacobian(&f(&variable(&[], &[x])))[0];
    let relu = |x: &Value| max2(x, &num(0.0));
    assert_eq!((slope(0.0, &relu), slope(f64::NAN, &relu)), (0.0, 1.0));
    assert!(values(&relu(&num(f64::NAN)))[0].is_nan() && values(&min2(&num(0.0), &num(f64::NAN)))[0].is_nan());
    assert_eq!(slope(0.0, &abs), 0.0);
    assert_eq!(slope(0.0, &sqrt), f64::INFINITY);
    let hard = |x: &Value| clamp(x, &num(-1.0), &num(1.0));
    assert_eq!([-1.0, -0.5, 1.0, 3.0].map(|x| slope(x, &hard)), [0.0, 1.0, 0.0, 0.0]);
    let twice = |x: &Value| max2(x, &add(x, &num(0.0)));
    assert_eq!(slope(2.0, &twice), 1.0);
    let half = |x: &Value| max2(x, &mul(x, &x.clone()));
    assert_eq!(slope(1.0, &half), 1.5);
    assert_eq!(slope(0.0, &|x| powf(x, &num(0.0))), 0.0);
    assert_eq!(slope(0.0, &|x| powf(&num(0.0), x)), 0.0);
    assert_eq!(
        [atan2(&variable(&[], &[0.0]), &num(0.0)), atan2(&num(0.0), &variable(&[], &[0.0]))].map(|y| jacobian(&y)[0]),
        [0.0; 2]
    );
}

#[test]
fn select_never_multiplies() {
    let x = variable(&[], &[-1.0]);
    let safe = select(&gt(&x, &num(0.0)), &log(&x), &mul(&x, &num(3.0)));
    assert_eq!((values(&safe), jacobian(&safe)), (vec![-3.0], vec![3.0]));
    let zero = variable(&[], &[0.0]);
    let guarded = select(&gt(&zero, &num(0.0)), &sqrt(&zero), &num(0.0));
    assert_eq!(jacobian(&guarded), [0.0]);
}

#[test]
fn slopes_of_reductions() {
    let x = [0.3, 1.7, -2.4, 0.9, 1.1, -0.2];
    let dims = [(A, 2), (B, 3)];
    let all_of_them: [fn(&Value, &[Axis]) -> Value; 7] = [sum, mean, prod, max, min, var, logsumexp];
    for f in all_of_them {
        check_slopes(&dims, &x, |x| f(x, &[B]));
        check_slopes(&dims, &x, |x| f(x, &[B, A]));
    }
    check_slopes(&dims, &x, |x| cumsum(x, B));
    check_slopes(&dims, &x, |x| scan(x, A, &num(0.5), |h, v| mul(h, &exp(v))));
    check_slopes(&dims, &x, |x| dot(x, &rename(x, A, C), &[B]));
}

#[test]
fn reductions_give_their_values() {
    let x = Value::constant(&[(A, 2), (B, 2)], vec![1.0, 2.0, 3.0, 6.0]);
    assert_eq!(values(&mean(&x, &[A])), [2.0, 4.0]);
    assert_eq!(values(&var(&x, &[A, B])), [3.5]);
    assert_eq!(values(&prod(&x, &[B])), [2.0, 18.0]);
    assert_eq!(cumsum(&x, B).values_over(x.dims()), [1.0, 3.0, 3.0, 9.0]);
    let huge = Value::constant(&[(A, 2)], vec![1000.0, 1000.0]);
    assert_relative_eq!(values(&logsumexp(&huge, &[A]))[0], 1000.0 + 2f64.ln());
    let mask = gt(&x, &num(2.5));
    assert_eq!((values(&any(&mask, &[B])), values(&all(&mask, &[B]))), (vec![0.0, 1.0], vec![0.0, 1.0]));
}

#[test]
fn a_zero_divides_nothing_in_the_slope_of_a_product() {
    let y = prod(&variable(&[(A, 3)], &[0.0, 2.0, 5.0]), &[A]);
    assert_eq!(jacobian(&y), [10.0, 0.0, 0.0]);
}

#[test]
fn ties_go_to_the_first_and_nan_to_the_last() {
    let x = variable(&[(A, 2), (B, 2)], &[1.0, 7.0, 7.0, 7.0]);
    assert_eq!(jacobian(&max(&x, &[A, B])), [0.0, 1.0, 0.0, 0.0]);
    // In the order (B, A) the element at A = 1, B = 0 comes first.
    assert_eq!(jacobian(&max(&x, &[B, A])), [0.0, 0.0, 1.0, 0.0]);
    assert_eq!((values(&argmax(&x, &[A, B])), values(&argmax(&x, &[B, A]))), (vec![1.0], vec![1.0]));
    let x = variable(&[(A, 4)], &[f64::NAN, 7.0, f64::NAN, 9.0]);
    assert!(values(&max(&x, &[A]))[0].is_nan());
    assert_eq!((jacobian(&max(&x, &[A])), values(&argmin(&x, &[A]))), (vec![0.0, 0.0, 1.0, 0.0], vec![2.0]));
    let x = Value::constant(&[(A, 2)], vec![f64::NEG_INFINITY; 2]);
    assert_eq!(values(&argmax(&x, &[A])), [0.0]);
}

#[test]
fn reductions_over_nothing() {
    let x = Value::constant(&[(A, 2), (B, 0)], vec![]);
    assert_eq!(values(&sum(&x, &[B])), [0.0, 0.0]);
    assert_eq!(values(&prod(&x, &[B])), [1.0, 1.0]);
    assert!(values(&mean(&x, &[B]))[0].is_nan());
    assert_eq!(values(&logsumexp(&x, &[B])), [f64::NEG_INFINITY; 2]);
}

/// 3 windows of 3 over 4 elements with padding 1: the first and last have a hole.
#[test]
fn holes_travel_and_reductions_skip_them() {
    let x = variable(&[(A, 4)], &[1.0, 2.0, 3.0, 4.0]);
    let k = Window::new([3]).stride([1]).padding([1]);
    let w = window(&x, &[A], &[B], &[C], &k);
    assert_eq!(values(&sum(&w, &[C])), [3.0, 6.0, 9.0, 7.0]);
    assert_eq!(values(&mean(&w, &[C])), [1.5, 2.0, 3.0, 3.5]);
    assert_eq!(values(&mean(&exp(&mul(&w, &num(0.0))), &[C])), [1.0; 4]);
    assert_eq!(values(&min(&w, &[C])), [1.0, 1.0, 2.0, 3.0]);
    assert_eq!(values(&mean(&fill(&w, &num(0.0)), &[C])), [1.0, 2.0, 3.0, 7.0 / 3.0]);
    assert_eq!(jacobian(&mean(&w, &[C]))[..4], [0.5, 0.5, 0.0, 0.0]);
    // Over a part of the axes, holes alone give a hole, but for a sum.
    let part = max(&w, &[B]);
    assert_eq!(values(&part), [3.0, 4.0, 4.0]);
    let lonely = window(&slice(&x, A, A, 0, 1), &[A], &[B], &[C], &k);
    assert!(values(&max(&lonely, &[B]))[0].is_nan());
    assert_eq!(values(&sum(&max(&lonely, &[B]), &[C])), [1.0]);
    assert_eq!(values(&sum(&lonely, &[B])), [0.0, 1.0, 0.0]);
    assert_eq!(values(&dot(&w, &Value::constant(&[(C, 3)], vec![1.0, 10.0, 100.0]), &[C])), [210.0, 321.0, 432.0, 43.0]);
}

/// PyTorch: `avg_pool1d([1, 2, 3, 4, 5], 2, stride=2, padding=1, ceil_mode=True, count_include_pad=...)`, windows
/// (pad, 1), (2, 3), (4, 5).
#[test]
fn counted_padding_and_divisors() {
    let x = variable(&[(A, 5)], &[1.0, 2.0, 3.0, 4.0, 5.0]);
    let k = Window::new([2]).padding([1]).ceil_mode(true);
    let pool = |k: Window<1>| mean(&window(&x, &[A], &[B], &[C], &k), &[C]);
    assert_eq!(values(&pool(k)), [1.0, 2.5, 4.5]);
    assert_eq!(values(&pool(k.count_padding(true))), [0.5, 2.5, 4.5]);
    assert_eq!(values(&pool(k.divisor(-4))), [-0.25, -1.25, -2.25]);
    assert_eq!(jacobian(&pool(k.divisor(-4)))[..2], [-0.25, 0.0]);
    // What hangs over beyond the padding is never counted: the window (5, pad, beyond).
    let k = Window::new([3]).padding([1]).count_padding(true).stride([5]).ceil_mode(true);
    assert_eq!(values(&pool(k)), [1.0, 2.5]);
    // A divisor is the taps' own: other axes in the mean count as ever.
    let w = window(&x, &[A], &[B], &[C], &Window::new([2]).divisor(4));
    assert_eq!(values(&mean(&sq(&w), &[C, B])), [30.0 / 8.0]);
    assert_eq!(values(&mean(&sum(&w, &[B]), &[C])), [10.0 / 4.0]);
    assert_eq!(values(&mean(&sum(&w, &[C]), &[B])), [5.0]);
}

#[test]
fn adaptive_windows_may_overlap() {
    let x = Value::constant(&[(A, 5)], vec![1.0, 2.0, 3.0, 4.0, 5.0]);
    let y = adaptive_window(&x, &[A], &[B], &[C], &[3]);
    assert_eq!(values(&mean(&y, &[C])), [1.5, 3.0, 4.5]);
}

#[test]
fn moves_put_elements_where_they_say() {
    let x = variable(&[(A, 4)], &[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(values(&shift(&x, A, 1)), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(values(&shift(&x, A, -2)), [3.0, 4.0, 0.0, 0.0]);
    assert_eq!(values(&roll(&x, A, 5)), [4.0, 1.0, 2.0, 3.0]);
    assert_eq!(values(&flip(&x, A)), [4.0, 3.0, 2.0, 1.0]);
    assert_eq!(values(&slice(&x, A, B, 1, 3)), [2.0, 3.0]);
    assert_eq!(values(&pad(&x, A, B, 1, 2, 9.0)), [9.0, 1.0, 2.0, 3.0, 4.0, 9.0, 9.0]);
    assert_eq!(values(&pad_reflect(&x, A, B, 2, 1)), [3.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0]);
    assert_eq!(values(&pad_edge(&x, A, B, 2, 1)), [1.0, 1.0, 1.0, 2.0, 3.0, 4.0, 4.0]);
    assert_eq!(values(&pad_circular(&x, A, B, 2, 1)), [3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 1.0]);
    assert_eq!(values(&repeat(&slice(&x, A, A, 0, 2), A, B, 2)), [1.0, 2.0, 1.0, 2.0]);
    let y = split(&x, A, (B, C), 2);
    assert_eq!(y.dims(), [(B, 2), (C, 2)]);
    assert_eq!(values(&merge(&y, (C, B), D)), [1.0, 3.0, 2.0, 4.0]);
    assert_eq!(values(&merge(&y, (B, C), D)), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(values(&stack(D, &[&y, &num(7.0)])), [1.0, 2.0, 3.0, 4.0, 7.0, 7.0, 7.0, 7.0]);
    let ends = concat(D, &[(&x, A), (&slice(&x, A, B, 0, 1), B)]);
    assert_eq!(values(&ends), [1.0, 2.0, 3.0, 4.0, 1.0]);
    check_slopes(&[(A, 4)], &[1.0, 2.0, 3.0, 4.0], |x| {
        let w = window(x, &[A], &[B], &[C], &Window::new([2]).stride([1]).dilation([2]));
        merge(&mul(&w, &w), (C, B), D)
    });
    check_slopes(&[(A, 4)], &[1.0, 2.0, 3.0, 4.0], |x| concat(D, &[(&sq(x), A), (&flip(x, A), A)]));
}

#[test]
fn concat_repeats_what_lacks_an_axis() {
    let x = Value::constant(&[(A, 2), (B, 1)], vec![1.0, 2.0]);
    let y = Value::constant(&[(C, 2)], vec![8.0, 9.0]);
    assert_eq!(concat(D, &[(&x, B), (&y, C)]).values_over(&[(A, 2), (D, 3)]), [1.0, 8.0, 9.0, 2.0, 8.0, 9.0]);
}

#[test]
fn gathers_and_their_transposes() {
    let x = Value::constant(&[(A, 2), (B, 3)], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let label = Value::constant(&[(A, 2)], vec![2.0, 0.0]);
    assert_eq!(values(&pick(&x, &[B], &label)), [2.0, 3.0]);
    let flat = Value::constant(&[(C, 3)], vec![5.0, 0.0, 4.0]);
    assert_eq!(values(&pick(&x, &[A, B], &flat)), [5.0, 0.0, 4.0]);
    let rows = Value::constant(&[(C, 2)], vec![1.0, 1.0]);
    assert_eq!(pick(&x, &[A], &rows).values_over(&[(C, 2), (B, 3)]), [3.0, 4.0, 5.0, 3.0, 4.0, 5.0]);

    let v = variable(&[(C, 3)], &[1.0, 10.0, 100.0]);
    let to = Value::constant(&[(C, 3)], vec![1.0, 0.0, 1.0]);
    let y = scatter_add(&v, &to, A, 2, &[C]);
    assert_eq!((values(&y), jacobian(&y)), (vec![10.0, 101.0], vec![0.0, 1.0, 0.0, 1.0, 0.0, 1.0]));
    let y = scatter(&v, &to, A, 2, &[C]);
    assert_eq!((values(&y), jacobian(&y)), (vec![10.0, 100.0], vec![0.0, 1.0, 0.0, 0.0, 0.0, 1.0]));
    // Aligned along A: one place in every row.
    let y = scatter_add(&Value::constant(&[(A, 2)], vec![7.0, 8.0]), &label, B, 3, &[]);
    assert_eq!(values(&y), [0.0, 0.0, 7.0, 8.0, 0.0, 0.0]);
}

#[test]
fn branches_per_element_may_capture_variables() {
    let x = variable(&[(A, 2)], &[-2.0, 3.0]);
    let s = Value::variable(&[], vec![0.1], 2, vec![1.0, 0.0]);
    let y = map(&x, |v| if holds(&gt(v, &num(0.0))) { v.clone() } else { mul(&s, v) });
    assert_eq!(values(&y), [-0.2, 3.0]);
    assert_eq!(jacobian(&y), [0.1 - 2.0, 0.0, 0.0, 1.0]);
}

#[test]
fn draws_follow_the_listed_axes() {
    let x = bernoulli(&[(A, 3), (B, 5)], Seed(7), 2, 0.5);
    let expected = (0..15).map(|i| f64::from(u8::from(crate::rng::bits(7, 2, i) < 1 << 31)));
    assert_eq!(values(&x), expected.collect::<Vec<_>>());
    assert!(!x.is_differentiable());
    assert_ne!(values(&uniform(&[(A, 4)], Seed(7), 0)), values(&uniform(&[(A, 4)], Seed(7), 1)));
}

#[test]
fn stopped_gradients_are_constants() {
    let x = variable(&[], &[2.0]);
    let y = mul(&x, &stop_gradient(&x));
    assert_eq!((values(&y), jacobian(&y)), (vec![4.0], vec![2.0]));
    assert!(!stop_gradient(&x).is_differentiable() && !gt(&x, &x).is_differentiable());
}

#[test]
fn rounding_is_small_repeatable_and_told_apart_by_salt() {
    let run = |epsilon: f64, salt: u64| {
        let x = Value::constant(&[(A, 3)], vec![0.1, 1.0, 1e5]);
        let rounding = Rounding { epsilon, largest: 1e30, smallest: 0.0, salt, sizes: false };
        values(&exp(&mul(&x.with_rounding(rounding), &num(0.001))))
    };
    let exact = run(0.0, 1);
    assert_eq!(run(1e-7, 1), run(1e-7, 1));
    assert_ne!(run(1e-7, 1), run(1e-7, 2));
    assert_relative_eq!(run(1e-7, 1)[0], exact[0], max_relative = 4e-7);
    assert_eq!((exact[2].is_finite(), run(1e-7, 1)[2]), (true, f64::INFINITY));
}

#[test]
fn structural_zeros_win_over_infinite_slopes() {
    let y = sqrt(&variable(&[(A, 2)], &[0.0, 4.0]));
    assert_eq!(jacobian(&y), [f64::INFINITY, 0.0, 0.0, 0.25]);
}

#[test]
fn computed_zeros_do_not_hide_what_is_not_a_number() {
    let x = variable(&[(A, 2)], &[f64::INFINITY, 4.0]);
    // 0·∞ in the slope of the first element, and nothing of it in the second.
    let y = mul(&num(0.0), &sqrt(&sub(&x, &x)));
    assert!(!jacobian(&y)[0].is_finite() && jacobian(&y)[1..3] == [0.0, 0.0]);
    let y = sum(&mul(&num(0.0), &Value::constant(&[(A, 2)], vec![1.0, 2.0])), &[A]);
    assert_eq!((values(&y), y.is_differentiable()), (vec![0.0], false));
    // What is not chosen has no say.
    let chosen = min(&mul(&x, &x), &[A]);
    assert_eq!(jacobian(&chosen), [0.0, 8.0]);
}
