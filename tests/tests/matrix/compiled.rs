//! Each class of construct inside and around some others. Written by the test of the matrix: `BLESS=1` writes it anew.
use super::{check_compiled, classes::*};
use pullback::prelude::*;
#[derive_backward]
pub fn arithmetic_around_powers(
    x: Tensor<f32, (N, C)>,
    a: Tensor<f32, C>,
) -> Tensor<f32, (N, C)> {
    arithmetic::broadcast(powers::integers(x), a)
}
#[test]
fn arithmetic_around_powers_has_its_gradient() {
    check_compiled(&ArithmeticAroundPowers);
}
#[derive_backward]
pub fn powers_around_exponentials(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    powers::roots(exponentials::base_two(x))
}
#[test]
fn powers_around_exponentials_has_its_gradient() {
    check_compiled(&PowersAroundExponentials);
}
#[derive_backward]
pub fn exponentials_around_waves(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    exponentials::natural(waves::hyperbolic(x))
}
#[test]
fn exponentials_around_waves_has_its_gradient() {
    check_compiled(&ExponentialsAroundWaves);
}
#[derive_backward]
pub fn waves_around_activations(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    waves::circular(activations::normal(x))
}
#[test]
fn waves_around_activations_has_its_gradient() {
    check_compiled(&WavesAroundActivations);
}
#[derive_backward]
pub fn activations_around_steps(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    activations::gates(steps::integers(x))
}
#[test]
fn activations_around_steps_has_its_gradient() {
    check_compiled(&ActivationsAroundSteps);
}
#[derive_backward]
pub fn steps_around_extremes(
    x: Tensor<f32, (N, C)>,
    a: Tensor<f32, C>,
) -> Tensor<f32, (N, C)> {
    steps::signs(extremes::of_tensor(x, a))
}
#[test]
fn steps_around_extremes_has_its_gradient() {
    check_compiled(&StepsAroundExtremes);
}
#[derive_backward]
pub fn extremes_around_masks(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    extremes::of_number(masks::triangle(x))
}
#[test]
fn extremes_around_masks_has_its_gradient() {
    check_compiled(&ExtremesAroundMasks);
}
#[derive_backward]
pub fn masks_around_maps(
    x: Tensor<f32, (N, C)>,
    #[diff]
    t: f64,
    a: Tensor<f32, C>,
) -> Tensor<f32, (N, C)> {
    masks::chosen(maps::elu(x, t), a)
}
#[test]
fn masks_around_maps_has_its_gradient() {
    check_compiled(&MasksAroundMaps);
}
#[derive_backward]
pub fn maps_around_branches(x: Tensor<f32, (N, C)>, s: f64) -> Tensor<f32, (N, C)> {
    maps::leaky(branches::on_number(x, s), s)
}
#[test]
fn maps_around_branches_has_its_gradient() {
    check_compiled(&MapsAroundBranches { s: 0.3 });
}
#[derive_backward]
pub fn branches_around_options(
    x: Tensor<f32, (N, C)>,
    b: Option<Tensor<f32, C>>,
    flag: bool,
) -> Tensor<f32, (N, C)> {
    branches::on_flag(options::mapped(x, b), flag)
}
#[test]
fn branches_around_options_has_its_gradient() {
    check_compiled(
        &BranchesAroundOptions {
            flag: true,
        },
    );
}
#[derive_backward]
pub fn options_around_sums(
    x: Tensor<f32, (N, C)>,
    b: Option<Tensor<f32, C>>,
) -> Tensor<f32, (N, C)> {
    options::if_let(sums::of_columns(x), b)
}
#[test]
fn options_around_sums_has_its_gradient() {
    check_compiled(&OptionsAroundSums);
}
#[derive_backward]
pub fn sums_around_products(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    sums::of_rows(products::of_columns(x))
}
#[test]
fn sums_around_products_has_its_gradient() {
    check_compiled(&SumsAroundProducts);
}
#[derive_backward]
pub fn products_around_winners(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    products::of_rows(winners::positions(x))
}
#[test]
fn products_around_winners_has_its_gradient() {
    check_compiled(&ProductsAroundWinners);
}
#[derive_backward]
pub fn winners_around_moments(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    winners::values(moments::log_softmax(x))
}
#[test]
fn winners_around_moments_has_its_gradient() {
    check_compiled(&WinnersAroundMoments);
}
#[derive_backward]
pub fn moments_around_contractions(
    x: Tensor<f32, (N, C)>,
    a: Tensor<f32, C>,
) -> Tensor<f32, (N, C)> {
    moments::normalised(contractions::scaled(x, a))
}
#[test]
fn moments_around_contractions_has_its_gradient() {
    check_compiled(&MomentsAroundContractions);
}
#[derive_backward]
pub fn contractions_around_windows(
    x: Tensor<f32, (N, C)>,
    k: Window<1>,
    w: Tensor<f32, (D, C)>,
) -> Tensor<f32, (N, C)> {
    contractions::bottleneck(windows::average(x, k), w)
}
#[test]
fn contractions_around_windows_has_its_gradient() {
    check_compiled(
        &ContractionsAroundWindows {
            k: Window::new([3]).stride([1]).padding([1]),
        },
    );
}
#[derive_backward]
pub fn windows_around_renames(
    x: Tensor<f32, (N, C)>,
    k: Window<1>,
) -> Tensor<f32, (N, C)> {
    windows::largest(renames::distances(x), k)
}
#[test]
fn windows_around_renames_has_its_gradient() {
    check_compiled(
        &WindowsAroundRenames {
            k: Window::new([3]).stride([1]).padding([1]),
        },
    );
}
#[derive_backward]
pub fn renames_around_splits(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    renames::pairs(splits::shuffled(x))
}
#[test]
fn renames_around_splits_has_its_gradient() {
    check_compiled(&RenamesAroundSplits);
}
#[derive_backward]
pub fn splits_around_slices(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    splits::grouped(slices::stacked(x))
}
#[test]
fn splits_around_slices_has_its_gradient() {
    check_compiled(&SplitsAroundSlices);
}
#[derive_backward]
pub fn slices_around_shifts(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    slices::swapped(shifts::back(x))
}
#[test]
fn slices_around_shifts_has_its_gradient() {
    check_compiled(&SlicesAroundShifts);
}
#[derive_backward]
pub fn shifts_around_turns(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    shifts::differences(turns::mirrored(x))
}
#[test]
fn shifts_around_turns_has_its_gradient() {
    check_compiled(&ShiftsAroundTurns);
}
#[derive_backward]
pub fn turns_around_pads(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    turns::rolled(pads::reflected(x))
}
#[test]
fn turns_around_pads_has_its_gradient() {
    check_compiled(&TurnsAroundPads);
}
#[derive_backward]
pub fn pads_around_shares(x: Tensor<f32, (N, C)>, s: f64) -> Tensor<f32, (N, C)> {
    pads::with_number(shares::largest(x), s)
}
#[test]
fn pads_around_shares_has_its_gradient() {
    check_compiled(&PadsAroundShares { s: 0.3 });
}
#[derive_backward]
pub fn shares_around_quantifiers(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    shares::average(quantifiers::everywhere(x))
}
#[test]
fn shares_around_quantifiers_has_its_gradient() {
    check_compiled(&SharesAroundQuantifiers);
}
#[derive_backward]
pub fn quantifiers_around_picks(
    x: Tensor<f32, (N, C)>,
    label: Labels<N>,
) -> Tensor<f32, (N, C)> {
    quantifiers::somewhere(picks::one_hot(x, label))
}
#[test]
fn quantifiers_around_picks_has_its_gradient() {
    check_compiled(&QuantifiersAroundPicks);
}
#[derive_backward]
pub fn picks_around_scatters(
    x: Tensor<f32, (N, C)>,
    label: Labels<N>,
) -> Tensor<f32, (N, C)> {
    picks::centred(scatters::lasts(x, label), label)
}
#[test]
fn picks_around_scatters_has_its_gradient() {
    check_compiled(&PicksAroundScatters);
}
#[derive_backward]
pub fn scatters_around_scans(
    x: Tensor<f32, (N, C)>,
    a: Tensor<f32, C>,
    #[diff]
    t: f64,
    label: Labels<N>,
) -> Tensor<f32, (N, C)> {
    scatters::totals(scans::smoothed(x, a, t), label)
}
#[test]
fn scatters_around_scans_has_its_gradient() {
    check_compiled(&ScattersAroundScans);
}
#[derive_backward]
pub fn scans_around_indices(
    x: Tensor<f32, (N, C)>,
    k: Window<1>,
) -> Tensor<f32, (N, C)> {
    scans::running(indices::smoothed(x, k))
}
#[test]
fn scans_around_indices_has_its_gradient() {
    check_compiled(
        &ScansAroundIndices {
            k: Window::new([3]).stride([1]).padding([1]),
        },
    );
}
#[derive_backward]
pub fn indices_around_draws(x: Tensor<f32, (N, C)>, seed: Seed) -> Tensor<f32, (N, C)> {
    indices::ramp(draws::channels(x, seed))
}
#[test]
fn indices_around_draws_has_its_gradient() {
    check_compiled(
        &IndicesAroundDraws {
            seed: Seed(5),
        },
    );
}
#[derive_backward]
pub fn draws_around_stops(
    x: Tensor<f32, (N, C)>,
    s: f64,
    seed: Seed,
) -> Tensor<f32, (N, C)> {
    draws::dropped(stops::checked(x, s), seed)
}
#[test]
fn draws_around_stops_has_its_gradient() {
    check_compiled(
        &DrawsAroundStops {
            s: 0.3,
            seed: Seed(5),
        },
    );
}
#[derive_backward]
pub fn stops_around_helpers(
    x: Tensor<f32, (N, C)>,
    #[diff]
    t: f64,
) -> Tensor<f32, (N, C)> {
    stops::held(helpers::unrolled(x, t))
}
#[test]
fn stops_around_helpers_has_its_gradient() {
    check_compiled(&StopsAroundHelpers);
}
#[derive_backward]
pub fn helpers_around_methods(
    x: Tensor<f32, (N, C)>,
    #[diff]
    t: f64,
) -> Tensor<f32, (N, C)> {
    helpers::nested(methods::chained(x), t)
}
#[test]
fn helpers_around_methods_has_its_gradient() {
    check_compiled(&HelpersAroundMethods);
}
#[derive_backward]
pub fn methods_around_arithmetic(
    x: Tensor<f32, (N, C)>,
    a: Tensor<f32, C>,
) -> Tensor<f32, (N, C)> {
    methods::chained(arithmetic::quotient(x, a))
}
#[test]
fn methods_around_arithmetic_has_its_gradient() {
    check_compiled(&MethodsAroundArithmetic);
}
#[derive_backward]
pub fn arithmetic_around_branches(
    x: Tensor<f32, (N, C)>,
    flag: bool,
    a: Tensor<f32, C>,
) -> Tensor<f32, (N, C)> {
    arithmetic::quotient(branches::on_flag(x, flag), a)
}
#[test]
fn arithmetic_around_branches_has_its_gradient() {
    check_compiled(
        &ArithmeticAroundBranches {
            flag: true,
        },
    );
}
#[derive_backward]
pub fn powers_around_options(
    x: Tensor<f32, (N, C)>,
    b: Option<Tensor<f32, C>>,
) -> Tensor<f32, (N, C)> {
    powers::integers(options::matched(x, b))
}
#[test]
fn powers_around_options_has_its_gradient() {
    check_compiled(&PowersAroundOptions);
}
#[derive_backward]
pub fn exponentials_around_sums(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    exponentials::base_two(sums::of_rows(x))
}
#[test]
fn exponentials_around_sums_has_its_gradient() {
    check_compiled(&ExponentialsAroundSums);
}
#[derive_backward]
pub fn waves_around_products(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    waves::hyperbolic(products::of_rows(x))
}
#[test]
fn waves_around_products_has_its_gradient() {
    check_compiled(&WavesAroundProducts);
}
#[derive_backward]
pub fn activations_around_winners(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    activations::normal(winners::values(x))
}
#[test]
fn activations_around_winners_has_its_gradient() {
    check_compiled(&ActivationsAroundWinners);
}
#[derive_backward]
pub fn steps_around_moments(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    steps::integers(moments::softmax(x))
}
#[test]
fn steps_around_moments_has_its_gradient() {
    check_compiled(&StepsAroundMoments);
}
#[derive_backward]
pub fn extremes_around_contractions(
    x: Tensor<f32, (N, C)>,
    w: Tensor<f32, (D, C)>,
    a: Tensor<f32, C>,
) -> Tensor<f32, (N, C)> {
    extremes::of_tensor(contractions::bottleneck(x, w), a)
}
#[test]
fn extremes_around_contractions_has_its_gradient() {
    check_compiled(&ExtremesAroundContractions);
}
#[derive_backward]
pub fn masks_around_windows(
    x: Tensor<f32, (N, C)>,
    k: Window<1>,
) -> Tensor<f32, (N, C)> {
    masks::triangle(windows::filled(x, k))
}
#[test]
fn masks_around_windows_has_its_gradient() {
    check_compiled(
        &MasksAroundWindows {
            k: Window::new([3]).stride([1]).padding([1]),
        },
    );
}
#[derive_backward]
pub fn maps_around_renames(
    x: Tensor<f32, (N, C)>,
    #[diff]
    t: f64,
) -> Tensor<f32, (N, C)> {
    maps::elu(renames::pairs(x), t)
}
#[test]
fn maps_around_renames_has_its_gradient() {
    check_compiled(&MapsAroundRenames);
}
#[derive_backward]
pub fn branches_around_splits(x: Tensor<f32, (N, C)>, s: f64) -> Tensor<f32, (N, C)> {
    branches::on_number(splits::grouped(x), s)
}
#[test]
fn branches_around_splits_has_its_gradient() {
    check_compiled(&BranchesAroundSplits { s: 0.3 });
}
#[derive_backward]
pub fn options_around_slices(
    x: Tensor<f32, (N, C)>,
    b: Option<Tensor<f32, C>>,
) -> Tensor<f32, (N, C)> {
    options::mapped(slices::swapped(x), b)
}
#[test]
fn options_around_slices_has_its_gradient() {
    check_compiled(&OptionsAroundSlices);
}
#[derive_backward]
pub fn sums_around_shifts(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    sums::of_columns(shifts::differences(x))
}
#[test]
fn sums_around_shifts_has_its_gradient() {
    check_compiled(&SumsAroundShifts);
}
#[derive_backward]
pub fn products_around_turns(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    products::of_columns(turns::rolled(x))
}
#[test]
fn products_around_turns_has_its_gradient() {
    check_compiled(&ProductsAroundTurns);
}
#[derive_backward]
pub fn winners_around_pads(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    winners::positions(pads::held(x))
}
#[test]
fn winners_around_pads_has_its_gradient() {
    check_compiled(&WinnersAroundPads);
}
#[derive_backward]
pub fn moments_around_shares(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    moments::log_softmax(shares::filled(x))
}
#[test]
fn moments_around_shares_has_its_gradient() {
    check_compiled(&MomentsAroundShares);
}
#[derive_backward]
pub fn contractions_around_quantifiers(
    x: Tensor<f32, (N, C)>,
    a: Tensor<f32, C>,
) -> Tensor<f32, (N, C)> {
    contractions::scaled(quantifiers::somewhere(x), a)
}
#[test]
fn contractions_around_quantifiers_has_its_gradient() {
    check_compiled(&ContractionsAroundQuantifiers);
}
#[derive_backward]
pub fn windows_around_picks(
    x: Tensor<f32, (N, C)>,
    label: Labels<N>,
    k: Window<1>,
) -> Tensor<f32, (N, C)> {
    windows::average(picks::centred(x, label), k)
}
#[test]
fn windows_around_picks_has_its_gradient() {
    check_compiled(
        &WindowsAroundPicks {
            k: Window::new([3]).stride([1]).padding([1]),
        },
    );
}
#[derive_backward]
pub fn renames_around_scatters(
    x: Tensor<f32, (N, C)>,
    label: Labels<N>,
) -> Tensor<f32, (N, C)> {
    renames::distances(scatters::aligned(x, label))
}
#[test]
fn renames_around_scatters_has_its_gradient() {
    check_compiled(&RenamesAroundScatters);
}
#[derive_backward]
pub fn splits_around_scans(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    splits::shuffled(scans::gated(x))
}
#[test]
fn splits_around_scans_has_its_gradient() {
    check_compiled(&SplitsAroundScans);
}
#[derive_backward]
pub fn slices_around_indices(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    slices::stacked(indices::ramp(x))
}
#[test]
fn slices_around_indices_has_its_gradient() {
    check_compiled(&SlicesAroundIndices);
}
#[derive_backward]
pub fn shifts_around_draws(x: Tensor<f32, (N, C)>, seed: Seed) -> Tensor<f32, (N, C)> {
    shifts::back(draws::noise(x, seed))
}
#[test]
fn shifts_around_draws_has_its_gradient() {
    check_compiled(&ShiftsAroundDraws { seed: Seed(5) });
}
#[derive_backward]
pub fn turns_around_stops(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    turns::mirrored(stops::held(x))
}
#[test]
fn turns_around_stops_has_its_gradient() {
    check_compiled(&TurnsAroundStops);
}
#[derive_backward]
pub fn pads_around_helpers(
    x: Tensor<f32, (N, C)>,
    #[diff]
    t: f64,
) -> Tensor<f32, (N, C)> {
    pads::reflected(helpers::nested(x, t))
}
#[test]
fn pads_around_helpers_has_its_gradient() {
    check_compiled(&PadsAroundHelpers);
}
#[derive_backward]
pub fn shares_around_methods(x: Tensor<f32, (N, C)>) -> Tensor<f32, (N, C)> {
    shares::largest(methods::chained(x))
}
#[test]
fn shares_around_methods_has_its_gradient() {
    check_compiled(&SharesAroundMethods);
}
#[derive_backward]
pub fn quantifiers_around_arithmetic(
    x: Tensor<f32, (N, C)>,
    a: Tensor<f32, C>,
) -> Tensor<f32, (N, C)> {
    quantifiers::everywhere(arithmetic::broadcast(x, a))
}
#[test]
fn quantifiers_around_arithmetic_has_its_gradient() {
    check_compiled(&QuantifiersAroundArithmetic);
}
#[derive_backward]
pub fn picks_around_powers(
    x: Tensor<f32, (N, C)>,
    a: Tensor<f32, C>,
    label: Labels<N>,
) -> Tensor<f32, (N, C)> {
    picks::one_hot(powers::real(x, a), label)
}
#[test]
fn picks_around_powers_has_its_gradient() {
    check_compiled(&PicksAroundPowers);
}
#[derive_backward]
pub fn scatters_around_exponentials(
    x: Tensor<f32, (N, C)>,
    label: Labels<N>,
) -> Tensor<f32, (N, C)> {
    scatters::lasts(exponentials::near_one(x), label)
}
#[test]
fn scatters_around_exponentials_has_its_gradient() {
    check_compiled(&ScattersAroundExponentials);
}
#[derive_backward]
pub fn scans_around_waves(
    x: Tensor<f32, (N, C)>,
    a: Tensor<f32, C>,
    #[diff]
    t: f64,
) -> Tensor<f32, (N, C)> {
    scans::smoothed(waves::of_two(x, a), a, t)
}
#[test]
fn scans_around_waves_has_its_gradient() {
    check_compiled(&ScansAroundWaves);
}
#[derive_backward]
pub fn indices_around_activations(
    x: Tensor<f32, (N, C)>,
    k: Window<1>,
) -> Tensor<f32, (N, C)> {
    indices::smoothed(activations::gates(x), k)
}
#[test]
fn indices_around_activations_has_its_gradient() {
    check_compiled(
        &IndicesAroundActivations {
            k: Window::new([3]).stride([1]).padding([1]),
        },
    );
}
#[derive_backward]
pub fn draws_around_steps(x: Tensor<f32, (N, C)>, seed: Seed) -> Tensor<f32, (N, C)> {
    draws::channels(steps::signs(x), seed)
}
#[test]
fn draws_around_steps_has_its_gradient() {
    check_compiled(&DrawsAroundSteps { seed: Seed(5) });
}
#[derive_backward]
pub fn stops_around_extremes(x: Tensor<f32, (N, C)>, s: f64) -> Tensor<f32, (N, C)> {
    stops::checked(extremes::of_number(x), s)
}
#[test]
fn stops_around_extremes_has_its_gradient() {
    check_compiled(&StopsAroundExtremes { s: 0.3 });
}
#[derive_backward]
pub fn helpers_around_masks(
    x: Tensor<f32, (N, C)>,
    a: Tensor<f32, C>,
    #[diff]
    t: f64,
) -> Tensor<f32, (N, C)> {
    helpers::unrolled(masks::chosen(x, a), t)
}
#[test]
fn helpers_around_masks_has_its_gradient() {
    check_compiled(&HelpersAroundMasks);
}
#[derive_backward]
pub fn methods_around_maps(x: Tensor<f32, (N, C)>, s: f64) -> Tensor<f32, (N, C)> {
    methods::chained(maps::leaky(x, s))
}
#[test]
fn methods_around_maps_has_its_gradient() {
    check_compiled(&MethodsAroundMaps { s: 0.3 });
}
