//! Names in scope: one frame a formula or helper, scopes inside it.

use super::call::Library;
use super::value::Value;
use crate::graph::AxisId;
use std::collections::HashMap;

/// The names of one function while its body is elaborated.
#[derive(Clone)]
pub(super) struct Frame {
    scopes: Vec<HashMap<String, Binding>>,
    /// What each axis name stands for: one axis, or for `Many<S>` any number.
    pub axes: HashMap<String, Vec<AxisId>>,
    /// What stands in the body beside statements.
    pub items: Items,
    /// Optional arguments, for where they are present.
    pub optionals: HashMap<usize, Value>,
    /// The formulas that this one may call.
    pub library: Library,
    /// The calls that led here, to find cycles.
    pub stack: Vec<String>,
    /// Inside the condition of an `if`: its two values, for messages.
    pub condition: Option<(String, String)>,
    /// Inside the closure of `map`: how many scopes were open before it.
    pub map_scope: Option<usize>,
}

/// The items of a body: functions nested in it see them too.
#[derive(Clone, Default)]
pub(super) struct Items {
    pub functions: HashMap<String, syn::ItemFn>,
    pub constants: HashMap<String, Value>,
    /// Names that `use` brings in, with their paths.
    pub imports: HashMap<String, syn::Path>,
    /// In a nested function: the axes of the formula around it.
    pub axes: HashMap<String, Vec<AxisId>>,
}

#[derive(Clone)]
struct Binding {
    value: Value,
    mutable: bool,
}

impl Frame {
    pub fn root(library: Library) -> Frame {
        Frame {
            scopes: vec![HashMap::new()],
            axes: HashMap::new(),
            items: Items::default(),
            optionals: HashMap::new(),
            library,
            stack: vec![],
            condition: None,
            map_scope: None,
        }
    }
    /// What an axis name stands for: its own, or else one of the formula around it.
    pub fn axes_named(&self, name: &str) -> Option<&Vec<AxisId>> {
        self.axes.get(name).or_else(|| self.items.axes.get(name))
    }
    /// What a function nested in this body sees of it.
    pub fn for_nested(&self) -> Items {
        let mut items = self.items.clone();
        if items.axes.is_empty() {
            items.axes = self.axes.clone();
        }
        items
    }
    pub fn open(&mut self) {
        self.scopes.push(HashMap::new());
    }
    pub fn close(&mut self) {
        self.scopes.pop();
    }
    pub fn depth(&self) -> usize {
        self.scopes.len()
    }
    pub fn bind(&mut self, name: &str, value: Value, mutable: bool) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.into(), Binding { value, mutable });
        }
    }
    /// The names in scope, in order.
    pub fn names(&self) -> Vec<String> {
        let all: std::collections::BTreeSet<&String> = self.scopes.iter().flat_map(HashMap::keys).collect();
        all.into_iter().cloned().collect()
    }
    /// The value of a name, and the scope it was found in.
    pub fn find(&self, name: &str) -> Option<(&Value, usize)> {
        self.scopes.iter().enumerate().rev().find_map(|(depth, s)| s.get(name).map(|b| (&b.value, depth)))
    }
    /// Gives a mutable name a new value. `Some(false)`: it is not mutable; `None`: there is no such name.
    pub fn assign(&mut self, name: &str, value: Value) -> Option<bool> {
        let binding = self.scopes.iter_mut().rev().find_map(|s| s.get_mut(name))?;
        if binding.mutable {
            binding.value = value;
        }
        Some(binding.mutable)
    }
}
