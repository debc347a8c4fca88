//! A result that overwrites an input: only where nothing else reads what was there.

use super::*;

/// `y[i, j] = x[i, j] − Σ_j x[i, j]`, with reads moved away from the position, and another one after, to see them refused.
struct Overwrite<'a> {
    space: Space,
    x: View<'a>,
    y: Target<'a>,
    /// How far along each axis the sum, and the store, read from where they are.
    sum: [i64; 2],
    store: [i64; 2],
    read_after: bool,
}

impl Kernel<f32> for Overwrite<'_> {
    fn run<V: Vector<Elem = f32>>(self, at: At<V>) {
        let Self { space, x, y, sum, store, read_after } = self;
        let [i, j] = space.axes();
        let lens = [space.len(i) as i64, space.len(j) as i64];
        let mut k = at.script(space);
        let (x, y) = (k.input(x, [i, j]), k.root(y, [i, j]));
        let (total, last) = (k.wide([i]), k.wide([i]));
        let read = |by: [i64; 2]| {
            let mut operand = x.here();
            for (axis, (by, len)) in [i, j].into_iter().zip(by.into_iter().zip(lens)) {
                if by != 0 {
                    operand = operand.at(axis, axis + by).valid([(axis + by).within(0, len)], 0.0);
                }
            }
            operand
        };
        k.nest([i]);
        k.sweep([i, j], [read(sum)], []).sum(total, [j]).body({
            #[inline(always)]
            move |[x], []| Out::store([]).sum([x])
        });
        k.sweep([i, j], [read(store)], [total.here()]).store(y).body({
            #[inline(always)]
            move |[x], [total]| Out::store([(x - total).narrow()])
        });
        if read_after {
            k.sweep([i, j], [read([0, 0])], []).sum(last, [j]).body({
                #[inline(always)]
                move |[x], []| Out::store([]).sum([x])
            });
        }
        k.run();
    }
}

fn run(sum: [i64; 2], store: [i64; 2], read_after: bool) -> ArrayD<f32> {
    let mut x = numbers::<f32>(&[300, 130], 4);
    let space = Space::new(&[&[300], &[130]]);
    f32::dispatch(Overwrite { space, x: View::overwritten(), y: Target::overwriting(&mut x), sum, store, read_after });
    x
}

fn expected(by: i64) -> ArrayD<f32> {
    let x = numbers::<f32>(&[300, 130], 4);
    let total = |i: usize| (0..130 - by as usize).map(|j| f64::from(x[[i, j + by as usize]])).sum::<f64>();
    Array::from_shape_fn((300, 130), |(i, j)| (f64::from(x[[i, j]]) - total(i)) as f32).into_dyn()
}

#[test]
fn earlier_sweeps_read_within_their_block() {
    for by in [0, 3] {
        let found = run([0, by], [0, 0], false);
        for (found, expected) in found.iter().zip(&expected(by)) {
            approx::assert_relative_eq!(found, expected, epsilon = 1e-5);
        }
    }
}

#[test]
#[should_panic = "before it was read"]
fn no_earlier_sweep_reads_another_block() {
    run([1, 0], [0, 0], false);
}

#[test]
#[should_panic = "before it was read"]
fn the_storing_sweep_reads_no_neighbour() {
    run([0, 0], [0, 1], false);
}

#[test]
#[should_panic = "before it was read"]
fn no_later_sweep_reads_it() {
    run([0, 0], [0, 0], true);
}

#[test]
#[should_panic = "has a result that does"]
fn without_a_result_there_is_nothing_to_read() {
    let mut y = numbers::<f32>(&[4, 4], 1);
    let space = Space::new(&[&[4], &[4]]);
    let y = Target::write(&mut y);
    f32::dispatch(Overwrite { space, x: View::overwritten(), y, sum: [0, 0], store: [0, 0], read_after: false });
}
