//! Trains a small convolutional network on handwritten digits:
//!
//! ```text
//! cargo run --release --example digits [curves.svg]
//! ```
//!
//! The network is one formula (`network.rs`), so its whole backward is derived. The gradient is checked first; then the
//! network learns from four fifths of the digits, and is judged by the fifth it never sees.

mod check;
mod data;
mod network;
mod plot;
mod progress;
mod train;

use data::{Digits, Random};
use plot::{Axis, Panel, Series};
use progress::{Bar, Epoch};
use pullback::prelude::*;
use std::path::PathBuf;
use std::time::Instant;
use train::Model;

const EPOCHS: usize = 15;
const BATCH: usize = 32;
const RATE: f32 = 0.02;
const MOMENTUM: f32 = 0.9;
const HELD_OUT: f64 = 0.2;
/// What the hold-out accuracy must reach.
const GOAL: f64 = 0.97;
const SEED: u64 = 2024;

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Anyhow<()> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/digits.svg");
    let path = std::env::args_os().nth(1).map_or_else(|| PathBuf::from(default), PathBuf::from);

    let digits = Digits::parse(include_str!("digits.csv"))?;
    let mut random = Random(SEED);
    let (training, held_out) = digits.hold_out(HELD_OUT, &mut random);
    let mut model = Model::new(&mut random);
    let parameters = model.parameters.count();
    println!("{} digits to learn from, {} held out, {parameters} parameters", training.len(), held_out.len());

    println!("{}", check::gradient()?);

    println!("\n{}", progress::table_head());
    let history = learn(&mut model, &training, &held_out, &mut random)?;

    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&path, curves(&history))?;
    println!("\ncurves: {}", path.canonicalize()?.display());

    let last = history.last().map_or(0.0, |epoch| epoch.held_out);
    if last < GOAL {
        return Err(format!("hold-out accuracy {:.2} %, below {:.0} %", 100.0 * last, 100.0 * GOAL).into());
    }
    println!("hold-out accuracy {:.2} %", 100.0 * last);
    Ok(())
}

/// Trains with a rate that falls from `RATE` to nothing along half a cosine (I. Loshchilov, F. Hutter, "SGDR", 2016).
fn learn(model: &mut Model, training: &Digits, held_out: &Digits, random: &mut Random) -> Anyhow<Vec<Epoch>> {
    let mut order: Vec<usize> = (0..training.len()).collect();
    // The few that do not fill a batch wait for the next epoch's shuffle.
    let batches = training.len() / BATCH;
    let bar = Bar::new();
    let mut history = Vec::new();
    for number in 1..=EPOCHS {
        let start = Instant::now();
        random.shuffle(&mut order);
        let mut total = 0.0;
        for (i, rows) in order.chunks_exact(BATCH).enumerate() {
            let step = (number - 1) * batches + i;
            let progress = step as f32 / (EPOCHS * batches) as f32;
            let rate = RATE * 0.5 * (1.0 + (std::f32::consts::PI * progress).cos());
            let seed = Seed(SEED).fold_in(step as u64);
            let loss = model.step(&training.select(rows), seed, rate, MOMENTUM)?;
            total += f64::from(loss);
            bar.draw(&format!("epoch {number}/{EPOCHS}"), i + 1, batches, loss);
        }
        let loss = total / batches as f64;
        let (learnt, held_out) = (model.accuracy(training)?, model.accuracy(held_out)?);
        let epoch = Epoch { number, loss, learnt, held_out, time: start.elapsed() };
        bar.clear();
        println!("{}", progress::table_row(&epoch));
        history.push(epoch);
    }
    Ok(history)
}

/// Loss and accuracy over the epochs, as an SVG.
fn curves(history: &[Epoch]) -> String {
    let series = |name, colour, value: fn(&Epoch) -> f64| Series {
        name,
        colour,
        points: history.iter().map(|epoch| (epoch.number as f64, value(epoch))).collect(),
    };
    let loss = vec![series("training", plot::BLUE, |e| e.loss)];
    let accuracy =
        vec![series("training", plot::BLUE, |e| 100.0 * e.learnt), series("hold-out", plot::ORANGE, |e| 100.0 * e.held_out)];
    let goal = Some((100.0 * GOAL, "goal"));
    plot::figure(
        "8×8 digits: a network whose backward is derived",
        &[
            Panel { title: "Loss", x: "epoch", y: "cross-entropy", axis: Axis::Logarithmic, line: None, series: loss },
            Panel { title: "Accuracy", x: "epoch", y: "per cent", axis: Axis::Linear, line: goal, series: accuracy },
        ],
    )
}
