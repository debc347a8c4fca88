/**
The formula's value; [`Softmax`] has its gradient.

```text
    sum_y_dy = Σ[C] y·dy
    ∂x = y·(dy - sum_y_dy)
```

Saved for the gradient: nothing.
Forward: 3 sweeps (1 large tensor read, 1 written); backward: 2 sweeps (2 large tensors read, 1 written).

# Errors
Where shapes disagree, or a condition of the formula does not hold.*/
#[inline]
pub fn softmax<D: ::pullback::ndarray::Dimension>(
    x: &::pullback::ndarray::ArrayRef<f32, D>,
) -> ::core::result::Result<::pullback::ndarray::Array<f32, D>, ::pullback::Error> {
    ::core::result::Result::map(Softmax.forward(x), |(y, _)| y)
}
///The operation of [`softmax`](fn@softmax) with its constants.
#[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
pub struct Softmax;
///What [`Softmax::forward`] keeps for [`Softmax::backward`].
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct SoftmaxSaved<T> {
    arrays: ::pullback::__private::Saved<T>,
}
///The gradients that [`Softmax::backward`] gives.
#[derive(::core::clone::Clone)]
pub struct SoftmaxGrads<T, D> {
    ///The gradient with respect to `x`.
    pub x: ::pullback::ndarray::Array<T, D>,
}
impl<T: ::core::fmt::Debug, D: ::pullback::ndarray::Dimension> ::core::fmt::Debug
for SoftmaxGrads<T, D> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("SoftmaxGrads").field("x", &self.x).finish()
    }
}
///Where [`Softmax::backward_into`] puts the gradients. `None`: not wanted, and not computed. By default none is.
pub struct SoftmaxInto<'a, T, D> {
    ///For the gradient with respect to `x`.
    pub x: ::core::option::Option<::pullback::Grad<'a, T, D>>,
}
impl<'a, T, D> ::core::default::Default for SoftmaxInto<'a, T, D> {
    #[inline]
    fn default() -> Self {
        SoftmaxInto {
            x: ::core::option::Option::None,
        }
    }
}
const _: () = {
    #[inline]
    fn prepare(
        op: &Softmax,
        [x,
        ]: [::core::option::Option<&[usize]>; 1usize],
    ) -> ::core::result::Result<::pullback::__private::Call, ::pullback::Error> {
        let function = "softmax";
        let mut shapes = ::pullback::__private::Shapes::new(function, &["N", "C"]);
        shapes.array("x", x, &[0usize, 1usize], ::core::option::Option::Some(0usize))?;
        let len_n_0 = shapes.len(0usize);
        let len_c_1 = shapes.len(1usize);
        shapes.not_empty(&[1usize], "max")?;
        ::core::result::Result::Ok(
            ::pullback::__private::Call::new(
                shapes,
                0usize,
                ::std::vec![],
                &[&[0usize, 1usize]],
            ),
        )
    }
    struct SoftmaxForward<'a> {
        space: ::pullback::drivers::Space,
        x: ::pullback::drivers::View<'a>,
        y: ::pullback::drivers::Target<'a>,
    }
    const _: () = {
        use ::pullback::drivers::{At, Kernel, Lane, Out, Vector};
        impl<T: Lane> Kernel<T> for SoftmaxForward<'_> {
            fn run<V: Vector<Elem = T>>(self, at: At<V>) {
                let Self { space, x, y } = self;
                let [n, c] = space.axes();
                let mut k = at.script(space);
                let x = k.input(x, [n, c]);
                let y = k.root(y, [n, c]);
                let max_x = k.wide([n]);
                let e = k.data([n, c]);
                let sum_e = k.wide([n]);
                let recip_sum_e = k.wide([n]);
                k.nest([n]);
                k.sweep([n, c], [x.here()], [])
                    .max(max_x, [c])
                    .body({ #[inline(always)] move |[x], []| Out::store([]).max([x]) });
                k.sweep([n, c], [x.here(), max_x.here()], [])
                    .store(e)
                    .sum(sum_e, [c])
                    .body({
                        #[inline(always)]
                        move |[x, max_x], []| {
                            let e = (x - max_x).exp();
                            Out::store([e]).sum([e])
                        }
                    });
                k.each([n], [sum_e.here()])
                    .store(recip_sum_e)
                    .body({
                        #[inline(always)] move |[sum_e], []| Out::store([sum_e.recip()])
                    });
                k.sweep([n, c], [e.here()], [recip_sum_e.here()])
                    .store(y)
                    .body({
                        #[inline(always)]
                        move |[e], [recip_sum_e]| Out::store([
                            (e * recip_sum_e).narrow(),
                        ])
                    });
                k.run();
            }
        }
    };
    #[inline]
    fn forward<T: ::pullback::Float>(
        call: &::pullback::__private::Call,
        (x,): (::pullback::__private::View<'_>,),
        (y,): (::pullback::__private::Target<'_>,),
    ) -> ::core::result::Result<
        ::pullback::__private::Saved<<T as ::pullback::Float>::Lane>,
        ::pullback::Error,
    > {
        <<T as ::pullback::Float>::Lane as ::pullback::__private::Lane>::dispatch(SoftmaxForward {
            space: call.space(),
            x: x,
            y: y,
        });
        ::core::result::Result::Ok(
            ::pullback::__private::Saved::new(call, ::std::vec![]),
        )
    }
    struct SoftmaxBackward<'a> {
        space: ::pullback::drivers::Space,
        dy: ::pullback::drivers::View<'a>,
        y: ::pullback::drivers::View<'a>,
        grad_x: ::pullback::drivers::Target<'a>,
    }
    const _: () = {
        use ::pullback::drivers::{At, Kernel, Lane, Out, Vector};
        impl<T: Lane> Kernel<T> for SoftmaxBackward<'_> {
            fn run<V: Vector<Elem = T>>(self, at: At<V>) {
                let Self { space, dy, y, grad_x } = self;
                let [n, c] = space.axes();
                let mut k = at.script(space);
                let dy = k.input(dy, [n, c]);
                let y = k.input(y, [n, c]);
                let grad_x = k.root(grad_x, [n, c]);
                let sum_y_dy = k.wide([n]);
                k.nest([n]);
                k.sweep([n, c], [y.here(), dy.here()], [])
                    .sum(sum_y_dy, [c])
                    .body({
                        #[inline(always)] move |[y, dy], []| Out::store([]).sum([y * dy])
                    });
                k.sweep([n, c], [y.here(), dy.here()], [sum_y_dy.here()])
                    .store(grad_x)
                    .body({
                        #[inline(always)]
                        move |[y, dy], [sum_y_dy]| Out::store([
                            (y * (dy - sum_y_dy)).narrow(),
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
        (x,): (::pullback::__private::View<'_>,),
        (y,): (::pullback::__private::View<'_>,),
        saved: &::pullback::__private::Saved<<T as ::pullback::Float>::Lane>,
        (grad_x,): (::pullback::__private::Target<'_>,),
    ) -> ::core::result::Result<(), ::pullback::Error> {
        saved.check(call)?;
        if call.is_empty() {
            grad_x.clear();
            return ::core::result::Result::Ok(());
        }
        <<T as ::pullback::Float>::Lane as ::pullback::__private::Lane>::dispatch(SoftmaxBackward {
            space: call.space(),
            dy: dy,
            y: y,
            grad_x: grad_x,
        });
        ::core::result::Result::Ok(())
    }
    impl Softmax {
        /// Computes the formula, and keeps what `backward` needs.
        ///
        /// # Errors
        /// Where shapes disagree, or a condition of the formula does not hold. Nothing is written then.
        #[inline]
        pub fn forward<D: ::pullback::ndarray::Dimension>(
            &self,
            x: &::pullback::ndarray::ArrayRef<f32, D>,
        ) -> ::core::result::Result<
            (::pullback::ndarray::Array<f32, D>, SoftmaxSaved<f32>),
            ::pullback::Error,
        > {
            let call = prepare(self, [::core::option::Option::Some(x.shape())])?;
            let mut y = call.array::<f32, D>(call.output_axes(0usize))?;
            let arrays = forward::<
                f32,
            >(
                &call,
                (::pullback::__private::View::of(x),),
                (::pullback::__private::Target::write(&mut y),),
            )?;
            ::core::result::Result::Ok((y, SoftmaxSaved { arrays }))
        }
        /// Computes the formula into memory of the caller, and keeps what `backward` needs.
        ///
        /// # Errors
        /// Where shapes disagree, or a condition of the formula does not hold. Nothing is written then.
        #[inline]
        pub fn forward_into<D: ::pullback::ndarray::Dimension>(
            &self,
            x: &::pullback::ndarray::ArrayRef<f32, D>,
            y: &mut ::pullback::ndarray::ArrayRef<f32, D>,
        ) -> ::core::result::Result<SoftmaxSaved<f32>, ::pullback::Error> {
            let call = prepare(self, [::core::option::Option::Some(x.shape())])?;
            call.buffer("y", y.shape(), call.output_axes(0usize))?;
            let arrays = forward::<
                f32,
            >(
                &call,
                (::pullback::__private::View::of(x),),
                (::pullback::__private::Target::write(y),),
            )?;
            ::core::result::Result::Ok(SoftmaxSaved { arrays })
        }
        /**Computes the formula, as `forward` does, and overwrites `x` with the result.

The gradients do not depend on what it held: `backward` takes the overwritten array for both `x` and `y`.

# Errors
Where shapes disagree, or a condition of the formula does not hold. Nothing is written then.*/
        #[inline]
        pub fn forward_inplace<D: ::pullback::ndarray::Dimension>(
            &self,
            x: &mut ::pullback::ndarray::ArrayRef<f32, D>,
        ) -> ::core::result::Result<SoftmaxSaved<f32>, ::pullback::Error> {
            let call = prepare(self, [::core::option::Option::Some(x.shape())])?;
            let arrays = forward::<
                f32,
            >(
                &call,
                (::pullback::__private::View::overwritten(),),
                (::pullback::__private::Target::overwriting(x),),
            )?;
            ::core::result::Result::Ok(SoftmaxSaved { arrays })
        }
        /**The gradients, from the cotangent of the output.

```text
    sum_y_dy = Σ[C] y·dy
    ∂x = y·(dy - sum_y_dy)
```

Saved for the gradient: nothing.
Forward: 3 sweeps (1 large tensor read, 1 written); backward: 2 sweeps (2 large tensors read, 1 written).*/
        ///
        /// # Errors
        /// Where shapes disagree, or `saved` comes from another call.
        #[inline]
        pub fn backward<D: ::pullback::ndarray::Dimension>(
            &self,
            dy: &::pullback::ndarray::ArrayRef<f32, D>,
            x: &::pullback::ndarray::ArrayRef<f32, D>,
            y: &::pullback::ndarray::ArrayRef<f32, D>,
            saved: &SoftmaxSaved<f32>,
        ) -> ::core::result::Result<SoftmaxGrads<f32, D>, ::pullback::Error> {
            let call = prepare(self, [::core::option::Option::Some(x.shape())])?;
            let mut grad_x = call.array::<f32, D>(&[0usize, 1usize])?;
            call.buffer("dy", dy.shape(), call.output_axes(0usize))?;
            call.buffer("y", y.shape(), call.output_axes(0usize))?;
            backward::<
                f32,
            >(
                &call,
                (::pullback::__private::View::of(dy),),
                (::pullback::__private::View::of(x),),
                (::pullback::__private::View::of(y),),
                &saved.arrays,
                (::pullback::__private::Target::write(&mut grad_x),),
            )?;
            ::core::result::Result::Ok(SoftmaxGrads { x: grad_x })
        }
        /// Computes the wanted gradients into memory of the caller.
        ///
        /// # Errors
        /// Where shapes disagree, or `saved` comes from another call. Nothing is written then.
        #[inline]
        pub fn backward_into<D: ::pullback::ndarray::Dimension>(
            &self,
            dy: &::pullback::ndarray::ArrayRef<f32, D>,
            x: &::pullback::ndarray::ArrayRef<f32, D>,
            y: &::pullback::ndarray::ArrayRef<f32, D>,
            saved: &SoftmaxSaved<f32>,
            into: SoftmaxInto<'_, f32, D>,
        ) -> ::core::result::Result<(), ::pullback::Error> {
            let call = prepare(self, [::core::option::Option::Some(x.shape())])?;
            ::pullback::__private::check_grad(
                &call,
                "into.x",
                &into.x,
                &[0usize, 1usize],
            )?;
            call.buffer("dy", dy.shape(), call.output_axes(0usize))?;
            call.buffer("y", y.shape(), call.output_axes(0usize))?;
            backward::<
                f32,
            >(
                &call,
                (::pullback::__private::View::of(dy),),
                (::pullback::__private::View::of(x),),
                (::pullback::__private::View::of(y),),
                &saved.arrays,
                (::pullback::__private::target(into.x),),
            )?;
            ::core::result::Result::Ok(())
        }
    }
    impl<T> SoftmaxSaved<T> {
        /// How many bytes are kept.
        #[inline]
        pub fn bytes(&self) -> usize {
            self.arrays.bytes()
        }
    }
    impl<T: ::pullback::Float> ::pullback::Layer<T> for Softmax {
        const NAME: &'static str = "softmax";
        const AXES: &'static [&'static str] = &["N", "C"];
        const ARGS: &'static [::pullback::layer::ArgSpec] = &[
            ::pullback::layer::ArgSpec::new(
                    "x",
                    &["N", "C"],
                    ::pullback::layer::ArgKind::Tensor,
                )
                .many(0usize),
        ];
        const OUTPUTS: &'static [::pullback::layer::OutputSpec] = &[
            ::pullback::layer::OutputSpec::new(&["N", "C"]).many(0usize),
        ];
        const BACKWARD_READS: ::pullback::layer::Reads = ::pullback::layer::Reads {
            args: &[],
            outputs: &[0usize],
        };
        type Saved = SoftmaxSaved<<T as ::pullback::Float>::Lane>;
        fn forward(
            &self,
            args: &mut [::pullback::layer::Arg<'_, T>],
        ) -> ::core::result::Result<
            ::pullback::layer::Forward<T, Self::Saved>,
            ::pullback::Error,
        > {
            let [x] = ::pullback::layer::exactly_mut(args, "softmax", "arguments")?;
            let call = prepare(self, [::pullback::__private::arg_shape(&x)])?;
            let mut y = call
                .array::<T, ::pullback::ndarray::IxDyn>(call.output_axes(0usize))?;
            let arrays = forward::<
                T,
            >(
                &call,
                (::pullback::__private::arg_view(call.function(), "x", x)?,),
                (::pullback::__private::Target::write(&mut y),),
            )?;
            ::core::result::Result::Ok(::pullback::layer::Forward {
                outputs: ::std::vec![::pullback::layer::Output::Float(y)],
                saved: SoftmaxSaved { arrays },
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
            let [dy] = ::pullback::layer::exactly(cotangents, "softmax", "cotangents")?;
            let [x] = ::pullback::layer::exactly(args, "softmax", "arguments")?;
            let [y] = ::pullback::layer::exactly(outputs, "softmax", "outputs")?;
            let [grad_x] = ::pullback::layer::exactly_mut(
                wanted,
                "softmax",
                "gradients",
            )?;
            let call = prepare(self, [::pullback::__private::arg_shape(&x)])?;
            call.buffer("dy", dy.shape(), call.output_axes(0usize))?;
            ::pullback::__private::check_slot(&call, "x", &grad_x, &[0usize, 1usize])?;
            backward::<
                T,
            >(
                &call,
                (::pullback::__private::View::of(dy),),
                (::pullback::__private::arg_view(call.function(), "x", x)?,),
                (
                    ::pullback::__private::output_view(
                        &call,
                        "y",
                        y,
                        call.output_axes(0usize),
                    )?,
                ),
                &saved.arrays,
                (::pullback::__private::slot_target(call.function(), "x", grad_x)?,),
            )
        }
        fn reference(
            &self,
            args: &[::core::option::Option<::pullback::formula::Value>],
        ) -> ::core::result::Result<
            ::std::vec::Vec<::pullback::formula::Value>,
            ::pullback::Error,
        > {
            let [arg0] = ::pullback::layer::exactly(args, "softmax", "arguments")?;
            let shapes = [arg0.as_ref().map(::pullback::__private::value_shape)];
            let op = self;
            let call = prepare(op, shapes.each_ref().map(|s| s.as_deref()))?;
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
            let y0 = {
                let e = ::pullback::formula::written::exp(
                    x - ::pullback::formula::written::max(x, &[&axis_C]),
                );
                e / ::pullback::formula::written::sum(e, &[&axis_C])
            };
            ::core::result::Result::Ok(
                ::std::vec![y0.finished(& [(& axis_N, 0u32), (& axis_C, 1u32)]),],
            )
        }
    }
};
#[doc(hidden)]
#[macro_export]
macro_rules! __pullback_softmax_13322cea08b03328 {
    () => {};
    ([$($target:tt)*] $($state:tt)*) => {
        $($target)* ! { $($state)* { { pub fn softmax(x : Tensor < f32, (Many < N >, C)
        >) -> Tensor < f32, (Many < N >, C) > { let e = exp(x - max(x, C)); e / sum(e, C)
        } } {} } }
    };
}
#[doc(hidden)]
pub use __pullback_softmax_13322cea08b03328 as softmax;
__pullback_softmax_13322cea08b03328! {}
