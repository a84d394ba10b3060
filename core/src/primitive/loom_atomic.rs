//! Loom's atomics, made to show it every race.
//!
//! To find out which orders are worth trying, loom compares an access with the
//! latest access to the same atomic alone. So where a thread loads before it
//! writes, its own load hides that the write races with an earlier load of
//! another thread, and the order in which that thread sees the write is never
//! tried. Here each load first changes a second atomic, which orders nothing and
//! is never read. So loom tries the loads of two threads both ways around, and
//! with the load of the one that writes its write comes before the load of the
//! other. A load may still return every value that the memory model lets it.

use core::ops::Deref;

use loom::sync::atomic::{self, Ordering};

#[derive(Debug)]
pub(crate) struct Traced<A> {
    atomic: A,
    loads: atomic::AtomicUsize,
}

pub(crate) type AtomicUsize = Traced<atomic::AtomicUsize>;
pub(crate) type AtomicPtr<T> = Traced<atomic::AtomicPtr<T>>;

impl<A> Traced<A> {
    fn of(atomic: A) -> Self {
        Self {
            atomic,
            loads: atomic::AtomicUsize::new(0),
        }
    }

    fn before_load(&self) {
        self.loads.fetch_add(1, Ordering::Relaxed);
    }
}

impl AtomicUsize {
    pub(crate) fn new(value: usize) -> Self {
        Self::of(atomic::AtomicUsize::new(value))
    }

    pub(crate) fn load(&self, order: Ordering) -> usize {
        self.before_load();
        self.atomic.load(order)
    }
}

impl<T> AtomicPtr<T> {
    pub(crate) fn new(value: *mut T) -> Self {
        Self::of(atomic::AtomicPtr::new(value))
    }

    pub(crate) fn load(&self, order: Ordering) -> *mut T {
        self.before_load();
        self.atomic.load(order)
    }
}

/// To the operations that write, which hide nothing.
impl<A> Deref for Traced<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.atomic
    }
}
