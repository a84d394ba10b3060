//! The order of those that wait for a turn, and what an offer is worth.
//!
//! A wait that is offered the turn leaves its queue. If the turn is taken when it
//! comes, it queues again at its old place: each wait keeps the number that it
//! got when it first queued, in the tag of its node, and beside that how often it
//! has come in vain.
//!
//! The first to come takes a free turn. If that were all, a task that tries again
//! at once when its initialiser has failed would have turn after turn, and another
//! that is woken each time would come too late each time. So the line can be passed
//! once. After that, until no initialiser waits, an offer *holds off* all others
//! than its owner, for a number of polls: they do not take the turn, but queue and
//! wake themselves. The number doubles each time that the same wait comes in vain,
//! since it cannot be known how soon its task will run. When the number is used up,
//! any wait that is polled takes the turn. So one that is never polled stops none.

use crate::wait_list::TAG_MAX;

/// How many bits of a tag count how often the wait has come in vain.
const VAIN_BITS: u32 = 3;
const VAIN_MAX: usize = (1 << VAIN_BITS) - 1;

/// How many polls the first offer that holds others off is good for. Enough for a
/// few branches of one task that are polled one after another, in changing order.
const POLLS: u16 = 8;

/// What the lock guards beside the rings.
pub(in super::super) struct Line {
    /// How many have queued. It may wrap, which mixes up an order and nothing else.
    places: u32,
    /// How many more polls of others the offer that was made last holds off.
    pub(super) polls: u16,
    /// Whether a turn was taken past an offer, since initialisers wait.
    pub(super) passed: bool,
}

impl Line {
    pub(super) const fn new() -> Self {
        Self {
            places: 0,
            polls: 0,
            passed: false,
        }
    }

    /// The tag of a wait that queues for the first time.
    #[inline]
    pub(super) fn next_place(&mut self) -> usize {
        self.places = self.places.wrapping_add(1);
        ((self.places as usize) << VAIN_BITS) & TAG_MAX
    }

    /// The turn is offered to the wait with this tag.
    #[inline]
    pub(super) fn offer(&mut self, tag: usize) {
        self.polls = match tag & VAIN_MAX {
            0 if !self.passed => 0,
            times => POLLS << times,
        };
    }
}

/// The tag of a wait that came for the turn and found it taken.
#[inline]
pub(super) fn in_vain(tag: usize) -> usize {
    if tag & VAIN_MAX < VAIN_MAX {
        tag + 1
    } else {
        tag
    }
}
