//! The inner lock without an operating system.
//!
//! With the `critical-section` feature interrupts are off while it is held, as
//! a single-core microcontroller needs it. Without, it spins; nothing of the
//! user's ever runs under it, so the spin is a few instructions long unless the
//! holder's thread is preempted.
//!
//! Invariant **LOCKED**: between `enter` and `leave` of a gate there is one guard,
//! and only through it is the value reached. A thread has one guard at a time, of
//! whatever lock, and neither sends nor leaks it: so critical sections end in the
//! opposite order of that in which they began, also within one of the user's.

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};

pub(crate) struct Lock<T> {
    gate: Gate,
    value: UnsafeCell<T>,
}

// SAFETY: invariant LOCKED. The value is reached only through a guard, and the
// gate lets one guard exist at a time, so sharing the lock hands the value from
// one thread to the next, which `T: Send` allows.
unsafe impl<T: Send> Sync for Lock<T> {}

// As of the standard library's lock: nothing of the user's runs under it, so a
// panic leaves nothing half done.
impl<T> UnwindSafe for Lock<T> {}
impl<T> RefUnwindSafe for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            gate: Gate::new(),
            value: UnsafeCell::new(value),
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> LockGuard<'_, T> {
        #[cfg(all(test, anysync_spin))]
        one_at_a_time::enter();
        LockGuard {
            pass: self.gate.enter(),
            lock: self,
            not_send: PhantomData,
        }
    }

    /// Without locking: nobody else has the lock.
    #[inline]
    #[cfg_attr(not(feature = "alloc"), allow(dead_code))]
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

pub(crate) struct LockGuard<'a, T> {
    lock: &'a Lock<T>,
    pass: Pass,
    // A critical section ends on the core on which it began.
    not_send: PhantomData<*const ()>,
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: invariant LOCKED, this guard is the only one.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: invariant LOCKED, this guard is the only one.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for LockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.gate.leave(self.pass);
        #[cfg(all(test, anysync_spin))]
        one_at_a_time::leave();
    }
}

/// Fails a test in which a thread locks while it has a guard: two guards would
/// overlap, or foreign code would run under the lock.
#[cfg(all(test, anysync_spin))]
mod one_at_a_time {
    use core::cell::Cell;

    std::thread_local! {
        static HAS_ONE: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn enter() {
        assert!(!HAS_ONE.replace(true), "a thread has two guards");
    }

    pub(super) fn leave() {
        HAS_ONE.set(false);
    }
}

#[cfg(feature = "critical-section")]
use critical::{Gate, Pass};

#[cfg(feature = "critical-section")]
mod critical {
    pub(super) type Pass = critical_section::RestoreState;

    pub(super) struct Gate;

    impl Gate {
        pub(super) const fn new() -> Self {
            Self
        }

        #[inline]
        pub(super) fn enter(&self) -> Pass {
            // SAFETY: invariant LOCKED. `leave` is called once, with this
            // value, by the guard that holds it, before another is entered.
            unsafe { critical_section::acquire() }
        }

        #[inline]
        pub(super) fn leave(&self, pass: Pass) {
            // SAFETY: invariant LOCKED, `pass` is what `enter` returned.
            unsafe { critical_section::release(pass) }
        }
    }
}

#[cfg(not(feature = "critical-section"))]
use spin::{Gate, Pass};

#[cfg(not(feature = "critical-section"))]
mod spin {
    use core::hint;
    use core::sync::atomic::{AtomicBool, Ordering};

    #[derive(Clone, Copy)]
    pub(super) struct Pass;

    pub(super) struct Gate(AtomicBool);

    impl Gate {
        pub(super) const fn new() -> Self {
            Self(AtomicBool::new(false))
        }

        #[inline]
        pub(super) fn enter(&self) -> Pass {
            while self
                .0
                .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
                .is_err()
            {
                while self.0.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            }
            Pass
        }

        #[inline]
        pub(super) fn leave(&self, _: Pass) {
            self.0.store(false, Ordering::Release);
        }
    }
}
