//! Several tasks in one sweep: their bodies joined, values that one stores and another reads handed on.

use super::body::Builder;
use super::tasks::{Tasks, Work};
use super::{Body, Fold, TempId, Val};
use std::collections::HashMap;

/// The body of a sweep that does these tasks. Results that are not `needed` outside it are not stored.
/// Temps are tasks, by number.
pub(super) fn merged(tasks: &Tasks, group: &[usize], needed: &dyn Fn(usize) -> bool) -> Body {
    let mut builder = Builder::default();
    let mut stored: HashMap<usize, Val> = HashMap::new();
    let (mut stores, mut folds) = (vec![], vec![]);
    for t in group {
        let task = &tasks.tasks[*t];
        let imported = builder.import(&task.body, &|temp| stored.get(&(temp.0 as usize)).copied());
        let temp = TempId(*t as u32);
        match &task.work {
            Work::Store { value } => {
                let value = imported.val(*value);
                stored.insert(*t, value);
                if needed(*t) {
                    stores.push((temp, value));
                }
            }
            Work::Fold { op, axes, value } => {
                folds.push(Fold { temp, op: *op, axes: axes.clone(), value: imported.val(*value) });
            }
            Work::Gemm { .. } | Work::Scatter { .. } | Work::Scan { .. } => return task.body.clone(),
        }
    }
    builder.finish(stores, folds, &mut [])
}
