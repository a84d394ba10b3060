//! [`Buffer`]: where the messages are. The only part of a channel that knows how they
//! are stored. All unsafe code about that is in this file.
//!
//! ```text
//!     head                    tail       spares
//!   ┌───────┐   ┌───────┐   ┌───────┐   ┌───────┐
//!   │   mmm │──►│ mmmmm │──►│ mm    │──►│       │──► none
//!   └───────┘   └───────┘   └───────┘   └───────┘
//!       ▲ read                  ▲ write
//! ```
//!
//! Messages lie in a chain of blocks. A block that is alone is used as a ring. When it
//! is full the next one is put behind it, and no message is ever moved. A block that
//! has been read becomes a spare, behind the tail, or is freed. Blocks are allocated
//! and freed by the callers, while the lock is open.
//!
//! # How much is kept
//!
//! A new block has twice the room of what is in the buffer, up to [`BLOCK_BYTES`]. So
//! a buffer that holds little is small, and one that is drained ends as one block.
//! Beside its blocks it keeps as many spares as its messages would fill, or one, and
//! [`Keep::bonus`] more. The bonus grows, up to [`MAX_BONUS`], when a block must be
//! allocated after one was freed: then the same burst came again. It shrinks, and a
//! spare is freed, when two spares were not needed for [`CALM`] blocks. (One may be
//! needed when the same burst begins elsewhere in a block.)
//!
//! # Invariants
//!
//! - **CHAINED**: `head` is null, and then `tail` is, and there is no block; or it is
//!   the first of a chain of distinct blocks, by `next` and up to null, that belong to
//!   this buffer alone. `tail` is one of them. Those behind it are the spares, and
//!   [`Keep::spares`] of the tail is their number. Each has `room` slots.
//! - **STOCKED**: while `len` is not 0, the oldest message is in slot `read` of the
//!   head. It and those behind it, up to slot `turn`, are messages, or the last
//!   `len` are. Behind `turn` the messages go on at slot 0 of the same block (if it is the
//!   tail, or was closed with its `end` below its `room`, and `turn` is not that end),
//!   or at slot `read` of the next. Slots of the tail from `write` up to `stop` are
//!   empty. All slots are within the `room` of their block.
//! - **SOLE**: what a [`Blocks`] leads to is a chain of distinct blocks, up to null,
//!   that nothing else leads to and that hold no messages. Every block was allocated
//!   with the [`layout`] of its `room`, which never changes.
//!
//! Messages that take no space need no block: of these only `len` counts.

use alloc::alloc::{alloc, dealloc, handle_alloc_error};
use alloc::vec::Vec;
use core::alloc::Layout;
use core::mem;
use core::ptr::{self, NonNull};

/// How many bytes of messages a block has room for, at most.
const BLOCK_BYTES: usize = 8 * 1024;

/// How many the first has room for, at most.
const FIRST_BYTES: usize = 128;

/// For how many messages a block has room even if they take more than that.
const LEAST: usize = 4;

/// How many spares more than usual are kept for bursts that come again and again.
const MAX_BONUS: u8 = 2;

/// After so many blocks have been read (or one so many times), a spare is freed if two
/// were not needed meanwhile.
const CALM: u8 = 64;

/// A queue of messages whose memory follows what is in it.
pub(super) struct Buffer<T> {
    len: usize,
    head: Link<T>,
    tail: Link<T>,
    /// The next slot to read, and where to look what comes then.
    read: u16,
    turn: u16,
    /// The next slot to fill, and where to look what comes then.
    write: u16,
    stop: u16,
}

type Link<T> = *mut Header<T>;

/// The head of a block; its slots follow.
struct Header<T> {
    next: Link<T>,
    room: u16,
    /// Of a block that is not the head: as in the buffer, when it becomes the head.
    read: u16,
    turn: u16,
    /// Of a block before the tail: where `write` was when it was closed.
    end: u16,
    /// Only that of the tail counts.
    keep: Keep,
}

/// How many spares there are, and how many to keep.
#[derive(Clone, Copy, Default)]
struct Keep {
    spares: u16,
    /// The fewest since the last count of [`CALM`].
    least: u16,
    bonus: u8,
    /// How many were freed that may be missed.
    regret: u8,
    calm: u8,
}

// SAFETY: by CHAINED the blocks are the buffer's own, so it is sent with its messages
// and nothing else.
unsafe impl<T: Send> Send for Buffer<T> {}

impl<T> Buffer<T> {
    /// For how many messages the largest blocks have room.
    pub(super) const SLOTS: usize = match size_of::<T>() {
        0 => BLOCK_BYTES,
        size if BLOCK_BYTES / size > LEAST => BLOCK_BYTES / size,
        _ => LEAST,
    };

    /// For how many the first has room.
    const FIRST: usize = match size_of::<T>() {
        0 => LEAST,
        size if FIRST_BYTES / size > LEAST => FIRST_BYTES / size,
        _ => LEAST,
    };

    pub(super) const fn new() -> Self {
        Self {
            len: 0,
            head: ptr::null_mut(),
            tail: ptr::null_mut(),
            read: 0,
            turn: 0,
            write: 0,
            stop: 0,
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether its only block is used as a ring, and there is at most one.
    #[inline]
    fn is_single(&self) -> bool {
        self.head == self.tail
    }

    /// Whether there is room for a message when the oldest, which there is, has been
    /// taken.
    pub(super) fn can_replace(&mut self) -> bool {
        self.is_single() || self.is_ready()
    }

    /// Whether there is room for one more message. If not, [`offer`](Buffer::offer)
    /// it a block.
    #[inline]
    pub(super) fn is_ready(&mut self) -> bool {
        size_of::<T>() == 0 || self.write != self.stop || self.make_ready()
    }

    /// Whether there is, without a look at the blocks: often enough.
    #[inline]
    pub(super) fn is_ready_here(&self) -> bool {
        size_of::<T>() == 0 || self.write != self.stop
    }

    #[inline(never)]
    fn make_ready(&mut self) -> bool {
        if self.tail.is_null() {
            return false;
        }
        // SAFETY: CHAINED.
        let Header { room, next, .. } = unsafe { &*self.tail };
        let (room, next) = (*room, *next);
        if self.is_single() && self.len < usize::from(room) {
            if self.write == room {
                self.write = 0;
            }
            self.stop = self.free_up_to(room);
            return true;
        }
        if next.is_null() {
            return false;
        }
        self.close_tail(next);
        true
    }

    /// Up to which slot the ring may be filled, if it is not full.
    fn free_up_to(&self, room: u16) -> u16 {
        if self.read > self.write {
            self.read
        } else {
            room
        }
    }

    /// The tail is full: the first of the spares is the tail now.
    fn close_tail(&mut self, spare: Link<T>) {
        // SAFETY: CHAINED: both are blocks of this buffer, and not the same.
        let (tail, fresh) = unsafe { (&mut *self.tail, &mut *spare) };
        tail.end = self.write;
        fresh.keep = tail.keep;
        fresh.keep.spares -= 1;
        fresh.keep.least = fresh.keep.least.min(fresh.keep.spares);
        (fresh.read, fresh.turn) = (0, fresh.room);
        (self.write, self.stop) = (0, fresh.room);
        self.tail = spare;
    }

    /// Adds a message as the newest.
    ///
    /// # Panics
    ///
    /// If the buffer is not [ready](Buffer::is_ready).
    #[inline]
    pub(super) fn push(&mut self, message: T) {
        if size_of::<T>() == 0 {
            mem::forget(message);
        } else {
            assert!(self.write != self.stop, "there is no room for a message");
            // SAFETY: STOCKED: a slot of the tail before `stop` is empty.
            unsafe { slot(self.tail, self.write).write(message) };
            self.write += 1;
        }
        self.len += 1;
    }

    /// Takes the oldest message; and what is not needed any more, to be dropped when
    /// the lock is open.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(T, Blocks<T>)> {
        if self.len == 0 {
            return None;
        }
        self.len -= 1;
        if size_of::<T>() == 0 {
            // SAFETY: it takes no space, and was forgotten when it was pushed.
            let message = unsafe { NonNull::<T>::dangling().read() };
            return Some((message, Blocks::NONE));
        }
        // SAFETY: STOCKED, and `len` was not 0. It is not read again, as `read` moves
        // on.
        let message = unsafe { slot(self.head, self.read).read() };
        self.read += 1;
        let surplus = if self.read == self.turn {
            self.turn_over()
        } else {
            Blocks::NONE
        };
        Some((message, surplus))
    }

    /// Takes the oldest message, if there is one and it is not the last before the
    /// reader must look what comes then: nearly always. Nothing is to be dropped.
    #[inline]
    pub(super) fn pop_here(&mut self) -> Option<T> {
        let next = self.read + 1;
        if size_of::<T>() == 0 || self.len == 0 || next == self.turn {
            return None;
        }
        self.len -= 1;
        // SAFETY: STOCKED, and `len` was not 0. It is not read again, as `read` moves
        // on.
        let message = unsafe { slot(self.head, self.read).read() };
        self.read = next;
        Some(message)
    }

    /// Moves up to `count` of the oldest messages to the end of `target`, as many as
    /// there are and it has room for.
    pub(super) fn pop_many(&mut self, count: usize, target: &mut Vec<T>) -> Blocks<T> {
        let mut surplus = Blocks::NONE;
        let mut left = count.min(self.len).min(target.capacity() - target.len());
        while left != 0 {
            let run = if size_of::<T>() == 0 {
                left
            } else {
                left.min(usize::from(self.turn - self.read))
            };
            let len = target.len();
            // SAFETY: STOCKED: the slots up to `turn` are messages, or the last `len`
            // are, which is no less than `left`; and `target` has room for so many.
            // They are not read again, as `read` moves on. Without space: `len` of them
            // were forgotten, and a pointer to none is any that is aligned.
            unsafe {
                let from = match size_of::<T>() {
                    0 => NonNull::dangling().as_ptr(),
                    _ => slot(self.head, self.read),
                };
                ptr::copy_nonoverlapping(from, target.as_mut_ptr().add(len), run);
                target.set_len(len + run);
            }
            self.len -= run;
            left -= run;
            if size_of::<T>() != 0 {
                self.read += run as u16;
                if self.read == self.turn {
                    surplus.extend(self.turn_over());
                }
            }
        }
        surplus
    }

    /// Puts a message back that has just been taken: it is the oldest again. `block`
    /// is [new](Blocks::new), with room for one.
    pub(super) fn put_back(&mut self, message: T, block: Blocks<T>) {
        if size_of::<T>() == 0 || self.head.is_null() {
            let _ = self.offer(block);
            return self.push(message);
        }
        if self.is_single() {
            // It is not the head any more, and no ring: it ends where it is full now.
            // SAFETY: CHAINED.
            let room = unsafe { (*self.tail).room };
            if self.len == 0 {
                (self.read, self.turn, self.write) = (0, room, 0);
            }
            if self.len < usize::from(room) {
                self.stop = self.free_up_to(room);
            }
        }
        let link = block.into_link();
        // SAFETY: CHAINED for the head, SOLE for the block, which has one slot.
        unsafe {
            slot(link, 0).write(message);
            (*self.head).read = self.read;
            (*self.head).turn = self.turn;
            (*link).next = self.head;
            (*link).end = 1;
        }
        (self.head, self.read, self.turn) = (link, 0, 1);
        self.len += 1;
    }

    /// `read` has come to `turn`: on to the other part of a ring, or to the next
    /// block.
    #[cold]
    #[inline(never)]
    fn turn_over(&mut self) -> Blocks<T> {
        let old = self.head;
        // SAFETY: CHAINED.
        let Header {
            next, room, end, ..
        } = unsafe { &*old };
        if self.is_single() {
            self.read = 0;
            return match next.is_null() {
                true => Blocks::NONE,
                false => self.trim(Blocks::NONE),
            };
        }
        if self.turn == *room && end < room {
            self.read = 0;
            self.turn = *end;
            return Blocks::NONE;
        }
        self.head = *next;
        // SAFETY: CHAINED: what is not the tail has a next.
        (self.read, self.turn) = unsafe { ((*self.head).read, (*self.head).turn) };
        self.retire(old)
    }

    /// Makes a spare of a block that has been read, or has it freed.
    fn retire(&mut self, block: Link<T>) -> Blocks<T> {
        let most = self.most_spares();
        // SAFETY: CHAINED for the tail; the block was in the chain, and nothing leads
        // to it any more.
        let (tail, old) = unsafe { (&mut *self.tail, &mut *block) };
        let keep = &mut tail.keep;
        let freed = if old.room < tail.room {
            // The buffer has outgrown it.
            Blocks::one(block)
        } else if keep.spares < most {
            keep.spares += 1;
            old.next = mem::replace(&mut tail.next, block);
            Blocks::NONE
        } else {
            keep.regret = (keep.regret + 1).min(MAX_BONUS);
            Blocks::one(block)
        };
        self.trim(freed)
    }

    /// Frees one of the spares, if there are too many, or two were not needed for long.
    fn trim(&mut self, mut freed: Blocks<T>) -> Blocks<T> {
        let most = self.most_spares();
        // SAFETY: CHAINED, and it is not empty, since a message was in it.
        let tail = unsafe { &mut *self.tail };
        let keep = &mut tail.keep;
        keep.calm += 1;
        let mut too_many = keep.spares > most;
        if keep.calm == CALM {
            if keep.least > 1 {
                keep.bonus = keep.bonus.saturating_sub(1);
                too_many = true;
            }
            (keep.calm, keep.least) = (0, keep.spares);
        }
        if too_many && keep.spares != 0 {
            keep.spares -= 1;
            keep.least = keep.least.min(keep.spares);
            let spare = tail.next;
            // SAFETY: CHAINED: the first of the spares.
            tail.next = unsafe { (*spare).next };
            freed.extend(Blocks::one(spare));
        }
        freed
    }

    fn most_spares(&self) -> u16 {
        // SAFETY: CHAINED, and it is not empty, since a message was in it.
        let bonus = unsafe { (*self.tail).keep.bonus };
        let most = self.len.div_ceil(Self::SLOTS).max(1) + usize::from(bonus);
        most.try_into().unwrap_or(u16::MAX)
    }

    /// For how many messages a new block should have room, where `limit` is the most
    /// that may ever be in the buffer. A ring of one or two slots would have to look
    /// what comes at each of them, so where messages are small there are more.
    pub(super) fn next_room(&self, limit: usize) -> usize {
        let twice = self.len.saturating_mul(2);
        let most = limit.max(FIRST_BYTES / size_of::<T>().max(1));
        twice.clamp(Self::FIRST, Self::SLOTS).min(most)
    }

    /// Takes a [new](Blocks::new) block, to put it behind the tail. It comes back if
    /// another has been faster.
    pub(super) fn offer(&mut self, block: Blocks<T>) -> Blocks<T> {
        if block.is_none() {
            return block;
        }
        if self.tail.is_null() {
            let link = block.into_link();
            (self.head, self.tail) = (link, link);
            // SAFETY: SOLE, and by CHAINED it is this buffer's now.
            let room = unsafe { (*link).room };
            (self.read, self.turn, self.write, self.stop) = (0, room, 0, room);
            return Blocks::NONE;
        }
        // SAFETY: CHAINED.
        let tail = unsafe { &mut *self.tail };
        if !tail.next.is_null() {
            return block;
        }
        tail.next = block.into_link();
        tail.keep.spares = 1;
        if tail.keep.regret != 0 {
            tail.keep.regret -= 1;
            tail.keep.bonus = (tail.keep.bonus + 1).min(MAX_BONUS);
        }
        Blocks::NONE
    }

    /// Takes all messages, and the memory with them.
    pub(super) fn take(&mut self) -> Self {
        mem::replace(self, Self::new())
    }

    /// For how many messages there is room, spares included.
    #[cfg(all(test, not(anysync_loom)))]
    pub(super) fn room(&self) -> usize {
        let mut link = self.head;
        let mut room = 0;
        while !link.is_null() {
            // SAFETY: CHAINED.
            let header = unsafe { &*link };
            room += usize::from(header.room);
            link = header.next;
        }
        room
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        drop(Rest(self));
    }
}

/// Drops the messages that are left, also when one panics in its drop, and frees the
/// blocks.
struct Rest<'a, T>(&'a mut Buffer<T>);

impl<T> Drop for Rest<'_, T> {
    fn drop(&mut self) {
        while let Some((message, surplus)) = self.0.pop() {
            let rest = Rest(&mut *self.0);
            drop((message, surplus));
            mem::forget(rest);
        }
        self.0.tail = ptr::null_mut();
        drop(Blocks(mem::replace(&mut self.0.head, ptr::null_mut())));
    }
}

/// Blocks without messages, chained, that belong to nothing else; perhaps none. Freed
/// when they are dropped.
pub(super) struct Blocks<T>(Link<T>);

impl<T> Blocks<T> {
    pub(super) const NONE: Self = Self(ptr::null_mut());

    /// A block with room for so many messages; none is needed for those that take no
    /// space.
    pub(super) fn new(room: usize) -> Self {
        if size_of::<T>() == 0 {
            return Self::NONE;
        }
        let room = u16::try_from(room).expect("a block is small");
        let layout = layout::<T>(room);
        // SAFETY: a header takes space.
        let link: Link<T> = unsafe { alloc(layout) }.cast();
        if link.is_null() {
            handle_alloc_error(layout);
        }
        let header = Header {
            next: ptr::null_mut(),
            room,
            read: 0,
            turn: room,
            end: 0,
            keep: Keep::default(),
        };
        // SAFETY: SOLE: it was allocated for a header, and the slots after it.
        unsafe { link.write(header) };
        Self(link)
    }

    /// A block that is in no chain any more.
    fn one(link: Link<T>) -> Self {
        // SAFETY: CHAINED; the callers have just taken it out of there, so it is SOLE.
        unsafe { (*link).next = ptr::null_mut() };
        Self(link)
    }

    #[inline]
    pub(super) fn is_none(&self) -> bool {
        self.0.is_null()
    }

    /// Hands the blocks on.
    fn into_link(self) -> Link<T> {
        let link = self.0;
        mem::forget(self);
        link
    }

    /// Adds blocks.
    fn extend(&mut self, mut more: Self) {
        let mut last = &mut more.0;
        while !last.is_null() {
            // SAFETY: SOLE.
            last = unsafe { &mut (**last).next };
        }
        *last = mem::replace(&mut self.0, ptr::null_mut());
        mem::swap(self, &mut more);
    }

    #[cold]
    #[inline(never)]
    fn free(&mut self) {
        while !self.0.is_null() {
            let link = self.0;
            // SAFETY: SOLE: nothing else leads to it, and this is its layout.
            unsafe {
                self.0 = (*link).next;
                dealloc(link.cast(), layout::<T>((*link).room));
            }
        }
    }
}

impl<T> Drop for Blocks<T> {
    #[inline]
    fn drop(&mut self) {
        if !self.0.is_null() {
            self.free();
        }
    }
}

/// Of a block with so many slots.
fn layout<T>(room: u16) -> Layout {
    Layout::array::<T>(room.into())
        .and_then(|slots| Layout::new::<Header<T>>().extend(slots))
        .expect("a block is small")
        .0
}

/// A slot of a block.
///
/// # Safety
///
/// `index` is below the room of the block.
#[inline]
unsafe fn slot<T>(block: Link<T>, index: u16) -> *mut T {
    let align = align_of::<T>();
    let offset = size_of::<Header<T>>().next_multiple_of(align);
    // SAFETY: SOLE: the slots follow the header, as `layout` has it, and `index` is one
    // of them.
    unsafe { block.byte_add(offset).cast::<T>().add(index.into()) }
}
