//! How near the generated kernels come to the machine's memory: the bytes each must move (every array that it reads or
//! writes once), and what share of a streaming copy's bandwidth that makes. The copy is measured again before each kernel,
//! so that both see the same machine.
//!
//! `cargo bench -p pullback-tests`, with a part of a name to run only some.

use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{Criterion, Throughput};
use pullback::layers::*;
use pullback::ndarray::{Array, Array1, Array2, Array4, Dimension, ShapeBuilder};
use pullback::prelude::*;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The bits of the copy's bandwidth as last measured, in bytes a nanosecond.
static COPY: AtomicU64 = AtomicU64::new(0);

/// Time, with throughput as a share of the copy's.
struct Share;

impl Measurement for Share {
    type Intermediate = Instant;
    type Value = Duration;

    fn start(&self) -> Instant {
        Instant::now()
    }
    fn end(&self, start: Instant) -> Duration {
        start.elapsed()
    }
    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }
    fn zero(&self) -> Duration {
        Duration::ZERO
    }
    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_secs_f64() * 1e9
    }
    fn formatter(&self) -> &dyn ValueFormatter {
        &Share
    }
}

impl ValueFormatter for Share {
    fn scale_values(&self, _: f64, values: &mut [f64]) -> &'static str {
        values.iter_mut().for_each(|ns| *ns /= 1e6);
        "ms"
    }
    fn scale_throughputs(&self, _: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        let Throughput::Bytes(bytes) = throughput else { unreachable!("all throughputs are in bytes") };
        let copy = f64::from_bits(COPY.load(Relaxed));
        values.iter_mut().for_each(|ns| *ns = *bytes as f64 / *ns / copy);
        "of the copy"
    }
    fn scale_for_machines(&self, _: &mut [f64]) -> &'static str {
        "ns"
    }
}

/// A copy past the cache, by all threads.
fn copy(from: &[f32], to: &mut [f32]) {
    const PIECE: usize = 1 << 16;
    to.par_chunks_mut(PIECE).zip(from.par_chunks(PIECE)).for_each(|(to, from)| stream(from, to));
}

#[cfg(target_arch = "x86_64")]
fn stream(from: &[f32], to: &mut [f32]) {
    use std::arch::x86_64::{__m128, _mm_loadu_ps, _mm_sfence, _mm_stream_ps};
    // SAFETY: a vector is four numbers
    let (first, whole, last) = unsafe { to.align_to_mut::<__m128>() };
    let (from_first, from) = from.split_at(first.len());
    let (from_whole, from_last) = from.split_at(4 * whole.len());
    first.copy_from_slice(from_first);
    for (to, from) in whole.iter_mut().zip(from_whole.chunks_exact(4)) {
        // SAFETY: `to` is aligned, and `from` has four numbers
        unsafe { _mm_stream_ps(std::ptr::from_mut(to).cast(), _mm_loadu_ps(from.as_ptr())) };
    }
    last.copy_from_slice(from_last);
    // SAFETY: SSE is part of x86-64
    unsafe { _mm_sfence() };
}

#[cfg(not(target_arch = "x86_64"))]
fn stream(from: &[f32], to: &mut [f32]) {
    to.copy_from_slice(from);
}

/// The arrays of the copy: far larger than caches.
struct Copy {
    from: Vec<f32>,
    to: Vec<f32>,
}

impl Copy {
    fn new() -> Copy {
        let len = 16 << 20;
        Copy { from: vec![1.0; len], to: vec![0.0; len] }
    }
    fn bytes(&self) -> usize {
        8 * self.from.len()
    }
    /// Measures the bandwidth: the median of some runs.
    fn measure(&mut self) {
        let mut times: Vec<f64> = (0..15)
            .map(|_| {
                let start = Instant::now();
                copy(&self.from, std::hint::black_box(&mut self.to));
                start.elapsed().as_secs_f64() * 1e9
            })
            .collect();
        times.sort_by(f64::total_cmp);
        COPY.store((self.bytes() as f64 / times[times.len() / 2]).to_bits(), Relaxed);
    }
}

struct Bench {
    criterion: Criterion<Share>,
    copy: Copy,
}

impl Bench {
    /// Measures one kernel, which must move `elements` numbers of four bytes and `more` bytes.
    fn kernel(&mut self, name: &str, elements: usize, more: usize, mut call: impl FnMut()) {
        let bytes = 4 * elements + more;
        self.copy.measure();
        let mut group = self.criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(format!("{:.1} MB", bytes as f64 / 1e6), |bencher| bencher.iter(&mut call));
        group.finish();
    }
}

fn filled<D: Dimension>(shape: impl ShapeBuilder<Dim = D>) -> Array<f32, D> {
    let mut n = 0u32;
    Array::from_shape_simple_fn(shape, || {
        n = n.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        (n >> 8) as f32 / 8_388_608.0 - 1.0
    })
}

fn image() -> Array4<f32> {
    filled((32, 64, 56, 56))
}

fn rows() -> Array2<f32> {
    filled((8192, 1024))
}

/// How many numbers a backward reads of the one argument and of the output.
fn read<L: Layer<f32>>(_: &L, x: usize, y: usize) -> usize {
    let reads = L::BACKWARD_READS;
    reads.args.len() * x + reads.outputs.len() * y
}

/// Both directions of a layer whose one argument is `x`.
macro_rules! unary {
    ($bench:expr, $name:literal, $op:expr, $into:ident, $x:expr) => {{
        let (x, op) = ($x, $op);
        let (mut y, saved) = op.forward(&x).unwrap();
        let (mut dx, dy) = (x.clone(), filled(y.raw_dim()));
        let bytes = saved.bytes();
        $bench.kernel(concat!($name, " forward"), x.len() + y.len(), bytes, || {
            op.forward_into(&x, &mut y).unwrap();
        });
        let reads = read(&op, x.len(), y.len());
        $bench.kernel(concat!($name, " backward"), dy.len() + reads + dx.len(), bytes, || {
            let into = $into { x: Some(Grad::Write(&mut dx)) };
            op.backward_into(&dy, &x, &y, &saved, into).unwrap();
        });
    }};
}

fn batch_norm(bench: &mut Bench) {
    let (x, dy, mut y, mut dx) = (image(), image(), image(), image());
    let per_channel = || -> Array1<f32> { filled(64) };
    let (gamma, beta, mut mean, mut var) = (per_channel(), per_channel(), per_channel(), per_channel());
    let (mut dgamma, mut dbeta) = (per_channel(), per_channel());
    let op = BatchNorm { momentum: 0.1, eps: 1e-5 };
    let saved = op.forward_into(&x, &gamma, &beta, &mut mean, &mut var, &mut y).unwrap();
    bench.kernel("batch norm forward", 2 * x.len(), saved.bytes(), || {
        op.forward_into(&x, &gamma, &beta, &mut mean, &mut var, &mut y).unwrap();
    });
    bench.kernel("batch norm backward", 3 * x.len(), saved.bytes(), || {
        let (x_into, gamma_into, beta_into) = (Grad::Write(&mut dx), Grad::Write(&mut dgamma), Grad::Write(&mut dbeta));
        let into = BatchNormInto { x: Some(x_into), gamma: Some(gamma_into), beta: Some(beta_into) };
        op.backward_into(&dy, &x, &gamma, &beta, &y, &saved, into).unwrap();
    });
}

fn layer_norm(bench: &mut Bench) {
    let (x, dy, mut y, mut dx) = (rows(), rows(), rows(), rows());
    let per_column = || -> Array1<f32> { filled(1024) };
    let (gamma, beta, mut dgamma, mut dbeta) = (per_column(), per_column(), per_column(), per_column());
    let op = LayerNorm { eps: 1e-5 };
    let saved = op.forward_into(&x, &gamma, &beta, &mut y).unwrap();
    bench.kernel("layer norm forward", 2 * x.len(), saved.bytes(), || {
        op.forward_into(&x, &gamma, &beta, &mut y).unwrap();
    });
    bench.kernel("layer norm backward", 3 * x.len(), saved.bytes(), || {
        let (x_into, gamma_into, beta_into) = (Grad::Write(&mut dx), Grad::Write(&mut dgamma), Grad::Write(&mut dbeta));
        let into = LayerNormInto { x: Some(x_into), gamma: Some(gamma_into), beta: Some(beta_into) };
        op.backward_into(&dy, &x, &gamma, &beta, &y, &saved, into).unwrap();
    });
}

fn main() {
    let criterion = Criterion::default()
        .with_measurement(Share)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut bench = Bench { criterion, copy: Copy::new() };
    bench.copy.measure();
    println!("a streaming copy: {:.1} GB/s on {} threads", f64::from_bits(COPY.load(Relaxed)), rayon::current_num_threads());

    batch_norm(&mut bench);
    layer_norm(&mut bench);
    unary!(bench, "softmax", Softmax, SoftmaxInto, rows());
    unary!(bench, "gelu", Gelu, GeluInto, image());
    unary!(bench, "dropout", Dropout { seed: Seed(7), p: 0.3 }, DropoutInto, image());
    let (two, three) = (Window::new([2, 2]), Window::new([3, 3]).padding([1, 1]));
    unary!(bench, "max pool 2x2", MaxPool2d { k: two }, MaxPool2dInto, image());
    unary!(bench, "max pool 3x3 stride 1", MaxPool2d { k: three.stride([1, 1]) }, MaxPool2dInto, image());
    unary!(bench, "max pool 3x3 stride 2", MaxPool2d { k: three.stride([2, 2]) }, MaxPool2dInto, image());
    unary!(bench, "mean pool 2x2", MeanPool2d { k: two }, MeanPool2dInto, image());
    unary!(bench, "mean pool 3x3 stride 1", MeanPool2d { k: three.stride([1, 1]) }, MeanPool2dInto, image());
    unary!(bench, "mean pool 3x3 stride 2", MeanPool2d { k: three.stride([2, 2]) }, MeanPool2dInto, image());
    bench.criterion.final_summary();
}
