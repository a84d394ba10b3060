//! The kind Oneshot.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use super::{Kept, Message, NoMessage, Reach, SendFact, Subject, Waitable, Waiting};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::wakers::{all_of, counting, poll, poll_noop};

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

    /// The same, in a future that has the sender. It allocates only when it is
    /// created.
    fn into_closed<'a>(self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, ()>;
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
    let wait_of = |end| -> Arc<dyn Waiting> {
        Arc::new(OneshotWaiting {
            subject: Arc::clone(subject),
            end,
        })
    };
    vec![wait_of(End::Receiver), wait_of(End::Sender)]
}

/// Who waits.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Receiver,
    Sender,
}

struct OneshotWaiting {
    subject: Arc<dyn Subject>,
    end: End,
}

impl Waiting for OneshotWaiting {
    fn name(&self) -> &'static str {
        match self.end {
            End::Receiver => "Oneshot by the send",
            End::Sender => "Oneshot by the receiver's end",
        }
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn fresh(&self, _waits: usize) -> Arc<dyn Waitable> {
        Arc::new(OneshotWaitable {
            subject: Arc::clone(&self.subject),
            end: self.end,
            others: Mutex::default(),
        })
    }

    fn use_static(&self, _: &DynIo) -> Result<(), String> {
        Err("handles share what is on the heap".to_owned())
    }

    fn fits_a_static(&self) -> bool {
        false
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.subject.oneshot_send_facts()
    }
}

/// A oneshot for each wait, as only one waits at each end; the signal uses the
/// other ends of all of them.
struct OneshotWaitable {
    subject: Arc<dyn Subject>,
    end: End,
    others: Mutex<Vec<Other>>,
}

/// The end that does not wait.
enum Other {
    Sender(Box<dyn OneshotSender>),
    Receiver(Box<dyn OneshotReceiver>),
}

impl Other {
    fn signal(self) {
        match self {
            // Its receiver may have gone.
            Self::Sender(sender) => drop(sender.send(Message::new(1))),
            Self::Receiver(receiver) => drop(receiver),
        }
    }
}

impl OneshotWaitable {
    fn others(&self) -> MutexGuard<'_, Vec<Other>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waitable for OneshotWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        let (sender, receiver) = self.subject.oneshot();
        match self.end {
            End::Receiver => {
                self.others().push(Other::Sender(sender));
                Box::pin(Kept::new(receiver.into_recv(io)))
            }
            End::Sender => {
                self.others().push(Other::Receiver(receiver));
                sender.into_closed(io)
            }
        }
    }

    fn signal(&self) {
        let others = std::mem::take(&mut *self.others());
        all_of(others.into_iter().map(|other| || other.signal()));
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        let _ = poll_noop(self.wait(io).as_mut());
        let other = self.others().pop();
        match other {
            Some(Other::Sender(mut sender)) => {
                let _ = sender.is_closed();
                let _ = poll_noop(sender.closed(io).as_mut());
            }
            Some(Other::Receiver(mut receiver)) => {
                let _ = receiver.try_recv();
                receiver.close();
            }
            None => {}
        }
        self.signal();
    }

    fn check_later(&self, io: &DynIo) {
        let (wakes, waker) = counting();
        let (mut sender, mut receiver) = self.subject.oneshot();
        if self.end == End::Sender {
            let mut closed = sender.closed(io);
            assert!(
                poll(closed.as_mut(), &waker).is_pending(),
                "a later wait for a close ends, and there is a receiver"
            );
            drop(receiver);
            assert!(wakes.count() >= 1, "a later close woke nobody");
            assert!(poll(closed.as_mut(), &waker).is_ready(), "it does not end");
            return;
        }
        let mut recv = receiver.recv(io);
        assert!(
            poll(recv.as_mut(), &waker).is_pending(),
            "a later receive finds a message that nobody has sent"
        );
        assert!(sender.send(Message::new(7)).is_ok(), "there is a receiver");
        assert!(wakes.count() >= 1, "a later send woke nobody");
        match poll(recv.as_mut(), &waker) {
            Poll::Ready(Some(message)) => assert_eq!(message.number(), 7),
            Poll::Ready(None) => panic!("a later receive finds the channel closed"),
            Poll::Pending => panic!("a later receive waits although one was sent"),
        }
    }
}
