//! [`Lock`]: what guards the value of a watch. Receivers share it, a sender has it
//! alone, and both wait on their thread.
//!
//! It is freed, never handed over: the first thread that comes then has it. A lock that is handed
//! over in order makes all threads wait for the next in the queue to be run, again
//! and again, as soon as one of them had to sleep.
//!
//! ```text
//!   word:  readers, each READER │ PARKED │ WANTED │ WRITER
//! ```
//!
//! - **WRITER**: a sender has the lock.
//! - **WANTED**: a sender waits for it, and no reader comes in: so a stream of short
//!   borrows that overlap does not keep a sender out. Each sender that waits sets
//!   it, the next that gets the lock clears it.
//! - **PARKED**: a thread sleeps in the list. It is set under the list's lock, while
//!   the lock is taken, and cleared there when no thread is left. So a thread that
//!   frees the lock and does not find it has none to wake.
//!
//! A thread that finds the lock taken spins for a moment, then sleeps until the lock
//! is free: the last reader wakes one sender, a sender wakes one sender and all
//! readers. They are told to look again and are given nothing.
//!
//! A reader that has been stopped for its patience (`PATIENCE`, 5 ms) heeds WRITER alone: so a thread
//! that borrows, and borrows again while a sender waits for the first borrow to end,
//! goes on after that time. So does every reader beside one that keeps its borrow.
//! It clears WANTED, which stays so until a sender has slept for as long.
//!
//! Invariant **LENT**: WRITER is set exactly while a [`WriteGuard`] exists, and then
//! there is no reader; the readers in the word are the [`ReadGuard`]s that exist.
//! Only guards reach the value, and only a [`WriteGuard`] writes to it.
//!
//! # Memory ordering
//!
//! Taking the lock acquires, and freeing it releases, in one word that changes by
//! read-modify-writes only: so each holder sees what those before it wrote, of
//! several readers too. A thread that sleeps sets PARKED by a read-modify-write which
//! finds the lock taken. The thread that frees the lock later sees PARKED, then takes the list's
//! lock, under which the sleeper has queued by then.

use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr::NonNull;

use crate::primitive::{AtomicUsize, Ordering, TrackedCell};
use crate::wait_list::{Locked, Ring, VERDICT, WaitList, has_list};
use crate::wake_batch::wake;

#[cfg(any(all(feature = "std", not(anysync_loom)), all(test, anysync_loom)))]
mod park;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

const WRITER: usize = 1;
const WANTED: usize = 2;
const PARKED: usize = 4;
const READER: usize = 8;
/// Set when so many guards have been forgotten that the next might overflow.
const TOO_MANY: usize = 1 << (usize::BITS - 1);

/// The rings of the list.
const READERS: usize = 0;
const SENDERS: usize = 1;

/// The verdict on a thread that is to look again.
const WOKEN: usize = VERDICT;

pub(super) struct Lock<T> {
    raw: Raw,
    value: TrackedCell<T>,
}

// SAFETY: invariant LENT: it gives out `&T` to several threads at once, and `&mut T`
// to one after the other.
unsafe impl<T: Send + Sync> Sync for Lock<T> {}

/// The lock without its value.
struct Raw {
    word: AtomicUsize,
    list: WaitList<(), [Ring; 2]>,
}

has_list!([] Raw, list: WaitList<(), [Ring; 2]>);

impl<T> Lock<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            raw: Raw {
                word: AtomicUsize::new(0),
                list: WaitList::new([Ring::new(), Ring::new()], ()),
            },
            value: TrackedCell::new(value),
        }
    }

    /// Waits on this thread until no sender has the lock or waits for it, but for the
    /// latter no longer than the thread's patience.
    #[inline]
    pub(super) fn read(&self) -> ReadGuard<'_, T> {
        if !self.raw.try_enter(Wish::Read) {
            self.raw.wait_to_read();
        }
        ReadGuard {
            raw: &self.raw,
            value: self.value_ptr(),
            reads: PhantomData,
        }
    }

    /// Waits on this thread until it has the lock alone.
    #[inline]
    pub(super) fn write(&self) -> WriteGuard<'_, T> {
        if !self.raw.try_enter(Wish::Write) {
            self.raw.wait_to_write();
        }
        WriteGuard { lock: self }
    }

    #[inline]
    fn value_ptr(&self) -> NonNull<T> {
        // SAFETY: a part of `self` is not at null.
        self.value
            .with(|value| unsafe { NonNull::new_unchecked(value.cast_mut()) })
    }
}

/// How often a thread that waits looks before it sleeps; under loom, once.
const LOOKS: u32 = if cfg!(anysync_loom) { 1 } else { 100 };

/// What a thread waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Read,
    /// To read, by a thread that has lost its patience.
    ReadNow,
    Write,
}

impl Wish {
    /// What keeps such a thread out.
    #[inline]
    const fn stops(self) -> usize {
        match self {
            Self::Read => WRITER | WANTED | TOO_MANY,
            Self::ReadNow => WRITER | TOO_MANY,
            Self::Write => !(WANTED | PARKED),
        }
    }

    /// What such a thread adds to the word when it comes in.
    #[inline]
    const fn adds(self) -> usize {
        match self {
            Self::Read | Self::ReadNow => READER,
            Self::Write => WRITER,
        }
    }
}

impl Raw {
    /// Comes in, unless it is to wait.
    #[inline]
    fn try_enter(&self, wish: Wish) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & wish.stops() == 0 {
            match self.word.compare_exchange_weak(
                word,
                (word + wish.adds()) & !WANTED,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(actual) => word = actual,
            }
        }
        false
    }

    #[inline]
    fn end_read(&self) {
        let word = self.word.fetch_sub(READER, Ordering::Release);
        if word & PARKED != 0 && word < 2 * READER {
            self.wake_after_readers();
        }
    }

    #[inline]
    fn end_write(&self) {
        let word = self.word.fetch_sub(WRITER, Ordering::Release);
        if word & PARKED != 0 {
            self.wake_after_sender();
        }
    }

    /// The last reader has left: a sender is to look, if one sleeps. If none does
    /// and WANTED is set, one is awake, and will wake the readers when it leaves.
    #[cold]
    fn wake_after_readers(&self) {
        let list = self.list.lock();
        let wanted = self.word.load(Ordering::Relaxed) & WANTED != 0;
        if list.is_empty(SENDERS) && wanted {
            return;
        }
        self.wake_after(list, wanted);
    }

    /// A sender has left: another one and all readers are to look.
    #[cold]
    fn wake_after_sender(&self) {
        self.wake_after(self.list.lock(), false);
    }

    fn wake_after(&self, mut list: Locked<'_, (), [Ring; 2]>, sender_only: bool) {
        let sender = list.pop_front(SENDERS, WOKEN).flatten();
        let leaves_readers = sender_only && !list.is_empty(READERS);
        if list.is_empty(SENDERS) && !leaves_readers {
            self.word.fetch_and(!PARKED, Ordering::Relaxed);
        }
        if sender_only {
            drop(list);
        } else {
            list.settle_all(READERS, WOKEN);
        }
        wake(sender);
    }

    #[cold]
    fn wait_to_read(&self) {
        let mut until = None;
        let mut wish = Wish::Read;
        while !self.look_for_a_while(wish) {
            let word = self.word.load(Ordering::Relaxed);
            assert!(word & TOO_MANY == 0, "too many `Ref`s of a watch are kept");
            if wish == Wish::ReadNow {
                sleep(self, wish, None);
            } else if !sleep(self, wish, *until.get_or_insert_with(deadline)) {
                wish = Wish::ReadNow;
            }
        }
    }

    #[cold]
    fn wait_to_write(&self) {
        while !self.look_for_a_while(Wish::Write) {
            // It may be that a reader has lost its patience, and cleared WANTED.
            sleep(self, Wish::Write, deadline());
        }
    }

    fn look_for_a_while(&self, wish: Wish) -> bool {
        for _ in 0..LOOKS {
            if self.try_enter(wish) {
                return true;
            }
            if wish == Wish::Write && self.word.load(Ordering::Relaxed) & WANTED == 0 {
                self.word.fetch_or(WANTED, Ordering::Relaxed);
            }
            #[cfg(not(anysync_loom))]
            core::hint::spin_loop();
        }
        false
    }
}

pub(super) struct ReadGuard<'a, T> {
    raw: &'a Raw,
    value: NonNull<T>,
    reads: PhantomData<&'a T>,
}

// SAFETY: by LENT it is an `&T`; the rest of the lock is bound to no thread.
unsafe impl<T: Sync> Send for ReadGuard<'_, T> {}
// SAFETY: as above, by LENT.
unsafe impl<T: Sync> Sync for ReadGuard<'_, T> {}

impl<T> Deref for ReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: invariant LENT: no thread writes to it while the guard exists.
        unsafe { self.value.as_ref() }
    }
}

impl<T> Drop for ReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.raw.end_read();
    }
}

pub(super) struct WriteGuard<'a, T> {
    lock: &'a Lock<T>,
}

impl<T> WriteGuard<'_, T> {
    #[inline]
    pub(super) fn value(&mut self) -> &mut T {
        // SAFETY: invariant LENT: while the guard exists there is no other, and it is
        // borrowed for as long as the value is.
        self.lock.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T> Drop for WriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.end_write();
    }
}

#[cfg(any(all(feature = "std", not(anysync_loom)), all(test, anysync_loom)))]
use park::{deadline, sleep};

/// Without an operating system a thread has nothing to sleep on, and nothing to
/// tell the time by.
#[cfg(not(any(all(feature = "std", not(anysync_loom)), all(test, anysync_loom))))]
mod spin {
    use super::{Raw, Wish};

    #[derive(Clone, Copy)]
    pub(super) struct Never;

    pub(super) fn deadline() -> Option<Never> {
        None
    }

    /// That so many looks were in vain counts as the end of a reader's patience.
    pub(super) fn sleep(_: &Raw, _: Wish, _: Option<Never>) -> bool {
        false
    }
}

#[cfg(not(any(all(feature = "std", not(anysync_loom)), all(test, anysync_loom))))]
use spin::{deadline, sleep};
