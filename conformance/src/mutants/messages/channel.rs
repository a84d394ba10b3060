//! The Channel.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::{Flaw, Flawed, Line, lock, wake};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{
    Channel, ChannelReceiver, ChannelSender, Message, NoMessage, Permit, SendRefused,
};

pub(super) const FLAWS: &[Flawed] = &[
    (
        "delivers-twice",
        Flaw::DoublesOne,
        "one of the messages is queued once more when it is received",
        &[
            "channel::each_message_once",
            "pattern::request_reply_over_channel_and_oneshot",
        ],
    ),
    (
        "newest-message-first",
        Flaw::LastInFirstOut,
        "a receive takes the newest message",
        &["channel::fifo_per_producer"],
    ),
    (
        "one-slot-too-many",
        Flaw::OneTooMany,
        "a full channel takes one more message",
        &["channel::capacity_is_a_bound"],
    ),
    (
        "dropped-send-sends",
        Flaw::DroppedSendSends,
        "a send that is dropped in the queue sends its message all the same",
        &[
            "channel::cancelled_send_gives_back_or_never_sent",
            "pattern::graceful_drain_loses_nothing",
        ],
    ),
    (
        "dropped-recv-takes-one",
        Flaw::DroppedRecvTakesOne,
        "a receive that is dropped when it was woken takes its message with it",
        &["channel::cancelled_recv_loses_no_message"],
    ),
    (
        "close-drops-messages",
        Flaw::CloseDropsMessages,
        "a close drops the messages that are in the channel",
        &[
            "channel::drains_after_close",
            "pattern::graceful_drain_loses_nothing",
        ],
    ),
    (
        "new-senders-pass",
        Flaw::NewSendersPass,
        "a free slot is anybody's who polls first",
        &["channel::waiting_senders_are_fifo"],
    ),
    (
        "new-receivers-pass",
        Flaw::NewReceiversPass,
        "a message is anybody's who polls first",
        &["channel::waiting_receivers_are_fifo"],
    ),
    (
        "permit-keeps-its-slot",
        Flaw::LeavesPermits,
        "a permit that is dropped unused keeps its slot",
        &["channel::reserved_slot_is_returned_on_drop"],
    ),
    (
        "senders-go-unnoticed",
        Flaw::GoneSendersAreForgotten,
        "the last sender goes without a word to who waits",
        &["channel::last_handle_closes"],
    ),
    (
        "kept-wait-stops-the-channel",
        Flaw::UnpolledStops,
        "who could go on is waited for, whoever else is polled",
        &["channel::kept_wait_stops_nobody"],
    ),
    (
        "keeps-its-peak",
        Flaw::KeepsItsPeak,
        "what was allocated for messages is kept",
        &["channel::memory_follows_its_content"],
    ),
    (
        "gives-back-at-once",
        Flaw::GivesBackAtOnce,
        "a block that has been read is given back, and the next allocated anew",
        &["channel::steady_rhythm_allocates_nothing"],
    ),
    (
        "grows-by-copying",
        Flaw::GrowsByCopying,
        "when there is no place for a message, all are moved to a larger one, under the lock",
        &["any::inner_lock_is_short"],
    ),
    (
        "preallocates",
        Flaw::Preallocates,
        "a channel allocates for its whole capacity at once",
        &["channel::idle_size_is_bounded"],
    ),
];

pub(super) fn new(capacity: usize, flaw: Flaw) -> Channel {
    let room = if flaw == Flaw::Preallocates {
        capacity
    } else {
        0
    };
    let chan = Arc::new(Chan {
        flaw,
        state: Mutex::new(State {
            flaw,
            capacity: capacity + usize::from(flaw == Flaw::OneTooMany),
            messages: Blocks::new(flaw, room),
            reserved: 0,
            closed: false,
            doubled: false,
            senders: 1,
            receivers: 1,
            sending: Line::default(),
            receiving: Line::default(),
        }),
    });
    let receiver = Receiver(Arc::clone(&chan));
    (Box::new(Sender(chan)), Box::new(receiver))
}

struct Chan {
    flaw: Flaw,
    state: Mutex<State>,
}

struct State {
    flaw: Flaw,
    capacity: usize,
    messages: Blocks,
    /// Slots of permits.
    reserved: usize,
    closed: bool,
    doubled: bool,
    senders: usize,
    receivers: usize,
    sending: Line,
    receiving: Line,
}

/// Messages in blocks, of which one or another that was read is kept for what comes
/// next.
struct Blocks {
    flaw: Flaw,
    blocks: VecDeque<VecDeque<Message>>,
    spare: Vec<VecDeque<Message>>,
    len: usize,
}

/// How many messages a block is for.
const BLOCK: usize = 32;
/// How many blocks are kept.
const SPARE: usize = 4;

impl Blocks {
    fn new(flaw: Flaw, room: usize) -> Self {
        Self {
            flaw,
            blocks: VecDeque::new(),
            spare: match room {
                0 => Vec::new(),
                _ => vec![VecDeque::with_capacity(room)],
            },
            len: 0,
        }
    }

    fn push_back(&mut self, message: Message) {
        let is_full = |block: &VecDeque<_>| block.len() == block.capacity();
        let grows = self.flaw == Flaw::GrowsByCopying;
        if self
            .blocks
            .back()
            .is_none_or(|last| is_full(last) && !grows)
        {
            let spare = self.spare.pop();
            let fresh = || VecDeque::with_capacity(BLOCK);
            self.blocks.push_back(spare.unwrap_or_else(fresh));
        }
        let last = self.blocks.back_mut().expect("it has a place");
        last.push_back(message);
        self.len += 1;
    }

    fn pop_front(&mut self) -> Option<Message> {
        let message = self.blocks.front_mut()?.pop_front();
        self.popped(message, VecDeque::pop_front, VecDeque::front)
    }

    fn pop_back(&mut self) -> Option<Message> {
        let message = self.blocks.back_mut()?.pop_back();
        self.popped(message, VecDeque::pop_back, VecDeque::back)
    }

    /// Takes out the block at an end, if a message was the last in it.
    fn popped(
        &mut self,
        message: Option<Message>,
        pop: fn(&mut VecDeque<VecDeque<Message>>) -> Option<VecDeque<Message>>,
        end: fn(&VecDeque<VecDeque<Message>>) -> Option<&VecDeque<Message>>,
    ) -> Option<Message> {
        self.len -= usize::from(message.is_some());
        if end(&self.blocks).is_some_and(VecDeque::is_empty) {
            let block = pop(&mut self.blocks);
            let most = match self.flaw {
                Flaw::KeepsItsPeak | Flaw::Preallocates => usize::MAX,
                Flaw::GivesBackAtOnce => 0,
                _ => SPARE,
            };
            if self.spare.len() < most {
                self.spare.extend(block);
            }
            if self.blocks.len() < self.blocks.capacity() / 4 && self.blocks.capacity() > 64 {
                self.blocks.shrink_to(self.blocks.capacity() / 2);
            }
        }
        message
    }
}

impl State {
    fn free(&self) -> usize {
        let taken = self.messages.len + self.reserved;
        self.capacity.saturating_sub(taken)
    }

    /// Whether the wait of this ticket has a slot.
    fn has_slot(&self, ticket: Option<u64>) -> bool {
        let before = match self.flaw {
            Flaw::NewSendersPass => 0,
            _ => self.sending.ahead(ticket),
        };
        before < self.free()
    }

    fn push(&mut self, message: Message) {
        self.messages.push_back(message);
    }

    /// A message, if there is one for the wait of this ticket.
    fn pop(&mut self, ticket: Option<u64>) -> Result<Message, NoMessage> {
        let before = match self.flaw {
            Flaw::NewReceiversPass => 0,
            _ => self.receiving.ahead(ticket),
        };
        if before >= self.messages.len {
            let over = self.closed && self.messages.len == 0 && self.reserved == 0;
            return Err(if over {
                NoMessage::Closed
            } else {
                NoMessage::Empty
            });
        }
        let message = match self.flaw {
            Flaw::LastInFirstOut => self.messages.pop_back(),
            _ => self.messages.pop_front(),
        };
        let message = message.expect("there is one");
        if self.flaw == Flaw::DoublesOne && message.number() % 10 == 9 && !self.doubled {
            self.doubled = true;
            self.messages.push_back(Message::new(message.number()));
        }
        Ok(message)
    }

    /// Who can go on.
    fn lucky(&self) -> Vec<Waker> {
        let mut wakers = match self.closed {
            true => self.sending.all(),
            false => self.sending.first(self.free()),
        };
        let over = self.closed && self.messages.len == 0 && self.reserved == 0;
        wakers.extend(match over {
            true => self.receiving.all(),
            false => self.receiving.first(self.messages.len),
        });
        wakers
    }

    /// What is to be dropped without the lock.
    fn close(&mut self) -> Blocks {
        self.closed = true;
        match self.flaw == Flaw::CloseDropsMessages || self.receivers == 0 {
            true => std::mem::replace(&mut self.messages, Blocks::new(self.flaw, 0)),
            false => Blocks::new(self.flaw, 0),
        }
    }
}

impl Chan {
    /// Whether a wait that does not come for what is there is passed over.
    fn passes(&self) -> bool {
        self.flaw != Flaw::UnpolledStops
    }

    /// Changes the state, and wakes the tasks that can go on by it.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let output = change(&mut state);
        let wakers = state.lucky();
        drop(state);
        wake(wakers);
        output
    }
}

struct Sender(Arc<Chan>);

impl ChannelSender for Sender {
    fn try_send(&self, message: Message) -> Result<(), SendRefused> {
        self.0.change(|state| {
            if state.closed {
                Err(SendRefused::Closed(message))
            } else if state.has_slot(None) {
                state.push(message);
                Ok(())
            } else {
                Err(SendRefused::Full(message))
            }
        })
    }

    fn send<'a>(&'a self, _: &'a DynIo, message: Message) -> BoxFuture<'a, Result<(), Message>> {
        Box::pin(Send {
            wait: WaitForSlot::new(&self.0),
            message: Some(message),
        })
    }

    fn reserve<'a>(&'a self, _: &'a DynIo) -> Option<BoxFuture<'a, Option<Box<dyn Permit + 'a>>>> {
        let mut wait = WaitForSlot::new(&self.0);
        Some(Box::pin(async move {
            let slot = std::future::poll_fn(|cx| wait.poll_slot(cx, |state| state.reserved += 1));
            slot.await.then_some(())?;
            Some(Box::new(Slot(&self.0)) as Box<dyn Permit + 'a>)
        }))
    }

    fn another(&self) -> Box<dyn ChannelSender> {
        lock(&self.0.state).senders += 1;
        Box::new(Self(Arc::clone(&self.0)))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.senders -= 1;
        if state.senders > 0 {
            return;
        }
        let gone = state.close();
        let wakers = state.lucky();
        drop(state);
        drop(gone);
        if self.0.flaw != Flaw::GoneSendersAreForgotten {
            wake(wakers);
        }
    }
}

struct WaitForSlot<'a> {
    chan: &'a Chan,
    ticket: Option<u64>,
}

impl<'a> WaitForSlot<'a> {
    fn new(chan: &'a Chan) -> Self {
        Self { chan, ticket: None }
    }

    /// Whether it got a slot, which `take` has taken, or the channel is closed.
    fn poll_slot(&mut self, cx: &mut Context<'_>, take: impl FnOnce(&mut State)) -> Poll<bool> {
        let waker = cx.waker().clone();
        let mut looks_again = false;
        let polled = self.chan.change(|state| {
            if !state.closed && !state.has_slot(self.ticket) {
                let _old = state.sending.stand(&mut self.ticket, (), waker);
                let free = state.free();
                looks_again = self.chan.passes() && state.sending.meet(free, self.ticket);
                return Poll::Pending;
            }
            let _own = state.sending.leave(&mut self.ticket);
            if !state.closed {
                take(state);
            }
            Poll::Ready(!state.closed)
        });
        if looks_again {
            cx.waker().wake_by_ref();
        }
        polled
    }
}

impl Drop for WaitForSlot<'_> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            let leave = |state: &mut State| state.sending.leave(&mut self.ticket);
            drop(self.chan.change(leave));
        }
    }
}

struct Send<'a> {
    wait: WaitForSlot<'a>,
    message: Option<Message>,
}

impl Future for Send<'_> {
    type Output = Result<(), Message>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let message = &mut this.message;
        let polled = this.wait.poll_slot(cx, |state| {
            state.push(message.take().expect("it is polled until it is ready"));
        });
        polled.map(|_| message.take().map_or(Ok(()), Err))
    }
}

impl Drop for Send<'_> {
    fn drop(&mut self) {
        if self.wait.chan.flaw != Flaw::DroppedSendSends || self.wait.ticket.is_none() {
            return;
        }
        if let Some(message) = self.message.take() {
            self.wait.chan.change(|state| state.push(message));
        }
    }
}

struct Slot<'a>(&'a Chan);

impl Permit for Slot<'_> {
    fn send(self: Box<Self>, message: Message) {
        let chan = self.0;
        std::mem::forget(*self);
        chan.change(|state| {
            state.reserved -= 1;
            state.push(message);
        });
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        if self.0.flaw != Flaw::LeavesPermits {
            self.0.change(|state| state.reserved -= 1);
        }
    }
}

struct Receiver(Arc<Chan>);

impl ChannelReceiver for Receiver {
    fn try_recv(&self) -> Result<Message, NoMessage> {
        self.0.change(|state| state.pop(None))
    }

    fn recv<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(Recv {
            chan: &self.0,
            ticket: None,
        })
    }

    fn into_recv<'a>(self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move { self.recv(io).await })
    }

    fn close(&self) {
        drop(self.0.change(State::close));
    }

    fn another(&self) -> Option<Box<dyn ChannelReceiver>> {
        lock(&self.0.state).receivers += 1;
        Some(Box::new(Self(Arc::clone(&self.0))))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let gone = self.0.change(|state| {
            state.receivers -= 1;
            match state.receivers {
                0 => state.close(),
                _ => Blocks::new(state.flaw, 0),
            }
        });
        drop(gone);
    }
}

struct Recv<'a> {
    chan: &'a Chan,
    ticket: Option<u64>,
}

impl Future for Recv<'_> {
    type Output = Option<Message>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let this = &mut *self;
        let waker = cx.waker().clone();
        let mut looks_again = false;
        let polled = this.chan.change(|state| {
            let popped = state.pop(this.ticket);
            if popped.as_ref().err() == Some(&NoMessage::Empty) {
                let _old = state.receiving.stand(&mut this.ticket, (), waker);
                let there = state.messages.len;
                looks_again = this.chan.passes() && state.receiving.meet(there, this.ticket);
                return Poll::Pending;
            }
            let _own = state.receiving.leave(&mut this.ticket);
            Poll::Ready(popped.ok())
        });
        if looks_again {
            cx.waker().wake_by_ref();
        }
        polled
    }
}

impl Drop for Recv<'_> {
    fn drop(&mut self) {
        if self.ticket.is_none() {
            return;
        }
        let gone = self.chan.change(|state| {
            let taken = match self.chan.flaw {
                Flaw::DroppedRecvTakesOne => state.pop(self.ticket).ok(),
                _ => None,
            };
            (taken, state.receiving.leave(&mut self.ticket))
        });
        drop(gone);
    }
}
