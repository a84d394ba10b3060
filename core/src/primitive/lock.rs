//! The inner lock: a bit that is taken by one read-modify-write and given back by a
//! plain store.
//!
//! Nothing of the user's ever runs under it, so it is held for a few instructions,
//! unless the holder's thread is preempted. So a thread that finds it taken first spins.
//! With `std` it then gives its time slice away, and at last sleeps for a moment at a
//! time: then also a holder goes on whose priority is lower. A lock that the operating
//! system wakes (`std::sync::Mutex`) has to learn at each unlock whether a thread
//! sleeps, by a second read-modify-write: that was a fifth to two fifths of the time of
//! most operations here, and it is paid for what hardly ever happens.
//!
//! With the `critical-section` feature, and without `std`, interrupts are off while it
//! is held, as a single-core microcontroller needs it.
//!
//! Invariant **LOCKED**: between `enter` and `leave` of a gate there is one guard,
//! and only through it is the value reached. A thread has one guard at a time, of
//! whatever lock, and neither sends nor leaks it: so critical sections end in the
//! opposite order of that in which they began, also within one of the user's.

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};

// In this order, so that the bit lies beside what is used first under it.
#[repr(C)]
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
        #[cfg(all(test, feature = "std"))]
        one_at_a_time::enter();
        LockGuard {
            pass: self.gate.enter(),
            lock: self,
            not_send: PhantomData,
        }
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
        #[cfg(all(test, feature = "std"))]
        one_at_a_time::leave();
    }
}

/// Fails a test in which a thread locks while it has a guard: two guards would
/// overlap, or foreign code would run under the lock.
#[cfg(all(test, feature = "std"))]
pub(crate) mod one_at_a_time {
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

    /// Whether this thread has a guard.
    pub(crate) fn has_guard() -> bool {
        HAS_ONE.get()
    }
}

#[cfg(all(feature = "critical-section", not(feature = "std")))]
use critical::{Gate, Pass};

#[cfg(all(feature = "critical-section", not(feature = "std")))]
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

#[cfg(not(all(feature = "critical-section", not(feature = "std"))))]
use bit::{Gate, Pass};

#[cfg(not(all(feature = "critical-section", not(feature = "std"))))]
mod bit {
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
            if !self.take() {
                self.wait();
            }
            Pass
        }

        /// ORDERING: Acquire, for what its previous holder wrote under it.
        #[inline]
        fn take(&self) -> bool {
            !self.0.swap(true, Ordering::Acquire)
        }

        #[cold]
        fn wait(&self) {
            let mut patience = Patience::default();
            loop {
                // A look takes the cache line from no other thread.
                if !self.0.load(Ordering::Relaxed) && self.take() {
                    return;
                }
                patience.wait();
            }
        }

        #[inline]
        pub(super) fn leave(&self, _: Pass) {
            self.0.store(false, Ordering::Release);
        }
    }

    /// How long a thread has waited in vain.
    #[derive(Default)]
    pub(super) struct Patience {
        rounds: u32,
    }

    impl Patience {
        /// The first round of spinning is longer than many critical sections: the
        /// thread that has the lock does more than one operation meanwhile, and the
        /// memory that it guards stays with one core for a while. Each round is twice
        /// as long as the one before.
        const FIRST: u32 = 32;
        const SPINS: u32 = 3;
        #[cfg(feature = "std")]
        const YIELDS: u32 = 16;
        #[cfg(feature = "std")]
        const SLEEP: std::time::Duration = std::time::Duration::from_micros(50);

        #[cfg(feature = "std")]
        pub(super) fn wait(&mut self) {
            if self.sleeps() {
                std::thread::sleep(Self::SLEEP);
            } else if self.rounds >= Self::SPINS {
                self.rounds += 1;
                std::thread::yield_now();
            } else {
                self.spin();
            }
        }

        #[cfg(feature = "std")]
        pub(super) fn sleeps(&self) -> bool {
            self.rounds >= Self::SPINS + Self::YIELDS
        }

        #[cfg(not(feature = "std"))]
        pub(super) fn wait(&mut self) {
            self.spin();
        }

        fn spin(&mut self) {
            for _ in 0..Self::FIRST << self.rounds {
                hint::spin_loop();
            }
            self.rounds = (self.rounds + 1).min(Self::SPINS);
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::Lock;
    use super::bit::Patience;

    #[test]
    fn excludes() {
        static COUNT: Lock<usize> = Lock::new(0);
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..200 {
                        let mut count = COUNT.lock();
                        let before = *count;
                        // The others come to wait, and see what they should not.
                        thread::yield_now();
                        *count = before + 1;
                    }
                });
            }
        });
        assert_eq!(*COUNT.lock(), 800);
    }

    #[test]
    #[should_panic = "a thread has two guards"]
    fn second_guard_of_a_thread_is_noticed() {
        static LOCKS: [Lock<()>; 2] = [Lock::new(()), Lock::new(())];
        let _one = LOCKS[0].lock();
        let _other = LOCKS[1].lock();
    }

    /// A thread that waits for a holder that does not run comes to sleep, and goes on.
    #[test]
    fn patience_sleeps_in_the_end() {
        let mut patience = Patience::default();
        assert!(!patience.sleeps());
        for _ in 0..100 {
            patience.wait();
        }
        assert!(patience.sleeps());
    }
}
