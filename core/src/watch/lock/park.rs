//! Sleeping until the lock is free.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::{PARKED, READERS, Raw, SENDERS, WANTED, Wish};
use crate::primitive::Ordering;
use crate::wait_list::{Entry, IDLE, QUEUED};
use crate::wake_batch::discard;

#[cfg(all(test, not(anysync_loom)))]
pub(super) use clock::PATIENCE;
#[cfg(not(anysync_loom))]
pub(super) use clock::deadline;
#[cfg(not(anysync_loom))]
use clock::run;
#[cfg(anysync_loom)]
pub(super) use no_clock::deadline;
#[cfg(anysync_loom)]
use no_clock::run;

#[cfg(not(anysync_loom))]
mod clock {
    use std::time::{Duration, Instant};

    use super::Parked;
    use crate::io::{block_on, block_on_until};

    /// How long a sender that only waits may stop a reader. Far longer than a short
    /// borrow takes, that of a thread which is preempted meanwhile too.
    pub(in super::super) const PATIENCE: Duration = Duration::from_millis(5);

    pub(in super::super) fn deadline() -> Option<Instant> {
        Some(Instant::now() + PATIENCE)
    }

    pub(super) fn run(parked: Parked<'_>, until: Option<Instant>) -> bool {
        match until {
            Some(until) => block_on_until(parked, until).is_ok(),
            None => {
                block_on(parked);
                true
            }
        }
    }
}

/// Loom knows no time: there a reader never loses its patience.
#[cfg(anysync_loom)]
mod no_clock {
    use super::Parked;

    #[derive(Clone, Copy)]
    pub(in super::super) struct Never;

    pub(in super::super) fn deadline() -> Option<Never> {
        None
    }

    pub(super) fn run(parked: Parked<'_>, _: Option<Never>) -> bool {
        crate::loom_util::block_on(parked);
        true
    }
}

/// Sleeps until this thread is to look again, but not if it need not wait; `false`
/// if it has slept until `until`.
pub(super) fn sleep(raw: &Raw, wish: Wish, until: Option<Until>) -> bool {
    run(Parked::new(raw, wish), until)
}

#[cfg(not(anysync_loom))]
type Until = std::time::Instant;
#[cfg(anysync_loom)]
type Until = no_clock::Never;

pin_project! {
    /// The sleep of one thread.
    pub(super) struct Parked<'a> {
        #[pin]
        entry: Entry<&'a Raw>,
        wish: Wish,
    }

    impl PinnedDrop for Parked<'_> {
        fn drop(this: Pin<&mut Self>) {
            // It has slept for long enough. PARKED stays, although no other may sleep: then
            // a thread looks into an empty list, once.
            let (_, mut ticket) = this.project().entry.parts();
            if ticket.status() == QUEUED {
                let removed = ticket.lock().try_remove();
                if let Some((_, waker)) = removed {
                    discard(waker);
                }
            }
        }
    }
}

impl<'a> Parked<'a> {
    pub(super) fn new(raw: &'a Raw, wish: Wish) -> Self {
        Self {
            entry: Entry::new(raw, 0),
            wish,
        }
    }
}

impl Future for Parked<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let (raw, mut ticket) = this.entry.parts();
        match ticket.status() {
            IDLE => {}
            // A thread has the same waker each time.
            QUEUED => return Poll::Pending,
            _ => return Poll::Ready(()),
        }
        ticket.give_waker(Some(cx.waker()));
        let mut locked = ticket.lock();
        if raw.announce(*this.wish) {
            locked.push_back(this.wish.ring(), 0);
            return Poll::Pending;
        }
        drop(locked);
        discard(ticket.replace_waker(None));
        Poll::Ready(())
    }
}

impl Wish {
    const fn ring(self) -> usize {
        match self {
            Self::Read | Self::ReadNow => READERS,
            Self::Write => SENDERS,
        }
    }
}

impl Raw {
    /// Sets PARKED, and WANTED for a sender; `false` if such a thread need not wait.
    /// The list is locked.
    fn announce(&self, wish: Wish) -> bool {
        let flags = match wish {
            Wish::Write => PARKED | WANTED,
            _ => PARKED,
        };
        let mut word = self.word.load(Ordering::Relaxed);
        while word & wish.stops() != 0 {
            match self.word.compare_exchange_weak(
                word,
                word | flags,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(actual) => word = actual,
            }
        }
        false
    }
}
