//! The ready-made layers, each by the one line that a user would write.

use pullback::layers::*;
use pullback::prelude::*;

gradient_test!(Relu);
gradient_test!(Gelu);
gradient_test!(GeluTanh);
gradient_test!(Softmax);
gradient_test!(LogSoftmax);
gradient_test!(CrossEntropy);
gradient_test!(Linear);
gradient_test!(LayerNorm { eps: 1e-5 });
gradient_test!(RmsNorm { eps: 1e-5 });
gradient_test!(BatchNorm { momentum: 0.1, eps: 1e-5 });
gradient_test!(BatchNormEval { eps: 1e-5 });
gradient_test!(BatchNormOptional { momentum: 0.1, eps: 1e-5 });
gradient_test!(BatchNormUntracked { eps: 1e-5 });
gradient_test!(BatchNormEvalOptional { eps: 1e-5 });
gradient_test!(Dropout { seed: Seed(7), p: 0.3 });
gradient_test!(dropout_keeps_nothing, Dropout { seed: Seed(7), p: 1.0 });
gradient_test!(ChannelDropout { seed: Seed(7), p: 0.3 });
gradient_test!(Conv2d { k: Window::new([3, 2]).stride([2, 1]).padding([1, 1]) });
gradient_test!(mean_pool, MeanPool2d { k: Window::new([2, 2]) });
gradient_test!(mean_pool_overlapping, MeanPool2d { k: Window::new([3, 2]).stride([1, 2]).padding([1, 1]).dilation([1, 2]) });
gradient_test!(
    mean_pool_counting,
    MeanPool2d { k: Window::new([3, 3]).stride([2, 2]).padding([1, 1]).ceil_mode(true).count_padding(true) }
);
gradient_test!(mean_pool_divisor, MeanPool2d { k: Window::new([2, 3]).divisor(5) });
gradient_test!(max_pool, MaxPool2d { k: Window::new([2, 2]) });
gradient_test!(max_pool_overlapping, MaxPool2d { k: Window::new([3, 2]).stride([1, 2]).padding([1, 1]).dilation([1, 2]) });
gradient_test!(max_pool_ceil, MaxPool2d { k: Window::new([3, 3]).stride([2, 2]).padding([1, 1]).ceil_mode(true) });
gradient_test!(MaxPool1d { k: Window::new([3]).stride([2]).padding([1]) });
gradient_test!(MaxPool3d { k: Window::new([2, 3, 2]).stride([2, 1, 1]).padding([0, 1, 1]) });
gradient_test!(MaxPool1dIndices { k: Window::new([2]).dilation([2]) });
gradient_test!(MaxPool2dIndices { k: Window::new([2, 3]).stride([1, 2]).padding([1, 0]) });
gradient_test!(MaxPool3dIndices { k: Window::new([2, 2, 2]) });
gradient_test!(MeanPool1d { k: Window::new([3]).stride([2]).padding([1]).ceil_mode(true) });
gradient_test!(MeanPool3d { k: Window::new([2, 2, 3]).stride([1, 2, 2]).padding([1, 0, 1]) });
gradient_test!(GlobalMaxPool);
gradient_test!(GlobalMeanPool);
gradient_test!(lp_pool_of_squares, LpPool2d { p: 2.0, k: Window::new([2, 2]) });
gradient_test!(LpPool1d { p: 3.0, k: Window::new([3]).stride([2]) });
gradient_test!(AdaptiveMeanPool1d { o: 3 });
gradient_test!(AdaptiveMeanPool2d { oh: 2, ow: 3 });
gradient_test!(AdaptiveMeanPool3d { od: 2, oh: 1, ow: 2 });
gradient_test!(AdaptiveMaxPool1d { o: 3 });
gradient_test!(AdaptiveMaxPool2d { oh: 2, ow: 3 });
gradient_test!(AdaptiveMaxPool3d { od: 2, oh: 1, ow: 2 });
gradient_test!(DropoutUnscaled { seed: Seed(7), p: 0.3 });
gradient_test!(DropoutUnscaledEval { p: 0.3 });
gradient_test!(AlphaDropout { seed: Seed(7), p: 0.3 });
gradient_test!(alpha_dropout_keeps_nothing, AlphaDropout { seed: Seed(7), p: 1.0 });
gradient_test!(FeatureAlphaDropout { seed: Seed(7), p: 0.3 });
gradient_test!(GaussianDropout { seed: Seed(7), p: 0.3 });
gradient_test!(DropConnect { seed: Seed(7), p: 0.3 });
gradient_test!(MaxUnpool1d { o: 5 });
gradient_test!(MaxUnpool2d { oh: 3, ow: 4 });
gradient_test!(MaxUnpool3d { od: 2, oh: 3, ow: 2 });
