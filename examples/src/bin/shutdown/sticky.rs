//! [`Shutdown`]: a signal that stays, out of a flag and a [`Notify`].

use std::sync::atomic::{AtomicBool, Ordering};

use anysync::{Io, Notify};

#[cfg(test)]
mod tests;

/// A signal that is given once and heard by everybody, early or late.
pub(crate) struct Shutdown {
    triggered: AtomicBool,
    changed: Notify,
}

impl Shutdown {
    pub(crate) const fn new() -> Self {
        Self {
            triggered: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }

    /// Gives the signal. To give it again changes nothing.
    pub(crate) fn trigger(&self) {
        // First the flag, then the call: whoever misses the call sees the flag.
        self.triggered.store(true, Ordering::Release);
        self.changed.notify_all();
    }

    pub(crate) fn is_triggered(&self) -> bool {
        self.triggered.load(Ordering::Acquire)
    }

    /// Waits for the signal; returns at once if it has been given.
    pub(crate) async fn wait(&self, io: impl Io) {
        // First the wait, then the look: a call in between reaches the wait,
        // which counts from the moment it is made. The other way round, a
        // signal after the look and before the wait would be missed.
        //
        // With `notify_one` in `trigger` the wait would also have to be
        // `enable`d before the look: that call reaches only who has queued.
        let wait = self.changed.wait(io);
        if !self.is_triggered() {
            wait.await;
        }
    }
}
