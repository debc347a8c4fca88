//! Tests of the stage: the corpus, the rules, what saturation must not do.

mod corpus;
mod forms;
mod random;
mod rules;
mod shadow;
mod timing;

pub use shadow::Shadow;
