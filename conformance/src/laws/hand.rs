//! Waits that a law polls by hand, to have every interleaving in its power.

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::thread;

use crate::erased::BoxFuture;
use crate::subject::{Reach, Waitable};
use crate::wakers::{Wakes, caught, counting, poll};

/// Far more turns than a wait needs to be passed what another does not come for.
pub(super) const TURNS: usize = 10_000;

/// A wait, its waker, and how often that was woken.
pub(super) struct Hand<'a, T = ()> {
    wakes: Arc<Wakes>,
    waker: Waker,
    wait: Option<BoxFuture<'a, T>>,
    /// How often it had been woken when it was polled last.
    seen: Option<usize>,
    /// The same when that poll was over: a wait may wake itself, to look again.
    after: usize,
}

impl<'a, T> Hand<'a, T> {
    /// A wait that has not been polled.
    pub(super) fn new(wait: BoxFuture<'a, T>) -> Self {
        let (wakes, waker) = counting();
        Self {
            wakes,
            waker,
            wait: Some(wait),
            seen: None,
            after: 0,
        }
    }

    /// A wait with a waker of the law's own.
    pub(super) fn with_waker(wait: BoxFuture<'a, T>, wakes: Arc<Wakes>, waker: Waker) -> Self {
        Self {
            wakes,
            waker,
            wait: Some(wait),
            seen: None,
            after: 0,
        }
    }

    /// A wait that has queued.
    #[track_caller]
    pub(super) fn queued(wait: BoxFuture<'a, T>) -> Self {
        let mut hand = Self::new(wait);
        hand.assert_pending("a wait that nobody has signalled");
        hand
    }

    pub(super) fn poll(&mut self) -> Poll<T> {
        self.seen = Some(self.wakes.count());
        let wait = self.wait.as_mut().expect("it has not been dropped");
        let polled = poll(wait.as_mut(), &self.waker);
        self.after = self.wakes.count();
        polled
    }

    #[track_caller]
    pub(super) fn assert_pending(&mut self, what: &str) {
        assert!(self.poll().is_pending(), "{what} is ready");
    }

    #[track_caller]
    pub(super) fn assert_ready(&mut self, what: &str) -> T {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("{what} is not ready"),
        }
    }

    /// The output of a wait that is polled as its task polls it: at first, and then
    /// whenever it has been woken.
    #[track_caller]
    pub(super) fn goes_on(&mut self, what: &str) -> T {
        for turn in 0..TURNS {
            if self.seen == Some(self.wakes.count()) {
                panic!("{what} sleeps, and nobody wakes it any more, after {turn} turns");
            }
            if let Poll::Ready(output) = self.poll() {
                return output;
            }
        }
        panic!("{what} is not ready after {TURNS} turns");
    }

    /// The output of a wait that is polled again and again, woken or not.
    #[track_caller]
    pub(super) fn gets_in(&mut self, within: usize, what: &str) -> T {
        for _ in 0..within {
            if let Poll::Ready(output) = self.poll() {
                return output;
            }
        }
        panic!("{what} is not ready after {within} polls");
    }

    /// Was woken at least once.
    pub(super) fn is_woken(&self) -> bool {
        self.wakes.count() > 0
    }

    /// Was woken since it was polled last: by another, and not by itself.
    pub(super) fn is_woken_anew(&self) -> bool {
        self.wakes.count() > self.after
    }

    /// Drops the wait.
    pub(super) fn cancel(&mut self) {
        self.wait = None;
    }
}

/// A law that has found a breach unwinds through what is broken: a second panic
/// out of a drop would end the process, and the report with it.
impl<T> Drop for Hand<'_, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            drop(caught(|| self.cancel()));
        }
    }
}

/// Lets all of `hands` through, which are queued in this order and are as many
/// as the primitive was made for; drops each when it is through.
#[track_caller]
pub(super) fn all_through(primitive: &dyn Waitable, reach: Reach, hands: &mut [Hand<'_>]) {
    match reach {
        Reach::All => {
            primitive.signal();
            let woken = hands.iter().filter(|hand| hand.is_woken()).count();
            assert_eq!(woken, hands.len(), "the signal woke not all who waited");
            for hand in hands.iter_mut() {
                hand.assert_ready("a wait that the signal woke");
            }
            hands.iter_mut().for_each(Hand::cancel);
        }
        Reach::First | Reach::FirstThenNext => {
            for next in 0..hands.len() {
                if next == 0 || reach == Reach::First {
                    primitive.signal();
                }
                let woken: Vec<usize> = (next..hands.len())
                    .filter(|place| hands[*place].is_woken())
                    .collect();
                assert_eq!(
                    woken,
                    [next],
                    "of those in the queue the signal is for the first, and it alone"
                );
                hands[next].assert_ready("the wait that the signal woke");
                hands[next].cancel();
            }
        }
    }
}
