//! Whether a value was dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts how many of its guards were dropped. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Dropped {
    count: Arc<AtomicUsize>,
}

impl Dropped {
    /// Nothing was dropped yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A value whose drop is counted.
    pub fn guard(&self) -> DropGuard {
        DropGuard {
            count: Arc::clone(&self.count),
        }
    }

    /// How many guards were dropped.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Whether any guard was dropped.
    pub fn is_dropped(&self) -> bool {
        self.count() > 0
    }
}

/// A guard of [`Dropped`].
#[derive(Debug)]
pub struct DropGuard {
    count: Arc<AtomicUsize>,
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.count.fetch_add(1, Ordering::Release);
    }
}
