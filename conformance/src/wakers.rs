//! Wakers that count, that call back and that panic, and polling by hand: for
//! laws about exact interleavings.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use cooked_waker::{IntoWaker, WakeRef};

use crate::cx::planned_panic;
use crate::log::assert_goes_on;

/// Polls once, in the name of `waker`.
pub fn poll<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    assert_goes_on();
    future.poll(&mut Context::from_waker(waker))
}

/// Polls once, in the name of nobody.
pub fn poll_noop<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    poll(future, Waker::noop())
}

/// How often a [`counting`] waker and its clones were woken.
#[derive(Debug, Default)]
pub struct Wakes(AtomicUsize);

impl Wakes {
    /// The count.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A waker, and the count of its wake-ups.
pub fn counting() -> (Arc<Wakes>, Waker) {
    let wakes = Arc::new(Wakes::default());
    (Arc::clone(&wakes), Waker::from(wakes))
}

/// What befalls a [`hooked`] waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is being cloned.
    Clone,
    /// It is being woken, by value or by reference.
    Wake,
    /// It is being dropped, after it was woken or without.
    Drop,
}

struct Hooked<F: Fn(Event)>(Arc<F>);

impl<F: Fn(Event)> Clone for Hooked<F> {
    fn clone(&self) -> Self {
        (self.0)(Event::Clone);
        Self(Arc::clone(&self.0))
    }
}

impl<F: Fn(Event)> Drop for Hooked<F> {
    fn drop(&mut self) {
        (self.0)(Event::Drop);
    }
}

impl<F: Fn(Event)> WakeRef for Hooked<F> {
    fn wake_by_ref(&self) {
        (self.0)(Event::Wake);
    }
}

impl<F: Fn(Event)> cooked_waker::Wake for Hooked<F> {}

/// A waker that calls `hook` whenever it is cloned, woken or dropped.
pub fn hooked(hook: impl Fn(Event) + Send + Sync + 'static) -> Waker {
    Box::new(Hooked(Arc::new(hook))).into_waker()
}

/// A waker that calls `code` at each of the `events` that befall it, but not
/// from within itself.
pub fn reentrant(events: &'static [Event], code: impl Fn() + Send + Sync + 'static) -> Waker {
    let inside = AtomicBool::new(false);
    hooked(move |event| {
        if events.contains(&event) && !inside.swap(true, Ordering::SeqCst) {
            code();
            inside.store(false, Ordering::SeqCst);
        }
    })
}

/// A waker that counts, and then panics as planned, when it is woken; not on a
/// thread that panics already, which would end the process and the report.
pub fn panicking() -> (Arc<Wakes>, Waker) {
    let wakes = Arc::new(Wakes::default());
    let count = Arc::clone(&wakes);
    let waker = hooked(move |event| {
        if event == Event::Wake {
            count.wake_by_ref();
            if !thread::panicking() {
                planned_panic();
            }
        }
    });
    (wakes, waker)
}

/// Runs all of them, and goes on with the first panic when all have run.
pub(crate) fn all_of<F: FnOnce()>(codes: impl Iterator<Item = F>) {
    let panics: Vec<_> = codes.filter_map(|code| caught(code).err()).collect();
    if let Some(first) = panics.into_iter().next() {
        resume_unwind(first);
    }
}

/// Receives a message. One that panics, as the waker of a sender does, may have put the
/// message back, so that there are as many as before: then once more. Goes on with the
/// panic.
pub(crate) fn received(len: impl Fn() -> Option<usize>, mut receive: impl FnMut()) {
    let before = len();
    if let Err(panic) = caught(&mut receive) {
        if before.is_some() && len() == before {
            receive();
        }
        resume_unwind(panic);
    }
}

/// What `code` panics with, if it does.
pub fn caught<T>(code: impl FnOnce() -> T) -> thread::Result<T> {
    catch_unwind(AssertUnwindSafe(code))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn hooked_waker_sees_each_event() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let waker = hooked(move |event| log.lock().unwrap().push(event));
        let copy = waker.clone();
        copy.wake_by_ref();
        copy.wake();
        drop(waker);
        let events = [
            Event::Clone,
            Event::Wake,
            Event::Wake,
            Event::Drop,
            Event::Drop,
        ];
        assert_eq!(*seen.lock().unwrap(), events);
        assert_eq!(Arc::strong_count(&seen), 1, "the hook was freed");
    }
}
