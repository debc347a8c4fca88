//! The digits, and repeatable randomness.

use pullback::ndarray::{Array1, Array4, Axis};

/// Pixels are 0..16 in the file.
const WHITE: f32 = 16.0;
const SIDE: usize = 8;
pub const CLASSES: usize = 10;

/// Images `(N, 1, 8, 8)` with pixels of 0..1, and their classes.
#[derive(Clone, Debug)]
pub struct Digits {
    pub images: Array4<f32>,
    pub labels: Array1<i64>,
}

impl Digits {
    /// Reads lines of 64 pixels and a class, separated by commas.
    pub fn parse(csv: &str) -> Result<Digits, String> {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for (number, line) in csv.lines().enumerate() {
            let wrong = || format!("line {} is not 64 pixels of 0..16 and a class of 0..9", number + 1);
            let values: Vec<u8> = line.split(',').map(|v| v.trim().parse().map_err(|_| wrong())).collect::<Result<_, _>>()?;
            let (&label, image) = values.split_last().ok_or_else(wrong)?;
            let fits = image.len() == SIDE * SIDE && image.iter().all(|&p| p <= 16) && usize::from(label) < CLASSES;
            if !fits {
                return Err(wrong());
            }
            pixels.extend(image.iter().map(|&p| f32::from(p) / WHITE));
            labels.push(i64::from(label));
        }
        let images = Array4::from_shape_vec((labels.len(), 1, SIDE, SIDE), pixels).map_err(|e| e.to_string())?;
        Ok(Digits { images, labels: labels.into() })
    }

    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// These digits, in this order.
    pub fn select(&self, rows: &[usize]) -> Digits {
        Digits { images: self.images.select(Axis(0), rows), labels: self.labels.select(Axis(0), rows) }
    }

    /// Splits off a share of every class, drawn at random: what is kept for learning, and what is held out.
    pub fn hold_out(&self, share: f64, random: &mut Random) -> (Digits, Digits) {
        let (mut kept, mut held_out) = (Vec::new(), Vec::new());
        for class in 0..CLASSES as i64 {
            let mut rows: Vec<usize> = (0..self.len()).filter(|&row| self.labels[row] == class).collect();
            random.shuffle(&mut rows);
            let count = (rows.len() as f64 * share).round() as usize;
            held_out.extend_from_slice(&rows[..count]);
            kept.extend_from_slice(&rows[count..]);
        }
        (self.select(&kept), self.select(&held_out))
    }
}

/// SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, 2014): the same numbers on every machine.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform on [−1, 1).
    pub fn symmetric(&mut self) -> f32 {
        // 24 bits: exact in an f32.
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// Uniform on `0..bound`, but for a bias of `bound`/2⁶⁴.
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Digits {
        Digits::parse(include_str!("digits.csv")).unwrap()
    }

    #[test]
    fn the_file_is_read_whole() {
        let digits = all();
        assert_eq!(digits.images.dim(), (1797, 1, 8, 8));
        assert_eq!(digits.labels.iter().take(10).copied().collect::<Vec<_>>(), (0..10).collect::<Vec<i64>>());
        // The first line: 0,0,5,13,9,1,0,0 and so on.
        assert_eq!(digits.images[[0, 0, 0, 3]], 13.0 / 16.0);
        assert!(digits.images.iter().all(|p| (0.0..=1.0).contains(p)));
    }

    #[test]
    fn broken_lines_are_named() {
        let good = vec!["0"; 65].join(",");
        for bad in ["", "1,2", &vec!["17"; 65].join(","), &vec!["10"; 65].join(","), &good.replacen('0', "x", 1)] {
            let error = Digits::parse(&format!("{good}\n{bad}\n{good}")).unwrap_err();
            assert!(error.starts_with("line 2 "), "{bad}: {error}");
        }
        assert_eq!(Digits::parse("").unwrap().len(), 0);
    }

    #[test]
    fn the_hold_out_is_a_fifth_of_every_class_and_repeatable() {
        let digits = all();
        let (kept, held_out) = digits.hold_out(0.2, &mut Random(7));
        assert_eq!(kept.len() + held_out.len(), digits.len());
        for class in 0..CLASSES as i64 {
            let count = |d: &Digits| d.labels.iter().filter(|&&label| label == class).count() as f64;
            assert!((count(&held_out) - 0.2 * count(&digits)).abs() <= 0.5, "class {class}");
        }
        assert_eq!(digits.hold_out(0.2, &mut Random(7)).1.images, held_out.images);
        assert_ne!(digits.hold_out(0.2, &mut Random(8)).1.images, held_out.images);
        // No image is on both sides. (No two of the file are equal.)
        let bits = |d: &Digits, n: usize| d.images.index_axis(Axis(0), n).iter().map(|p| p.to_bits()).collect::<Vec<_>>();
        let learnt: std::collections::BTreeSet<_> = (0..kept.len()).map(|n| bits(&kept, n)).collect();
        assert!((0..held_out.len()).all(|n| !learnt.contains(&bits(&held_out, n))));
    }

    #[test]
    fn randomness_is_the_published_generator_and_a_shuffle_keeps_everything() {
        // The first outputs for the seed 1234567, as in the reference implementation's tests.
        let mut random = Random(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
        let mut items: Vec<usize> = (0..100).collect();
        Random(1).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
        assert!((0..1000).all(|_| (-1.0..1.0).contains(&random.symmetric())));
    }
}
