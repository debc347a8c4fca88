//! Tests of the stage: the corpus, the rules, what saturation must not do.

mod conditions;
mod corpus;
mod edges;
mod forms;
mod random;
mod rules;
mod shadow;

pub use shadow::Shadow;
