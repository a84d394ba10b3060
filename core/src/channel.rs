//! Channels: messages from any number of senders to any number of receivers,
//! each to one of them, in the order in which they were sent.
//!
//! [`bounded`] makes one that holds so many messages; a task that finds it full waits.
//! [`unbounded`] makes one in which a send never waits. Both kinds have the same
//! [`Sender`] and [`Receiver`], and both handles are `Clone`.
//!
//! ```
//! use anysync::{Bare, Block, channel};
//!
//! let (sender, receiver) = channel::bounded(2);
//! std::thread::spawn(move || {
//!     for number in 0..5 {
//!         sender.send_blocking(number).expect("there is a receiver");
//!     }
//! });
//! Bare.block_on(async {
//!     for number in 0..5 {
//!         assert_eq!(receiver.recv_future().await, Ok(number));
//!     }
//!     // The sender is gone, and nothing is left.
//!     assert!(receiver.recv_future().await.is_err());
//! });
//! ```
//!
//! # Size
//!
//! On a 64-bit target a channel is one allocation of 256 bytes. A [`Receiver`] is 16
//! bytes, and so is a [`Sender`] with the feature `futures-sink`; without it, and as a
//! weak handle, it is 8. A wait is 56 bytes and what it sends, inside the future that
//! waits.
//!
//! Messages lie in blocks, of up to 8 KiB (or four messages, if these take more) and 24
//! bytes for the block itself. They are allocated as they are needed: the first has 128
//! bytes, or room for four messages, each next one twice the room of what is there, and
//! a bounded channel's, above 128 bytes, none for more messages than its capacity. A
//! block whose messages have been received is used again or freed. So the memory follows what is in the channel,
//! within a small factor and two blocks. A channel that has been drained keeps 16 KiB
//! at most. One through which the same large burst has come several times keeps up to
//! 32 KiB for the next, until it has not needed them for a while.
//!
//! A rhythm that repeats allocates nothing, if its bursts take no more than 32 KiB, or
//! leave about half of the messages there. A larger one allocates once for each 8 KiB
//! that go beyond.
//!
//! Blocks are allocated and freed while the inner lock is open, and a channel that
//! grows copies nothing. A receive of many messages takes them in rounds. So no
//! operation keeps the others waiting for long, whatever is in the channel.
//!
//! # How it works
//!
//! A slot of the channel is free, or holds a message, or is reserved: for a
//! [`Permit`], or for a send that was woken because the slot became free. A
//! message in a slot is for any receive, or is promised to one that was woken for
//! it. A message stays in its slot until a receive returns it, and a value stays
//! in its [`Send`] until it has a slot: so both can be dropped at any moment.
//!
//! ```text
//!        reserve, grant             send             grant
//!   FREE ───────────────► RESERVED ──────► MESSAGE ─────────► PROMISED
//!    ▲ ▲ │   drop             │             ▲ │ ▲    drop      │  │
//!    │ └─┼────────────────────┘    try_send │ │ └──────────────┘  │
//!    │   └──────────────────────────────────┘ │ recv              │ recv
//!    └────────────────────────────────────────┴───────────────────┘
//! ```
//!
//! | | OPEN | CLOSED, not over | OVER |
//! |-|-|-|-|
//! | `try_send` | sends if a slot is free and no task waits for one, else `Full` | `Closed` | `Closed` |
//! | first poll of a send or reserve | takes a slot, or queues last | an error | an error |
//! | poll of the queued sender | renews its waker, meets a grant | an error | an error |
//! | poll of the called sender | takes a slot, or queues first | an error | an error |
//! | poll of the granted sender | takes its slot | takes its slot | takes its slot; without receivers an error |
//! | `force_send` | sends; if no slot is free, in place of the oldest message | an error | an error |
//! | `Permit::send` | sends | sends | – ; without receivers the value is dropped |
//! | `try_recv` | a message, unless all are promised: then `Empty` | the same | `Closed` |
//! | first poll of a receive | takes a message, or queues last | the same | an error |
//! | poll of the queued receive | renews its waker, meets a promise | the same | an error |
//! | poll of the called receive | takes a message, or queues first | the same | an error |
//! | poll of the granted receive | takes a message | the same | – |
//! | drop of a queued or called wait | leaves; another may be granted what there is | the same | leaves |
//! | drop of a granted wait | its slot or message goes to the next | the same | the same |
//! | `close`, the last sender or receiver dropped | CLOSED or OVER | – | – |
//!
//! A first poll that queues meets a grant, too. A *called* wait is in no queue, and has
//! been woken: the next poll makes it the first in the queue.
//!
//! OVER means that no message will come any more: closed, empty, and no slot is
//! reserved; or there are no receivers.
//!
//! # Invariants
//!
//! All of these hold whenever the inner lock is open, unless a thread is just about to
//! lock it again to grant the rest.
//!
//! - **COUNTED**: a slot is free, or holds a message, or is counted in
//!   `reserved`: by one permit, one sender's handle that is ready as a `Sink`, or
//!   the tag of one node in the ring of granted slots, or of one that has left it and
//!   is about to send (it may open the lock before, to make room). (A message that came back from
//!   a receive in which a waker panicked may have no slot: see `room.rs`.)
//! - **PROMISED**: `promised` is the number of nodes in the ring of promises, and of
//!   receives that have left it and are about to take a message (one of many may open
//!   the lock before, to make room for them). There are at least as many messages.
//! - **WAITING**: while a wait is in SENDERS, the free slots do not suffice for the first
//!   of them; while one is in RECEIVERS, all messages are promised and the channel is not
//!   over. In an eventual channel: or waits have been called that have not come yet.
//! - **CLOSED**: the flag is set once, and then SENDERS and the watchers' ring are
//!   empty for ever: a node that is queued nevertheless is on its way to be
//!   refused. The same for RECEIVERS once the channel is over.
//!
//! # Eventual
//!
//! In a channel that is [`Fairness::Eventual`] each message that comes and each slot that
//! becomes free *calls* the first wait in the queue: it leaves the queue, is woken, and
//! tries like any other; one that finds nothing queues again, as the first. Nothing is
//! reserved or promised for it. `called` counts for how much waits have been called that
//! have not come, so that a message calls one wait and not two; but it calls that one
//! also if those before have not come, so that a wait that is not polled costs one call.
//! After `PATIENCE` calls in vain on one side, that side is in order
//! until the first in its queue has been granted its own.
//!
//! # A grant that is not polled
//!
//! A task that waits in two branches of a `select!`, and leaves the one that is granted a
//! slot or promised a message, would wait for itself in the other. So a queued wait that
//! is polled meets an unclaimed grant of its side, one of its own task if there is one,
//! and `Watch` counts. When a grant has been met often enough its wait
//! is called, and its slots or message are granted anew: to the wait that has met it,
//! which moves to the front, if both are of one task; else to the first in the queue. In
//! an eventual channel every wait counts like one of the same task, and so does an attempt
//! that does not wait: the third that meets a grant has it.
//!
//! # Memory ordering
//!
//! Messages, counts and flags change under the inner lock, which orders them. The
//! word of hints, and the counts of handles, are atomics beside it, argued in
//! `chan.rs`.

use alloc::sync::Arc;

mod buffer;
mod chan;
mod error;
mod handle;
mod leave;
#[cfg(all(test, anysync_loom))]
mod loom_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod model_tests;
mod permit;
mod receiver;
mod recv;
mod room;
mod send;
mod sender;
mod standing;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;
mod wait;
mod waiter;

pub use error::{RecvError, SendError, TryRecvError, TrySendError};
pub use permit::{OwnedPermit, Permit, Permits};
pub use receiver::{Receiver, WeakReceiver};
pub use recv::{Recv, RecvMany};
pub use send::{Closed, Reserve, ReserveMany, ReserveOwned, Send};
pub use sender::{Sender, WeakSender};
pub use waiter::Waiter;

use crate::fairness::Fairness;
use chan::Chan;

/// The largest capacity of a bounded channel, and the most slots that are reserved at
/// once, also of an unbounded one: `usize::MAX / 8`.
pub const MAX_CAPACITY: usize = crate::wait_list::TAG_MAX;

/// A channel that holds up to `capacity` messages. Nothing is allocated for them
/// in advance.
///
/// Any capacity from 1 is taken as it is: nothing is rounded up.
///
/// ```
/// use anysync::channel::{self, TrySendError};
///
/// let (sender, receiver) = channel::bounded(1);
/// assert_eq!(sender.try_send("first"), Ok(()));
/// assert_eq!(sender.try_send("second"), Err(TrySendError::Full("second")));
/// assert_eq!(receiver.try_recv(), Ok("first"));
/// ```
///
/// # Panics
///
/// If `capacity` is 0: without a slot nothing could be sent without waiting, and
/// every send would be a meeting. For a meeting, send a
/// oneshot sender along with the message, and let the receiver
/// answer by it. Also if `capacity` is above [`MAX_CAPACITY`].
#[track_caller]
#[doc(alias("mpsc", "mpmc", "sync_channel"))]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    bounded_with_fairness(capacity, Fairness::Fifo)
}

/// [`bounded`], with the given fairness among waits of one side.
///
/// With [`Fairness::Eventual`] a message that is sent and a slot that becomes free wake
/// the first wait in the queue, and belong to the first receiver or sender that comes.
/// Messages are received in the order in which they were sent, as in every channel.
///
/// ```
/// use anysync::{Fairness, channel};
///
/// let (sender, receiver) = channel::bounded_with_fairness(1, Fairness::Eventual);
/// assert_eq!(sender.try_send("message"), Ok(()));
/// assert_eq!(receiver.try_recv(), Ok("message"));
/// ```
///
/// # Panics
///
/// As [`bounded`].
#[track_caller]
pub fn bounded_with_fairness<T>(capacity: usize, fairness: Fairness) -> (Sender<T>, Receiver<T>) {
    assert!(
        capacity != 0,
        "a channel needs a capacity of at least 1, not {capacity}; for a rendezvous, send a \
         oneshot sender with each message and wait for the answer"
    );
    assert!(
        capacity <= MAX_CAPACITY,
        "a channel cannot have a capacity of {capacity}: the limit is {MAX_CAPACITY}; see \
         `channel::unbounded`"
    );
    channel(capacity, fairness)
}

/// A channel in which a send never waits: it grows with what is sent, and gives
/// the memory back as that is received.
///
/// ```
/// use anysync::channel;
///
/// let (sender, receiver) = channel::unbounded();
/// for number in 0..1_000 {
///     sender.try_send(number).unwrap();
/// }
/// assert_eq!(receiver.len(), 1_000);
/// assert_eq!(receiver.capacity(), None);
/// ```
#[doc(alias("unbounded_channel", "mpsc"))]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    unbounded_with_fairness(Fairness::Fifo)
}

/// [`unbounded`], with the given fairness among receives that wait; see
/// [`bounded_with_fairness`].
///
/// ```
/// use anysync::{Fairness, channel};
///
/// let (sender, receiver) = channel::unbounded_with_fairness(Fairness::Eventual);
/// assert_eq!(sender.try_send("message"), Ok(()));
/// assert_eq!(receiver.try_recv(), Ok("message"));
/// ```
pub fn unbounded_with_fairness<T>(fairness: Fairness) -> (Sender<T>, Receiver<T>) {
    channel(chan::UNBOUNDED, fairness)
}

fn channel<T>(capacity: usize, fairness: Fairness) -> (Sender<T>, Receiver<T>) {
    let chan = Arc::new(Chan::new(capacity, fairness));
    (Sender::first(chan.clone()), Receiver::first(chan))
}
