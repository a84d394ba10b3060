//! Wakers gathered under the lock and woken outside it.
//!
//! A waker is foreign code: it may call back into the primitive that wakes it,
//! take its time, or panic. So it runs when no lock is held, and a panic of one
//! is kept until all the others have been woken.
//!
//! Invariant **FILLED**: the first `filled` slots of a batch hold wakers, and
//! `woken <= filled` of them have been moved out again, from the front.

use core::mem::{self, MaybeUninit};
use core::task::Waker;

#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

/// How many wakers are gathered before the lock is opened to wake them. One
/// under loom, so that few waiters show what happens between two batches.
pub(crate) const BATCH: usize = if cfg!(anysync_loom) { 1 } else { 32 };

/// Up to [`BATCH`] wakers on the stack.
pub(crate) struct WakeBatch {
    slots: [MaybeUninit<Waker>; BATCH],
    filled: usize,
    woken: usize,
}

impl WakeBatch {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self {
            slots: [const { MaybeUninit::uninit() }; BATCH],
            filled: 0,
            woken: 0,
        }
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.filled == BATCH
    }

    /// Adds a waker; call it under the lock.
    ///
    /// # Panics
    ///
    /// When the batch is full.
    #[inline]
    pub(crate) fn push(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.slots[self.filled].write(waker);
            self.filled += 1;
        }
    }

    /// Adds as many wakers as there is room for, until there is no `next`; call it
    /// under the lock.
    #[inline]
    pub(crate) fn fill(&mut self, mut next: impl FnMut() -> Option<Option<Waker>>) {
        while !self.is_full() {
            match next() {
                Some(waker) => self.push(waker),
                None => break,
            }
        }
    }

    /// Wakes what has been gathered and is empty afterwards; call it when the
    /// lock is open.
    pub(crate) fn wake_all(&mut self) -> Panicked {
        let panicked = self.wake_each();
        self.filled = 0;
        self.woken = 0;
        panicked
    }

    #[cfg(feature = "std")]
    fn wake_each(&mut self) -> Panicked {
        use std::panic::{AssertUnwindSafe, catch_unwind};

        let mut panicked = Panicked(None);
        while self.woken < self.filled {
            let outcome = catch_unwind(AssertUnwindSafe(|| self.wake_rest()));
            if let Err(payload) = outcome {
                panicked.or(Panicked(Some(payload)));
            }
        }
        panicked
    }

    /// Without `std` a panic cannot be caught; `Drop` wakes the rest while it
    /// unwinds.
    #[cfg(not(feature = "std"))]
    fn wake_each(&mut self) -> Panicked {
        self.wake_rest();
        Panicked(())
    }

    fn wake_rest(&mut self) {
        while self.woken < self.filled {
            let slot = &self.slots[self.woken];
            self.woken += 1;
            // SAFETY: invariant FILLED, and `woken` was moved on before the
            // waker could panic, so each waker is moved out once.
            unsafe { slot.assume_init_read() }.wake();
        }
    }
}

impl Drop for WakeBatch {
    fn drop(&mut self) {
        // Nothing is left but after a panic between filling and waking, or in a
        // waker without `std`.
        if self.woken < self.filled {
            self.wake_all().resume();
        }
    }
}

/// Wakes `first`, and more in rounds: each `round` fills the batch under the lock,
/// opens that, and says whether it was the last. `rest` does what is left when a panic
/// that cannot be caught (without `std`) has ended the rounds.
#[cold]
pub(crate) fn wake_in_rounds(
    first: Option<Waker>,
    mut round: impl FnMut(&mut WakeBatch) -> bool,
    rest: impl Fn(),
) -> Panicked {
    let mut batch = WakeBatch::new();
    batch.push(first);
    let mut panicked = Panicked::none();
    loop {
        let rest = Finally(&rest);
        let was_last = round(&mut batch);
        panicked.or(batch.wake_all());
        mem::forget(rest);
        if was_last {
            return panicked;
        }
    }
}

/// What a waker panicked with, kept until all the others have been woken.
#[must_use = "a waker's panic goes on once everything else is done"]
pub(crate) struct Panicked(Payload);

#[cfg(feature = "std")]
type Payload = Option<std::boxed::Box<dyn core::any::Any + Send>>;
#[cfg(not(feature = "std"))]
type Payload = ();

impl Panicked {
    pub(crate) const fn none() -> Self {
        #[cfg(feature = "std")]
        return Self(None);
        #[cfg(not(feature = "std"))]
        return Self(());
    }

    /// Keeps the first of several panics.
    pub(crate) fn or(&mut self, later: Self) {
        #[cfg(feature = "std")]
        if self.0.is_none() {
            self.0 = later.0;
        } else {
            // A payload may panic in its own `Drop`.
            core::mem::forget(later.0);
        }
        #[cfg(not(feature = "std"))]
        {
            let () = later.0;
            let () = self.0;
        }
    }

    /// Lets the panic go on, unless the thread is unwinding already, in which
    /// case a second panic would abort the process.
    #[inline]
    pub(crate) fn resume(self) {
        #[cfg(feature = "std")]
        if let Some(payload) = self.0 {
            go_on(payload);
        }
    }
}

#[cfg(feature = "std")]
#[cold]
fn go_on(payload: std::boxed::Box<dyn core::any::Any + Send>) {
    if std::thread::panicking() {
        core::mem::forget(payload);
    } else {
        std::panic::resume_unwind(payload);
    }
}

/// Runs a closure when it is dropped: what must be done also if a waker panics.
pub(crate) struct Finally<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for Finally<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Wakes a task that is being polled, so that it polls again: what its wait waits for is
/// not there yet. If it `yields`, other threads run first. Call it when no lock is held.
#[cold]
#[cfg_attr(any(not(feature = "std"), anysync_loom), expect(unused_variables))]
pub(crate) fn wake_again(waker: Option<&Waker>, yields: bool) {
    #[cfg(all(feature = "std", not(anysync_loom)))]
    if yields {
        std::thread::yield_now();
    }
    if let Some(waker) = waker {
        waker.wake_by_ref();
    }
}

/// Wakes one waker; call it when no lock is held.
#[inline]
pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        run_foreign(|| waker.wake());
    }
}

/// Wakes one waker, and keeps what it panicked with; call it when no lock is held.
#[inline]
pub(crate) fn wake_one(waker: Option<Waker>) -> Panicked {
    let Some(waker) = waker else {
        return Panicked::none();
    };
    #[cfg(feature = "std")]
    {
        use std::panic::{AssertUnwindSafe, catch_unwind};
        let outcome = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        Panicked(outcome.err())
    }
    #[cfg(not(feature = "std"))]
    {
        waker.wake();
        Panicked::none()
    }
}

/// Drops one waker; call it when no lock is held.
#[inline]
pub(crate) fn discard(waker: Option<Waker>) {
    if let Some(waker) = waker {
        run_foreign(|| drop(waker));
    }
}

/// Runs foreign code that may panic, but does not let it panic while the thread
/// is unwinding.
#[inline]
pub(crate) fn run_foreign(code: impl FnOnce()) {
    #[cfg(feature = "std")]
    if std::thread::panicking() {
        let outcome = std::panic::catch_unwind(core::panic::AssertUnwindSafe(code));
        core::mem::forget(outcome);
        return;
    }
    code();
}
