//! Conditions of operands that hold for some rows of a tile and not for others.

use super::*;

/// `y[i, j] = x[i + by, j]`, with `fill` where that is outside.
struct Shift<'a, T> {
    space: Space,
    x: View<'a, T>,
    by: i64,
    y: Target<'a, T>,
}

impl<T: Float> Kernel<T> for Shift<'_, T> {
    fn run<V: Vector<Elem = T>>(self, at: At<V>) {
        let Self { space, x, by, y } = self;
        let [rows, run] = space.axes();
        let len = space.len(rows) as i64;
        let mut k = at.script(space);
        let (x, y) = (k.input(x, [rows, run]), k.root(y, [rows, run]));
        k.nest([rows, run]);
        let moved = || Index::from(rows) + by;
        let from = x.here().at(rows, moved()).valid([moved().within(0, len)], 7.0);
        k.sweep([rows, run], [from], []).store(y).body({
            #[inline(always)]
            move |[x], []| Out::store([x])
        });
        k.run();
    }
}

#[test]
fn shifted_rows_end_where_the_array_does() {
    let shape = [9, 20];
    for by in [-9, -2, -1, 0, 1, 2, 8, 9] {
        let x = numbers::<f32>(&shape, 3);
        let mut y = ArrayD::from_elem(IxDyn(&shape), f32::NAN);
        let space = Space::new(&[&[9], &[20]]);
        f32::dispatch(Shift { space, x: View::of(&x), by, y: Target::write(&mut y) });
        let expected = ArrayD::from_shape_fn(IxDyn(&shape), |i| {
            let from = i[0] as i64 + by;
            if (0..9).contains(&from) { f64::from(x[[from as usize, i[1]]]) } else { 7.0 }
        });
        assert_close(&y, &expected, "shifted");
    }
}
