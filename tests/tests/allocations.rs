//! What a call takes beside its arguments and results: no temporary of full size, and little to keep for the backward.

use pullback::layers::*;
use pullback::ndarray::{Array, Array1, Array2, Array4, Dimension};
use pullback::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

/// Counts the bytes that are held.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), SeqCst) + layout.size();
        PEAK.fetch_max(held, SeqCst);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), SeqCst) + layout.size();
        PEAK.fetch_max(held, SeqCst);
        // SAFETY: the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), SeqCst);
        // SAFETY: the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One measurement at a time.
static MEASURING: Mutex<()> = Mutex::new(());

/// The most bytes that a call held at once beside what was there before, on two threads.
fn extra<R: Send>(call: impl FnOnce() -> R + Send) -> (R, usize) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    pool.install(|| {
        let before = HELD.load(SeqCst);
        PEAK.store(before, SeqCst);
        let result = call();
        (result, PEAK.load(SeqCst) - before)
    })
}

/// The test's share of a measurement: nobody else measures meanwhile.
fn alone() -> impl Drop {
    MEASURING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What two threads may hold, whatever the size of the tensors: the lines of their tiles and the blocks in their caches.
const CACHES: usize = 3 << 20;

#[track_caller]
fn assert_small(what: &str, extra: usize, tensor: usize) {
    println!("{what}: {extra} bytes beside tensors of {tensor}");
    assert!(tensor >= 4 * CACHES, "too small a test");
    assert!(extra <= CACHES, "{what}: {extra} bytes beside tensors of {tensor}");
}

fn filled<D: Dimension>(shape: impl pullback::ndarray::ShapeBuilder<Dim = D>) -> Array<f32, D> {
    let mut n = 0u32;
    Array::from_shape_simple_fn(shape, || {
        n = n.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        (n >> 8) as f32 / 8_388_608.0 - 1.0
    })
}

fn image() -> Array4<f32> {
    filled((32, 32, 64, 64))
}

fn rows() -> Array2<f32> {
    filled((8192, 512))
}

const IMAGE: usize = 32 * 32 * 64 * 64 * 4;
const ROWS: usize = 8192 * 512 * 4;

#[test]
fn the_allocator_counts() {
    let _alone = alone();
    let (kept, bytes) = extra(|| vec![1u8; 5000]);
    assert!((5000..50_000).contains(&bytes), "{bytes}");
    drop(kept);
}

#[test]
fn batch_norm() {
    batch_norm_of(32, 32);
}

/// What is shared by one channel is a whole tensor's.
#[test]
fn batch_norm_of_one_channel() {
    batch_norm_of(1024, 1);
}

fn batch_norm_of(batch: usize, channels: usize) {
    let _alone = alone();
    let image = || -> Array4<f32> { filled((batch, channels, 64, 64)) };
    let (x, dy, mut y, mut dx) = (image(), image(), image(), image());
    let per_channel = || -> Array1<f32> { filled(channels) };
    let (gamma, beta, mut mean, mut var) = (per_channel(), per_channel(), per_channel(), per_channel());
    let op = BatchNorm { momentum: 0.1, eps: 1e-5 };
    let (saved, bytes) = extra(|| op.forward_into(&x, &gamma, &beta, &mut mean, &mut var, &mut y).unwrap());
    assert_small(&format!("batch norm of {channels} channels, forward"), bytes - saved.bytes(), IMAGE);
    assert_eq!(saved.bytes(), channels * 2 * 8, "the mean and one over the deviation of each channel");
    let (mut dgamma, mut dbeta) = (gamma.clone(), beta.clone());
    let into = BatchNormInto {
        x: Some(Grad::Write(&mut dx)),
        gamma: Some(Grad::Write(&mut dgamma)),
        beta: Some(Grad::Write(&mut dbeta)),
    };
    let ((), bytes) = extra(|| op.backward_into(&dy, &x, &gamma, &beta, &y, &saved, into).unwrap());
    assert_small(&format!("batch norm of {channels} channels, backward"), bytes, IMAGE);
}

#[test]
fn layer_norm() {
    let _alone = alone();
    let (x, dy, mut y, mut dx) = (rows(), rows(), rows(), rows());
    let (gamma, beta): (Array1<f32>, Array1<f32>) = (filled(512), filled(512));
    let op = LayerNorm { eps: 1e-5 };
    let (saved, bytes) = extra(|| op.forward_into(&x, &gamma, &beta, &mut y).unwrap());
    assert_small("layer norm, forward", bytes - saved.bytes(), ROWS);
    assert_eq!(saved.bytes(), 8192 * 2 * 8, "the mean and one over the deviation of each row");
    let (mut dgamma, mut dbeta) = (gamma.clone(), beta.clone());
    let into = LayerNormInto {
        x: Some(Grad::Write(&mut dx)),
        gamma: Some(Grad::Write(&mut dgamma)),
        beta: Some(Grad::Write(&mut dbeta)),
    };
    let ((), bytes) = extra(|| op.backward_into(&dy, &x, &gamma, &beta, &y, &saved, into).unwrap());
    assert_small("layer norm, backward", bytes, ROWS);
}

/// The test of a layer whose one argument is `x`.
macro_rules! unary {
    ($name:ident, $op:expr, $into:ident, $x:expr, $y:expr, $saved:expr) => {
        #[test]
        fn $name() {
            let _alone = alone();
            let (x, mut dx, mut y, dy, op) = ($x, $x, $y, $y, $op);
            let (saved, bytes) = extra(|| op.forward_into(&x, &mut y).unwrap());
            assert_small(concat!(stringify!($name), ", forward"), bytes - saved.bytes(), 4 * x.len());
            assert_eq!(saved.bytes(), $saved, "kept for the backward");
            let into = $into { x: Some(Grad::Write(&mut dx)) };
            let ((), bytes) = extra(|| op.backward_into(&dy, &x, &y, &saved, into).unwrap());
            assert_small(concat!(stringify!($name), ", backward"), bytes, 4 * x.len());
        }
    };
}

const HALF: (usize, usize, usize, usize) = (32, 32, 32, 32);
const PADDED: Window<2> = Window::new([3, 3]).stride([2, 2]).padding([1, 1]);

unary!(softmax, Softmax, SoftmaxInto, rows(), rows(), 0);
unary!(gelu, Gelu, GeluInto, image(), image(), 0);
unary!(dropout, Dropout { seed: Seed(7), p: 0.3 }, DropoutInto, image(), image(), 0);
unary!(max_pool, MaxPool2d { k: Window::new([2, 2]) }, MaxPool2dInto, image(), filled(HALF), 32 * 32 * 32 * 32);
unary!(max_pool_overlapping, MaxPool2d { k: PADDED }, MaxPool2dInto, image(), filled(HALF), 32 * 32 * 32 * 32);
unary!(mean_pool, MeanPool2d { k: Window::new([2, 2]) }, MeanPool2dInto, image(), filled(HALF), 0);
unary!(mean_pool_overlapping, MeanPool2d { k: PADDED }, MeanPool2dInto, image(), filled(HALF), 0);
