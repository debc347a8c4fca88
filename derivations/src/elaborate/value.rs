//! What an expression of a formula means while it is elaborated.

use super::typed::TermId;
use crate::graph::AxisId;
use proc_macro2::{Span, TokenStream};
use quote::quote;

/// The meaning of an expression.
#[derive(Clone, Debug)]
pub enum Value {
    Tensor(Tensor),
    Host(Host),
    Tuple(Vec<Value>),
    Axes(Vec<AxisId>),
    Optional(Optional),
    /// A state argument; `*r` reads it.
    State(usize),
    Unit,
    /// An error was reported; what depends on it stays quiet.
    Poison,
}

/// A tensor and the order of its axes, for calls that bind by position.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub term: TermId,
    /// The declared order, where there is one.
    pub order: Option<Vec<AxisId>>,
}

impl From<TermId> for Value {
    fn from(term: TermId) -> Value {
        Value::Tensor(Tensor { term, order: None })
    }
}

/// A scalar of the call: the user's own Rust.
#[derive(Clone, Debug)]
pub struct Host {
    pub tokens: TokenStream,
    pub literal: Option<Literal>,
    pub span: Span,
}

/// A scalar that is known when the formula is derived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal {
    Int(i64),
    Float(f64),
    Bool(bool),
}

impl Literal {
    pub fn number(self) -> f64 {
        match self {
            Literal::Int(n) => n as f64,
            Literal::Float(x) => x,
            Literal::Bool(b) => f64::from(u8::from(b)),
        }
    }
}

/// An optional tensor argument.
#[derive(Clone, Debug)]
pub enum Optional {
    None,
    Some(Box<Value>),
    /// The argument with this number: whether it is there is decided a call.
    Param {
        index: usize,
        present: TokenStream,
    },
}

impl Optional {
    /// `Some(constant)` or `None`, as a setting of the user's Rust takes it.
    pub fn constant(&self) -> Option<TokenStream> {
        match self {
            Optional::None => Some(quote!(::core::option::Option::None)),
            Optional::Some(value) => match &**value {
                Value::Host(Host { tokens, .. }) => Some(quote!(::core::option::Option::Some(#tokens))),
                _ => None,
            },
            Optional::Param { .. } => None,
        }
    }
}

impl Value {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Tensor(_) => "a tensor",
            Value::Host(_) => "a constant",
            Value::Tuple(_) => "a tuple",
            Value::Axes(_) => "an axis",
            Value::Optional(_) => "an optional tensor",
            Value::State(_) => "state",
            Value::Unit => "nothing",
            Value::Poison => "an error",
        }
    }
}
