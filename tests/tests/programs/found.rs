//! Programs that were drawn, failed, and were made small: each with what went wrong.

use pullback_tests::programs::interpreted::{Case, Groups, check_call};

#[track_caller]
fn passes(text: &str, extents: &[(&str, usize)], labels: Option<usize>) {
    let given = labels.map(|below| ("label", pullback_tests::programs::Given::Count(below)));
    let passed =
        check_call(&Case::read(text, extents, given.as_slice()), Groups::All).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    assert!(!passed.refused, "the call is refused");
}

/// The front end looked for an axis before it read the operand that brings it in.
#[test]
fn a_maximum_over_an_axis_of_its_own_window() {
    passes(
        "fn f(x: Tensor<f32, N>) -> Tensor<f32, O3> { min(window(x, N, O3, Taps, Window::new([4]).stride([2]).padding([1])), Taps) }",
        &[("N", 5)],
        None,
    );
}

/// What was picked from and what the labels vary over were taken for one axis: a wrong gradient.
#[test]
fn a_pick_along_the_labels_own_axis() {
    passes("fn f(x: Tensor<f32, N>, label: Labels<N>) -> Tensor<f32, N> { pick(x, N, label) }", &[("N", 5)], Some(5));
}

/// The index was read where the view around it leads outside.
#[test]
fn a_pick_inside_a_pad() {
    passes(
        "fn f(x: Tensor<f32, C>, label: Labels<N>) -> Tensor<f32, P> { pad(pick(x, C, label), N, P, 2, 1, 0.5) }",
        &[("N", 5), ("C", 3)],
        Some(3),
    );
}

/// A frozen sum was taken apart again and again: derivation did not end.
#[test]
fn a_sum_that_holds_itself() {
    passes(
        "fn f(x: Tensor<f32, ()>, y: Tensor<f32, (C, L, N)>) -> Tensor<f32, (N, C, L, B3)> {
            let v2 = y * x;
            let v7 = recip(abs(x) + 0.3) * x;
            let v7 = (lt(slice(v2, C, B3, 0..=3), v2) * 0.5) + v7;
            v7 + logsumexp(v2, (C, L, N))
        }",
        &[("C", 5), ("L", 2), ("N", 3)],
        None,
    );
}

/// `v` equals `z`, which lacks the axis `L`; a sum over it went past the value of the forward call, which has it.
#[test]
fn a_value_that_is_constant_along_an_axis() {
    passes(
        "fn f(x: Tensor<f32, (N, C)>, y: Tensor<f32, (L, N, H, W)>, z: Tensor<f32, (H, W)>) -> Tensor<f32, (L, H, C)> {
            let v = select(ge(y, y), z, stop_gradient(z));
            dot(mean(v, W), x, N)
        }",
        &[("N", 1), ("C", 2), ("L", 2), ("H", 1), ("W", 1)],
        None,
    );
}

/// The same of what cancels: the simplifier knew it to be 0, and its own node has axes.
#[test]
fn a_pick_from_what_cancels() {
    passes(
        "fn f(x: Tensor<f32, C>, label: Labels<(C, N)>) -> (Tensor<f32, (N, C)>, Tensor<f32, P2>) {
            fn soft(v: Tensor<f32>, over: impl Axes) -> Tensor<f32> { let e = exp(v - max(v, over)); e / e.sum(over) }
            let v1 = soft(x, C);
            let v2 = pad_circular(v1, C, P2, 1, 3);
            let v3 = abs(v1) + 0.3;
            (pick(v3 - v3, C, label), v2)
        }",
        &[("C", 7), ("N", 2)],
        Some(7),
    );
}

/// A condition that says the same everywhere was dropped with those about other axes: reads outside of the array.
#[test]
fn one_part_of_a_padded_stack() {
    passes(
        "fn f(z: Tensor<f32, ()>, y: Tensor<f32, ()>) -> Tensor<f32, P4> { pad_circular(stack(S3, (y, z, z)), S3, P4, 2, 3) }",
        &[],
        None,
    );
    passes("fn f(y: Tensor<f32, N>) -> Tensor<f32, ()> { pick(pad_edge(y * 0.5, N, P1, 3, 2), P1, 8) }", &[("N", 4)], None);
    passes(
        "fn f(x: Tensor<f32, N>) -> Tensor<f32, (G2, P8)> { pad_edge(pad(split(x, N, (G2, D3), 3), D3, P4, 0, 1, 0.1), P4, P8, 0, 1) }",
        &[("N", 3)],
        None,
    );
}

/// With a number for `mode`, arms of several patterns were not decided, and the formula had no result.
#[test]
fn a_match_on_a_number_that_a_caller_gives() {
    passes(
        "fn g(y: Tensor<f32, C>, mode: usize) -> Tensor<f32, C> { let v = match mode { 0 => y, 1 | 2 => y - y, _ => y * 0.5 }; v + 1.0 }
        fn f(y: Tensor<f32, C>) -> Tensor<f32, C> { g(y, 3) }",
        &[("C", 3)],
        None,
    );
}

mod compiled {
    use pullback::layer::Arg;
    use pullback::ndarray::{ArrayD, arr1, array};
    use pullback::prelude::*;

    #[derive_backward]
    pub fn last_as_named(x: Tensor<f64, (L, N)>, label: Labels<(L, N)>) -> Tensor<f64, Q> {
        scatter(x, label, Q, 2, (N, L))
    }

    /// The reference wrote in the order of the labels' axes, not of the axes as named.
    #[test]
    fn the_last_element_is_the_last_of_the_axes_as_named() {
        let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        let label = array![[0, 1, 0], [1, 0, 1]];
        assert_eq!(last_as_named(&x, &label).unwrap(), arr1(&[3.0, 6.0]));
        gradcheck(&LastAsNamed, &[Arg::tensor(&x), Arg::labels(&label)]).unwrap();
    }

    #[derive_backward]
    pub fn picked_along_itself(x: Tensor<f64, (N, C)>, label: Labels<N>) -> Tensor<f64, (N, C)> {
        pick(sq(x), N, label)
    }

    /// As in the interpreter; the reference, too, took the two axes for one.
    #[test]
    fn a_pick_along_the_labels_own_axis() {
        let x: ArrayD<f64> = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]].into_dyn();
        gradcheck(&PickedAlongItself, &[Arg::tensor(&x), Arg::labels(&arr1(&[2i64, 0, 2]))]).unwrap();
    }

    #[derive_backward]
    pub fn reflected(x: Tensor<f64, N>) -> Tensor<f64, (P1, N)> {
        let y = sq(x) + pad_reflect(x, N, P1, 0, 2);
        y + mean(max(window(y, P1, O2, K3, Window::new([2])), K3), O2)
    }

    #[derive_backward]
    pub fn renamed_result(x: Tensor<f64, F>) -> Tensor<f64, ()> {
        let y: Tensor<f64, (Z1, F)> = reflected(x);
        mean(y, (F, Z1))
    }

    /// The extent of the callee's `P1` was written under that name, and computed under the name that the caller gives.
    #[test]
    fn an_axis_that_the_caller_names_otherwise() {
        gradcheck(&RenamedResult, &[Arg::tensor(&arr1(&[1.0, -0.5, 2.0, 0.3]))]).unwrap();
    }

    #[derive_backward]
    pub fn least_of_a_result(x: Tensor<f64, F>) -> Tensor<f64, ()> {
        let y: Tensor<f64, (Z1, F)> = reflected(x);
        min(y, (Z1, F))
    }

    /// Before the callee was fetched its result's axes were not known, and `min` took them for values.
    #[test]
    fn a_minimum_over_axes_of_a_result() {
        gradcheck(&LeastOfAResult, &[Arg::tensor(&arr1(&[1.0, -0.5, 2.0, 0.3]))]).unwrap();
    }

    #[derive_backward]
    pub fn steps_beside_a_sum(x: Tensor<f64, L>, y: Tensor<f64, N>) -> (Tensor<f64, N>, Tensor<f64, L>) {
        (gt(y, 0.5) * 0.5, cumsum(x, L))
    }

    /// The steps of one output, next to what is large in another, looked like a slope to differences.
    #[test]
    fn steps_are_no_slopes() {
        use pullback_tests::programs::fill::{Style, numbers};
        for seed in 0..200 {
            let huge = |n: usize, seed: u64| arr1(&numbers(&[n], Style::Huge, seed));
            let (x, y) = (huge(8, 2 * seed), huge(144, 2 * seed + 1));
            gradcheck(&StepsBesideASum, &[Arg::tensor(&x), Arg::tensor(&y)]).unwrap();
        }
    }
}
