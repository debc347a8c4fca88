//! A progress bar on the terminal, and the table of epochs.

use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

const WIDTH: usize = 24;

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    pub number: usize,
    pub loss: f64,
    pub learnt: f64,
    pub held_out: f64,
    pub time: Duration,
}

pub fn table_head() -> String {
    let head = format!("{:>5}  {:>8}  {:>17}  {:>17}  {:>8}", "epoch", "loss", "training accuracy", "hold-out accuracy", "time");
    format!("{head}\n{}", "─".repeat(head.chars().count()))
}

pub fn table_row(epoch: &Epoch) -> String {
    let Epoch { number, loss, learnt, held_out, time } = epoch;
    let (learnt, held_out) = (100.0 * learnt, 100.0 * held_out);
    format!("{number:>5}  {loss:>8.4}  {learnt:>15.2} %  {held_out:>15.2} %  {:>6.2} s", time.as_secs_f64())
}

/// Draws over itself on a terminal; elsewhere it is silent.
pub struct Bar {
    shown: bool,
}

impl Bar {
    pub fn new() -> Self {
        Self { shown: stderr().is_terminal() }
    }

    pub fn draw(&self, what: &str, done: usize, of: usize, loss: f32) {
        if self.shown {
            let bar = bar(done, of);
            let percent = 100 * done / of.max(1);
            eprint!("\r{what}  {bar}  {percent:>3} %  loss {loss:.4}\x1b[K");
            // What a terminal fails to show is no reason to stop.
            let _ = stderr().flush();
        }
    }

    pub fn clear(&self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

/// A bar in eighths of a character.
fn bar(done: usize, of: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (8 * WIDTH * done.min(of)).checked_div(of).unwrap_or(0);
    let drawn = format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8]);
    format!("▕{drawn}{}▏", " ".repeat(WIDTH - drawn.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_has_one_width_and_only_grows() {
        let mut last = String::new();
        for done in 0..=37 {
            let now = bar(done, 37);
            assert_eq!(now.chars().count(), WIDTH + 2);
            let filled = |s: &str| s.chars().filter(|c| *c != ' ').count();
            assert!(filled(&now) >= filled(&last));
            last = now;
        }
        assert_eq!(bar(0, 5), format!("▕{}▏", " ".repeat(WIDTH)));
        assert_eq!(bar(5, 5), format!("▕{}▏", "█".repeat(WIDTH)));
        assert_eq!(bar(1, 2 * WIDTH), format!("▕▌{}▏", " ".repeat(WIDTH - 1)));
        assert_eq!(bar(0, 0), bar(0, 5));
    }

    #[test]
    fn rows_stand_under_their_heads() {
        let row =
            table_row(&Epoch { number: 3, loss: 0.0123, learnt: 1.0, held_out: 0.98765, time: Duration::from_millis(1234) });
        let head = table_head();
        let widths: Vec<_> = head.lines().map(|line| line.chars().count()).collect();
        assert_eq!(row.chars().count(), widths[0]);
        assert_eq!(widths[0], widths[1]);
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["3", "0.0123", "100.00", "%", "98.77", "%", "1.23", "s"]);
    }
}
