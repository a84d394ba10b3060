//! What senders and receivers of one broadcast share.

use alloc::sync::Arc;

use super::ring::{Fresh, Locked, Place, Read, Ring, Swept};
use super::{Overflow, SendError, TryRecvError};
use crate::notify::Notify;
use crate::semaphore::{Semaphore, SemaphorePermit};
use crate::wake_batch::{Finally, run_foreign};

pub(super) struct Shared<T> {
    pub(super) capacity: usize,
    overflow: Overflow,
    pub(super) ring: Ring<T>,
    /// Receivers wait here for a message or the end.
    pub(super) sent: Notify,
    /// Senders that must not overwrite wait here for a free place, in order.
    ///
    /// Invariant **ROOM**: its permits, free and held, and the messages in the ring
    /// are `capacity` together. A permit that is held when a message is pushed
    /// becomes that message, and is one again when the message leaves.
    pub(super) room: Semaphore,
    /// Senders wait here for the last receiver to go.
    pub(super) deserted: Notify,
}

impl<T> Shared<T> {
    pub(super) fn new(capacity: usize, overflow: Overflow) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            overflow,
            ring: Ring::new(),
            sent: Notify::new(),
            // More than memory holds in any case.
            room: Semaphore::new(capacity.min(Semaphore::MAX_PERMITS)),
            deserted: Notify::new(),
        })
    }

    #[inline]
    pub(super) fn lock(&self) -> Locked<'_, T> {
        self.ring.lock()
    }

    /// Whether a message needs a place: nothing may be overwritten, and somebody
    /// is there to read.
    pub(super) fn waits_for_room(&self) -> bool {
        self.overflow == Overflow::Wait && self.lock().receivers() != 0
    }

    /// Gives so many places to senders, by ROOM.
    fn made_room(&self, places: usize) {
        if self.overflow == Overflow::Wait && places != 0 {
            self.room.add_permits(places);
        }
    }

    /// Whether a receiver finds anything but an open and empty ring. One that waits
    /// looks by this, so that a later send finds it.
    pub(super) fn has_news(&self, place: &Place<T>) -> bool {
        let ring = self.lock();
        ring.unread(place) != 0 || ring.senders == 0
    }

    /// Reads for a receiver.
    pub(super) fn try_recv(&self, place: &mut Place<T>) -> Result<T, TryRecvError>
    where
        T: Clone,
    {
        let (read, has_left) = self.lock().read(place)?;
        let is_waited_for = has_left && self.overflow == Overflow::Wait;
        let (value, original) = match read {
            Read::Whole(value) => (value, None),
            Read::Share(share) => {
                // Also if the clone panics.
                let room = is_waited_for.then(|| Finally(|| self.made_room(1)));
                let value = share.cloned();
                core::mem::forget(room);
                (value, share.end())
            }
        };
        if is_waited_for || original.is_some() {
            return Ok(keeping(place, value, || {
                let _original = Gone(original);
                self.made_room(is_waited_for.into());
            }));
        }
        Ok(value)
    }

    /// Sends, unless nobody is there; never waits.
    pub(super) fn try_send(&self, value: T) -> Result<usize, SendError<T>> {
        if self.overflow == Overflow::Lag {
            return self.send(value, &mut None);
        }
        let mut place = match self.room.try_acquire() {
            Ok(place) => Some(place),
            Err(_) if self.lock().receivers() == 0 => return Err(SendError::Closed(value)),
            Err(_) => return Err(SendError::Full(value)),
        };
        let sent = self.send(value, &mut place);
        // The next is woken, which may panic: what is given back is not leaked.
        drop(place);
        sent
    }

    /// Sends, and takes the place, unless nobody is there, or a place is needed and
    /// there is none.
    #[inline]
    pub(super) fn send(
        &self,
        value: T,
        place: &mut Option<SemaphorePermit<'_>>,
    ) -> Result<usize, SendError<T>> {
        let mut ring = self.lock();
        if !ring.has_room() && ring.receivers() != 0 {
            ring = self.lock_with_room(ring);
        }
        let receivers = ring.receivers();
        if receivers == 0 {
            return Err(SendError::Closed(value));
        }
        let mut overwritten = Gone(None);
        if let Some(place) = place.take() {
            debug_assert!(ring.len() < self.capacity, "ROOM");
            place.forget();
        } else if self.overflow == Overflow::Wait {
            return Err(SendError::Full(value));
        } else if ring.len() == self.capacity {
            overwritten.0 = ring.pop_oldest();
        }
        ring.push(value);
        // Who waits was there before it looked at the ring, under this lock.
        let somebody_waits = self.sent.has_waiters();
        drop(ring);
        if somebody_waits {
            self.sent.notify_all();
        }
        Ok(receivers)
    }

    /// Allocates while the lock is open.
    #[cold]
    fn lock_with_room<'a>(&'a self, ring: Locked<'a, T>) -> Locked<'a, T> {
        drop(ring);
        let block = Fresh::new();
        let mut ring = self.lock();
        ring.supply(block);
        ring
    }

    /// A receiver goes.
    pub(super) fn leave(&self, place: &mut Place<T>) {
        let mut ring = self.lock();
        let own = ring.leave(place);
        let was_last = ring.receivers() == 0;
        drop(ring);
        // Foreign code comes last, and the rest is done also if some of it panics.
        let _own = Gone(own);
        let sweep = Sweep(self);
        if was_last {
            self.deserted.notify_all();
        }
        sweep.go_on();
    }
}

/// Takes out the messages that nobody needs, a block at a time.
struct Sweep<'a, T>(&'a Shared<T>);

impl<T> Sweep<'_, T> {
    fn go_on(&self) {
        while let Some(mut swept) = self.next() {
            self.0.made_room(swept.count);
            while let Some(value) = swept.next() {
                drop(Gone(Some(value)));
            }
            if let Some(block) = swept.into_block() {
                self.0.lock().recycle(block);
            }
        }
    }

    fn next(&self) -> Option<Swept<T>> {
        self.0.lock().sweep()
    }
}

impl<T> Drop for Sweep<'_, T> {
    /// What is left after a panic.
    fn drop(&mut self) {
        self.go_on();
    }
}

/// A value that nobody wants: its `Drop` does not panic while the thread unwinds.
pub(super) struct Gone<T>(pub(super) Option<T>);

impl<T> Drop for Gone<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            run_foreign(|| drop(value));
        }
    }
}

/// Runs foreign code when a receiver has read `value`, which is the result. If it
/// panics the receiver reads it once more.
#[cold]
fn keeping<T>(place: &mut Place<T>, value: T, code: impl FnOnce()) -> T {
    struct Kept<'a, T> {
        place: &'a mut Place<T>,
        value: Option<T>,
    }

    impl<T> Drop for Kept<'_, T> {
        fn drop(&mut self) {
            if let Some(value) = self.value.take() {
                self.place.give_back(value);
            }
        }
    }

    let mut kept = Kept {
        place,
        value: Some(value),
    };
    code();
    kept.value.take().expect("it is kept")
}
