//! The backends that are built in. A new one is a file here and a line in
//! [`all`].

use std::sync::Arc;

use crate::backend::Backend;

pub mod threads;

/// All of them, in the order of the report.
pub fn all() -> Vec<Arc<dyn Backend>> {
    vec![Arc::new(threads::OnThreads)]
}
