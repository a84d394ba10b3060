//! What senders and receivers of one broadcast share.

use alloc::sync::Arc;
use core::mem;

use super::ring::{Fresh, Locked, Place, Popped, Read, Ring, Share, Swept};
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

    /// Whether a message needs a place: nothing may be overwritten, and there is a
    /// receiver to read it.
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
        let mut ring = self.lock();
        match ring.read_quick(place) {
            Some(Read::Last(value)) => {
                drop(ring);
                Ok(self.with_room_made(place, value, None))
            }
            Some(Read::Share(share)) => {
                drop(ring);
                Ok(Self::cloned(place, share))
            }
            _ => self.read(ring, place),
        }
    }

    /// Reads what is not read at once.
    fn read(&self, ring: Locked<'_, T>, place: &mut Place<T>) -> Result<T, TryRecvError>
    where
        T: Clone,
    {
        match ring.read(place) {
            Read::Last(value) => Ok(self.with_room_made(place, value, None)),
            Read::Share(share) => Ok(Self::cloned(place, share)),
            Read::LastShare(share) => Ok(self.cloned_last(place, share)),
            Read::Own(value) => Ok(value),
            Read::Nothing(error) => Err(error),
        }
    }

    #[inline]
    fn cloned(place: &mut Place<T>, share: Share<'_, T>) -> T
    where
        T: Clone,
    {
        let value = share.cloned();
        match share.end() {
            None => value,
            original => keeping(place, value, || drop(Gone(original))),
        }
    }

    /// Gives the place of a message that has left the ring to a sender. If that panics,
    /// the receiver has the value still, which is the result.
    #[inline]
    fn with_room_made(&self, place: &mut Place<T>, value: T, original: Option<T>) -> T {
        if self.overflow == Overflow::Lag && original.is_none() {
            return value;
        }
        keeping(place, value, || {
            let _original = Gone(original);
            self.made_room(1);
        })
    }

    /// Clones a message that has left the ring, as others do.
    #[cold]
    fn cloned_last(&self, place: &mut Place<T>, share: Share<'_, T>) -> T
    where
        T: Clone,
    {
        // Also if the clone panics.
        let room = Finally(|| self.made_room(1));
        let value = share.cloned();
        mem::forget(room);
        self.with_room_made(place, value, share.end())
    }

    /// Sends, unless there is no receiver; never waits.
    pub(super) fn try_send(&self, value: T) -> Result<usize, SendError<T>> {
        if self.overflow == Overflow::Lag {
            return self.send_over(value);
        }
        let mut place = match self.room.try_acquire() {
            Ok(place) => Some(place),
            Err(_) if self.lock().receivers() == 0 => return Err(SendError::Closed(value)),
            Err(_) => return Err(SendError::Full(value)),
        };
        let sent = self.send_into(value, &mut place);
        // The next is woken, which may panic: what is given back is not leaked.
        drop(place);
        sent
    }

    /// Sends, unless there is no receiver, or a place is needed and there is none. The
    /// place is taken if the message was sent.
    pub(super) fn send(
        &self,
        value: T,
        place: &mut Option<SemaphorePermit<'_>>,
    ) -> Result<usize, SendError<T>> {
        match self.overflow {
            Overflow::Lag => self.send_over(value),
            Overflow::Wait => self.send_into(value, place),
        }
    }

    /// [`Overflow::Lag`]
    #[inline]
    fn send_over(&self, value: T) -> Result<usize, SendError<T>> {
        let mut ring = self.lock();
        if !ring.has_room() {
            ring = self.lock_with_room(ring);
        }
        if ring.receivers() == 0 {
            return Err(SendError::Closed(value));
        }
        if ring.len() == self.capacity {
            let Popped {
                value: oldest,
                freed,
            } = ring.pop_oldest();
            // Dropped when the lock is open.
            let _oldest = (Gone(oldest), freed);
            return Ok(self.push(ring, value));
        }
        Ok(self.push(ring, value))
    }

    /// [`Overflow::Wait`]
    fn send_into(
        &self,
        value: T,
        place: &mut Option<SemaphorePermit<'_>>,
    ) -> Result<usize, SendError<T>> {
        let mut ring = self.lock();
        if !ring.has_room() {
            ring = self.lock_with_room(ring);
        }
        if ring.receivers() == 0 {
            return Err(SendError::Closed(value));
        }
        let Some(place) = place.take() else {
            return Err(SendError::Full(value));
        };
        debug_assert!(ring.len() < self.capacity, "ROOM");
        place.forget();
        Ok(self.push(ring, value))
    }

    #[inline(always)]
    fn push(&self, mut ring: Locked<'_, T>, value: T) -> usize {
        ring.push(value);
        let receivers = ring.receivers();
        // A task that waits was there before it looked at the ring, under this lock.
        let somebody_waits = self.sent.has_waiters();
        drop(ring);
        if somebody_waits {
            self.sent.notify_all();
        }
        receivers
    }

    /// Allocates while the lock is open, unless there is no receiver.
    #[cold]
    fn lock_with_room<'a>(&'a self, ring: Locked<'a, T>) -> Locked<'a, T> {
        if ring.receivers() == 0 {
            return ring;
        }
        drop(ring);
        let block = Fresh::new();
        let mut ring = self.lock();
        ring.supply(block);
        ring
    }

    /// A receiver goes.
    pub(super) fn leave(&self, place: &mut Place<T>) {
        let mut ring = self.lock();
        let Popped { value: own, freed } = ring.leave(place);
        let was_last = ring.receivers() == 0;
        drop(ring);
        drop(freed);
        // Foreign code comes last, and the rest is done also if some of it panics.
        let _own = Gone(own);
        let sweep = Sweep(self);
        if was_last {
            self.deserted.notify_all();
        }
        sweep.go_on();
    }
}

/// Takes out the messages that no receiver needs, a block at a time.
struct Sweep<'a, T>(&'a Shared<T>);

impl<T> Sweep<'_, T> {
    fn go_on(&self) {
        while let Some(mut swept) = self.next() {
            self.0.made_room(swept.count);
            swept.by_ref().for_each(|value| drop(Gone(Some(value))));
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

/// A value that no receiver wants: its `Drop` does not panic while the thread unwinds.
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
