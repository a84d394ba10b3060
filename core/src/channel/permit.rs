//! Permits: slots that are reserved.

use core::fmt;
use core::iter::FusedIterator;
use core::mem;

use alloc::sync::Arc;

use super::Sender;
use super::chan::Chan;

/// A slot of a channel, to send one message without waiting. Comes from
/// [`Sender::reserve`]; dropped, it gives the slot to the next.
#[must_use = "the slot is free again as soon as the permit is dropped"]
#[clippy::has_significant_drop]
pub struct Permit<'a, T> {
    chan: &'a Chan<T>,
}

impl<'a, T> Permit<'a, T> {
    #[inline]
    pub(super) fn new(chan: &'a Chan<T>) -> Self {
        Self { chan }
    }

    /// Sends the message.
    ///
    /// This works also if the channel has been closed since the slot was
    /// reserved. Only if there are no receivers any more is the message dropped.
    ///
    /// # Panics
    ///
    /// Passes on the panic of a waker; the message has been sent then.
    #[inline]
    pub fn send(self, message: T) {
        let chan = self.chan;
        mem::forget(self);
        drop(chan.send_reserved(chan.lock(), message));
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.chan.release(1);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// Several slots of a channel, reserved together: an iterator of [`Permit`]s.
/// Comes from [`Sender::reserve_many`]. Dropped, it gives back the slots that it
/// has not handed out.
#[must_use = "the slots are free again as soon as this is dropped"]
#[clippy::has_significant_drop]
pub struct Permits<'a, T> {
    chan: &'a Chan<T>,
    left: usize,
}

impl<'a, T> Permits<'a, T> {
    #[inline]
    pub(super) fn new(chan: &'a Chan<T>, left: usize) -> Self {
        Self { chan, left }
    }
}

impl<'a, T> Iterator for Permits<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        self.left = self.left.checked_sub(1)?;
        Some(Permit::new(self.chan))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for Permits<'_, T> {}

impl<T> FusedIterator for Permits<'_, T> {}

impl<T> Drop for Permits<'_, T> {
    fn drop(&mut self) {
        self.chan.release(self.left);
    }
}

impl<T> fmt::Debug for Permits<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// A [`Permit`] that owns the sender with which the slot was reserved. Comes from
/// [`Sender::reserve_owned`].
#[must_use = "the slot is free again as soon as the permit is dropped"]
#[clippy::has_significant_drop]
pub struct OwnedPermit<T> {
    // `None` once the slot is used or given back.
    sender: Option<Sender<T>>,
}

impl<T> OwnedPermit<T> {
    #[inline]
    pub(super) fn new(sender: Sender<T>) -> Self {
        Self {
            sender: Some(sender),
        }
    }

    /// Sends the message, as [`Permit::send`], and returns the sender.
    pub fn send(mut self, message: T) -> Sender<T> {
        let sender = self.take();
        let chan = sender.chan();
        drop(chan.send_reserved(chan.lock(), message));
        sender
    }

    /// Gives the slot back, and returns the sender.
    pub fn release(mut self) -> Sender<T> {
        let sender = self.take();
        sender.chan().release(1);
        sender
    }

    /// The sender that it owns.
    ///
    /// ```
    /// let (sender, receiver) = anysync::channel::bounded::<u32>(1);
    /// let permit = sender.try_reserve_owned().unwrap();
    /// assert!(!permit.sender().is_closed());
    /// drop(receiver);
    /// assert!(permit.sender().is_closed());
    /// ```
    pub fn sender(&self) -> &Sender<T> {
        self.sender.as_ref().expect("a permit is used once")
    }

    /// Whether this is a slot of the same channel as `other`.
    #[doc(alias("same_receiver"))]
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.chan(), other.chan())
    }

    /// Whether this is a slot of the channel of `sender`.
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        Arc::ptr_eq(self.chan(), sender.chan())
    }

    fn take(&mut self) -> Sender<T> {
        self.sender.take().expect("a permit is used once")
    }

    fn chan(&self) -> &Arc<Chan<T>> {
        self.sender().chan()
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(sender) = self.sender.take() {
            sender.chan().release(1);
        }
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").finish_non_exhaustive()
    }
}
