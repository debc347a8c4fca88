//! Elementary functions over lanes, branch-free, and the scalar ones that lanes fall back on.

use super::array::Elem;
use super::vector::Vector;

/// What differs between `f32` and `f64` lanes.
pub trait Element: super::array::Stored {
    /// 1.5·2ᵐ with m the mantissa's bits: added to a small number, it leaves a whole number in the low bits.
    #[doc(hidden)]
    const MAGIC: f64;
    #[doc(hidden)]
    const LANE: Elem;
    #[doc(hidden)]
    fn exp<V: Vector<Elem = Self>>(x: V) -> V;
    #[doc(hidden)]
    fn log<V: Vector<Elem = Self>>(x: V) -> V;
    #[doc(hidden)]
    fn tanh<V: Vector<Elem = Self>>(x: V) -> V;
    #[doc(hidden)]
    fn erf<V: Vector<Elem = Self>>(x: V) -> V;
}

/// `c[0] + c[1]·x + …`
#[inline(always)]
fn polynomial<V: Vector, const N: usize>(x: V, c: [f64; N]) -> V {
    let mut y = V::num(c[N - 1]);
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        y = y.mul_add(x, V::num(c[i]));
    }
    y
}

/// `y·2ⁿ`, where `t` = n + magic; in two steps, so that results below the normal range and infinities come out right.
#[inline(always)]
fn times_power_of_two<V: Vector>(y: V, n: V, magic: V) -> V {
    let one = V::num(1.0);
    let half = n.mul_add(V::num(0.5), magic);
    let rest = n - (half - magic);
    y * one.scale(half) * one.scale(rest + magic)
}

impl Element for f32 {
    const MAGIC: f64 = 12_582_912.0;
    const LANE: Elem = Elem::F32;
    /// Within 1 ULP or so: Cody–Waite reduction, the polynomial of Cephes' `expf`.
    #[inline(always)]
    fn exp<V: Vector<Elem = f32>>(x: V) -> V {
        let (low, high) = (V::num(-104.0), V::num(89.0));
        let x = V::select(low.gt(x), low, V::select(x.gt(high), high, x));
        let magic = V::num(Self::MAGIC);
        let n = x.mul_add(V::num(std::f64::consts::LOG2_E), magic) - magic;
        let r = n.mul_add(V::num(-0.693_359_375), x);
        let r = n.mul_add(V::num(2.121_944_4e-4), r);
        let p = polynomial(
            r,
            [5.000_000_120_1e-1, 1.666_666_545_9e-1, 4.166_579_589_4e-2, 8.333_451_907_3e-3, 1.398_199_950_7e-3, 1.987_569_15e-4],
        );
        times_power_of_two(p.mul_add(r * r, r) + 1.0, n, magic)
    }
    #[inline(always)]
    fn log<V: Vector<Elem = f32>>(x: V) -> V {
        x.each(|x| f64::from(x).ln() as f32)
    }
    /// Cephes' `tanhf`: an odd polynomial near 0, by way of `exp` elsewhere.
    #[inline(always)]
    fn tanh<V: Vector<Elem = f32>>(x: V) -> V {
        let a = x.abs();
        let s = x * x;
        let c = [-3.333_328_194e-1, 1.333_144_22e-1, -5.373_971_24e-2, 2.063_908_9e-2, -5.704_988_7e-3];
        let near = (polynomial(s, c) * s).mul_add(x, x);
        let far = (V::num(1.0) - ((a + a).exp() + 1.0).recip() * 2.0).copysign(x);
        V::select(V::num(0.625).gt(a), near, V::select(x.unordered(x), x, far))
    }
    /// One rational function of x², clamped where erf rounds to ±1.
    #[inline(always)]
    fn erf<V: Vector<Elem = f32>>(x: V) -> V {
        let edge = V::num(3.832_506_9);
        let c = V::select(x.abs().gt(edge), edge.copysign(x), x);
        let s = c * c;
        let p = polynomial(
            s,
            [
                1.128_379_143_519_084,
                0.185_208_322_399_761_45,
                0.050_955_695_062_380_861,
                0.003_408_291_010_710_950_6,
                0.000_229_050_658_613_506_46,
            ],
        );
        let q = polynomial(
            s,
            [
                1.0,
                0.497_469_251_100_675_38,
                0.110_985_051_782_853_62,
                0.014_070_470_171_167_667,
                0.001_017_962_527_891_488_5,
                0.000_023_547_966_471_313_185,
                -1.179_160_295_436_169_7e-7,
            ],
        );
        c * p / q
    }
}

impl Element for f64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    const LANE: Elem = Elem::F64;
    /// Within 1 ULP or so: Cody–Waite reduction, Taylor's series to the 13th power on |r| ≤ ln 2 / 2.
    #[inline(always)]
    fn exp<V: Vector<Elem = f64>>(x: V) -> V {
        let (low, high) = (V::num(-746.0), V::num(710.0));
        let x = V::select(low.gt(x), low, V::select(x.gt(high), high, x));
        let magic = V::num(Self::MAGIC);
        let n = x.mul_add(V::num(std::f64::consts::LOG2_E), magic) - magic;
        let r = n.mul_add(V::num(-6.931_471_803_691_238e-1), x);
        let r = n.mul_add(V::num(-1.908_214_929_270_587_7e-10), r);
        let p = polynomial(
            r,
            [
                1.0 / 2.0,
                1.0 / 6.0,
                1.0 / 24.0,
                1.0 / 120.0,
                1.0 / 720.0,
                1.0 / 5_040.0,
                1.0 / 40_320.0,
                1.0 / 362_880.0,
                1.0 / 3_628_800.0,
                1.0 / 39_916_800.0,
                1.0 / 479_001_600.0,
                1.0 / 6_227_020_800.0,
            ],
        );
        times_power_of_two(p.mul_add(r * r, r) + 1.0, n, magic)
    }
    #[inline(always)]
    fn log<V: Vector<Elem = f64>>(x: V) -> V {
        x.each(f64::ln)
    }
    #[inline(always)]
    fn tanh<V: Vector<Elem = f64>>(x: V) -> V {
        x.each(f64::tanh)
    }
    #[inline(always)]
    fn erf<V: Vector<Elem = f64>>(x: V) -> V {
        x.each(erf)
    }
}

/// erf(x) to about 1 ULP, by fdlibm's rational approximations (`s_erf.c`).
pub(crate) fn erf(x: f64) -> f64 {
    let a = x.abs();
    if x.is_nan() {
        x
    } else if a < 0.84375 {
        x + x * near_zero(x * x)
    } else if a < 1.25 {
        (ERX + near_one(a - 1.0)).copysign(x)
    } else if a < 6.0 {
        (1.0 - tail(a)).copysign(x)
    } else {
        1f64.copysign(x)
    }
}

/// 1 − erf(x), without cancellation for large x.
pub(crate) fn erfc(x: f64) -> f64 {
    let a = x.abs();
    if x.is_nan() {
        x
    } else if a < 0.84375 {
        if x < 0.25 { 1.0 - (x + x * near_zero(x * x)) } else { 0.5 - (x - 0.5 + x * near_zero(x * x)) }
    } else if a < 1.25 {
        if x > 0.0 { 1.0 - ERX - near_one(a - 1.0) } else { 1.0 + ERX + near_one(a - 1.0) }
    } else if a < 28.0 {
        if x > 0.0 {
            tail(a)
        } else if x < -6.0 {
            2.0
        } else {
            2.0 - tail(a)
        }
    } else if x > 0.0 {
        0.0
    } else {
        2.0
    }
}

const ERX: f64 = 8.450_629_115_104_675e-1;

fn horner(x: f64, c: &[f64]) -> f64 {
    c.iter().rev().fold(0.0, |y, c| y * x + c)
}

fn near_zero(z: f64) -> f64 {
    const P: [f64; 5] = [
        1.283_791_670_955_125_6e-1,
        -3.250_421_072_470_015e-1,
        -2.848_174_957_559_851e-2,
        -5.770_270_296_489_442e-3,
        -2.376_301_665_665_016_3e-5,
    ];
    const Q: [f64; 6] = [
        1.0,
        3.979_172_239_591_553_5e-1,
        6.502_224_998_876_729e-2,
        5.081_306_281_875_766e-3,
        1.324_947_380_043_216_4e-4,
        -3.960_228_278_775_368e-6,
    ];
    horner(z, &P) / horner(z, &Q)
}

fn near_one(s: f64) -> f64 {
    const P: [f64; 7] = [
        -2.362_118_560_752_659_4e-3,
        4.148_561_186_837_483e-1,
        -3.722_078_760_357_013e-1,
        3.183_466_199_011_617_5e-1,
        -1.108_946_942_823_966_8e-1,
        3.547_830_432_561_823_6e-2,
        -2.166_375_594_868_790_8e-3,
    ];
    const Q: [f64; 7] = [
        1.0,
        1.064_208_804_008_442_3e-1,
        5.403_979_177_021_71e-1,
        7.182_865_441_419_627e-2,
        1.261_712_198_087_616_4e-1,
        1.363_708_391_202_905e-2,
        1.198_449_984_679_911e-2,
    ];
    horner(s, &P) / horner(s, &Q)
}

/// erfc(a) for a ≥ 1.25.
fn tail(a: f64) -> f64 {
    const R1: [f64; 8] = [
        -9.864_944_034_847_148e-3,
        -6.938_585_727_071_818e-1,
        -1.055_862_622_532_329_1e1,
        -6.237_533_245_032_601e1,
        -1.623_966_694_625_734_8e2,
        -1.846_050_929_067_110_4e2,
        -8.128_743_550_630_66e1,
        -9.814_329_344_169_145,
    ];
    const S1: [f64; 9] = [
        1.0,
        1.965_127_166_743_925_7e1,
        1.376_577_541_435_190_4e2,
        4.345_658_774_752_292_3e2,
        6.453_872_717_332_679e2,
        4.290_081_400_275_678_3e2,
        1.086_350_055_417_794_4e2,
        6.570_249_770_319_282,
        -6.042_441_521_485_81e-2,
    ];
    const R2: [f64; 7] = [
        -9.864_942_924_700_1e-3,
        -7.992_832_376_805_231e-1,
        -1.775_795_491_775_475_2e1,
        -1.606_363_848_558_219_2e2,
        -6.375_664_433_683_896e2,
        -1.025_095_131_611_077_2e3,
        -4.835_191_916_086_514e2,
    ];
    const S2: [f64; 8] = [
        1.0,
        3.033_806_074_348_245_8e1,
        3.257_925_129_965_739e2,
        1.536_729_586_084_436_9e3,
        3.199_858_219_508_595_5e3,
        2.553_050_406_433_164_4e3,
        4.745_285_412_069_554e2,
        -2.244_095_244_658_582e1,
    ];
    let s = 1.0 / (a * a);
    let ratio = if a < 1.0 / 0.35 { horner(s, &R1) / horner(s, &S1) } else { horner(s, &R2) / horner(s, &S2) };
    // a² in two parts, so that its rounding does not reach the exponential
    let z = f64::from_bits(a.to_bits() & 0xffff_ffff_0000_0000);
    (-z * z - 0.5625).exp() * ((z - a) * (z + a) + ratio).exp() / a
}
