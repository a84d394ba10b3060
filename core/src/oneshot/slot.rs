//! [`Slot`]: the channel without the heap.

use core::fmt;
use core::marker::PhantomData;
use core::panic::{RefUnwindSafe, UnwindSafe};

use crate::primitive::const_fn;

use super::joint::Joint;
use super::{Home, Receiver, Sender, sealed};

/// The room of a oneshot channel, which lies where its owner puts it: in the
/// frame of an async block, in a static, in a structure. It lends the two ends;
/// nothing is allocated, ever.
///
/// Once both ends are gone the slot can be lent again, for another value.
///
/// ```
/// use anysync::{Bare, Block, oneshot::Slot};
///
/// let mut slot = Slot::new();
/// for round in 0..3 {
///     let (sender, receiver) = slot.split();
///     std::thread::scope(|scope| {
///         scope.spawn(move || sender.send(round).unwrap());
///         assert_eq!(Bare.block_on(receiver), Ok(round));
///     });
/// }
/// ```
///
/// Whatever is in the slot when it is dropped, because an end was leaked, is
/// dropped with it.
pub struct Slot<T> {
    joint: Joint<T>,
}

/// The home of the ends that a [`Slot`] has lent.
#[derive(Debug)]
pub struct Lent<'a>(PhantomData<&'a ()>);

impl sealed::Sealed for Lent<'_> {}

impl Home for Lent<'_> {
    const HEAP: bool = false;
}

/// The [`Sender`] that a [`Slot`] has lent.
pub type SlotSender<'a, T> = Sender<T, Lent<'a>>;

/// The [`Receiver`] that a [`Slot`] has lent.
pub type SlotReceiver<'a, T> = Receiver<T, Lent<'a>>;

impl<T> Slot<T> {
    const_fn! {
        /// A slot that has not been lent.
        ///
        /// ```
        /// use anysync::oneshot::Slot;
        ///
        /// static ANSWER: Slot<u32> = Slot::new();
        ///
        /// let (sender, mut receiver) = ANSWER.lend().expect("nobody has the ends");
        /// assert!(ANSWER.lend().is_none());
        /// sender.send(42).unwrap();
        /// assert_eq!(receiver.try_recv(), Ok(42));
        /// drop(receiver);
        /// assert!(ANSWER.lend().is_some());
        /// ```
        pub const fn new() -> Self {
            Self { joint: Joint::free() }
        }
    }

    /// The two ends. The compiler sees to it that there are no others: if those
    /// of an earlier call were leaked, what they left is dropped.
    ///
    /// ```
    /// let mut slot = anysync::oneshot::Slot::new();
    /// let (sender, mut receiver) = slot.split();
    /// sender.send("hello").unwrap();
    /// assert_eq!(receiver.try_recv(), Ok("hello"));
    /// ```
    pub fn split(&mut self) -> (SlotSender<'_, T>, SlotReceiver<'_, T>) {
        let (tx, rx) = self.joint.lend_mut();
        (Sender { tx }, Receiver { rx })
    }

    /// The two ends, unless one of them is held: so for a slot that is
    /// shared, in a static for example.
    ///
    /// An end that is leaked keeps the slot from being lent until
    /// [`split`](Slot::split). A receiver is gone, in this sense, as soon as it
    /// has received.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the former ends did before they went.
    pub fn lend(&self) -> Option<(SlotSender<'_, T>, SlotReceiver<'_, T>)> {
        let (tx, rx) = self.joint.lend()?;
        Some((Sender { tx }, Receiver { rx }))
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        self.joint.reclaim();
    }
}

// Nothing of the user's runs while anything is half changed.
impl<T> UnwindSafe for Slot<T> {}
impl<T> RefUnwindSafe for Slot<T> {}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}
