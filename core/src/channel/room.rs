//! How messages come to lie in their buffer, and go out of it, where that takes more
//! than one critical section: blocks are allocated and freed while the lock is open,
//! and many messages are taken in rounds. And what becomes of a message that has been
//! taken when a waker panics.

use core::mem;

use alloc::vec::Vec;

use super::buffer::{Blocks, Buffer};
use super::chan::{Chan, List, RECEIVERS, SENDERS};
use crate::primitive::give_way;
use crate::wake_batch::Finally;

impl<T> Chan<T> {
    /// How many messages are taken at once while the lock is held.
    pub(super) const ROUND: usize = if Buffer::<T>::SLOTS < 256 {
        Buffer::<T>::SLOTS
    } else {
        256
    };

    /// Opens the lock, allocates room for at least one more message, and locks again.
    /// Others may have been faster meanwhile, with whatever they did.
    #[cold]
    pub(super) fn make_room<'a>(&'a self, list: List<'_, T>) -> List<'a, T> {
        let room = list.buffer.next_room(self.capacity().unwrap_or(usize::MAX));
        self.publish(&list);
        drop(list);
        let block = Blocks::new(room);
        let mut list = self.lock();
        let superfluous = list.buffer.offer(block);
        if superfluous.is_none() {
            return list;
        }
        drop(list);
        drop(superfluous);
        self.lock()
    }

    /// Sends in place of the oldest message, which there is, and returns that.
    ///
    /// There are as many messages as before, so no task that waits can go on now. So no
    /// waker runs, and none can panic with the oldest message in hand.
    pub(super) fn replace(&self, mut list: List<'_, T>, message: T) -> T {
        let (oldest, surplus) = list.buffer.pop().expect("there is a message");
        let is_ready = list.buffer.is_ready();
        debug_assert!(is_ready, "the oldest has made room");
        list.buffer.push(message);
        self.publish(&list);
        drop(list);
        drop(surplus);
        oldest
    }

    /// Takes the oldest message, which there is, where the blocks change.
    #[inline(never)]
    pub(super) fn take_turning(&self, mut list: List<'_, T>) -> T {
        let (message, surplus) = list.buffer.pop().expect("there is a message");
        self.call_for_slots(&mut list, 1);
        let message = self.open_with(list, message);
        // Freed when the lock is open.
        drop(surplus);
        message
    }

    /// Opens the lock after a message has been taken. Some of the tasks that wait may
    /// go on then, and are woken.
    #[inline]
    pub(super) fn open_with(&self, list: List<'_, T>, message: T) -> T {
        if list.is_empty(SENDERS) && list.is_empty(RECEIVERS) {
            self.publish(&list);
            return message;
        }
        let hand = InHand {
            chan: self,
            message: Some(message),
        };
        self.settle(list).resume();
        hand.into_message()
    }

    /// Takes a message that was promised, and more that are not, `limit` in all at
    /// most: in rounds, of [`ROUND`](Chan::ROUND) messages each.
    ///
    /// What is in `target` is not in hand when a waker panics: it is the caller's.
    pub(super) fn take_many(&self, list: List<'_, T>, target: &mut Vec<T>, limit: usize) -> usize {
        let mut list = list;
        let wanted = if self.may_receive(&list) {
            (1 + list.unpromised()).min(limit)
        } else {
            1
        };
        if target.capacity() - target.len() < wanted {
            list = self.reserve_in(list, target, wanted);
        }
        list.promised -= 1;
        // There is at least that one, by PROMISED.
        let mut least = 1;
        let mut taken = 0;
        loop {
            let count = if self.may_receive(&list) {
                list.unpromised().min(wanted - taken).min(Self::ROUND)
            } else {
                0
            };
            let before = target.len();
            let surplus = list.buffer.pop_many(count.max(least), target);
            let moved = target.len() - before;
            self.call_for_slots(&mut list, moved);
            self.open(list);
            drop(surplus);
            taken += moved;
            if moved == 0 || taken >= wanted {
                return taken;
            }
            least = 0;
            give_way();
            list = self.lock();
        }
    }

    /// Makes room in `target` while the lock is open; the promise is kept meanwhile.
    #[cold]
    fn reserve_in<'a>(
        &'a self,
        list: List<'_, T>,
        target: &mut Vec<T>,
        wanted: usize,
    ) -> List<'a, T> {
        self.publish(&list);
        drop(list);
        // If there cannot be so much room, the message goes to the next.
        let promise = Finally(|| {
            let mut list = self.lock();
            self.free_promise(&mut list);
            self.open(list);
        });
        target.reserve(wanted);
        mem::forget(promise);
        self.lock()
    }

    #[cold]
    fn put_back(&self, message: T) {
        let block = Blocks::new(1);
        let mut list = self.lock();
        if list.receiverless {
            drop(list);
            return;
        }
        list.buffer.put_back(message, block);
        Self::free_messages(&mut list, 1);
        self.open(list);
    }
}

/// A message that has been taken, while wakers run.
///
/// A waker's panic goes on, and so the message cannot be returned. It would be lost
/// with the panic, for which neither its sender nor its receiver can do anything. So it
/// is put back, as the oldest that it was, and the next receive gets it. The slot in
/// which it lay may have been granted to a send by then, and is not taken back from
/// there: the waker that panicked may have told its task before. So there may be one
/// message more than the capacity, until that has been received.
struct InHand<'a, T> {
    chan: &'a Chan<T>,
    message: Option<T>,
}

impl<T> InHand<'_, T> {
    fn into_message(mut self) -> T {
        self.message.take().expect("it is in hand")
    }
}

impl<T> Drop for InHand<'_, T> {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            self.chan.put_back(message);
        }
    }
}
