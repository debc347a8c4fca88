/**
The formula's value; [`Chain`] has its gradient.

```text
    rstd = recip(std)
    xc = x - mu
    t = scale·xc / std + shift
    gamma_dy = gamma·dy
    sum_gamma_dy = Σ[C] gamma_dy
    t_2 = skip + max(t, 0)·draw0 / one_minus_p - mu_2
    sum = Σ[C] gamma_dy·t_2
    t_3 = select(le(t, 0), 0, draw0·rstd_2·(gamma_dy - sum_gamma_dy / len(C) - sum·rstd_2² / len(C)·t_2))
    sum_2 = Σ[N] t_3
    sum_3 = Σ[N] xc·t_3
    ∂x = scale·rstd / one_minus_p·(t_3 - sum_2 / len(N) - sum_3·rstd² / len(N)·xc)
    t_4 = rstd_2·(gamma_dy - sum_gamma_dy / len(C) - sum·rstd_2² / len(C)·t_2)
    ∂skip = t_4
    ∂scale = rstd·sum_3 / one_minus_p
    ∂shift = sum_2 / one_minus_p
    sum_4 = Σ[N] rstd_2·dy·t_2
    ∂gamma = sum_4
    sum_dy = Σ[N] dy
    ∂beta = sum_dy
```

Saved for the gradient: `mu` (`f64`), `std` (`f64`), `mu_2` (`f64`), `rstd_2` (`f64`).
Forward: 5 sweeps (3 large tensors read, 1 written); backward: 3 sweeps (5 large tensors read, 3 written).

# Errors
Where shapes disagree, or a condition of the formula does not hold.*/
#[cfg_attr(clippy, allow(clippy::too_many_arguments))]
#[inline]
pub fn chain(
    x: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
    skip: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
    scale: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
    shift: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
    gamma: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
    beta: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
    seed: ::pullback::Seed,
    p: f64,
    eps: f64,
) -> ::core::result::Result<
    ::pullback::ndarray::Array<f32, ::pullback::ndarray::Ix2>,
    ::pullback::Error,
> {
    ::core::result::Result::map(
        Chain { seed, p, eps }.forward(x, skip, scale, shift, gamma, beta),
        |(y, _)| y,
    )
}
///The operation of [`chain`](fn@chain) with its constants.
#[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
pub struct Chain {
    ///The constant `seed` of the formula.
    pub seed: ::pullback::Seed,
    ///The constant `p` of the formula.
    pub p: f64,
    ///The constant `eps` of the formula.
    pub eps: f64,
}
///What [`Chain::forward`] keeps for [`Chain::backward`].
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct ChainSaved<T> {
    arrays: ::pullback::__private::Saved<T>,
}
///The gradients that [`Chain::backward`] gives.
#[derive(::core::clone::Clone)]
pub struct ChainGrads<T> {
    ///The gradient with respect to `x`.
    pub x: ::pullback::ndarray::Array<T, ::pullback::ndarray::Ix2>,
    ///The gradient with respect to `skip`.
    pub skip: ::pullback::ndarray::Array<T, ::pullback::ndarray::Ix2>,
    ///The gradient with respect to `scale`.
    pub scale: ::pullback::ndarray::Array<T, ::pullback::ndarray::Ix1>,
    ///The gradient with respect to `shift`.
    pub shift: ::pullback::ndarray::Array<T, ::pullback::ndarray::Ix1>,
    ///The gradient with respect to `gamma`.
    pub gamma: ::pullback::ndarray::Array<T, ::pullback::ndarray::Ix1>,
    ///The gradient with respect to `beta`.
    pub beta: ::pullback::ndarray::Array<T, ::pullback::ndarray::Ix1>,
}
impl<T: ::core::fmt::Debug> ::core::fmt::Debug for ChainGrads<T> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("ChainGrads")
            .field("x", &self.x)
            .field("skip", &self.skip)
            .field("scale", &self.scale)
            .field("shift", &self.shift)
            .field("gamma", &self.gamma)
            .field("beta", &self.beta)
            .finish()
    }
}
///Where [`Chain::backward_into`] puts the gradients. `None`: not wanted, and not computed. By default none is.
pub struct ChainInto<'a, T> {
    ///For the gradient with respect to `x`.
    pub x: ::core::option::Option<::pullback::Grad<'a, T, ::pullback::ndarray::Ix2>>,
    ///For the gradient with respect to `skip`.
    pub skip: ::core::option::Option<::pullback::Grad<'a, T, ::pullback::ndarray::Ix2>>,
    ///For the gradient with respect to `scale`.
    pub scale: ::core::option::Option<::pullback::Grad<'a, T, ::pullback::ndarray::Ix1>>,
    ///For the gradient with respect to `shift`.
    pub shift: ::core::option::Option<::pullback::Grad<'a, T, ::pullback::ndarray::Ix1>>,
    ///For the gradient with respect to `gamma`.
    pub gamma: ::core::option::Option<::pullback::Grad<'a, T, ::pullback::ndarray::Ix1>>,
    ///For the gradient with respect to `beta`.
    pub beta: ::core::option::Option<::pullback::Grad<'a, T, ::pullback::ndarray::Ix1>>,
}
impl<'a, T> ::core::default::Default for ChainInto<'a, T> {
    #[inline]
    fn default() -> Self {
        ChainInto {
            x: ::core::option::Option::None,
            skip: ::core::option::Option::None,
            scale: ::core::option::Option::None,
            shift: ::core::option::Option::None,
            gamma: ::core::option::Option::None,
            beta: ::core::option::Option::None,
        }
    }
}
const _: () = {
    #[inline]
    fn prepare(
        op: &Chain,
        [x,
        skip,
        scale,
        shift,
        gamma,
        beta,
        ]: [::core::option::Option<&[usize]>; 6usize],
    ) -> ::core::result::Result<::pullback::__private::Call, ::pullback::Error> {
        let function = "chain";
        let Chain { seed, p, eps, .. } = ::core::clone::Clone::clone(op);
        let mut shapes = ::pullback::__private::Shapes::new(function, &["N", "C"]);
        shapes.array("x", x, &[0usize, 1usize], ::core::option::Option::None)?;
        shapes.array("skip", skip, &[0usize, 1usize], ::core::option::Option::None)?;
        shapes.array("scale", scale, &[1usize], ::core::option::Option::None)?;
        shapes.array("shift", shift, &[1usize], ::core::option::Option::None)?;
        shapes.array("gamma", gamma, &[1usize], ::core::option::Option::None)?;
        shapes.array("beta", beta, &[1usize], ::core::option::Option::None)?;
        let len_n_0 = shapes.len(0usize);
        let len_c_1 = shapes.len(1usize);
        let c0 = ::pullback::__private::number((eps as f64));
        let c1: ::pullback::__private::Seed = seed;
        let c2 = ::pullback::__private::number((1.0 - p));
        ::core::result::Result::Ok(
            ::pullback::__private::Call::new(
                shapes,
                0usize,
                ::std::vec![
                    ::pullback::__private::Host::Number(c0),
                    ::pullback::__private::Host::Seed(c1),
                    ::pullback::__private::Host::Number(c2)
                ],
                &[&[0usize, 1usize]],
            ),
        )
    }
    struct ChainForward<'a> {
        space: ::pullback::drivers::Space,
        x: ::pullback::drivers::View<'a>,
        skip: ::pullback::drivers::View<'a>,
        scale: ::pullback::drivers::View<'a>,
        shift: ::pullback::drivers::View<'a>,
        gamma: ::pullback::drivers::View<'a>,
        beta: ::pullback::drivers::View<'a>,
        eps_as_f64: f64,
        one_minus_p: f64,
        seed: u64,
        y: ::pullback::drivers::Target<'a>,
        mu: ::pullback::drivers::Target<'a>,
        std: ::pullback::drivers::Target<'a>,
        mu_2: ::pullback::drivers::Target<'a>,
        rstd_2: ::pullback::drivers::Target<'a>,
    }
    const _: () = {
        use ::pullback::drivers::{At, Kernel, Lane, Operand, Out, Vector};
        impl<T: Lane> Kernel<T> for ChainForward<'_> {
            fn run<V: Vector<Elem = T>>(self, at: At<V>) {
                let Self {
                    space,
                    x,
                    skip,
                    scale,
                    shift,
                    gamma,
                    beta,
                    eps_as_f64,
                    one_minus_p,
                    seed,
                    y,
                    mu,
                    std,
                    mu_2,
                    rstd_2,
                } = self;
                let [n, c] = space.axes();
                let len_n = space.len(n);
                let len_c = space.len(c);
                let mut k = at.script(space);
                let x = k.input(x, [n, c]);
                let skip = k.input(skip, [n, c]);
                let scale = k.input(scale, [c]);
                let shift = k.input(shift, [c]);
                let gamma = k.input(gamma, [c]);
                let beta = k.input(beta, [c]);
                let y = k.root(y, [n, c]);
                let mu = k.root(mu, [c]);
                let std = k.root(std, [c]);
                let mu_2 = k.root(mu_2, [n]);
                let rstd_2 = k.root(rstd_2, [n]);
                let sum_x = k.wide([c]);
                let sum_sq_xc = k.wide([c]);
                let rstd = k.wide([c]);
                let draw = k.data([n, c]);
                let sum = k.wide([n]);
                let sum_2 = k.wide([n]);
                k.nest([c]);
                k.sweep([n, c], [x.here()], [])
                    .sum(sum_x, [n])
                    .body({ #[inline(always)] move |[x], []| Out::store([]).sum([x]) });
                k.each([c], [sum_x.here()])
                    .store(mu)
                    .body({
                        #[inline(always)]
                        move |[sum_x], []| {
                            let mu = sum_x / len_n;
                            Out::store([mu])
                        }
                    });
                k.sweep([n, c], [x.here()], [mu.here()])
                    .sum(sum_sq_xc, [n])
                    .body({
                        #[inline(always)]
                        move |[x], [mu]| Out::store([]).sum([(x - mu).sq()])
                    });
                k.after();
                k.each([c], [sum_sq_xc.here()])
                    .store(std)
                    .store(rstd)
                    .body({
                        #[inline(always)]
                        move |[sum_sq_xc], []| {
                            let var = sum_sq_xc / len_n;
                            let sqrt = (var + eps_as_f64).sqrt();
                            Out::store([sqrt, sqrt.recip()])
                        }
                    });
                k.nest([n]);
                k.sweep(
                        [n, c],
                        [
                            Operand::bernoulli(seed, 0, [n, c], one_minus_p),
                            x.here(),
                            skip.here(),
                        ],
                        [scale.here(), mu.here(), rstd.here(), shift.here()],
                    )
                    .store(draw)
                    .sum(sum, [c])
                    .body({
                        #[inline(always)]
                        move |[keep, x, skip], [scale, mu, rstd, shift]| {
                            let kept = (scale * ((x - mu) * rstd) + shift)
                                .narrow()
                                .max(V::num(0.0)) * keep / one_minus_p;
                            Out::store([keep]).sum([kept + skip])
                        }
                    });
                k.each([n], [sum.here()])
                    .store(mu_2)
                    .body({
                        #[inline(always)]
                        move |[sum], []| {
                            let mu = sum / len_c;
                            Out::store([mu])
                        }
                    });
                k.sweep(
                        [n, c],
                        [x.here(), draw.here(), skip.here()],
                        [scale.here(), mu.here(), rstd.here(), shift.here(), mu_2.here()],
                    )
                    .sum(sum_2, [c])
                    .body({
                        #[inline(always)]
                        move |[x, draw, skip], [scale, mu, rstd, shift, mu_2]| {
                            let kept = (scale * ((x - mu) * rstd) + shift)
                                .narrow()
                                .max(V::num(0.0))
                                .wide() * draw / one_minus_p;
                            Out::store([]).sum([(kept + skip - mu_2).sq()])
                        }
                    });
                k.each([n], [sum_2.here()])
                    .store(rstd_2)
                    .body({
                        #[inline(always)]
                        move |[sum_2], []| {
                            let var = sum_2 / len_c;
                            Out::store([(var + eps_as_f64).sqrt().recip()])
                        }
                    });
                k.sweep(
                        [n, c],
                        [x.here(), draw.here(), skip.here()],
                        [
                            gamma.here(),
                            scale.here(),
                            mu.here(),
                            rstd.here(),
                            shift.here(),
                            mu_2.here(),
                            rstd_2.here(),
                            beta.here(),
                        ],
                    )
                    .store(y)
                    .body({
                        #[inline(always)]
                        move |
                            [x,
                            draw,
                            skip,
                            ],
                            [gamma,
                            scale,
                            mu,
                            rstd,
                            shift,
                            mu_2,
                            rstd_2,
                            beta,
                            ]|
                        {
                            let kept = (scale * ((x - mu) * rstd) + shift)
                                .narrow()
                                .max(V::num(0.0))
                                .wide() * draw / one_minus_p;
                            Out::store([
                                (gamma * ((kept + skip - mu_2) * rstd_2) + beta).narrow(),
                            ])
                        }
                    });
                k.run();
            }
        }
    };
    #[inline]
    fn forward<T: ::pullback::Float>(
        call: &::pullback::__private::Call,
        (
            x,
            skip,
            scale,
            shift,
            gamma,
            beta,
        ): (
            ::pullback::__private::View<'_>,
            ::pullback::__private::View<'_>,
            ::pullback::__private::View<'_>,
            ::pullback::__private::View<'_>,
            ::pullback::__private::View<'_>,
            ::pullback::__private::View<'_>,
        ),
        (y,): (::pullback::__private::Target<'_>,),
    ) -> ::core::result::Result<
        ::pullback::__private::Saved<<T as ::pullback::Float>::Lane>,
        ::pullback::Error,
    > {
        let mut saved0 = call.zeros::<f64>(&[1usize])?;
        let mut saved1 = call.zeros::<f64>(&[1usize])?;
        let mut saved2 = call.zeros::<f64>(&[0usize])?;
        let mut saved3 = call.zeros::<f64>(&[0usize])?;
        <<T as ::pullback::Float>::Lane as ::pullback::__private::Lane>::dispatch(ChainForward {
            space: call.space(),
            x: x,
            skip: skip,
            scale: scale,
            shift: shift,
            gamma: gamma,
            beta: beta,
            eps_as_f64: call.number(0usize),
            one_minus_p: call.number(2usize),
            seed: call.seed(1usize),
            y: y,
            mu: ::pullback::__private::Target::write(&mut saved0),
            std: ::pullback::__private::Target::write(&mut saved1),
            mu_2: ::pullback::__private::Target::write(&mut saved2),
            rstd_2: ::pullback::__private::Target::write(&mut saved3),
        });
        ::core::result::Result::Ok(
            ::pullback::__private::Saved::new(
                call,
                ::std::vec![
                    ::pullback::__private::SavedArray::Wide("mu", saved0),
                    ::pullback::__private::SavedArray::Wide("std", saved1),
                    ::pullback::__private::SavedArray::Wide("mu_2", saved2),
                    ::pullback::__private::SavedArray::Wide("rstd_2", saved3)
                ],
            ),
        )
    }
    struct ChainBackward<'a> {
        space: ::pullback::drivers::Space,
        x: ::pullback::drivers::View<'a>,
        skip: ::pullback::drivers::View<'a>,
        scale: ::pullback::drivers::View<'a>,
        shift: ::pullback::drivers::View<'a>,
        gamma: ::pullback::drivers::View<'a>,
        dy: ::pullback::drivers::View<'a>,
        mu: ::pullback::drivers::View<'a>,
        std: ::pullback::drivers::View<'a>,
        mu_2: ::pullback::drivers::View<'a>,
        rstd_2: ::pullback::drivers::View<'a>,
        one_minus_p: f64,
        seed: u64,
        grad_x: ::pullback::drivers::Target<'a>,
        grad_skip: ::pullback::drivers::Target<'a>,
        grad_scale: ::pullback::drivers::Target<'a>,
        grad_shift: ::pullback::drivers::Target<'a>,
        grad_gamma: ::pullback::drivers::Target<'a>,
        grad_beta: ::pullback::drivers::Target<'a>,
    }
    const _: () = {
        use ::pullback::drivers::{At, Kernel, Lane, Operand, Out, Vector};
        impl<T: Lane> Kernel<T> for ChainBackward<'_> {
            fn run<V: Vector<Elem = T>>(self, at: At<V>) {
                let Self {
                    space,
                    x,
                    skip,
                    scale,
                    shift,
                    gamma,
                    dy,
                    mu,
                    std,
                    mu_2,
                    rstd_2,
                    one_minus_p,
                    seed,
                    grad_x,
                    grad_skip,
                    grad_scale,
                    grad_shift,
                    grad_gamma,
                    grad_beta,
                } = self;
                let [n, c] = space.axes();
                let len_n = space.len(n);
                let len_c = space.len(c);
                let mut k = at.script(space);
                let x = k.input(x, [n, c]);
                let skip = k.input(skip, [n, c]);
                let scale = k.input(scale, [c]);
                let shift = k.input(shift, [c]);
                let gamma = k.input(gamma, [c]);
                let dy = k.input(dy, [n, c]);
                let mu = k.input(mu, [c]);
                let std = k.input(std, [c]);
                let mu_2 = k.input(mu_2, [n]);
                let rstd_2 = k.input(rstd_2, [n]);
                let grad_x = k.root(grad_x, [n, c]);
                let grad_skip = k.root(grad_skip, [n, c]);
                let grad_scale = k.root(grad_scale, [c]);
                let grad_shift = k.root(grad_shift, [c]);
                let grad_gamma = k.root(grad_gamma, [c]);
                let grad_beta = k.root(grad_beta, [c]);
                let rstd = k.wide([c]);
                let scale_rstd = k.wide([c]);
                let sum_gamma_dy = k.wide([n]);
                let sum = k.wide([n]);
                let mean_gamma_dy = k.wide([n]);
                let value = k.wide([n]);
                let value_2 = k.data([n, c]);
                let sum_2 = k.wide([c]);
                let sum_3 = k.wide([c]);
                let value_3 = k.wide([c]);
                let value_4 = k.wide([c]);
                k.nest([]);
                k.each([c], [std.here(), scale.here()])
                    .store(rstd)
                    .store(scale_rstd)
                    .body({
                        #[inline(always)]
                        move |[std, scale], []| {
                            let recip = std.recip();
                            Out::store([recip, scale * recip / one_minus_p])
                        }
                    });
                k.nest([n]);
                k.sweep(
                        [n, c],
                        [
                            dy.here(),
                            skip.here(),
                            x.here(),
                            Operand::bernoulli(seed, 0, [n, c], one_minus_p),
                        ],
                        [
                            gamma.here(),
                            scale.here(),
                            mu.here(),
                            rstd.here(),
                            shift.here(),
                            mu_2.here(),
                            rstd_2.here(),
                        ],
                    )
                    .sum(grad_beta, [n])
                    .sum(sum_gamma_dy, [c])
                    .sum(sum, [c])
                    .sum(grad_gamma, [n])
                    .body({
                        #[inline(always)]
                        move |
                            [dy,
                            skip,
                            x,
                            keep,
                            ],
                            [gamma,
                            scale,
                            mu,
                            rstd,
                            shift,
                            mu_2,
                            rstd_2,
                            ]|
                        {
                            let product = gamma * dy;
                            let kept = (scale * ((x - mu) * rstd) + shift)
                                .narrow()
                                .max(V::num(0.0))
                                .wide() * keep / one_minus_p;
                            let difference = skip + kept - mu_2;
                            Out::store([])
                                .sum([
                                    dy.wide(),
                                    product,
                                    product * difference,
                                    rstd_2 * dy * difference,
                                ])
                        }
                    });
                k.each([n], [sum_gamma_dy.here(), sum.here(), rstd_2.here()])
                    .store(mean_gamma_dy)
                    .store(value)
                    .body({
                        #[inline(always)]
                        move |[sum_gamma_dy, sum, rstd_2], []| Out::store([
                            sum_gamma_dy / len_c,
                            sum * rstd_2.sq() / len_c,
                        ])
                    });
                k.sweep(
                        [n, c],
                        [
                            dy.here(),
                            skip.here(),
                            x.here(),
                            Operand::bernoulli(seed, 0, [n, c], one_minus_p),
                        ],
                        [
                            rstd_2.here(),
                            gamma.here(),
                            mean_gamma_dy.here(),
                            value.here(),
                            scale.here(),
                            mu.here(),
                            rstd.here(),
                            shift.here(),
                            mu_2.here(),
                        ],
                    )
                    .store(value_2)
                    .sum(sum_2, [n])
                    .sum(sum_3, [n])
                    .body({
                        #[inline(always)]
                        move |
                            [dy,
                            skip,
                            x,
                            keep,
                            ],
                            [rstd_2,
                            gamma,
                            mean_gamma_dy,
                            value,
                            scale,
                            mu,
                            rstd,
                            shift,
                            mu_2,
                            ]|
                        {
                            let difference = x - mu;
                            let sum = scale * (difference * rstd) + shift;
                            let kept = sum.narrow().max(V::num(0.0)).wide() * keep
                                / one_minus_p;
                            let product = rstd_2
                                * (gamma * dy - mean_gamma_dy
                                    - value * (skip + kept - mu_2));
                            let selected = V::select(
                                sum.narrow().le(V::num(0.0)),
                                V::num(0.0),
                                (keep * product).narrow(),
                            );
                            Out::store([product.narrow()])
                                .sum([selected.wide(), difference * selected])
                        }
                    });
                k.after();
                k.each([c], [sum_2.here(), sum_3.here(), rstd.here()])
                    .store(value_3)
                    .store(value_4)
                    .store(grad_scale)
                    .store(grad_shift)
                    .body({
                        #[inline(always)]
                        move |[sum_2, sum_3, rstd], []| Out::store([
                            sum_2 / len_n,
                            sum_3 * rstd.sq() / len_n,
                            rstd * sum_3 / one_minus_p,
                            sum_2 / one_minus_p,
                        ])
                    });
                k.nest([n, c]);
                k.sweep(
                        [n, c],
                        [
                            value_2.here(),
                            x.here(),
                            Operand::bernoulli(seed, 0, [n, c], one_minus_p),
                        ],
                        [
                            scale_rstd.here(),
                            scale.here(),
                            mu.here(),
                            rstd.here(),
                            shift.here(),
                            value_3.here(),
                            value_4.here(),
                        ],
                    )
                    .store(grad_skip)
                    .store(grad_x)
                    .body({
                        #[inline(always)]
                        move |
                            [value_2,
                            x,
                            keep,
                            ],
                            [scale_rstd,
                            scale,
                            mu,
                            rstd,
                            shift,
                            value_3,
                            value_4,
                            ]|
                        {
                            let difference = x - mu;
                            Out::store([
                                value_2,
                                (scale_rstd
                                    * (V::select(
                                        (scale * (difference * rstd) + shift)
                                            .narrow()
                                            .le(V::num(0.0)),
                                        V::num(0.0),
                                        keep * value_2,
                                    ) - value_3 - value_4 * difference))
                                    .narrow(),
                            ])
                        }
                    });
                k.run();
            }
        }
    };
    #[inline]
    fn backward<T: ::pullback::Float>(
        call: &::pullback::__private::Call,
        (dy,): (::pullback::__private::View<'_>,),
        (
            x,
            skip,
            scale,
            shift,
            gamma,
            beta,
        ): (
            ::pullback::__private::View<'_>,
            ::pullback::__private::View<'_>,
            ::pullback::__private::View<'_>,
            ::pullback::__private::View<'_>,
            ::pullback::__private::View<'_>,
            ::pullback::__private::View<'_>,
        ),
        (y,): (::pullback::__private::View<'_>,),
        saved: &::pullback::__private::Saved<<T as ::pullback::Float>::Lane>,
        (
            grad_x,
            grad_skip,
            grad_scale,
            grad_shift,
            grad_gamma,
            grad_beta,
        ): (
            ::pullback::__private::Target<'_>,
            ::pullback::__private::Target<'_>,
            ::pullback::__private::Target<'_>,
            ::pullback::__private::Target<'_>,
            ::pullback::__private::Target<'_>,
            ::pullback::__private::Target<'_>,
        ),
    ) -> ::core::result::Result<(), ::pullback::Error> {
        saved.check(call)?;
        if call.is_empty() {
            grad_x.clear();
            grad_skip.clear();
            grad_scale.clear();
            grad_shift.clear();
            grad_gamma.clear();
            grad_beta.clear();
            return ::core::result::Result::Ok(());
        }
        <<T as ::pullback::Float>::Lane as ::pullback::__private::Lane>::dispatch(ChainBackward {
            space: call.space(),
            x: x,
            skip: skip,
            scale: scale,
            shift: shift,
            gamma: gamma,
            dy: dy,
            mu: ::pullback::__private::View::of(saved.wide(0usize)?),
            std: ::pullback::__private::View::of(saved.wide(1usize)?),
            mu_2: ::pullback::__private::View::of(saved.wide(2usize)?),
            rstd_2: ::pullback::__private::View::of(saved.wide(3usize)?),
            one_minus_p: call.number(2usize),
            seed: call.seed(1usize),
            grad_x: grad_x,
            grad_skip: grad_skip,
            grad_scale: grad_scale,
            grad_shift: grad_shift,
            grad_gamma: grad_gamma,
            grad_beta: grad_beta,
        });
        ::core::result::Result::Ok(())
    }
    impl Chain {
        /// Computes the formula, and keeps what `backward` needs.
        ///
        /// # Errors
        /// Where shapes disagree, or a condition of the formula does not hold. Nothing is written then.
        #[inline]
        pub fn forward(
            &self,
            x: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
            skip: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
            scale: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            shift: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            gamma: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            beta: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
        ) -> ::core::result::Result<
            (::pullback::ndarray::Array<f32, ::pullback::ndarray::Ix2>, ChainSaved<f32>),
            ::pullback::Error,
        > {
            let call = prepare(
                self,
                [
                    ::core::option::Option::Some(x.shape()),
                    ::core::option::Option::Some(skip.shape()),
                    ::core::option::Option::Some(scale.shape()),
                    ::core::option::Option::Some(shift.shape()),
                    ::core::option::Option::Some(gamma.shape()),
                    ::core::option::Option::Some(beta.shape()),
                ],
            )?;
            let mut y = call
                .array::<f32, ::pullback::ndarray::Ix2>(call.output_axes(0usize))?;
            let arrays = forward::<
                f32,
            >(
                &call,
                (
                    ::pullback::__private::View::of(x),
                    ::pullback::__private::View::of(skip),
                    ::pullback::__private::View::of(scale),
                    ::pullback::__private::View::of(shift),
                    ::pullback::__private::View::of(gamma),
                    ::pullback::__private::View::of(beta),
                ),
                (::pullback::__private::Target::write(&mut y),),
            )?;
            ::core::result::Result::Ok((y, ChainSaved { arrays }))
        }
        /// Computes the formula into memory of the caller, and keeps what `backward` needs.
        ///
        /// # Errors
        /// Where shapes disagree, or a condition of the formula does not hold. Nothing is written then.
        #[cfg_attr(clippy, allow(clippy::too_many_arguments))]
        #[inline]
        pub fn forward_into(
            &self,
            x: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
            skip: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
            scale: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            shift: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            gamma: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            beta: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            y: &mut ::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
        ) -> ::core::result::Result<ChainSaved<f32>, ::pullback::Error> {
            let call = prepare(
                self,
                [
                    ::core::option::Option::Some(x.shape()),
                    ::core::option::Option::Some(skip.shape()),
                    ::core::option::Option::Some(scale.shape()),
                    ::core::option::Option::Some(shift.shape()),
                    ::core::option::Option::Some(gamma.shape()),
                    ::core::option::Option::Some(beta.shape()),
                ],
            )?;
            call.buffer("y", y.shape(), call.output_axes(0usize))?;
            let arrays = forward::<
                f32,
            >(
                &call,
                (
                    ::pullback::__private::View::of(x),
                    ::pullback::__private::View::of(skip),
                    ::pullback::__private::View::of(scale),
                    ::pullback::__private::View::of(shift),
                    ::pullback::__private::View::of(gamma),
                    ::pullback::__private::View::of(beta),
                ),
                (::pullback::__private::Target::write(y),),
            )?;
            ::core::result::Result::Ok(ChainSaved { arrays })
        }
        /**The gradients, from the cotangent of the output.

```text
    rstd = recip(std)
    xc = x - mu
    t = scale·xc / std + shift
    gamma_dy = gamma·dy
    sum_gamma_dy = Σ[C] gamma_dy
    t_2 = skip + max(t, 0)·draw0 / one_minus_p - mu_2
    sum = Σ[C] gamma_dy·t_2
    t_3 = select(le(t, 0), 0, draw0·rstd_2·(gamma_dy - sum_gamma_dy / len(C) - sum·rstd_2² / len(C)·t_2))
    sum_2 = Σ[N] t_3
    sum_3 = Σ[N] xc·t_3
    ∂x = scale·rstd / one_minus_p·(t_3 - sum_2 / len(N) - sum_3·rstd² / len(N)·xc)
    t_4 = rstd_2·(gamma_dy - sum_gamma_dy / len(C) - sum·rstd_2² / len(C)·t_2)
    ∂skip = t_4
    ∂scale = rstd·sum_3 / one_minus_p
    ∂shift = sum_2 / one_minus_p
    sum_4 = Σ[N] rstd_2·dy·t_2
    ∂gamma = sum_4
    sum_dy = Σ[N] dy
    ∂beta = sum_dy
```

Saved for the gradient: `mu` (`f64`), `std` (`f64`), `mu_2` (`f64`), `rstd_2` (`f64`).
Forward: 5 sweeps (3 large tensors read, 1 written); backward: 3 sweeps (5 large tensors read, 3 written).*/
        ///
        /// # Errors
        /// Where shapes disagree, or `saved` comes from another call.
        #[cfg_attr(clippy, allow(clippy::too_many_arguments))]
        #[inline]
        pub fn backward(
            &self,
            dy: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
            x: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
            skip: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
            scale: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            shift: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            gamma: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            beta: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            y: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
            saved: &ChainSaved<f32>,
        ) -> ::core::result::Result<ChainGrads<f32>, ::pullback::Error> {
            let call = prepare(
                self,
                [
                    ::core::option::Option::Some(x.shape()),
                    ::core::option::Option::Some(skip.shape()),
                    ::core::option::Option::Some(scale.shape()),
                    ::core::option::Option::Some(shift.shape()),
                    ::core::option::Option::Some(gamma.shape()),
                    ::core::option::Option::Some(beta.shape()),
                ],
            )?;
            let mut grad_x = call
                .array::<f32, ::pullback::ndarray::Ix2>(&[0usize, 1usize])?;
            let mut grad_skip = call
                .array::<f32, ::pullback::ndarray::Ix2>(&[0usize, 1usize])?;
            let mut grad_scale = call.array::<f32, ::pullback::ndarray::Ix1>(&[1usize])?;
            let mut grad_shift = call.array::<f32, ::pullback::ndarray::Ix1>(&[1usize])?;
            let mut grad_gamma = call.array::<f32, ::pullback::ndarray::Ix1>(&[1usize])?;
            let mut grad_beta = call.array::<f32, ::pullback::ndarray::Ix1>(&[1usize])?;
            call.buffer("dy", dy.shape(), call.output_axes(0usize))?;
            call.buffer("y", y.shape(), call.output_axes(0usize))?;
            backward::<
                f32,
            >(
                &call,
                (::pullback::__private::View::of(dy),),
                (
                    ::pullback::__private::View::of(x),
                    ::pullback::__private::View::of(skip),
                    ::pullback::__private::View::of(scale),
                    ::pullback::__private::View::of(shift),
                    ::pullback::__private::View::of(gamma),
                    ::pullback::__private::View::of(beta),
                ),
                (::pullback::__private::View::of(y),),
                &saved.arrays,
                (
                    ::pullback::__private::Target::write(&mut grad_x),
                    ::pullback::__private::Target::write(&mut grad_skip),
                    ::pullback::__private::Target::write(&mut grad_scale),
                    ::pullback::__private::Target::write(&mut grad_shift),
                    ::pullback::__private::Target::write(&mut grad_gamma),
                    ::pullback::__private::Target::write(&mut grad_beta),
                ),
            )?;
            ::core::result::Result::Ok(ChainGrads {
                x: grad_x,
                skip: grad_skip,
                scale: grad_scale,
                shift: grad_shift,
                gamma: grad_gamma,
                beta: grad_beta,
            })
        }
        /// Computes the wanted gradients into memory of the caller.
        ///
        /// # Errors
        /// Where shapes disagree, or `saved` comes from another call. Nothing is written then.
        #[cfg_attr(clippy, allow(clippy::too_many_arguments))]
        #[inline]
        pub fn backward_into(
            &self,
            dy: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
            x: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
            skip: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
            scale: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            shift: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            gamma: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            beta: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            y: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix2>,
            saved: &ChainSaved<f32>,
            into: ChainInto<'_, f32>,
        ) -> ::core::result::Result<(), ::pullback::Error> {
            let call = prepare(
                self,
                [
                    ::core::option::Option::Some(x.shape()),
                    ::core::option::Option::Some(skip.shape()),
                    ::core::option::Option::Some(scale.shape()),
                    ::core::option::Option::Some(shift.shape()),
                    ::core::option::Option::Some(gamma.shape()),
                    ::core::option::Option::Some(beta.shape()),
                ],
            )?;
            ::pullback::__private::check_grad(
                &call,
                "into.x",
                &into.x,
                &[0usize, 1usize],
            )?;
            ::pullback::__private::check_grad(
                &call,
                "into.skip",
                &into.skip,
                &[0usize, 1usize],
            )?;
            ::pullback::__private::check_grad(
                &call,
                "into.scale",
                &into.scale,
                &[1usize],
            )?;
            ::pullback::__private::check_grad(
                &call,
                "into.shift",
                &into.shift,
                &[1usize],
            )?;
            ::pullback::__private::check_grad(
                &call,
                "into.gamma",
                &into.gamma,
                &[1usize],
            )?;
            ::pullback::__private::check_grad(
                &call,
                "into.beta",
                &into.beta,
                &[1usize],
            )?;
            call.buffer("dy", dy.shape(), call.output_axes(0usize))?;
            call.buffer("y", y.shape(), call.output_axes(0usize))?;
            backward::<
                f32,
            >(
                &call,
                (::pullback::__private::View::of(dy),),
                (
                    ::pullback::__private::View::of(x),
                    ::pullback::__private::View::of(skip),
                    ::pullback::__private::View::of(scale),
                    ::pullback::__private::View::of(shift),
                    ::pullback::__private::View::of(gamma),
                    ::pullback::__private::View::of(beta),
                ),
                (::pullback::__private::View::of(y),),
                &saved.arrays,
                (
                    ::pullback::__private::target(into.x),
                    ::pullback::__private::target(into.skip),
                    ::pullback::__private::target(into.scale),
                    ::pullback::__private::target(into.shift),
                    ::pullback::__private::target(into.gamma),
                    ::pullback::__private::target(into.beta),
                ),
            )?;
            ::core::result::Result::Ok(())
        }
    }
    impl<T> ChainSaved<T> {
        /// How many bytes are kept.
        #[inline]
        pub fn bytes(&self) -> usize {
            self.arrays.bytes()
        }
    }
    impl<T: ::pullback::Float> ::pullback::Layer<T> for Chain {
        const NAME: &'static str = "chain";
        const AXES: &'static [&'static str] = &["N", "C"];
        const ARGS: &'static [::pullback::layer::ArgSpec] = &[
            ::pullback::layer::ArgSpec::new(
                "x",
                &["N", "C"],
                ::pullback::layer::ArgKind::Tensor,
            ),
            ::pullback::layer::ArgSpec::new(
                "skip",
                &["N", "C"],
                ::pullback::layer::ArgKind::Tensor,
            ),
            ::pullback::layer::ArgSpec::new(
                "scale",
                &["C"],
                ::pullback::layer::ArgKind::Tensor,
            ),
            ::pullback::layer::ArgSpec::new(
                "shift",
                &["C"],
                ::pullback::layer::ArgKind::Tensor,
            ),
            ::pullback::layer::ArgSpec::new(
                "gamma",
                &["C"],
                ::pullback::layer::ArgKind::Tensor,
            ),
            ::pullback::layer::ArgSpec::new(
                "beta",
                &["C"],
                ::pullback::layer::ArgKind::Tensor,
            ),
        ];
        const OUTPUTS: &'static [::pullback::layer::OutputSpec] = &[
            ::pullback::layer::OutputSpec::new(&["N", "C"]),
        ];
        const BACKWARD_READS: ::pullback::layer::Reads = ::pullback::layer::Reads {
            args: &[0usize, 1usize, 2usize, 3usize, 4usize],
            outputs: &[],
        };
        type Saved = ChainSaved<<T as ::pullback::Float>::Lane>;
        fn forward(
            &self,
            args: &mut [::pullback::layer::Arg<'_, T>],
        ) -> ::core::result::Result<
            ::pullback::layer::Forward<T, Self::Saved>,
            ::pullback::Error,
        > {
            let [x, skip, scale, shift, gamma, beta] = ::pullback::layer::exactly_mut(
                args,
                "chain",
                "arguments",
            )?;
            let call = prepare(
                self,
                [
                    ::pullback::__private::arg_shape(&x),
                    ::pullback::__private::arg_shape(&skip),
                    ::pullback::__private::arg_shape(&scale),
                    ::pullback::__private::arg_shape(&shift),
                    ::pullback::__private::arg_shape(&gamma),
                    ::pullback::__private::arg_shape(&beta),
                ],
            )?;
            let mut y = call
                .array::<T, ::pullback::ndarray::IxDyn>(call.output_axes(0usize))?;
            let arrays = forward::<
                T,
            >(
                &call,
                (
                    ::pullback::__private::arg_view(call.function(), "x", x)?,
                    ::pullback::__private::arg_view(call.function(), "skip", skip)?,
                    ::pullback::__private::arg_view(call.function(), "scale", scale)?,
                    ::pullback::__private::arg_view(call.function(), "shift", shift)?,
                    ::pullback::__private::arg_view(call.function(), "gamma", gamma)?,
                    ::pullback::__private::arg_view(call.function(), "beta", beta)?,
                ),
                (::pullback::__private::Target::write(&mut y),),
            )?;
            ::core::result::Result::Ok(::pullback::layer::Forward {
                outputs: ::std::vec![::pullback::layer::Output::Float(y)],
                saved: ChainSaved { arrays },
            })
        }
        fn backward(
            &self,
            cotangents: &[::pullback::ndarray::ArrayViewD<'_, T>],
            args: &[::pullback::layer::Arg<'_, T>],
            outputs: &[::pullback::layer::Output<T>],
            saved: &Self::Saved,
            wanted: &mut [::core::option::Option<::pullback::layer::GradD<'_, T>>],
        ) -> ::core::result::Result<(), ::pullback::Error> {
            let [dy] = ::pullback::layer::exactly(cotangents, "chain", "cotangents")?;
            let [x, skip, scale, shift, gamma, beta] = ::pullback::layer::exactly(
                args,
                "chain",
                "arguments",
            )?;
            let [y] = ::pullback::layer::exactly(outputs, "chain", "outputs")?;
            let [grad_x, grad_skip, grad_scale, grad_shift, grad_gamma, grad_beta] = ::pullback::layer::exactly_mut(
                wanted,
                "chain",
                "gradients",
            )?;
            let call = prepare(
                self,
                [
                    ::pullback::__private::arg_shape(&x),
                    ::pullback::__private::arg_shape(&skip),
                    ::pullback::__private::arg_shape(&scale),
                    ::pullback::__private::arg_shape(&shift),
                    ::pullback::__private::arg_shape(&gamma),
                    ::pullback::__private::arg_shape(&beta),
                ],
            )?;
            call.buffer("dy", dy.shape(), call.output_axes(0usize))?;
            ::pullback::__private::check_slot(&call, "x", &grad_x, &[0usize, 1usize])?;
            ::pullback::__private::check_slot(
                &call,
                "skip",
                &grad_skip,
                &[0usize, 1usize],
            )?;
            ::pullback::__private::check_slot(&call, "scale", &grad_scale, &[1usize])?;
            ::pullback::__private::check_slot(&call, "shift", &grad_shift, &[1usize])?;
            ::pullback::__private::check_slot(&call, "gamma", &grad_gamma, &[1usize])?;
            ::pullback::__private::check_slot(&call, "beta", &grad_beta, &[1usize])?;
            backward::<
                T,
            >(
                &call,
                (::pullback::__private::View::of(dy),),
                (
                    ::pullback::__private::arg_view(call.function(), "x", x)?,
                    ::pullback::__private::arg_view(call.function(), "skip", skip)?,
                    ::pullback::__private::arg_view(call.function(), "scale", scale)?,
                    ::pullback::__private::arg_view(call.function(), "shift", shift)?,
                    ::pullback::__private::arg_view(call.function(), "gamma", gamma)?,
                    ::pullback::__private::arg_view(call.function(), "beta", beta)?,
                ),
                (
                    ::pullback::__private::output_view(
                        &call,
                        "y",
                        y,
                        call.output_axes(0usize),
                    )?,
                ),
                &saved.arrays,
                (
                    ::pullback::__private::slot_target(call.function(), "x", grad_x)?,
                    ::pullback::__private::slot_target(
                        call.function(),
                        "skip",
                        grad_skip,
                    )?,
                    ::pullback::__private::slot_target(
                        call.function(),
                        "scale",
                        grad_scale,
                    )?,
                    ::pullback::__private::slot_target(
                        call.function(),
                        "shift",
                        grad_shift,
                    )?,
                    ::pullback::__private::slot_target(
                        call.function(),
                        "gamma",
                        grad_gamma,
                    )?,
                    ::pullback::__private::slot_target(
                        call.function(),
                        "beta",
                        grad_beta,
                    )?,
                ),
            )
        }
        fn reference(
            &self,
            args: &[::core::option::Option<::pullback::formula::Value>],
        ) -> ::core::result::Result<
            ::std::vec::Vec<::pullback::formula::Value>,
            ::pullback::Error,
        > {
            let [arg0, arg1, arg2, arg3, arg4, arg5] = ::pullback::layer::exactly(
                args,
                "chain",
                "arguments",
            )?;
            let shapes = [
                arg0.as_ref().map(::pullback::__private::value_shape),
                arg1.as_ref().map(::pullback::__private::value_shape),
                arg2.as_ref().map(::pullback::__private::value_shape),
                arg3.as_ref().map(::pullback::__private::value_shape),
                arg4.as_ref().map(::pullback::__private::value_shape),
                arg5.as_ref().map(::pullback::__private::value_shape),
            ];
            let op = self;
            let call = prepare(op, shapes.each_ref().map(|s| s.as_deref()))?;
            let Chain { seed, p, eps, .. } = ::core::clone::Clone::clone(op);
            let run = ::pullback::formula::written::Run::new(
                &[call.len(0usize), call.len(1usize)],
            );
            let axis_C = ::pullback::formula::written::Name::of(1u32);
            let axis_N = ::pullback::formula::written::Name::of(0u32);
            let x = run
                .argument(
                    ::pullback::__private::given(&call, "x", arg0)?,
                    &[&axis_N, &axis_C],
                );
            let skip = run
                .argument(
                    ::pullback::__private::given(&call, "skip", arg1)?,
                    &[&axis_N, &axis_C],
                );
            let scale = run
                .argument(
                    ::pullback::__private::given(&call, "scale", arg2)?,
                    &[&axis_C],
                );
            let shift = run
                .argument(
                    ::pullback::__private::given(&call, "shift", arg3)?,
                    &[&axis_C],
                );
            let gamma = run
                .argument(
                    ::pullback::__private::given(&call, "gamma", arg4)?,
                    &[&axis_C],
                );
            let beta = run
                .argument(
                    ::pullback::__private::given(&call, "beta", arg5)?,
                    &[&axis_C],
                );
            let y0 = {
                let active = ::pullback::formula::written::max2(
                    scale
                        * {
                            let (x, over, eps) = (
                                x,
                                ::pullback::formula::written::Name::joined(&[&axis_N]),
                                ((eps) as f64),
                            );
                            let axis_C = ::pullback::formula::written::Name::new();
                            let axis_N = ::pullback::formula::written::Name::new();
                            x.bind(&[&axis_N, &axis_C], ::core::option::Option::None);
                            let y0 = {
                                let mu = ::pullback::formula::written::mean(x, &[&over]);
                                let var = ::pullback::formula::written::mean(
                                    ::pullback::formula::written::sq(x - mu),
                                    &[&over],
                                );
                                (x - mu)
                                    / ::pullback::formula::written::sqrt(var + run.num(eps))
                            };
                            y0.promised(&[&axis_N, &axis_C])
                        } + shift,
                    run.num(0.0),
                );
                let kept = active
                    * ::pullback::formula::written::bernoulli_like(active, seed, 1.0 - p)
                    / run.num((1.0 - p));
                gamma
                    * {
                        let (x, over, eps) = (
                            kept + skip,
                            ::pullback::formula::written::Name::joined(&[&axis_C]),
                            ((eps) as f64),
                        );
                        let axis_C = ::pullback::formula::written::Name::new();
                        let axis_N = ::pullback::formula::written::Name::new();
                        x.bind(&[&axis_N, &axis_C], ::core::option::Option::None);
                        let y0 = {
                            let mu = ::pullback::formula::written::mean(x, &[&over]);
                            let var = ::pullback::formula::written::mean(
                                ::pullback::formula::written::sq(x - mu),
                                &[&over],
                            );
                            (x - mu)
                                / ::pullback::formula::written::sqrt(var + run.num(eps))
                        };
                        y0.promised(&[&axis_N, &axis_C])
                    } + beta
            };
            ::core::result::Result::Ok(
                ::std::vec![y0.finished(& [(& axis_N, 0u32), (& axis_C, 1u32)]),],
            )
        }
    }
};
#[doc(hidden)]
#[macro_export]
macro_rules! __pullback_chain_82cae049d5c4ac24 {
    () => {};
    ([$($target:tt)*] $($state:tt)*) => {
        $($target)* ! { $($state)* { { pub fn chain(x : Tensor < f32, (N, C) >, skip :
        Tensor < f32, (N, C) >, scale : Tensor < f32, C >, shift : Tensor < f32, C >,
        gamma : Tensor < f32, C >, beta : Tensor < f32, C >, seed : Seed, p : f64, eps :
        f64,) -> Tensor < f32, (N, C) > { fn norm(x : Tensor < f32, (N, C) >, over : impl
        Axes, eps : f64) -> Tensor < f32, (N, C) > { let mu = mean(x, over); let var =
        mean(sq(x - mu), over); (x - mu) / sqrt(var + eps) } let active = max(scale *
        norm(x, N, eps) + shift, 0.0); let kept = active * bernoulli_like(active, seed,
        1.0 - p) / (1.0 - p); gamma * norm(kept + skip, C, eps) + beta } } {} } }
    };
}
#[doc(hidden)]
pub use __pullback_chain_82cae049d5c4ac24 as chain;
__pullback_chain_82cae049d5c4ac24! {}
