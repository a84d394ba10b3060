//! The kind Broadcast.

use std::sync::Arc;
use std::task::Poll;

use super::{Kept, Reach, SendFact, Subject, Token, Waitable, Waiting};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::wakers::{counting, poll, poll_noop};

/// An end that sends to everybody. The last that is dropped closes the
/// broadcast.
pub trait BroadcastSender: Send + Sync + 'static {
    /// Sends; never waits: if the ring is full, the oldest goes.
    ///
    /// # Errors
    ///
    /// The message is given back if there is no receiver.
    fn send(&self, message: Arc<Token>) -> Result<(), Arc<Token>>;

    /// A receiver of what is sent from now on.
    fn subscribe(&self) -> Box<dyn BroadcastReceiver>;

    /// Another handle of the same broadcast.
    fn another(&self) -> Box<dyn BroadcastSender>;
}

/// An end that receives everything.
pub trait BroadcastReceiver: Send + 'static {
    /// Waits for the next message. It polls the primitive's own future: see
    /// [`mapped`](super::mapped).
    ///
    /// # Errors
    ///
    /// If there is none, but never [`Missed::Empty`].
    fn recv<'a>(&'a mut self, io: &'a DynIo) -> BoxFuture<'a, Result<Arc<Token>, Missed>>;

    /// The same, in a future that has the receiver. It allocates only when it
    /// is created.
    fn into_recv<'a>(self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, Result<Arc<Token>, Missed>>;

    /// The next message; never waits.
    ///
    /// # Errors
    ///
    /// If there is none.
    fn try_recv(&mut self) -> Result<Arc<Token>, Missed>;
}

/// Why there is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// One may come.
    Empty,
    /// None will come.
    Closed,
    /// So many went before they were received; the next is the oldest that is
    /// left.
    Lagged(u64),
}

pub(super) fn waitings(subject: &Arc<dyn Subject>) -> Vec<Arc<dyn Waiting>> {
    if subject.new_broadcast(1).is_none() {
        return Vec::new();
    }
    vec![Arc::new(BroadcastWaiting(Arc::clone(subject)))]
}

struct BroadcastWaiting(Arc<dyn Subject>);

impl Waiting for BroadcastWaiting {
    fn name(&self) -> &'static str {
        "Broadcast by a send"
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn fresh(&self, _waits: usize) -> Arc<dyn Waitable> {
        Arc::new(BroadcastWaitable {
            sender: self.0.broadcast(16),
        })
    }

    fn use_static(&self, _: &DynIo) -> Result<(), String> {
        Err("handles share what is on the heap".to_owned())
    }

    fn fits_a_static(&self) -> bool {
        false
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.0.broadcast_send_facts()
    }
}

/// A receiver for each wait, from the wait's creation on.
struct BroadcastWaitable {
    sender: Box<dyn BroadcastSender>,
}

impl Waitable for BroadcastWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(self.sender.subscribe().into_recv(io)))
    }

    fn signal(&self) {
        // Without a receiver there is nobody to reach.
        let _ = self.sender.send(Arc::new(Token::new(1)));
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        drop(self.sender.another());
        let mut receiver = self.sender.subscribe();
        let _ = receiver.try_recv();
        let _ = poll_noop(receiver.recv(io).as_mut());
        self.signal();
    }

    fn check_later(&self, io: &DynIo) {
        let mut receiver = self.sender.subscribe();
        let (wakes, waker) = counting();
        let mut recv = receiver.recv(io);
        assert!(
            poll(recv.as_mut(), &waker).is_pending(),
            "a later receiver finds a message from before"
        );
        let sent = self.sender.send(Arc::new(Token::new(7)));
        assert!(sent.is_ok(), "there is a receiver");
        assert!(wakes.count() >= 1, "a later send woke nobody");
        match poll(recv.as_mut(), &waker) {
            Poll::Ready(Ok(message)) => assert_eq!(message.number(), 7),
            Poll::Ready(Err(_)) => panic!("a later receive misses the message, or finds an end"),
            Poll::Pending => panic!("a later receive waits although one was sent"),
        }
    }
}
