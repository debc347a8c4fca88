//! Line charts as SVG, without a library.

use std::fmt::{self, Write};

pub const BLUE: &str = "#2563eb";
pub const ORANGE: &str = "#ea580c";
const INK: &str = "#1f2937";
const FAINT: &str = "#6b7280";
const GRID: &str = "#e5e7eb";

const PANEL: (f64, f64) = (460.0, 340.0);
/// Around the plotting area of a panel: left, right, top, bottom.
const MARGIN: (f64, f64, f64, f64) = (64.0, 20.0, 44.0, 52.0);
const HEAD: f64 = 44.0;

/// A line of a chart.
pub struct Series {
    pub name: &'static str,
    pub colour: &'static str,
    pub points: Vec<(f64, f64)>,
}

/// How the y axis runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Axis {
    Linear,
    /// In powers of ten; only positive values are drawn.
    Logarithmic,
}

/// One chart of a figure.
pub struct Panel {
    pub title: &'static str,
    pub x: &'static str,
    pub y: &'static str,
    pub axis: Axis,
    /// A dashed horizontal line, and its name.
    pub line: Option<(f64, &'static str)>,
    pub series: Vec<Series>,
}

/// The panels side by side under a title.
pub fn figure(title: &str, panels: &[Panel]) -> String {
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = write_figure(&mut svg, title, panels);
    svg
}

fn write_figure(out: &mut String, title: &str, panels: &[Panel]) -> fmt::Result {
    let (width, height) = (PANEL.0 * panels.len() as f64, PANEL.1 + HEAD);
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif">"#
    )?;
    writeln!(out, "<title>{}</title>", escape(title))?;
    writeln!(out, r##"<rect width="{width}" height="{height}" fill="#ffffff"/>"##)?;
    text(out, (24.0, 34.0), "start", 17.0, INK, true, title)?;
    for (i, panel) in panels.iter().enumerate() {
        writeln!(out, r#"<g transform="translate({}, {HEAD})">"#, PANEL.0 * i as f64)?;
        write_panel(out, panel)?;
        writeln!(out, "</g>")?;
    }
    writeln!(out, "</svg>")
}

fn write_panel(out: &mut String, panel: &Panel) -> fmt::Result {
    let (left, right, top, bottom) = MARGIN;
    let (x0, x1, y0, y1) = (left, PANEL.0 - right, PANEL.1 - bottom, top);
    let points = || panel.series.iter().flat_map(|s| &s.points).copied();
    let x = Scale::new(points().map(|p| p.0), Axis::Linear, (x0, x1), true);
    let y = Scale::new(points().map(|p| p.1).chain(panel.line.map(|l| l.0)), panel.axis, (y0, y1), false);

    text(out, (x0, top - 18.0), "start", 14.0, INK, true, panel.title)?;
    for tick in &y.ticks {
        let at = y.at(*tick);
        writeln!(out, r#"<path d="M{x0:.1} {at:.1}H{x1:.1}" stroke="{GRID}"/>"#)?;
        text(out, (x0 - 8.0, at + 4.0), "end", 11.0, FAINT, false, &number(*tick))?;
    }
    for tick in &x.ticks {
        let at = x.at(*tick);
        writeln!(out, r#"<path d="M{at:.1} {y0:.1}v5" stroke="{FAINT}"/>"#)?;
        text(out, (at, y0 + 19.0), "middle", 11.0, FAINT, false, &number(*tick))?;
    }
    writeln!(out, r#"<path d="M{x0:.1} {y1:.1}V{y0:.1}H{x1:.1}" fill="none" stroke="{FAINT}"/>"#)?;
    text(out, ((x0 + x1) / 2.0, y0 + 40.0), "middle", 12.0, FAINT, false, panel.x)?;
    let middle = (y0 + y1) / 2.0;
    write!(out, r#"<g transform="translate(16, {middle:.1}) rotate(-90)">"#)?;
    text(out, (0.0, 0.0), "middle", 12.0, FAINT, false, panel.y)?;
    writeln!(out, "</g>")?;

    if let Some((value, name)) = panel.line {
        let at = y.at(value);
        writeln!(out, r#"<path d="M{x0:.1} {at:.1}H{x1:.1}" stroke="{FAINT}" stroke-dasharray="5 4"/>"#)?;
        text(out, (x1 - 4.0, at + 14.0), "end", 11.0, FAINT, false, &format!("{name}: {}", number(value)))?;
    }
    for series in &panel.series {
        write_series(out, series, &x, &y)?;
    }
    write_legend(out, panel, (x1, top - 18.0))
}

fn write_series(out: &mut String, series: &Series, x: &Scale, y: &Scale) -> fmt::Result {
    let drawn = series.points.iter().filter(|p| y.holds(p.1));
    let places: Vec<_> = drawn.map(|p| (x.at(p.0), y.at(p.1))).collect();
    let line: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let colour = series.colour;
    writeln!(
        out,
        r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"/>"#,
        line.join(" ")
    )?;
    for (x, y) in places {
        writeln!(out, r##"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="#ffffff" stroke="{colour}" stroke-width="1.5"/>"##)?;
    }
    Ok(())
}

/// The names of the series in one row that ends at `end`.
fn write_legend(out: &mut String, panel: &Panel, end: (f64, f64)) -> fmt::Result {
    let mut x = end.0;
    for series in panel.series.iter().rev() {
        // Text cannot be measured here: 6.3 units a letter at this size is close.
        let name_at = x - 6.3 * series.name.chars().count() as f64;
        text(out, (name_at, end.1), "start", 12.0, INK, false, series.name)?;
        let (from, to, y) = (name_at - 26.0, name_at - 6.0, end.1 - 4.0);
        let colour = series.colour;
        writeln!(out, r#"<path d="M{from:.1} {y:.1}H{to:.1}" stroke="{colour}" stroke-width="2" stroke-linecap="round"/>"#)?;
        x = from - 14.0;
    }
    Ok(())
}

fn text(out: &mut String, (x, y): (f64, f64), anchor: &str, size: f64, fill: &str, bold: bool, text: &str) -> fmt::Result {
    let weight = if bold { r#" font-weight="600""# } else { "" };
    let text = escape(text);
    writeln!(out, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="{size}" fill="{fill}"{weight}>{text}</text>"#)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A number without trailing zeros.
fn number(value: f64) -> String {
    let fixed = format!("{value:.6}");
    fixed.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// From values to places, with ticks.
struct Scale {
    axis: Axis,
    low: f64,
    high: f64,
    places: (f64, f64),
    ticks: Vec<f64>,
}

impl Scale {
    /// Covers the values; ends at the outermost of them if `tight`, else at the ticks around them.
    fn new(values: impl Iterator<Item = f64>, axis: Axis, places: (f64, f64), tight: bool) -> Self {
        let mut scale = Self { axis, low: 0.0, high: 1.0, places, ticks: Vec::new() };
        let values: Vec<f64> = values.filter(|v| scale.holds(*v)).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low > high { (1.0, 2.0) } else { (low, high) };
        let ticks = match axis {
            Axis::Linear => linear_ticks(low, high),
            Axis::Logarithmic => logarithmic_ticks(low, high),
        };
        (scale.low, scale.high) = if tight && low < high { (low, high) } else { (ticks[0], ticks[ticks.len() - 1]) };
        scale.ticks = ticks.into_iter().filter(|t| (scale.low..=scale.high).contains(t)).collect();
        scale
    }

    fn holds(&self, value: f64) -> bool {
        value.is_finite() && (self.axis == Axis::Linear || value > 0.0)
    }

    fn at(&self, value: f64) -> f64 {
        let along = match self.axis {
            Axis::Linear => (value - self.low) / (self.high - self.low),
            Axis::Logarithmic => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        self.places.0 + along * (self.places.1 - self.places.0)
    }
}

/// Multiples of 1, 2 or 5 times a power of ten, four to nine of them, from at most `low` to at least `high`.
fn linear_ticks(low: f64, high: f64) -> Vec<f64> {
    let span = if high > low { high - low } else { low.abs().max(1.0) };
    let rough = span / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(10.0 * power);
    let (first, mut last) = ((low / step).floor(), (high / step).ceil());
    if first >= last {
        last = first + 1.0;
    }
    let count = (last - first) as usize;
    (0..=count).map(|i| (first + i as f64) * step).collect()
}

/// 1, 2 and 5 times powers of ten, from at most `low` to at least `high`; whole powers alone over more than three of them.
fn logarithmic_ticks(low: f64, high: f64) -> Vec<f64> {
    let wide = (high / low).log10() > 3.0;
    let steps: &[f64] = if wide { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let all: Vec<f64> = (first..=last + 1).flat_map(|p| steps.iter().map(move |s| s * 10f64.powi(p))).collect();
    let from = all.iter().rposition(|t| *t <= low).unwrap_or(0);
    let to = all.iter().position(|t| *t >= high).map_or(all.len() - 1, |to| to.max(from + 1));
    all[from..=to].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        assert_eq!(linear_ticks(1.0, 15.0), [0.0, 5.0, 10.0, 15.0]);
        assert_eq!(linear_ticks(91.6, 100.0), [90.0, 92.0, 94.0, 96.0, 98.0, 100.0]);
        assert_eq!(linear_ticks(3.0, 3.0), [3.0, 4.0]);
        for (found, expected) in logarithmic_ticks(0.007, 0.93).iter().zip([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]) {
            assert_relative_eq!(*found, expected, max_relative = 1e-12);
        }
        assert_eq!(logarithmic_ticks(1.0, 1.0).len(), 2);
        let wide = logarithmic_ticks(1e-6, 2.0);
        assert!(wide.len() == 8 && wide[7] >= 2.0);
    }

    #[test]
    fn scales_run_from_end_to_end() {
        let scale = Scale::new([1.0, 15.0].into_iter(), Axis::Linear, (100.0, 200.0), true);
        assert_relative_eq!(scale.at(1.0), 100.0);
        assert_relative_eq!(scale.at(8.0), 150.0);
        assert_eq!(scale.ticks, [5.0, 10.0, 15.0]);
        // Downwards on paper, and in powers of ten.
        let scale = Scale::new([0.01, 1.0].into_iter(), Axis::Logarithmic, (200.0, 0.0), false);
        assert_relative_eq!(scale.at(0.1), 100.0, epsilon = 1e-9);
        assert!(!scale.holds(0.0) && !scale.holds(f64::NAN));
    }

    #[test]
    fn a_figure_holds_its_series_and_names_and_is_balanced() {
        let series = Series { name: "a<b", colour: BLUE, points: vec![(1.0, 0.5), (2.0, f64::NAN), (3.0, 0.25)] };
        let panel = Panel {
            title: "Loss",
            x: "epoch",
            y: "nats",
            axis: Axis::Logarithmic,
            line: Some((0.3, "goal")),
            series: vec![series],
        };
        let svg = figure("A & B", &[panel]);
        for part in ["A &amp; B", "a&lt;b", ">Loss<", ">epoch<", ">nats<", "goal: 0.3", "stroke-dasharray"] {
            assert!(svg.contains(part), "{part}");
        }
        assert_eq!(svg.matches("<circle").count(), 2);
        assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn nothing_to_draw_is_still_a_figure() {
        let panel = Panel { title: "Loss", x: "epoch", y: "nats", axis: Axis::Linear, line: None, series: vec![] };
        let svg = figure("none", &[panel]);
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"));
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(["97", "0.05", "0", "100"], [97.0, 0.05, 0.0, 100.0].map(number));
    }
}
