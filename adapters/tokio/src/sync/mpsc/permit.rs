//! Permits: slots that are reserved.

use std::fmt;
use std::iter::FusedIterator;

use anysync::channel as core;

use super::Sender;

/// A slot of the channel, for one message that can be sent without waiting; made
/// by [`Sender::reserve`] and [`Sender::try_reserve`].
///
/// Dropped, it gives the slot back.
pub struct Permit<'a, T>(pub(super) core::Permit<'a, T>);

impl<T> Permit<'_, T> {
    /// Sends the message. If the receiver is gone it is dropped.
    ///
    /// ```
    /// use anysync_tokio::sync::mpsc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, mut receiver) = mpsc::channel(1);
    /// let permit = sender.reserve().await.unwrap();
    /// assert!(sender.try_send(1).is_err());
    /// permit.send(2);
    /// assert_eq!(receiver.recv().await, Some(2));
    /// # }
    /// ```
    pub fn send(self, value: T) {
        self.0.send(value);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Slots of the channel, as an iterator of [`Permit`]s; made by
/// [`Sender::reserve_many`] and [`Sender::try_reserve_many`].
///
/// Dropped, it gives those back that it has not yielded.
pub struct PermitIterator<'a, T>(pub(super) core::Permits<'a, T>);

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        self.0.next().map(Permit)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}

impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermitIterator")
            .field("capacity", &self.len())
            .finish_non_exhaustive()
    }
}

/// A slot of the channel with the sender itself; made by
/// [`Sender::reserve_owned`] and [`Sender::try_reserve_owned`].
///
/// Dropped, it gives the slot back, and drops the sender.
pub struct OwnedPermit<T>(pub(super) core::OwnedPermit<T>);

impl<T> OwnedPermit<T> {
    /// Sends the message; the result is the sender. If the receiver is gone the
    /// message is dropped.
    ///
    /// ```
    /// use anysync_tokio::sync::mpsc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, mut receiver) = mpsc::channel(1);
    /// let permit = sender.reserve_owned().await.unwrap();
    /// let sender = permit.send(1);
    /// assert!(sender.try_send(2).is_err());
    /// assert_eq!(receiver.recv().await, Some(1));
    /// # }
    /// ```
    pub fn send(self, value: T) -> Sender<T> {
        Sender(self.0.send(value))
    }

    /// Gives the slot back; the result is the sender.
    ///
    /// ```
    /// let (sender, receiver) = anysync_tokio::sync::mpsc::channel::<u32>(1);
    /// let permit = sender.try_reserve_owned().unwrap();
    /// assert_eq!(receiver.capacity(), 0);
    /// let sender = permit.release();
    /// assert_eq!(sender.capacity(), 1);
    /// ```
    pub fn release(self) -> Sender<T> {
        Sender(self.0.release())
    }

    /// Whether both are slots of the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }

    /// Whether it is a slot of the channel of `sender`.
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.0.same_channel_as_sender(&sender.0)
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
