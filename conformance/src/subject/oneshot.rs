//! The kind Oneshot.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use super::{Kept, Message, NoMessage, Reach, SendFact, Subject, Waitable, Waiting};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::wakers::{caught, counting, poll, poll_noop};

/// Both ends of a oneshot.
pub type Oneshot = (Box<dyn OneshotSender>, Box<dyn OneshotReceiver>);

/// The end that sends, once; dropped unused, it tells the other.
pub trait OneshotSender: Send + 'static {
    /// Sends; never waits.
    ///
    /// # Errors
    ///
    /// The message is given back if nobody can receive it.
    fn send(self: Box<Self>, message: Message) -> Result<(), Message>;

    /// Whether nobody can receive any more.
    fn is_closed(&self) -> bool;

    /// Waits until nobody can receive any more.
    fn closed<'a>(&'a mut self, io: &'a DynIo) -> BoxFuture<'a, ()>;
}

/// The end that receives.
pub trait OneshotReceiver: Send + 'static {
    /// Waits for the message; `None` if it was received, or none will come. It
    /// polls the primitive's own future: see [`mapped`](super::mapped).
    fn recv<'a>(&'a mut self, io: &'a DynIo) -> BoxFuture<'a, Option<Message>>;

    /// The same, in a future that has the receiver. It allocates only when it
    /// is created.
    fn into_recv<'a>(self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, Option<Message>>;

    /// The message, if it is there; never waits.
    ///
    /// # Errors
    ///
    /// If it is not.
    fn try_recv(&mut self) -> Result<Message, NoMessage>;

    /// Refuses the message, if it was not sent yet.
    fn close(&mut self);
}

pub(super) fn waitings(subject: &Arc<dyn Subject>) -> Vec<Arc<dyn Waiting>> {
    if subject.new_oneshot().is_none() {
        return Vec::new();
    }
    vec![Arc::new(OneshotWaiting(Arc::clone(subject)))]
}

struct OneshotWaiting(Arc<dyn Subject>);

impl Waiting for OneshotWaiting {
    fn name(&self) -> &'static str {
        "Oneshot by the send"
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn fresh(&self, _waits: usize) -> Arc<dyn Waitable> {
        Arc::new(OneshotWaitable {
            subject: Arc::clone(&self.0),
            senders: Mutex::default(),
        })
    }

    fn use_static(&self, _: &DynIo) -> Result<(), String> {
        Err("handles share what is on the heap".to_owned())
    }

    fn fits_a_static(&self) -> bool {
        false
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.0.oneshot_send_facts()
    }
}

/// A oneshot for each wait, as only one waits on each; the signal sends on all
/// of them.
struct OneshotWaitable {
    subject: Arc<dyn Subject>,
    senders: Mutex<Vec<Box<dyn OneshotSender>>>,
}

impl OneshotWaitable {
    fn with_senders<T>(&self, code: impl FnOnce(&mut Vec<Box<dyn OneshotSender>>) -> T) -> T {
        code(&mut self.senders.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Waitable for OneshotWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        let (sender, receiver) = self.subject.oneshot();
        self.with_senders(|senders| senders.push(sender));
        Box::pin(Kept::new(receiver.into_recv(io)))
    }

    fn signal(&self) {
        let senders = self.with_senders(std::mem::take);
        let panics = senders
            .into_iter()
            .filter_map(|sender| caught(|| drop(sender.send(Message::new(1)))).err());
        // All of them, before one goes on.
        let mut panics: Vec<_> = panics.collect();
        if !panics.is_empty() {
            resume_unwind(panics.swap_remove(0));
        }
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        let _ = poll_noop(self.wait(io).as_mut());
        let sender = self.with_senders(Vec::pop);
        if let Some(mut sender) = sender {
            let _ = sender.is_closed();
            let _ = poll_noop(sender.closed(io).as_mut());
        }
        self.signal();
    }

    fn check_later(&self, io: &DynIo) {
        let (sender, mut receiver) = self.subject.oneshot();
        let (wakes, waker) = counting();
        let mut recv = receiver.recv(io);
        assert!(
            poll(recv.as_mut(), &waker).is_pending(),
            "a later receive finds a message that nobody has sent"
        );
        assert!(sender.send(Message::new(7)).is_ok(), "there is a receiver");
        assert!(wakes.count() >= 1, "a later send woke nobody");
        match poll(recv.as_mut(), &waker) {
            Poll::Ready(Some(message)) => assert_eq!(message.number(), 7),
            other => panic!("a later receive got {other:?}"),
        }
    }
}
