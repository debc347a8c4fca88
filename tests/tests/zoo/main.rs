//! Formulas written from the language reference alone, by no one who knows how the macro works.

mod activation;
mod attention;
mod conv;
mod loss;
mod norm;
mod papers;
mod pointwise;
mod pool;
mod reindex;
mod structure;
mod unusual;
