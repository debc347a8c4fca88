/**
The formula's value; [`MaxPool2d`] has its gradient.

```text
    sum = Σ[KH,KW] select(eq(index(KH)·len(KW) + index(KW), argmax_x), dy, 0)[OH,OW]
    ∂x = sum
```

Saved for the gradient: `argmax_x` (one byte an element).
Forward: 1 sweep (1 large tensor read, 2 written); backward: 1 sweep (2 large tensors read, 1 written).

# Errors
Where shapes disagree, or a condition of the formula does not hold.*/
#[inline]
pub fn max_pool2d(
    x: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix4>,
    k: ::pullback::Window<2usize>,
) -> ::core::result::Result<
    ::pullback::ndarray::Array<f32, ::pullback::ndarray::Ix4>,
    ::pullback::Error,
> {
    ::core::result::Result::map(MaxPool2d { k }.forward(x), |(y, _)| y)
}
///The operation of [`max_pool2d`](fn@max_pool2d) with its constants.
#[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
pub struct MaxPool2d {
    ///The constant `k` of the formula.
    pub k: ::pullback::Window<2usize>,
}
///What [`MaxPool2d::forward`] keeps for [`MaxPool2d::backward`].
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct MaxPool2dSaved<T> {
    arrays: ::pullback::__private::Saved<T>,
}
///The gradients that [`MaxPool2d::backward`] gives.
#[derive(::core::clone::Clone)]
pub struct MaxPool2dGrads<T> {
    ///The gradient with respect to `x`.
    pub x: ::pullback::ndarray::Array<T, ::pullback::ndarray::Ix4>,
}
impl<T: ::core::fmt::Debug> ::core::fmt::Debug for MaxPool2dGrads<T> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("MaxPool2dGrads").field("x", &self.x).finish()
    }
}
///Where [`MaxPool2d::backward_into`] puts the gradients. `None`: not wanted, and not computed. By default none is.
pub struct MaxPool2dInto<'a, T> {
    ///For the gradient with respect to `x`.
    pub x: ::core::option::Option<::pullback::Grad<'a, T, ::pullback::ndarray::Ix4>>,
}
impl<'a, T> ::core::default::Default for MaxPool2dInto<'a, T> {
    #[inline]
    fn default() -> Self {
        MaxPool2dInto {
            x: ::core::option::Option::None,
        }
    }
}
const _: () = {
    #[inline]
    fn prepare(
        op: &MaxPool2d,
        [x,
        ]: [::core::option::Option<&[usize]>; 1usize],
    ) -> ::core::result::Result<::pullback::__private::Call, ::pullback::Error> {
        let function = "max_pool2d";
        let MaxPool2d { k, .. } = ::core::clone::Clone::clone(op);
        let mut shapes = ::pullback::__private::Shapes::new(
            function,
            &["N", "C", "H", "W"],
        );
        shapes
            .array(
                "x",
                x,
                &[0usize, 1usize, 2usize, 3usize],
                ::core::option::Option::None,
            )?;
        let len_n_0 = shapes.len(0usize);
        let len_c_1 = shapes.len(1usize);
        let len_h_2 = shapes.len(2usize);
        let len_w_3 = shapes.len(3usize);
        (k).check(function, ["H", "W"], [len_h_2, len_w_3])?;
        let c0 = ::pullback::__private::integer((k).output_len(0usize, len_h_2));
        let c1 = ::pullback::__private::integer((k).kernel(0usize));
        let c2 = ::pullback::__private::integer((k).step(0usize));
        let c3 = ::pullback::__private::integer((k).dilate(0usize));
        let c4 = ::pullback::__private::integer((k).pad(0usize));
        let c5 = ::pullback::__private::integer(
            if (k).counts_padding() { (k).pad(0usize) } else { 0 },
        );
        let len_oh_4 = shapes.define("OH", c0)?;
        let len_kh_5 = shapes.define("KH", c1)?;
        let c6 = ::pullback::__private::integer((k).output_len(1usize, len_w_3));
        let c7 = ::pullback::__private::integer((k).kernel(1usize));
        let c8 = ::pullback::__private::integer((k).step(1usize));
        let c9 = ::pullback::__private::integer((k).dilate(1usize));
        let c10 = ::pullback::__private::integer((k).pad(1usize));
        let c11 = ::pullback::__private::integer(
            if (k).counts_padding() { (k).pad(1usize) } else { 0 },
        );
        let len_ow_6 = shapes.define("OW", c6)?;
        let len_kw_7 = shapes.define("KW", c7)?;
        let c12 = ::pullback::__private::number((k).divides_by().unwrap_or(0));
        let c13 = ::pullback::__private::number((k).divides_by().is_some());
        shapes.not_empty(&[5usize, 7usize], "max")?;
        (k).check_filled(function, ["H", "W"], [len_h_2, len_w_3])?;
        ::core::result::Result::Ok(
            ::pullback::__private::Call::new(
                shapes,
                0usize,
                ::std::vec![
                    ::pullback::__private::Host::Integer(c0),
                    ::pullback::__private::Host::Integer(c1),
                    ::pullback::__private::Host::Integer(c2),
                    ::pullback::__private::Host::Integer(c3),
                    ::pullback::__private::Host::Integer(c4),
                    ::pullback::__private::Host::Integer(c5),
                    ::pullback::__private::Host::Integer(c6),
                    ::pullback::__private::Host::Integer(c7),
                    ::pullback::__private::Host::Integer(c8),
                    ::pullback::__private::Host::Integer(c9),
                    ::pullback::__private::Host::Integer(c10),
                    ::pullback::__private::Host::Integer(c11),
                    ::pullback::__private::Host::Number(c12),
                    ::pullback::__private::Host::Number(c13)
                ],
                &[&[0usize, 1usize, 4usize, 6usize]],
            ),
        )
    }
    struct MaxPool2dForward<'a> {
        space: ::pullback::drivers::Space,
        x: ::pullback::drivers::View<'a>,
        k_step_0usize: i64,
        k_dilate_0usize: i64,
        k_step_1usize: i64,
        k_dilate_1usize: i64,
        minus_k_pad_0usize: i64,
        extent_h: i64,
        minus_k_pad_1usize: i64,
        extent_w: i64,
        minus_c2: i64,
        extent_h_plus_c2: i64,
        minus_c4: i64,
        extent_w_plus_c4: i64,
        y: ::pullback::drivers::Target<'a>,
        argmax_x: ::pullback::drivers::IndexTarget<'a>,
    }
    const _: () = {
        use ::pullback::drivers::{At, Kernel, Lane, Out, Vector};
        impl<T: Lane> Kernel<T> for MaxPool2dForward<'_> {
            fn run<V: Vector<Elem = T>>(self, at: At<V>) {
                let Self {
                    space,
                    x,
                    k_step_0usize,
                    k_dilate_0usize,
                    k_step_1usize,
                    k_dilate_1usize,
                    minus_k_pad_0usize,
                    extent_h,
                    minus_k_pad_1usize,
                    extent_w,
                    minus_c2,
                    extent_h_plus_c2,
                    minus_c4,
                    extent_w_plus_c4,
                    y,
                    argmax_x,
                } = self;
                let [n, c, h, w, oh, kh, ow, kw] = space.axes();
                let mut k = at.script(space);
                let x = k.input(x, [n, c, h, w]);
                let y = k.root(y, [n, c, oh, ow]);
                let argmax_x = k.root_index(argmax_x, [n, c, oh, ow]);
                k.nest([n, c, oh, ow]);
                k.sweep(
                        [n, c, oh, kh, ow, kw],
                        [
                            x
                                .here()
                                .at(
                                    h,
                                    oh * k_step_0usize + kh * k_dilate_0usize
                                        + minus_k_pad_0usize,
                                )
                                .at(
                                    w,
                                    ow * k_step_1usize + kw * k_dilate_1usize
                                        + minus_k_pad_1usize,
                                )
                                .valid(
                                    [
                                        (oh * k_step_0usize + kh * k_dilate_0usize
                                            + minus_k_pad_0usize)
                                            .within(0, extent_h),
                                        (ow * k_step_1usize + kw * k_dilate_1usize
                                            + minus_k_pad_1usize)
                                            .within(0, extent_w),
                                    ],
                                    0.0,
                                ),
                        ],
                        [],
                    )
                    .guard([
                        (oh * k_step_0usize + kh * k_dilate_0usize + minus_k_pad_0usize)
                            .within(minus_c2, extent_h_plus_c2),
                        (ow * k_step_1usize + kw * k_dilate_1usize + minus_k_pad_1usize)
                            .within(minus_c4, extent_w_plus_c4),
                    ])
                    .max_and_argmax(y, argmax_x, [kh, kw])
                    .body({
                        #[inline(always)] move |[x], []| Out::store([]).argmax([x])
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
        let mut saved0 = ::pullback::__private::IndexBuf::new(
            &call.shape(&[0usize, 1usize, 4usize, 6usize]),
            call.positions(&[5usize, 7usize]),
        );
        <<T as ::pullback::Float>::Lane as ::pullback::__private::Lane>::dispatch(MaxPool2dForward {
            space: call.space(),
            x: x,
            k_step_0usize: call.integer(2usize),
            k_dilate_0usize: call.integer(3usize),
            k_step_1usize: call.integer(8usize),
            k_dilate_1usize: call.integer(9usize),
            minus_k_pad_0usize: (0i64 - call.integer(4usize)),
            extent_h: (call.len(2usize) as i64),
            minus_k_pad_1usize: (0i64 - call.integer(10usize)),
            extent_w: (call.len(3usize) as i64),
            minus_c2: (0i64 - call.integer(5usize)),
            extent_h_plus_c2: ((call.len(2usize) as i64) + call.integer(5usize)),
            minus_c4: (0i64 - call.integer(11usize)),
            extent_w_plus_c4: ((call.len(3usize) as i64) + call.integer(11usize)),
            y: y,
            argmax_x: saved0.target(),
        });
        ::core::result::Result::Ok(
            ::pullback::__private::Saved::new(
                call,
                ::std::vec![::pullback::__private::SavedArray::Index("argmax_x", saved0)],
            ),
        )
    }
    struct MaxPool2dBackward<'a> {
        space: ::pullback::drivers::Space,
        dy: ::pullback::drivers::View<'a>,
        argmax_x: ::pullback::drivers::IndexView<'a>,
        k_step_0usize: i64,
        k_pad_0usize: i64,
        k_step_1usize: i64,
        k_pad_1usize: i64,
        minus_k_dilate_0usize: i64,
        extent_oh: i64,
        minus_k_dilate_1usize: i64,
        extent_ow: i64,
        grad_x: ::pullback::drivers::Target<'a>,
    }
    const _: () = {
        use ::pullback::drivers::{At, Kernel, Lane, Operand, Out, Vector};
        impl<T: Lane> Kernel<T> for MaxPool2dBackward<'_> {
            fn run<V: Vector<Elem = T>>(self, at: At<V>) {
                let Self {
                    space,
                    dy,
                    argmax_x,
                    k_step_0usize,
                    k_pad_0usize,
                    k_step_1usize,
                    k_pad_1usize,
                    minus_k_dilate_0usize,
                    extent_oh,
                    minus_k_dilate_1usize,
                    extent_ow,
                    grad_x,
                } = self;
                let [n, c, h, w, oh, kh, ow, kw] = space.axes();
                let mut k = at.script(space);
                let dy = k.input(dy, [n, c, oh, ow]);
                let argmax_x = k.input_index(argmax_x, [n, c, oh, ow]);
                let grad_x = k.root(grad_x, [n, c, h, w]);
                k.nest([n, c, h, w]);
                k.sweep(
                        [n, c, h, w, kh, kw],
                        [
                            Operand::index([kh, kw]),
                            argmax_x
                                .here()
                                .at(
                                    oh,
                                    (h + kh * minus_k_dilate_0usize + k_pad_0usize)
                                        .floor_div(k_step_0usize),
                                )
                                .at(
                                    ow,
                                    (w + kw * minus_k_dilate_1usize + k_pad_1usize)
                                        .floor_div(k_step_1usize),
                                ),
                            dy
                                .here()
                                .at(
                                    oh,
                                    (h + kh * minus_k_dilate_0usize + k_pad_0usize)
                                        .floor_div(k_step_0usize),
                                )
                                .at(
                                    ow,
                                    (w + kw * minus_k_dilate_1usize + k_pad_1usize)
                                        .floor_div(k_step_1usize),
                                ),
                        ],
                        [],
                    )
                    .guard([
                        (h + kh * minus_k_dilate_0usize + k_pad_0usize)
                            .floor_div(k_step_0usize)
                            .within(0, extent_oh),
                        (w + kw * minus_k_dilate_1usize + k_pad_1usize)
                            .floor_div(k_step_1usize)
                            .within(0, extent_ow),
                        (h + kh * minus_k_dilate_0usize + k_pad_0usize)
                            .divides(k_step_0usize),
                        (w + kw * minus_k_dilate_1usize + k_pad_1usize)
                            .divides(k_step_1usize),
                    ])
                    .sum(grad_x, [kh, kw])
                    .body({
                        #[inline(always)]
                        move |[at_kh_kw, argmax_x, dy], []| {
                            Out::store([])
                                .sum([V::select(at_kh_kw.eq(argmax_x), dy, V::num(0.0))])
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
        <<T as ::pullback::Float>::Lane as ::pullback::__private::Lane>::dispatch(MaxPool2dBackward {
            space: call.space(),
            dy: dy,
            argmax_x: saved.index(0usize)?.view(),
            k_step_0usize: call.integer(2usize),
            k_pad_0usize: call.integer(4usize),
            k_step_1usize: call.integer(8usize),
            k_pad_1usize: call.integer(10usize),
            minus_k_dilate_0usize: (0i64 - call.integer(3usize)),
            extent_oh: (call.len(4usize) as i64),
            minus_k_dilate_1usize: (0i64 - call.integer(9usize)),
            extent_ow: (call.len(6usize) as i64),
            grad_x: grad_x,
        });
        ::core::result::Result::Ok(())
    }
    impl MaxPool2d {
        /// Computes the formula, and keeps what `backward` needs.
        ///
        /// # Errors
        /// Where shapes disagree, or a condition of the formula does not hold. Nothing is written then.
        #[inline]
        pub fn forward(
            &self,
            x: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix4>,
        ) -> ::core::result::Result<
            (
                ::pullback::ndarray::Array<f32, ::pullback::ndarray::Ix4>,
                MaxPool2dSaved<f32>,
            ),
            ::pullback::Error,
        > {
            let call = prepare(self, [::core::option::Option::Some(x.shape())])?;
            let mut y = call
                .array::<f32, ::pullback::ndarray::Ix4>(call.output_axes(0usize))?;
            let arrays = forward::<
                f32,
            >(
                &call,
                (::pullback::__private::View::of(x),),
                (::pullback::__private::Target::write(&mut y),),
            )?;
            ::core::result::Result::Ok((y, MaxPool2dSaved { arrays }))
        }
        /// Computes the formula into memory of the caller, and keeps what `backward` needs.
        ///
        /// # Errors
        /// Where shapes disagree, or a condition of the formula does not hold. Nothing is written then.
        #[inline]
        pub fn forward_into(
            &self,
            x: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix4>,
            y: &mut ::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix4>,
        ) -> ::core::result::Result<MaxPool2dSaved<f32>, ::pullback::Error> {
            let call = prepare(self, [::core::option::Option::Some(x.shape())])?;
            call.buffer("y", y.shape(), call.output_axes(0usize))?;
            let arrays = forward::<
                f32,
            >(
                &call,
                (::pullback::__private::View::of(x),),
                (::pullback::__private::Target::write(y),),
            )?;
            ::core::result::Result::Ok(MaxPool2dSaved { arrays })
        }
        /**The gradients, from the cotangent of the output.

```text
    sum = Σ[KH,KW] select(eq(index(KH)·len(KW) + index(KW), argmax_x), dy, 0)[OH,OW]
    ∂x = sum
```

Saved for the gradient: `argmax_x` (one byte an element).
Forward: 1 sweep (1 large tensor read, 2 written); backward: 1 sweep (2 large tensors read, 1 written).*/
        ///
        /// # Errors
        /// Where shapes disagree, or `saved` comes from another call.
        #[inline]
        pub fn backward(
            &self,
            dy: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix4>,
            x: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix4>,
            y: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix4>,
            saved: &MaxPool2dSaved<f32>,
        ) -> ::core::result::Result<MaxPool2dGrads<f32>, ::pullback::Error> {
            let call = prepare(self, [::core::option::Option::Some(x.shape())])?;
            let mut grad_x = call
                .array::<
                    f32,
                    ::pullback::ndarray::Ix4,
                >(&[0usize, 1usize, 2usize, 3usize])?;
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
            ::core::result::Result::Ok(MaxPool2dGrads { x: grad_x })
        }
        /// Computes the wanted gradients into memory of the caller.
        ///
        /// # Errors
        /// Where shapes disagree, or `saved` comes from another call. Nothing is written then.
        #[inline]
        pub fn backward_into(
            &self,
            dy: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix4>,
            x: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix4>,
            y: &::pullback::ndarray::ArrayRef<f32, ::pullback::ndarray::Ix4>,
            saved: &MaxPool2dSaved<f32>,
            into: MaxPool2dInto<'_, f32>,
        ) -> ::core::result::Result<(), ::pullback::Error> {
            let call = prepare(self, [::core::option::Option::Some(x.shape())])?;
            ::pullback::__private::check_grad(
                &call,
                "into.x",
                &into.x,
                &[0usize, 1usize, 2usize, 3usize],
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
    impl<T> MaxPool2dSaved<T> {
        /// How many bytes are kept.
        #[inline]
        pub fn bytes(&self) -> usize {
            self.arrays.bytes()
        }
    }
    impl<T: ::pullback::Float> ::pullback::Layer<T> for MaxPool2d {
        const NAME: &'static str = "max_pool2d";
        const AXES: &'static [&'static str] = &["N", "C", "H", "W", "OH", "OW"];
        const ARGS: &'static [::pullback::layer::ArgSpec] = &[
            ::pullback::layer::ArgSpec::new(
                "x",
                &["N", "C", "H", "W"],
                ::pullback::layer::ArgKind::Tensor,
            ),
        ];
        const OUTPUTS: &'static [::pullback::layer::OutputSpec] = &[
            ::pullback::layer::OutputSpec::new(&["N", "C", "OH", "OW"]),
        ];
        const BACKWARD_READS: ::pullback::layer::Reads = ::pullback::layer::Reads {
            args: &[],
            outputs: &[],
        };
        type Saved = MaxPool2dSaved<<T as ::pullback::Float>::Lane>;
        fn forward(
            &self,
            args: &mut [::pullback::layer::Arg<'_, T>],
        ) -> ::core::result::Result<
            ::pullback::layer::Forward<T, Self::Saved>,
            ::pullback::Error,
        > {
            let [x] = ::pullback::layer::exactly_mut(args, "max_pool2d", "arguments")?;
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
                saved: MaxPool2dSaved { arrays },
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
                "max_pool2d",
                "cotangents",
            )?;
            let [x] = ::pullback::layer::exactly(args, "max_pool2d", "arguments")?;
            let [y] = ::pullback::layer::exactly(outputs, "max_pool2d", "outputs")?;
            let [grad_x] = ::pullback::layer::exactly_mut(
                wanted,
                "max_pool2d",
                "gradients",
            )?;
            let call = prepare(self, [::pullback::__private::arg_shape(&x)])?;
            call.buffer("dy", dy.shape(), call.output_axes(0usize))?;
            ::pullback::__private::check_slot(
                &call,
                "x",
                &grad_x,
                &[0usize, 1usize, 2usize, 3usize],
            )?;
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
            let [arg0] = ::pullback::layer::exactly(args, "max_pool2d", "arguments")?;
            let shapes = [arg0.as_ref().map(::pullback::__private::value_shape)];
            let op = self;
            let call = prepare(op, shapes.each_ref().map(|s| s.as_deref()))?;
            let MaxPool2d { k, .. } = ::core::clone::Clone::clone(op);
            let run = ::pullback::formula::written::Run::new(
                &[call.len(0usize), call.len(1usize), call.len(2usize), call.len(3usize)],
            );
            let axis_C = ::pullback::formula::written::Name::of(1u32);
            let axis_H = ::pullback::formula::written::Name::of(2u32);
            let axis_KH = ::pullback::formula::written::Name::new();
            let axis_KW = ::pullback::formula::written::Name::new();
            let axis_N = ::pullback::formula::written::Name::of(0u32);
            let axis_OH = ::pullback::formula::written::Name::new();
            let axis_OW = ::pullback::formula::written::Name::new();
            let axis_W = ::pullback::formula::written::Name::of(3u32);
            let x = run
                .argument(
                    ::pullback::__private::given(&call, "x", arg0)?,
                    &[&axis_N, &axis_C, &axis_H, &axis_W],
                );
            let y0 = {
                ::pullback::formula::written::max(
                    ::pullback::formula::written::window(
                        x,
                        &[&axis_H, &axis_W],
                        &[&axis_OH, &axis_OW],
                        &[&axis_KH, &axis_KW],
                        &(k),
                    ),
                    &[&axis_KH, &axis_KW],
                )
            };
            ::core::result::Result::Ok(
                ::std::vec![
                    y0.finished(& [(& axis_N, 0u32), (& axis_C, 1u32), (& axis_OH, 4u32),
                    (& axis_OW, 5u32)]),
                ],
            )
        }
    }
};
#[doc(hidden)]
#[macro_export]
macro_rules! __pullback_max_pool2d_eb3ca12adb9218c3 {
    () => {};
    ([$($target:tt)*] $($state:tt)*) => {
        $($target)* ! { $($state)* { { pub fn max_pool2d(x : Tensor < f32, (N, C, H, W)
        >, k : Window < 2 >) -> Tensor < f32, (N, C, OH, OW) > { max(window(x, (H, W),
        (OH, OW), (KH, KW), k), (KH, KW)) } } {} } }
    };
}
#[doc(hidden)]
pub use __pullback_max_pool2d_eb3ca12adb9218c3 as max_pool2d;
__pullback_max_pool2d_eb3ca12adb9218c3! {}
