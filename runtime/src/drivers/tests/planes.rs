//! Windows over planes, of any stride, dilation and padding, forwards and transposed, against plain loops: edges, holes,
//! remainders and the last positions of rows and runs fall everywhere.

use super::*;

/// A window along both axes of a plane.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    planes: usize,
    lens: [usize; 2],
    taps: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Below 0: elements at both ends that no window has.
    pad: [i64; 2],
}

impl Geometry {
    /// The number of windows along an axis.
    fn out(&self, i: usize) -> usize {
        let room = (self.lens[i] as i64 + 2 * self.pad[i]) as usize;
        (room - self.dilation[i] * (self.taps[i] - 1) - 1) / self.stride[i] + 1
    }
    /// The element that a tap of a window is.
    fn element(&self, i: usize, o: usize, tap: usize) -> Option<usize> {
        let at = (o * self.stride[i] + tap * self.dilation[i]) as i64 - self.pad[i];
        usize::try_from(at).ok().filter(|e| *e < self.lens[i])
    }
    fn random(dice: &mut dyn FnMut(usize) -> usize) -> Geometry {
        let mut pair = |least: usize, most: usize| [0, 1].map(|_| least + dice(most - least + 1));
        let (taps, stride, dilation) = (pair(1, 4), pair(1, 4), pair(1, 2));
        let pad = pair(0, 3).map(|p| p as i64 - 1);
        let mut lens = pair(10, 24);
        // a long run now and then
        lens[1] += 40 * (lens[0] % 3 / 2);
        let planes = 1 + lens[0] % 3;
        Geometry { planes, lens, taps, stride, dilation, pad }
    }
    /// Every window, tap by tap, and the element that it is.
    fn each(&self, mut f: impl FnMut([usize; 3], [usize; 2], Option<[usize; 2]>)) {
        for n in 0..self.planes {
            for (a, b) in (0..self.out(0)).flat_map(|a| (0..self.out(1)).map(move |b| (a, b))) {
                for (p, q) in (0..self.taps[0]).flat_map(|p| (0..self.taps[1]).map(move |q| (p, q))) {
                    let element = self.element(0, a, p).zip(self.element(1, b, q)).map(|(h, w)| [h, w]);
                    f([n, a, b], [p, q], element);
                }
            }
        }
    }
}

struct Planes<'a> {
    g: Geometry,
    x: View<'a>,
    dy: View<'a>,
    weight: View<'a>,
    most: Target<'a>,
    alone: Target<'a>,
    product: Target<'a>,
    place: IndexTarget<'a>,
    sum: Target<'a>,
    filled: Target<'a>,
    dx: Target<'a>,
    dweight: Target<'a>,
}

impl<T: Lane> Kernel<T> for Planes<'_> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { g, x, dy, weight, most, alone, product, place, sum, filled, dx, dweight } = self;
        let (out, int) = ([g.out(0), g.out(1)], |v: [usize; 2]| v.map(|v| v as i64));
        let space = Space::new(&[&[g.planes], &[g.lens[0]], &[g.lens[1]], &[out[0]], &[out[1]], &[g.taps[0]], &[g.taps[1]]]);
        let [n, h, w, oh, ow, kh, kw] = space.axes();
        let (lens, outs, s, d, p) = (int(g.lens), int(out), int(g.stride), int(g.dilation), g.pad);
        let mut k = at.script(space);
        let (x, dy, weight) = (k.input(x, [n, h, w]), k.input(dy, [n, oh, ow]), k.input(weight, [kh, kw]));
        let (most, place) = (k.root(most, [n, oh, ow]), k.root_index(place, [n, oh, ow]));
        let (alone, product) = (k.root(alone, [n, oh, ow]), k.root(product, [n, oh, ow]));
        let (sum, filled) = (k.root(sum, [n, oh, ow]), k.root(filled, [n, oh, ow]));
        let (dx, dweight) = (k.root(dx, [n, h, w]), k.root(dweight, [kh, kw]));
        let from = move || [oh * s[0] + kh * d[0] - p[0], ow * s[1] + kw * d[1] - p[1]];
        let conditions = move || {
            let [a, b] = from();
            [a.within(0, lens[0]), b.within(0, lens[1])]
        };
        let read = move || {
            let [a, b] = from();
            x.here().at(h, a).at(w, b)
        };
        k.nest([n, oh, ow]);
        k.sweep([n, oh, ow, kh, kw], [read(), weight.here()], [])
            .guard(conditions())
            .sum(sum, [kh, kw])
            .max_and_argmax(most, place, [kh, kw])
            .body({
                #[inline(always)]
                move |[x, weight], []| Out::store([]).sum([x * weight]).argmax([x])
            });
        // of numbers below 0, which no other lane may exceed
        k.nest([n, oh, ow]);
        k.sweep([n, oh, ow, kh, kw], [read()], []).guard(conditions()).max(alone, [kh, kw]).prod(product, [kh, kw]).body({
            #[inline(always)]
            move |[x], []| Out::store([]).max([x - 2.0]).prod([x - 2.0])
        });
        // holes as numbers: the largest of them too
        k.nest([n, oh, ow]);
        k.sweep([n, oh, ow, kh, kw], [read().valid(conditions(), 0.125)], []).max(filled, [kh, kw]).body({
            #[inline(always)]
            move |[x], []| Out::store([]).max([x])
        });
        // each element's windows
        let back = move || [h + kh * -d[0] + p[0], w + kw * -d[1] + p[1]];
        let window = move || {
            let [a, b] = back();
            [a.floor_div(s[0]), b.floor_div(s[1])]
        };
        let ([whole_h, whole_w], [a, b], [window_h, window_w]) = (back(), window(), window());
        let guard = [whole_h.divides(s[0]), whole_w.divides(s[1]), a.within(0, outs[0]), b.within(0, outs[1])];
        k.nest([n, h, w]);
        k.sweep([n, h, w, kh, kw], [dy.here().at(oh, window_h).at(ow, window_w), weight.here()], [])
            .guard(guard)
            .sum(dx, [kh, kw])
            .body({
                #[inline(always)]
                move |[dy, weight], []| Out::store([]).sum([dy * weight])
            });
        k.nest([kh, kw]);
        k.sweep([n, oh, ow, kh, kw], [read(), dy.here()], []).guard(conditions()).sum(dweight, [n, oh, ow]).body({
            #[inline(always)]
            move |[x, dy], []| Out::store([]).sum([x * dy])
        });
        k.run();
    }
}

/// In lanes of `T`, of arrays of `S`.
fn planes<T: Lane, S: Lane>(g: Geometry, seed: u64) {
    let (y_shape, x_shape) = ([g.planes, g.out(0), g.out(1)], [g.planes, g.lens[0], g.lens[1]]);
    // ties, in few steps
    let rounded = |shape: &[usize], seed| numbers::<S>(shape, seed).mapv(|v| S::of((v.f64() * 4.0).round() / 4.0));
    let (x, dy, weight) = (rounded(&x_shape, seed), rounded(&y_shape, seed + 1), rounded(&g.taps, seed + 2));
    let zeros = |shape: &[usize]| ArrayD::from_elem(IxDyn(shape), T::of(f64::NAN));
    let (mut most, mut sum, mut filled) = (zeros(&y_shape), zeros(&y_shape), zeros(&y_shape));
    let (mut alone, mut product) = (zeros(&y_shape), zeros(&y_shape));
    let (mut dx, mut dweight, mut place) = (zeros(&x_shape), zeros(&g.taps), ArrayD::<i64>::zeros(IxDyn(&y_shape)));
    T::dispatch(Planes {
        g,
        x: View::of(&x),
        dy: View::of(&dy),
        weight: View::of(&weight),
        most: Target::write(&mut most),
        alone: Target::write(&mut alone),
        product: Target::write(&mut product),
        place: IndexTarget::of(&mut place),
        sum: Target::write(&mut sum),
        filled: Target::write(&mut filled),
        dx: Target::write(&mut dx),
        dweight: Target::write(&mut dweight),
    });
    let start = |shape: &[usize], v: f64| ArrayD::from_elem(IxDyn(shape), v);
    let (mut best, mut total, mut full) =
        (start(&y_shape, f64::NEG_INFINITY), start(&y_shape, 0.0), start(&y_shape, f64::NEG_INFINITY));
    let (mut back, mut taps, mut at) = (start(&x_shape, 0.0), start(&g.taps, 0.0), ArrayD::<i64>::zeros(IxDyn(&y_shape)));
    let mut times = start(&y_shape, 1.0);
    g.each(|y, k, element| {
        let Some([h, w]) = element else {
            full[y] = f64::max(full[y], 0.125);
            return;
        };
        let v = x[[y[0], h, w]].f64();
        full[y] = f64::max(full[y], v);
        times[y] *= v - 2.0;
        total[y] += v * weight[k].f64();
        if v > best[y] {
            (best[y], at[y]) = (v, (k[0] * g.taps[1] + k[1]) as i64);
        }
        back[[y[0], h, w]] += dy[y].f64() * weight[k].f64();
        taps[k] += v * dy[y].f64();
    });
    let what = |name: &str| format!("{name} of {g:?}");
    assert_close(&most, &best, &what("maxima"));
    assert_eq!(place, at, "{}", what("places"));
    assert_close(&alone, &best.mapv(|v| v - 2.0), &what("maxima of what is below 0"));
    let scaled = |x: f64| x / 3f64.powi((g.taps[0] * g.taps[1]) as i32);
    assert_close(&product.mapv(|v| T::of(scaled(v.f64()))), &times.mapv(scaled), &what("products"));
    assert_close(&sum, &total, &what("sums"));
    assert_close(&filled, &full, &what("maxima with holes as numbers"));
    assert_close(&dx, &back, &what("transposed sums"));
    assert_close(&dweight, &taps, &what("sums by tap"));
}

#[test]
fn windows_of_planes_against_loops() {
    every_isa(|| {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let mut dice = |sides: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 33) as usize % sides
        };
        for seed in 0..60 {
            let g = Geometry::random(&mut dice);
            planes::<f32, f32>(g, seed);
            planes::<f64, f64>(g, seed);
            planes::<f32, f64>(g, seed);
        }
    });
}
