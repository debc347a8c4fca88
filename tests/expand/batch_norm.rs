/**
The formula's value; [`BatchNorm`] has its gradient.

```text
    sum_dy = Σ[N,S] dy
    count = len(N)·len(S)
    xc = x - mu
    sum_xc_dy = Σ[N,S] xc·dy
    ∂x = gamma·rstd·(dy - sum_dy / count - sum_xc_dy·rstd² / count·xc)
    ∂gamma = rstd·sum_xc_dy
    ∂beta = sum_dy
```

Saved for the gradient: `mu` (`f64`), `rstd` (`f64`).
Forward: 3 sweeps (1 large tensor read, 1 written); backward: 2 sweeps (2 large tensors read, 1 written).

# Errors
Where shapes disagree, or a condition of the formula does not hold.*/
#[inline]
pub fn batch_norm<D: ::pullback::ndarray::Dimension>(
    x: &::pullback::ndarray::ArrayRef<f32, D>,
    gamma: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
    beta: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
    eps: f64,
) -> ::core::result::Result<::pullback::ndarray::Array<f32, D>, ::pullback::Error> {
    ::core::result::Result::map(BatchNorm { eps }.forward(x, gamma, beta), |(y, _)| y)
}
///The operation of [`batch_norm`](fn@batch_norm) with its constants.
#[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
pub struct BatchNorm {
    ///The constant `eps` of the formula.
    pub eps: f64,
}
///What [`BatchNorm::forward`] keeps for [`BatchNorm::backward`].
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BatchNormSaved<T> {
    arrays: ::pullback::__private::Saved<T>,
}
///The gradients that [`BatchNorm::backward`] gives.
#[derive(::core::clone::Clone)]
pub struct BatchNormGrads<T, D> {
    ///The gradient with respect to `x`.
    pub x: ::pullback::ndarray::Array<T, D>,
    ///The gradient with respect to `gamma`.
    pub gamma: ::pullback::ndarray::Array<T, ::pullback::ndarray::Ix1>,
    ///The gradient with respect to `beta`.
    pub beta: ::pullback::ndarray::Array<T, ::pullback::ndarray::Ix1>,
}
impl<T: ::core::fmt::Debug, D: ::pullback::ndarray::Dimension> ::core::fmt::Debug
for BatchNormGrads<T, D> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("BatchNormGrads")
            .field("x", &self.x)
            .field("gamma", &self.gamma)
            .field("beta", &self.beta)
            .finish()
    }
}
///Where [`BatchNorm::backward_into`] puts the gradients. `None`: not wanted, and not computed. By default none is.
pub struct BatchNormInto<'a, T, D> {
    ///For the gradient with respect to `x`.
    pub x: ::core::option::Option<::pullback::Grad<'a, T, D>>,
    ///For the gradient with respect to `gamma`.
    pub gamma: ::core::option::Option<::pullback::Grad<'a, T, ::pullback::ndarray::Ix1>>,
    ///For the gradient with respect to `beta`.
    pub beta: ::core::option::Option<::pullback::Grad<'a, T, ::pullback::ndarray::Ix1>>,
}
impl<'a, T, D> ::core::default::Default for BatchNormInto<'a, T, D> {
    #[inline]
    fn default() -> Self {
        BatchNormInto {
            x: ::core::option::Option::None,
            gamma: ::core::option::Option::None,
            beta: ::core::option::Option::None,
        }
    }
}
const _: () = {
    #[inline]
    fn prepare(
        op: &BatchNorm,
        [x,
        gamma,
        beta,
        ]: [::core::option::Option<&[usize]>; 3usize],
    ) -> ::core::result::Result<::pullback::__private::Call, ::pullback::Error> {
        let function = "batch_norm";
        let BatchNorm { eps, .. } = ::core::clone::Clone::clone(op);
        let mut shapes = ::pullback::__private::Shapes::new(function, &["N", "C", "S"]);
        shapes
            .array(
                "x",
                x,
                &[0usize, 1usize, 2usize],
                ::core::option::Option::Some(2usize),
            )?;
        shapes.array("gamma", gamma, &[1usize], ::core::option::Option::None)?;
        shapes.array("beta", beta, &[1usize], ::core::option::Option::None)?;
        let len_n_0 = shapes.len(0usize);
        let len_c_1 = shapes.len(1usize);
        let len_s_2 = shapes.len(2usize);
        let c0 = ::pullback::__private::number(eps);
        ::core::result::Result::Ok(
            ::pullback::__private::Call::new(
                shapes,
                0usize,
                ::std::vec![::pullback::__private::Host::Number(c0)],
                &[&[0usize, 1usize, 2usize]],
            ),
        )
    }
    struct BatchNormForward<'a> {
        space: ::pullback::drivers::Space,
        x: ::pullback::drivers::View<'a>,
        gamma: ::pullback::drivers::View<'a>,
        beta: ::pullback::drivers::View<'a>,
        eps: f64,
        y: ::pullback::drivers::Target<'a>,
        mu: ::pullback::drivers::Target<'a>,
        rstd: ::pullback::drivers::Target<'a>,
    }
    const _: () = {
        use ::pullback::drivers::{At, Kernel, Lane, Out, Vector};
        impl<T: Lane> Kernel<T> for BatchNormForward<'_> {
            fn run<V: Vector<Elem = T>>(self, at: At<V>) {
                let Self { space, x, gamma, beta, eps, y, mu, rstd } = self;
                let [n, c, s] = space.axes();
                let len_n = space.len(n);
                let len_s = space.len(s);
                let mut k = at.script(space);
                let x = k.input(x, [n, c, s]);
                let gamma = k.input(gamma, [c]);
                let beta = k.input(beta, [c]);
                let y = k.root(y, [n, c, s]);
                let mu = k.root(mu, [c]);
                let rstd = k.root(rstd, [c]);
                let sum_x = k.wide([c]);
                let sum_sq_xc = k.wide([c]);
                k.nest([c]);
                k.sweep([n, c, s], [x.here()], [])
                    .sum(sum_x, [n, s])
                    .body({ #[inline(always)] move |[x], []| Out::store([]).sum([x]) });
                k.each([c], [sum_x.here()])
                    .store(mu)
                    .body({
                        #[inline(always)]
                        move |[sum_x], []| {
                            let mu = sum_x / (len_n * len_s);
                            Out::store([mu])
                        }
                    });
                k.sweep([n, c, s], [x.here()], [mu.here()])
                    .sum(sum_sq_xc, [n, s])
                    .body({
                        #[inline(always)]
                        move |[x], [mu]| Out::store([]).sum([(x - mu).sq()])
                    });
                k.each([c], [sum_sq_xc.here()])
                    .store(rstd)
                    .body({
                        #[inline(always)]
                        move |[sum_sq_xc], []| {
                            let var = sum_sq_xc / (len_n * len_s);
                            Out::store([(var + eps).sqrt().recip()])
                        }
                    });
                k.sweep(
                        [n, c, s],
                        [x.here()],
                        [gamma.here(), mu.here(), rstd.here(), beta.here()],
                    )
                    .store(y)
                    .body({
                        #[inline(always)]
                        move |[x], [gamma, mu, rstd, beta]| Out::store([
                            (gamma * (x - mu) * rstd + beta).narrow(),
                        ])
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
            gamma,
            beta,
        ): (
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
        <<T as ::pullback::Float>::Lane as ::pullback::__private::Lane>::dispatch(BatchNormForward {
            space: call.space(),
            x: x,
            gamma: gamma,
            beta: beta,
            eps: call.number(0usize),
            y: y,
            mu: ::pullback::__private::Target::write(&mut saved0),
            rstd: ::pullback::__private::Target::write(&mut saved1),
        });
        ::core::result::Result::Ok(
            ::pullback::__private::Saved::new(
                call,
                ::std::vec![
                    ::pullback::__private::SavedArray::Wide("mu", saved0),
                    ::pullback::__private::SavedArray::Wide("rstd", saved1)
                ],
            ),
        )
    }
    struct BatchNormBackward<'a> {
        space: ::pullback::drivers::Space,
        x: ::pullback::drivers::View<'a>,
        gamma: ::pullback::drivers::View<'a>,
        dy: ::pullback::drivers::View<'a>,
        mu: ::pullback::drivers::View<'a>,
        rstd: ::pullback::drivers::View<'a>,
        grad_x: ::pullback::drivers::Target<'a>,
        grad_gamma: ::pullback::drivers::Target<'a>,
        grad_beta: ::pullback::drivers::Target<'a>,
    }
    const _: () = {
        use ::pullback::drivers::{At, Kernel, Lane, Out, Vector};
        impl<T: Lane> Kernel<T> for BatchNormBackward<'_> {
            fn run<V: Vector<Elem = T>>(self, at: At<V>) {
                let Self {
                    space,
                    x,
                    gamma,
                    dy,
                    mu,
                    rstd,
                    grad_x,
                    grad_gamma,
                    grad_beta,
                } = self;
                let [n, c, s] = space.axes();
                let len_n = space.len(n);
                let len_s = space.len(s);
                let mut k = at.script(space);
                let x = k.input(x, [n, c, s]);
                let gamma = k.input(gamma, [c]);
                let dy = k.input(dy, [n, c, s]);
                let mu = k.input(mu, [c]);
                let rstd = k.input(rstd, [c]);
                let grad_x = k.root(grad_x, [n, c, s]);
                let grad_gamma = k.root(grad_gamma, [c]);
                let grad_beta = k.root(grad_beta, [c]);
                let gamma_rstd = k.wide([c]);
                let sum_dy = k.wide([c]);
                let sum_xc_dy = k.wide([c]);
                let mean_dy = k.wide([c]);
                let slope_xc_dy = k.wide([c]);
                k.nest([]);
                k.each([c], [gamma.here(), rstd.here()])
                    .store(gamma_rstd)
                    .body({
                        #[inline(always)]
                        move |[gamma, rstd], []| Out::store([gamma * rstd])
                    });
                k.nest([c]);
                k.sweep([n, c, s], [dy.here(), x.here()], [mu.here()])
                    .sum(sum_dy, [n, s])
                    .sum(sum_xc_dy, [n, s])
                    .body({
                        #[inline(always)]
                        move |[dy, x], [mu]| {
                            Out::store([]).sum([dy.wide(), (x - mu) * dy])
                        }
                    });
                let count = len_n * len_s;
                k.each([c], [sum_dy.here(), sum_xc_dy.here(), rstd.here()])
                    .store(mean_dy)
                    .store(slope_xc_dy)
                    .body({
                        #[inline(always)]
                        move |[sum_dy, sum_xc_dy, rstd], []| Out::store([
                            sum_dy / count,
                            sum_xc_dy * rstd.sq() / count,
                        ])
                    });
                k.sweep(
                        [n, c, s],
                        [dy.here(), x.here()],
                        [
                            gamma_rstd.here(),
                            mean_dy.here(),
                            slope_xc_dy.here(),
                            mu.here(),
                        ],
                    )
                    .store(grad_x)
                    .body({
                        #[inline(always)]
                        move |[dy, x], [gamma_rstd, mean_dy, slope_xc_dy, mu]| Out::store([
                            (gamma_rstd * (dy - mean_dy - slope_xc_dy * (x - mu)))
                                .narrow(),
                        ])
                    });
                k.after();
                k.each([c], [sum_dy.here(), rstd.here(), sum_xc_dy.here()])
                    .store(grad_beta)
                    .store(grad_gamma)
                    .body({
                        #[inline(always)]
                        move |[sum_dy, rstd, sum_xc_dy], []| Out::store([
                            sum_dy,
                            rstd * sum_xc_dy,
                        ])
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
            gamma,
            beta,
        ): (
            ::pullback::__private::View<'_>,
            ::pullback::__private::View<'_>,
            ::pullback::__private::View<'_>,
        ),
        (y,): (::pullback::__private::View<'_>,),
        saved: &::pullback::__private::Saved<<T as ::pullback::Float>::Lane>,
        (
            grad_x,
            grad_gamma,
            grad_beta,
        ): (
            ::pullback::__private::Target<'_>,
            ::pullback::__private::Target<'_>,
            ::pullback::__private::Target<'_>,
        ),
    ) -> ::core::result::Result<(), ::pullback::Error> {
        saved.check(call)?;
        if call.is_empty() {
            grad_x.clear();
            grad_gamma.clear();
            grad_beta.clear();
            return ::core::result::Result::Ok(());
        }
        <<T as ::pullback::Float>::Lane as ::pullback::__private::Lane>::dispatch(BatchNormBackward {
            space: call.space(),
            x: x,
            gamma: gamma,
            dy: dy,
            mu: ::pullback::__private::View::of(saved.wide(0usize)?),
            rstd: ::pullback::__private::View::of(saved.wide(1usize)?),
            grad_x: grad_x,
            grad_gamma: grad_gamma,
            grad_beta: grad_beta,
        });
        ::core::result::Result::Ok(())
    }
    impl BatchNorm {
        /// Computes the formula, and keeps what `backward` needs.
        ///
        /// # Errors
        /// Where shapes disagree, or a condition of the formula does not hold. Nothing is written then.
        #[inline]
        pub fn forward<D: ::pullback::ndarray::Dimension>(
            &self,
            x: &::pullback::ndarray::ArrayRef<f32, D>,
            gamma: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            beta: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
        ) -> ::core::result::Result<
            (::pullback::ndarray::Array<f32, D>, BatchNormSaved<f32>),
            ::pullback::Error,
        > {
            let call = prepare(
                self,
                [
                    ::core::option::Option::Some(x.shape()),
                    ::core::option::Option::Some(gamma.shape()),
                    ::core::option::Option::Some(beta.shape()),
                ],
            )?;
            let mut y = call.array::<f32, D>(call.output_axes(0usize))?;
            let arrays = forward::<
                f32,
            >(
                &call,
                (
                    ::pullback::__private::View::of(x),
                    ::pullback::__private::View::of(gamma),
                    ::pullback::__private::View::of(beta),
                ),
                (::pullback::__private::Target::write(&mut y),),
            )?;
            ::core::result::Result::Ok((y, BatchNormSaved { arrays }))
        }
        /// Computes the formula into memory of the caller, and keeps what `backward` needs.
        ///
        /// # Errors
        /// Where shapes disagree, or a condition of the formula does not hold. Nothing is written then.
        #[inline]
        pub fn forward_into<D: ::pullback::ndarray::Dimension>(
            &self,
            x: &::pullback::ndarray::ArrayRef<f32, D>,
            gamma: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            beta: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            y: &mut ::pullback::ndarray::ArrayRef<f32, D>,
        ) -> ::core::result::Result<BatchNormSaved<f32>, ::pullback::Error> {
            let call = prepare(
                self,
                [
                    ::core::option::Option::Some(x.shape()),
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
                    ::pullback::__private::View::of(gamma),
                    ::pullback::__private::View::of(beta),
                ),
                (::pullback::__private::Target::write(y),),
            )?;
            ::core::result::Result::Ok(BatchNormSaved { arrays })
        }
        /**The gradients, from the cotangent of the output.

```text
    sum_dy = Σ[N,S] dy
    count = len(N)·len(S)
    xc = x - mu
    sum_xc_dy = Σ[N,S] xc·dy
    ∂x = gamma·rstd·(dy - sum_dy / count - sum_xc_dy·rstd² / count·xc)
    ∂gamma = rstd·sum_xc_dy
    ∂beta = sum_dy
```

Saved for the gradient: `mu` (`f64`), `rstd` (`f64`).
Forward: 3 sweeps (1 large tensor read, 1 written); backward: 2 sweeps (2 large tensors read, 1 written).*/
        ///
        /// # Errors
        /// Where shapes disagree, or `saved` comes from another call.
        #[inline]
        pub fn backward<D: ::pullback::ndarray::Dimension>(
            &self,
            dy: &::pullback::ndarray::ArrayRef<f32, D>,
            x: &::pullback::ndarray::ArrayRef<f32, D>,
            gamma: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            beta: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            y: &::pullback::ndarray::ArrayRef<f32, D>,
            saved: &BatchNormSaved<f32>,
        ) -> ::core::result::Result<BatchNormGrads<f32, D>, ::pullback::Error> {
            let call = prepare(
                self,
                [
                    ::core::option::Option::Some(x.shape()),
                    ::core::option::Option::Some(gamma.shape()),
                    ::core::option::Option::Some(beta.shape()),
                ],
            )?;
            let mut grad_x = call.array::<f32, D>(&[0usize, 1usize, 2usize])?;
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
                    ::pullback::__private::View::of(gamma),
                    ::pullback::__private::View::of(beta),
                ),
                (::pullback::__private::View::of(y),),
                &saved.arrays,
                (
                    ::pullback::__private::Target::write(&mut grad_x),
                    ::pullback::__private::Target::write(&mut grad_gamma),
                    ::pullback::__private::Target::write(&mut grad_beta),
                ),
            )?;
            ::core::result::Result::Ok(BatchNormGrads {
                x: grad_x,
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
        pub fn backward_into<D: ::pullback::ndarray::Dimension>(
            &self,
            dy: &::pullback::ndarray::ArrayRef<f32, D>,
            x: &::pullback::ndarray::ArrayRef<f32, D>,
            gamma: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            beta: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix1>,
            y: &::pullback::ndarray::ArrayRef<f32, D>,
            saved: &BatchNormSaved<f32>,
            into: BatchNormInto<'_, f32, D>,
        ) -> ::core::result::Result<(), ::pullback::Error> {
            let call = prepare(
                self,
                [
                    ::core::option::Option::Some(x.shape()),
                    ::core::option::Option::Some(gamma.shape()),
                    ::core::option::Option::Some(beta.shape()),
                ],
            )?;
            ::pullback::__private::check_grad(
                &call,
                "into.x",
                &into.x,
                &[0usize, 1usize, 2usize],
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
                    ::pullback::__private::View::of(gamma),
                    ::pullback::__private::View::of(beta),
                ),
                (::pullback::__private::View::of(y),),
                &saved.arrays,
                (
                    ::pullback::__private::target(into.x),
                    ::pullback::__private::target(into.gamma),
                    ::pullback::__private::target(into.beta),
                ),
            )?;
            ::core::result::Result::Ok(())
        }
    }
    impl<T> BatchNormSaved<T> {
        /// How many bytes are kept.
        #[inline]
        pub fn bytes(&self) -> usize {
            self.arrays.bytes()
        }
    }
    impl<T: ::pullback::Float> ::pullback::Layer<T> for BatchNorm {
        const NAME: &'static str = "batch_norm";
        const AXES: &'static [&'static str] = &["N", "C", "S"];
        const ARGS: &'static [::pullback::layer::ArgSpec] = &[
            ::pullback::layer::ArgSpec::new(
                    "x",
                    &["N", "C", "S"],
                    ::pullback::layer::ArgKind::Tensor,
                )
                .many(2usize),
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
            ::pullback::layer::OutputSpec::new(&["N", "C", "S"]).many(2usize),
        ];
        const BACKWARD_READS: ::pullback::layer::Reads = ::pullback::layer::Reads {
            args: &[0usize, 1usize],
            outputs: &[],
        };
        type Saved = BatchNormSaved<<T as ::pullback::Float>::Lane>;
        fn forward(
            &self,
            args: &mut [::pullback::layer::Arg<'_, T>],
        ) -> ::core::result::Result<
            ::pullback::layer::Forward<T, Self::Saved>,
            ::pullback::Error,
        > {
            let [x, gamma, beta] = ::pullback::layer::exactly_mut(
                args,
                "batch_norm",
                "arguments",
            )?;
            let call = prepare(
                self,
                [
                    ::pullback::__private::arg_shape(&x),
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
                    ::pullback::__private::arg_view(call.function(), "gamma", gamma)?,
                    ::pullback::__private::arg_view(call.function(), "beta", beta)?,
                ),
                (::pullback::__private::Target::write(&mut y),),
            )?;
            ::core::result::Result::Ok(::pullback::layer::Forward {
                outputs: ::std::vec![::pullback::layer::Output::Float(y)],
                saved: BatchNormSaved { arrays },
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
            let [dy] = ::pullback::layer::exactly(
                cotangents,
                "batch_norm",
                "cotangents",
            )?;
            let [x, gamma, beta] = ::pullback::layer::exactly(
                args,
                "batch_norm",
                "arguments",
            )?;
            let [y] = ::pullback::layer::exactly(outputs, "batch_norm", "outputs")?;
            let [grad_x, grad_gamma, grad_beta] = ::pullback::layer::exactly_mut(
                wanted,
                "batch_norm",
                "gradients",
            )?;
            let call = prepare(
                self,
                [
                    ::pullback::__private::arg_shape(&x),
                    ::pullback::__private::arg_shape(&gamma),
                    ::pullback::__private::arg_shape(&beta),
                ],
            )?;
            call.buffer("dy", dy.shape(), call.output_axes(0usize))?;
            ::pullback::__private::check_slot(
                &call,
                "x",
                &grad_x,
                &[0usize, 1usize, 2usize],
            )?;
            ::pullback::__private::check_slot(&call, "gamma", &grad_gamma, &[1usize])?;
            ::pullback::__private::check_slot(&call, "beta", &grad_beta, &[1usize])?;
            backward::<
                T,
            >(
                &call,
                (::pullback::__private::View::of(dy),),
                (
                    ::pullback::__private::arg_view(call.function(), "x", x)?,
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
            let [arg0, arg1, arg2] = ::pullback::layer::exactly(
                args,
                "batch_norm",
                "arguments",
            )?;
            let shapes = [
                arg0.as_ref().map(::pullback::__private::value_shape),
                arg1.as_ref().map(::pullback::__private::value_shape),
                arg2.as_ref().map(::pullback::__private::value_shape),
            ];
            let op = self;
            let call = prepare(op, shapes.each_ref().map(|s| s.as_deref()))?;
            let BatchNorm { eps, .. } = ::core::clone::Clone::clone(op);
            let run = ::pullback::formula::written::Run::new(
                &[call.len(0usize), call.len(1usize), call.len(2usize)],
            );
            let axis_C = ::pullback::formula::written::Name::of(1u32);
            let axis_N = ::pullback::formula::written::Name::of(0u32);
            let axis_S = ::pullback::formula::written::Name::of(2u32);
            let x = run
                .argument(
                    ::pullback::__private::given(&call, "x", arg0)?,
                    &[&axis_N, &axis_C, &axis_S],
                );
            let gamma = run
                .argument(
                    ::pullback::__private::given(&call, "gamma", arg1)?,
                    &[&axis_C],
                );
            let beta = run
                .argument(
                    ::pullback::__private::given(&call, "beta", arg2)?,
                    &[&axis_C],
                );
            let y0 = {
                let mu = ::pullback::formula::written::mean(x, &[&axis_N, &axis_S]);
                let var = ::pullback::formula::written::mean(
                    ::pullback::formula::written::sq(x - mu),
                    &[&axis_N, &axis_S],
                );
                gamma * (x - mu) / ::pullback::formula::written::sqrt(var + run.num(eps))
                    + beta
            };
            ::core::result::Result::Ok(
                ::std::vec![
                    y0.finished(& [(& axis_N, 0u32), (& axis_C, 1u32), (& axis_S,
                    2u32)]),
                ],
            )
        }
    }
};
#[doc(hidden)]
#[macro_export]
macro_rules! __pullback_batch_norm_bd91dfb8bbf6fa3b {
    () => {};
    ([$($target:tt)*] $($state:tt)*) => {
        $($target)* ! { $($state)* { { pub fn batch_norm(x : Tensor < f32, (N, C, Many <
        S >) >, gamma : Tensor < f32, C >, beta : Tensor < f32, C >, eps : f64,) ->
        Tensor < f32, (N, C, Many < S >) > { let mu = mean(x, (N, S)); let var =
        mean(sq(x - mu), (N, S)); gamma * (x - mu) / sqrt(var + eps) + beta } } {} } }
    };
}
#[doc(hidden)]
pub use __pullback_batch_norm_bd91dfb8bbf6fa3b as batch_norm;
__pullback_batch_norm_bd91dfb8bbf6fa3b! {}
