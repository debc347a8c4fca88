//! What a call checks, by the errors it gives.

use super::*;
use ndarray::ArrayD;

const OUTPUTS: &[&[usize]] = &[&[0, 1]];

/// A call whose axes N and C are 4 and 6, as `x` told.
fn shapes() -> Shapes {
    let mut shapes = Shapes::new("layer", &["N", "C"]);
    shapes.array("x", Some(&[4, 6]), &[0, 1], None).expect("a matrix");
    shapes
}

fn call() -> Call {
    Call::new(shapes(), 0, vec![], OUTPUTS)
}

#[test]
fn an_extent_that_disagrees_is_told_with_who_said_so_first() {
    let mut shapes = shapes();
    let error = shapes.array("b", Some(&[5]), &[1], None).expect_err("another extent");
    let expected = Error::Shape { function: "layer", argument: "b", axis: "C", found: 5, expected: 6, source: "x" };
    assert_eq!(error, expected);
    let error = shapes.array("w", Some(&[6]), &[0, 1], None).expect_err("another rank");
    assert_eq!(error, Error::Rank { function: "layer", argument: "w", found: 1, expected: 2, at_least: false });
    assert_eq!(shapes.array("absent", None, &[0], None), Ok(()));
}

#[test]
fn sizes_are_bounded_before_anything_is_computed() {
    let large = 1usize << 40;
    let mut shapes = Shapes::new("layer", &["N", "C"]);
    let error = shapes.array("x", Some(&[large, large]), &[0, 1], None).expect_err("more than memory");
    assert_eq!(error, Error::TooLarge { function: "layer", argument: "x" });
    let too_large = |axis| Err(Error::TooLarge { function: "layer", argument: axis });
    assert_eq!(shapes.copies(0, i64::MAX / 2), too_large("N"));
    assert_eq!(shapes.copies(0, -1), too_large("N"));
    assert_eq!(self::shapes().copies(0, 1 << 62), too_large("N"));
    assert_eq!(self::shapes().copies(0, 3), Ok(()));
    // of an axis without elements as well
    let mut empty = Shapes::new("layer", &["N"]);
    empty.array("x", Some(&[0]), &[0], None).expect("an empty vector");
    assert_eq!(empty.copies(0, -1), too_large("N"));
    assert_eq!(empty.copies(0, 5), Ok(()));
}

#[test]
fn a_buffer_of_as_many_elements_is_not_yet_one_of_the_shape() {
    for found in [&[6, 4][..], &[24], &[4, 6, 1], &[4, 5]] {
        let error = call().buffer("dx", found, &[0, 1]).expect_err("another shape");
        assert_eq!(error, Error::Buffer { function: "layer", argument: "dx", found: found.to_vec(), expected: vec![4, 6] });
    }
    assert_eq!(call().buffer("dx", &[4, 6], &[0, 1]), Ok(()));
}

#[test]
fn every_saved_array_counts_at_its_own_size() {
    let index = |positions| SavedArray::Index("at", IndexBuf::new(&[4, 3], positions));
    let data = SavedArray::Data("y", ArrayD::<f32>::zeros(vec![4, 6]));
    let wide = SavedArray::Wide("mu", ArrayD::<f64>::zeros(vec![6]));
    let saved = Saved::new(&call(), vec![data, wide, index(256), index(257)]);
    assert_eq!(saved.bytes(), 4 * 24 + 8 * 6 + 12 + 4 * 12);
    assert!(saved.data(0).is_ok() && saved.wide(1).is_ok() && saved.index(2).is_ok());
    assert!(saved.data(1).is_err() && saved.wide(2).is_err() && saved.index(4).is_err());
}

#[test]
fn what_is_saved_belongs_to_one_call() {
    let saved = Saved::<f32>::new(&call(), vec![]);
    assert_eq!(saved.check(&call()), Ok(()));
    let other = Call { variant: 1, ..call() };
    assert!(matches!(saved.check(&other), Err(Error::Saved { function: "layer", .. })), "another branch");
    let mut shapes = Shapes::new("layer", &["N", "C"]);
    shapes.array("x", Some(&[4, 7]), &[0, 1], None).expect("a matrix");
    let other = Call::new(shapes, 0, vec![], OUTPUTS);
    assert!(matches!(saved.check(&other), Err(Error::Saved { function: "layer", .. })), "another shape");
}

#[test]
fn ranges_and_widths_have_two_ends() {
    let shapes = shapes();
    let range = |start, end| shapes.range(1, start, end);
    assert!([(0, 6), (6, 6), (2, 3)].iter().all(|(a, b)| range(*a, *b).is_ok()));
    assert!([(-1, 2), (3, 2), (0, 7)].iter().all(|(a, b)| range(*a, *b).is_err()));
    let most = |word: &'static str| (0..100).take_while(|n| shapes.padding(1, *n, 0, word).is_ok()).count();
    assert_eq!(["pad_reflect", "pad_circular", "pad_edge"].map(most), [6, 7, 100]);
    let error = shapes.padding(1, 1, 6, "pad_reflect").expect_err("too much at the end");
    assert_eq!(error, Error::Padding { function: "layer", axis: "C", found: 6, most: 5 });
}
