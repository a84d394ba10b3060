//! The Oneshot.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::{Flaw, Flawed, lock, wake};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{Message, NoMessage, Oneshot, OneshotReceiver, OneshotSender};

pub(super) const FLAWS: &[Flawed] = &[
    (
        "receives-twice",
        Flaw::ReceivesTwice,
        "what was received is there once more",
        &["oneshot::delivers_once"],
    ),
    (
        "gone-sender-is-forgotten",
        Flaw::GoneSenderIsForgotten,
        "a sender that is dropped wakes nobody",
        &[
            "oneshot::dropped_sender_is_an_error",
            "pattern::request_reply_over_channel_and_oneshot",
        ],
    ),
    (
        "sends-to-nobody",
        Flaw::SendsToNobody,
        "a send says that it has sent, and there is no receiver",
        &[
            "oneshot::send_to_dropped_receiver_gives_back",
            "pattern::request_reply_over_channel_and_oneshot",
        ],
    ),
    (
        "leaks-the-unreceived",
        Flaw::LeaksUnreceived,
        "a value that was not received is never dropped",
        &["oneshot::value_is_dropped_once"],
    ),
    (
        "close-wakes-nobody",
        Flaw::CloseWakesNobody,
        "a receiver that goes does not wake the sender that waits for it",
        &["oneshot::sender_sees_closing"],
    ),
];

pub(super) fn new(flaw: Flaw) -> Oneshot {
    let shared = Arc::new(Shared {
        flaw,
        state: Mutex::default(),
    });
    let receiver = Receiver(Arc::clone(&shared));
    (Box::new(Sender(shared)), Box::new(receiver))
}

struct Shared {
    flaw: Flaw,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    message: Option<Message>,
    /// The sender has sent or gone.
    done: bool,
    /// The receiver was closed or has gone.
    closed: bool,
    receiving: Option<Waker>,
    closing: Option<Waker>,
}

impl Shared {
    fn receive(&self, waker: Option<Waker>) -> Result<Message, NoMessage> {
        let mut state = lock(&self.state);
        if let Some(message) = state.message.take() {
            if self.flaw == Flaw::ReceivesTwice {
                state.message = Some(Message::new(message.number()));
            }
            return Ok(message);
        }
        if state.done || state.closed {
            return Err(NoMessage::Closed);
        }
        let old = waker.and_then(|waker| state.receiving.replace(waker));
        drop(state);
        drop(old);
        Err(NoMessage::Empty)
    }

    fn poll_receive(&self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        match self.receive(Some(cx.waker().clone())) {
            Err(NoMessage::Empty) => Poll::Pending,
            other => Poll::Ready(other.ok()),
        }
    }

    fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut state = lock(&self.state);
        if state.closed {
            return Poll::Ready(());
        }
        let old = state.closing.replace(waker);
        drop(state);
        drop(old);
        Poll::Pending
    }
}

struct Sender(Arc<Shared>);

impl OneshotSender for Sender {
    fn send(self: Box<Self>, message: Message) -> Result<(), Message> {
        let mut state = lock(&self.0.state);
        if state.closed && self.0.flaw != Flaw::SendsToNobody {
            drop(state);
            return Err(message);
        }
        state.message = Some(message);
        let waker = state.receiving.take();
        drop(state);
        wake(waker.into_iter().collect());
        Ok(())
    }

    fn is_closed(&self) -> bool {
        lock(&self.0.state).closed
    }

    fn closed<'a>(&'a mut self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(poll_fn(|cx| self.0.poll_closed(cx)))
    }

    fn into_closed<'a>(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(poll_fn(move |cx| self.0.poll_closed(cx)))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.done = true;
        let waker = state.receiving.take();
        drop(state);
        if self.0.flaw != Flaw::GoneSenderIsForgotten {
            wake(waker.into_iter().collect());
        }
    }
}

struct Receiver(Arc<Shared>);

impl OneshotReceiver for Receiver {
    fn recv<'a>(&'a mut self, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(poll_fn(|cx| self.0.poll_receive(cx)))
    }

    fn into_recv<'a>(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(poll_fn(move |cx| self.0.poll_receive(cx)))
    }

    fn try_recv(&mut self) -> Result<Message, NoMessage> {
        self.0.receive(None)
    }

    fn close(&mut self) {
        let mut state = lock(&self.0.state);
        state.closed = true;
        let waker = state.closing.take();
        drop(state);
        if self.0.flaw != Flaw::CloseWakesNobody {
            wake(waker.into_iter().collect());
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.close();
        let left = lock(&self.0.state).message.take();
        if self.0.flaw == Flaw::LeaksUnreceived {
            std::mem::forget(left);
        }
    }
}
