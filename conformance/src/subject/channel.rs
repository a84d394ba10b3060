//! The kind Channel.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    Contending, Kept, Promise, Reach, SendFact, Subject, TurnsOf, Waitable, Waiting, turn_of,
};
use crate::cx::{DropGuard, Dropped, DynIo};
use crate::erased::BoxFuture;
use crate::wakers::{all_of, counting, poll, poll_noop, received};

/// Both ends of a channel.
pub type Channel = (Box<dyn ChannelSender>, Box<dyn ChannelReceiver>);

/// A handle that sends. Dropped, it is gone; the last one closes the channel.
pub trait ChannelSender: Send + Sync + 'static {
    /// Sends, if there is a slot; never waits.
    ///
    /// # Errors
    ///
    /// The message is given back if there is none, or nobody to receive it.
    fn try_send(&self, message: Message) -> Result<(), SendRefused>;

    /// Waits for a slot. It polls the primitive's own future: see
    /// [`mapped`](super::mapped).
    ///
    /// # Errors
    ///
    /// The message is given back if the channel is closed.
    fn send<'a>(&'a self, io: &'a DynIo, message: Message) -> BoxFuture<'a, Result<(), Message>>;

    /// Waits for a slot without a message, if it can
    /// ([`Promise::Reserve`](super::Promise::Reserve)); `None` comes of it if the
    /// channel is closed.
    fn reserve<'a>(&'a self, io: &'a DynIo) -> Option<BoxFuture<'a, Option<Box<dyn Permit + 'a>>>> {
        let _ = io;
        None
    }

    /// Another handle of the same channel.
    fn another(&self) -> Box<dyn ChannelSender>;
}

/// A handle that receives. Dropped, it is gone; without any, the channel is
/// closed.
pub trait ChannelReceiver: Send + Sync + 'static {
    /// A message, if there is one; never waits.
    ///
    /// # Errors
    ///
    /// If there is none.
    fn try_recv(&self) -> Result<Message, NoMessage>;

    /// How many messages there are, if it can be asked.
    fn count(&self) -> Option<usize> {
        None
    }

    /// Waits for a message; `None` when there is none and none will come. It
    /// polls the primitive's own future.
    ///
    /// Without [`another`](Self::another), one is polled at a time.
    fn recv<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, Option<Message>>;

    /// The same, in a future that has the receiver. It allocates only when it
    /// is created.
    fn into_recv<'a>(self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, Option<Message>>;

    /// Refuses further messages, if it can
    /// ([`Promise::CloseChannel`](super::Promise::CloseChannel)).
    fn close(&self) {}

    /// Another handle of the same channel; `None` if it has one only.
    fn another(&self) -> Option<Box<dyn ChannelReceiver>>;
}

/// A slot of a channel that nobody else can take.
pub trait Permit: Send {
    /// Sends without waiting.
    fn send(self: Box<Self>, message: Message);
}

/// Why a message was not sent, and the message.
#[derive(Debug)]
pub enum SendRefused {
    /// There is no slot for it.
    Full(Message),
    /// Nobody can receive it.
    Closed(Message),
}

/// Why there is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMessage {
    /// One may come.
    Empty,
    /// None will come.
    Closed,
}

/// What the laws send: a number, a count of its drops, and what else it is to
/// carry.
pub struct Message {
    number: u64,
    cargo: Option<Box<dyn Any + Send>>,
    _drop: Option<DropGuard>,
}

impl Message {
    /// The message of a number.
    pub fn new(number: u64) -> Self {
        Self {
            number,
            cargo: None,
            _drop: None,
        }
    }

    /// The message of a number, which counts when it is dropped.
    pub fn counted(number: u64, drops: &Dropped) -> Self {
        Self {
            _drop: Some(drops.guard()),
            ..Self::new(number)
        }
    }

    /// The message of a number, which carries something.
    pub fn with_cargo(number: u64, cargo: impl Any + Send) -> Self {
        Self {
            cargo: Some(Box::new(cargo)),
            ..Self::new(number)
        }
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What it carries, if that is a `T`.
    pub fn into_cargo<T: Any + Send>(self) -> Option<T> {
        let cargo = self.cargo?.downcast().ok()?;
        Some(*cargo)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Message").field(&self.number).finish()
    }
}

/// A channel waits for a slot; and for a message: many in one queue, and where it
/// has one receiver only, many with a channel for each.
pub(super) fn waitings(subject: &Arc<dyn Subject>) -> Vec<Arc<dyn Waiting>> {
    let Some((_, receiver)) = subject.new_channel(1) else {
        return Vec::new();
    };
    let mut all: Vec<Arc<dyn Waiting>> = vec![Arc::new(SendWaiting(Arc::clone(subject)))];
    let has_many = receiver.another().is_some();
    let subject = Arc::clone(subject);
    all.push(match has_many {
        true => Arc::new(RecvWaiting(subject)),
        false => Arc::new(OneRecvWaiting(subject)),
    });
    all
}

pub(super) fn contendings(subject: &Arc<dyn Subject>) -> Vec<Contending> {
    let Some((_, receiver)) = subject.new_channel(1) else {
        return Vec::new();
    };
    let promises = |promise| subject.promises().contains(&promise);
    let of = |name, ordered, filled, turn| {
        let subject = Arc::clone(subject);
        Contending::with_room(name, ordered, move |room| {
            let (sender, receiver) = subject.channel(room);
            if filled {
                fill(&*sender, room);
            }
            TurnsOf {
                primitive: (sender, receiver),
                turn,
            }
        })
    };
    let fifo = promises(Promise::FifoSenders);
    let mut all = vec![of(
        "Channel, to send",
        fifo,
        false,
        |channel, io, _, body| {
            Box::pin(async move {
                let sent = channel.0.send(io, Message::new(1)).await;
                sent.expect("an open channel");
                body.await;
                let received = channel.1.try_recv();
                received.expect("what was sent, or by another");
            })
        },
    )];
    if promises(Promise::Reserve) {
        all.push(of(
            "Channel, to reserve",
            fifo,
            false,
            |channel, io, _, body| turn_of(channel.0.reserve(io).expect("it is promised"), body),
        ));
    }
    if receiver.another().is_some() {
        let fifo = promises(Promise::FifoReceivers);
        all.push(of(
            "Channel, to receive",
            fifo,
            true,
            |channel, io, _, body| {
                Box::pin(async move {
                    let message = channel.1.recv(io).await.expect("an open channel");
                    body.await;
                    channel.0.try_send(message).expect("its slot");
                })
            },
        ));
    }
    all
}

struct SendWaiting(Arc<dyn Subject>);

impl Waiting for SendWaiting {
    fn name(&self) -> &'static str {
        "Channel, full, by a receive"
    }

    fn reach(&self) -> Reach {
        Reach::First
    }

    fn is_ordered(&self) -> bool {
        self.0.promises().contains(&Promise::FifoSenders)
    }

    fn fresh(&self, waits: usize) -> Arc<dyn Waitable> {
        // A signal for each of them.
        let capacity = waits.max(1);
        let (sender, receiver) = self.0.channel(capacity);
        fill(&*sender, capacity);
        Arc::new(SendWaitable {
            sender,
            receiver,
            capacity,
        })
    }

    fn use_static(&self, _: &DynIo) -> Result<(), String> {
        Err(ON_THE_HEAP.to_owned())
    }

    fn fits_a_static(&self) -> bool {
        false
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.0.channel_send_facts()
    }
}

const ON_THE_HEAP: &str = "handles share what is on the heap";

#[track_caller]
fn fill(sender: &dyn ChannelSender, capacity: usize) {
    for number in 0..capacity {
        let sent = sender.try_send(Message::new(number as u64));
        assert!(sent.is_ok(), "a channel with a free slot says {sent:?}");
    }
}

struct SendWaitable {
    sender: Box<dyn ChannelSender>,
    receiver: Box<dyn ChannelReceiver>,
    capacity: usize,
}

impl Waitable for SendWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        let send = self.sender.send(io, Message::new(u64::MAX));
        Box::pin(Kept::new(send))
    }

    fn signal(&self) {
        // Without a message there is a slot for everybody.
        received(|| self.receiver.count(), || drop(self.receiver.try_recv()));
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        let _ = self.sender.try_send(Message::new(0));
        drop(self.sender.another());
        drop(self.receiver.another());
        if let Some(mut reserve) = self.sender.reserve(io) {
            let _ = poll_noop(reserve.as_mut());
        }
        let _ = poll_noop(self.sender.send(io, Message::new(0)).as_mut());
        let _ = poll_noop(self.receiver.recv(io).as_mut());
        let _ = self.receiver.try_recv();
    }

    fn check_later(&self, io: &DynIo) {
        while self.receiver.try_recv().is_ok() {}
        fill(&*self.sender, self.capacity);
        let (wakes, waker) = counting();
        let mut send = self.sender.send(io, Message::new(u64::MAX));
        assert!(
            poll(send.as_mut(), &waker).is_pending(),
            "a later send finds a slot in a channel that is full"
        );
        assert!(self.receiver.try_recv().is_ok(), "the channel is full");
        assert!(wakes.count() >= 1, "a later receive woke nobody");
        assert!(
            poll(send.as_mut(), &waker).is_ready(),
            "a later receive made no slot"
        );
        for _ in 0..self.capacity {
            assert!(self.receiver.try_recv().is_ok(), "the channel is full");
        }
        let left = self.receiver.try_recv();
        assert!(left.is_err(), "a later receive finds too much: {left:?}");
    }
}

struct RecvWaiting(Arc<dyn Subject>);

/// For the signals of laws that send more than they have waits.
const SPARE: usize = 64;

impl Waiting for RecvWaiting {
    fn name(&self) -> &'static str {
        "Channel, empty, by a send"
    }

    fn reach(&self) -> Reach {
        Reach::First
    }

    fn is_ordered(&self) -> bool {
        self.0.promises().contains(&Promise::FifoReceivers)
    }

    fn fresh(&self, waits: usize) -> Arc<dyn Waitable> {
        let (sender, receiver) = self.0.channel(waits.saturating_add(SPARE));
        Arc::new(RecvWaitable { sender, receiver })
    }

    fn use_static(&self, _: &DynIo) -> Result<(), String> {
        Err(ON_THE_HEAP.to_owned())
    }

    fn fits_a_static(&self) -> bool {
        false
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.0.channel_send_facts()
    }
}

struct RecvWaitable {
    sender: Box<dyn ChannelSender>,
    receiver: Box<dyn ChannelReceiver>,
}

impl Waitable for RecvWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(self.receiver.recv(io)))
    }

    fn signal(&self) {
        // A full channel has a message for everybody.
        let _ = self.sender.try_send(Message::new(1));
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        let _ = self.receiver.try_recv();
        drop(self.receiver.another());
        drop(self.sender.another());
        let _ = poll_noop(self.receiver.recv(io).as_mut());
        if let Some(mut reserve) = self.sender.reserve(io) {
            let _ = poll_noop(reserve.as_mut());
        }
        let _ = self.sender.try_send(Message::new(0));
    }

    fn check_later(&self, io: &DynIo) {
        while self.receiver.try_recv().is_ok() {}
        let (wakes, waker) = counting();
        let mut recv = self.receiver.recv(io);
        assert!(
            poll(recv.as_mut(), &waker).is_pending(),
            "a later receive finds a message in an empty channel"
        );
        let sent = self.sender.try_send(Message::new(7));
        assert!(sent.is_ok(), "an empty channel says {sent:?}");
        assert!(wakes.count() >= 1, "a later send woke nobody");
        match poll(recv.as_mut(), &waker) {
            std::task::Poll::Ready(Some(message)) => assert_eq!(message.number(), 7),
            std::task::Poll::Ready(None) => panic!("a later receive finds the channel closed"),
            std::task::Poll::Pending => panic!("a later receive waits although one was sent"),
        }
        let left = self.receiver.try_recv();
        assert!(left.is_err(), "a later receive finds too much: {left:?}");
    }
}

struct OneRecvWaiting(Arc<dyn Subject>);

impl Waiting for OneRecvWaiting {
    fn name(&self) -> &'static str {
        "Channel, with one receiver, by a send"
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn fresh(&self, _waits: usize) -> Arc<dyn Waitable> {
        Arc::new(OneRecvWaitable {
            subject: Arc::clone(&self.0),
            senders: Mutex::default(),
        })
    }

    fn use_static(&self, _: &DynIo) -> Result<(), String> {
        Err(ON_THE_HEAP.to_owned())
    }

    fn fits_a_static(&self) -> bool {
        false
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.0.channel_send_facts()
    }
}

/// A channel for each wait; the signal sends to all of them.
struct OneRecvWaitable {
    subject: Arc<dyn Subject>,
    senders: Mutex<Vec<Box<dyn ChannelSender>>>,
}

impl OneRecvWaitable {
    fn senders(&self) -> MutexGuard<'_, Vec<Box<dyn ChannelSender>>> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waitable for OneRecvWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        let (sender, receiver) = self.subject.channel(1);
        self.senders().push(sender);
        Box::pin(Kept::new(receiver.into_recv(io)))
    }

    fn signal(&self) {
        let senders = std::mem::take(&mut *self.senders());
        let send = |sender: Box<dyn ChannelSender>| drop(sender.try_send(Message::new(1)));
        // All of them, before a panic goes on.
        all_of(senders.into_iter().map(|sender| || send(sender)));
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        let _ = poll_noop(self.wait(io).as_mut());
        self.signal();
    }

    fn check_later(&self, io: &DynIo) {
        let (sender, receiver) = self.subject.channel(1);
        RecvWaitable { sender, receiver }.check_later(io);
    }
}
