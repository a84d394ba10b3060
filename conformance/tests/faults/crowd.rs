//! Very many waiters at once.

use std::sync::Arc;
use std::task::Waker;

use anysync_conformance::BoxFuture;
use anysync_conformance::cx::{DynIo, Rng};
use anysync_conformance::subject::{Reach, Waitable, Waiting};
use anysync_conformance::wakers::{Wakes, counting, poll};

/// A debug build is for finding out whether it works at all.
const WAITS: usize = if cfg!(debug_assertions) {
    50_000
} else {
    1_000_000
};

/// A wait with a waker, and so a task, of its own.
struct Wait<'a> {
    future: BoxFuture<'a, ()>,
    wakes: Arc<Wakes>,
    waker: Waker,
}

impl<'a> Wait<'a> {
    fn queued(primitive: &'a dyn Waitable, io: &'a DynIo) -> Self {
        let (wakes, waker) = counting();
        let mut wait = Self {
            future: primitive.wait(io),
            wakes,
            waker,
        };
        assert!(!wait.is_ready(), "nobody has signalled");
        wait
    }

    fn is_ready(&mut self) -> bool {
        poll(self.future.as_mut(), &self.waker).is_ready()
    }
}

#[track_caller]
fn assert_queued(primitive: &dyn Waitable, count: usize) {
    assert_eq!(primitive.queued().unwrap_or(count), count, "who is queued");
}

/// A million queue, half of them go again, scattered, as many come anew, and all are
/// reached, in the order in which they came.
pub(crate) fn many_come_and_go(waiting: &dyn Waiting) {
    let primitive = &*waiting.fresh(WAITS);
    let io = &DynIo::bare();
    let mut waits: Vec<_> = (0..WAITS)
        .map(|_| Some(Wait::queued(primitive, io)))
        .collect();
    assert_queued(primitive, WAITS);

    let mut order: Vec<_> = (0..WAITS).collect();
    Rng::new(7).shuffle(&mut order);
    for place in &order[..WAITS / 2] {
        waits[*place] = None;
    }
    assert_queued(primitive, WAITS - WAITS / 2);
    waits.extend((0..WAITS / 2).map(|_| Some(Wait::queued(primitive, io))));
    assert_queued(primitive, WAITS);

    let waits = waits.into_iter().flatten();
    match waiting.reach() {
        Reach::All => {
            let mut waits: Vec<_> = waits.collect();
            primitive.signal();
            for wait in &mut waits {
                assert!(wait.wakes.count() > 0, "nobody woke it");
                assert!(wait.is_ready(), "woken, and not reached");
            }
        }
        Reach::First => {
            for mut wait in waits {
                assert_eq!(wait.wakes.count(), 0, "woken before its turn");
                primitive.signal();
                assert!(wait.wakes.count() > 0, "it was not its turn");
                assert!(wait.is_ready(), "woken, and not reached");
            }
        }
        Reach::FirstThenNext => {
            let mut signal = Some(|| primitive.signal());
            for mut wait in waits {
                assert!(signal.is_none() || wait.wakes.count() == 0, "too early");
                signal.take().into_iter().for_each(|signal| signal());
                assert!(wait.wakes.count() > 0, "it was not its turn");
                assert!(wait.is_ready(), "woken, and not reached");
            }
        }
    }
    assert_queued(primitive, 0);
    primitive.check_later(io);
}
