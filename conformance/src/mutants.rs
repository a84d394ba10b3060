//! Deliberately broken subjects and backends: what proves that the laws bite. A
//! new one is a file here and an entry in [`all`].

use std::sync::Arc;

use crate::backend::Backend;
use crate::subject::Subject;

/// Something broken, and the laws that must notice.
#[derive(Clone)]
pub struct Mutant {
    /// Its name in the kill table.
    pub name: &'static str,
    /// What is wrong with it.
    pub flaw: &'static str,
    /// What is broken.
    pub what: Broken,
    /// The laws that must fail on it; others may, too.
    pub killed_by: &'static [&'static str],
}

/// What a mutant breaks.
#[derive(Clone)]
pub enum Broken {
    /// A primitive.
    Subject(Arc<dyn Subject>),
    /// An executor or its adapter.
    Backend(Arc<dyn Backend>),
}

/// All of them.
pub fn all() -> Vec<Mutant> {
    Vec::new()
}
