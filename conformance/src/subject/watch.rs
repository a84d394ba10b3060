//! The kind Watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use super::{Kept, Reach, SendFact, Subject, Waitable, Waiting};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::wakers::{counting, poll, poll_noop};

/// The end that sets the value, which is 0 at first. Dropped, it closes the
/// watch.
pub trait WatchSender: Send + Sync + 'static {
    /// Sets the value, which everybody is told of, if there is anybody.
    fn send(&self, value: u64);

    /// A receiver that has seen the present value.
    fn subscribe(&self) -> Box<dyn WatchReceiver>;
}

/// An end that sees the value.
pub trait WatchReceiver: Send + 'static {
    /// Waits for a value that this has not seen, and takes it as seen: `true`.
    /// `false` if there is none, and none will come. It polls the primitive's own
    /// future: see [`mapped`](super::mapped).
    fn changed<'a>(&'a mut self, io: &'a DynIo) -> BoxFuture<'a, bool>;

    /// The same, in a future that has the receiver. It allocates only when it
    /// is created.
    fn into_changed<'a>(self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, bool>;

    /// The value, which counts as seen no more than before.
    fn get(&self) -> u64;

    /// The value, which counts as seen.
    fn get_and_see(&mut self) -> u64;
}

pub(super) fn waitings(subject: &Arc<dyn Subject>) -> Vec<Arc<dyn Waiting>> {
    if subject.new_watch().is_none() {
        return Vec::new();
    }
    vec![Arc::new(WatchWaiting(Arc::clone(subject)))]
}

struct WatchWaiting(Arc<dyn Subject>);

impl Waiting for WatchWaiting {
    fn name(&self) -> &'static str {
        "Watch by a new value"
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn fresh(&self, _waits: usize) -> Arc<dyn Waitable> {
        Arc::new(WatchWaitable {
            sender: self.0.watch(),
            last: AtomicU64::new(0),
        })
    }

    fn use_static(&self, _: &DynIo) -> Result<(), String> {
        Err("handles share what is on the heap".to_owned())
    }

    fn fits_a_static(&self) -> bool {
        false
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.0.watch_send_facts()
    }
}

/// A receiver for each wait, from the wait's creation on.
struct WatchWaitable {
    sender: Box<dyn WatchSender>,
    last: AtomicU64,
}

impl Waitable for WatchWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(self.sender.subscribe().into_changed(io)))
    }

    fn signal(&self) {
        self.sender
            .send(self.last.fetch_add(1, Ordering::Relaxed) + 1);
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        let mut receiver = self.sender.subscribe();
        let _ = receiver.get();
        let _ = receiver.get_and_see();
        let _ = poll_noop(receiver.changed(io).as_mut());
        self.signal();
    }

    fn check_later(&self, io: &DynIo) {
        let mut receiver = self.sender.subscribe();
        let (wakes, waker) = counting();
        let mut changed = receiver.changed(io);
        assert!(
            poll(changed.as_mut(), &waker).is_pending(),
            "a later receiver has not seen the value that it came to"
        );
        self.sender.send(u64::MAX);
        assert!(wakes.count() >= 1, "a later value woke nobody");
        let polled = poll(changed.as_mut(), &waker);
        assert_eq!(polled, Poll::Ready(true), "a later value is not seen");
        drop(changed);
        assert_eq!(receiver.get(), u64::MAX);
    }
}
