//! [`Subject`]: a library of primitives that the laws are about.
//!
//! Each kind of primitive has a small trait in a file of its own, object safe,
//! with boxed futures: a law is compiled once for all subjects. Those with
//! `async fn`s are written with `#[async_trait]`, and so may be their
//! implementations:
//!
//! ```
//! use anysync_conformance::async_trait;
//! use anysync_conformance::cx::DynIo;
//! use anysync_conformance::subject::BarrierSubject;
//!
//! struct Mine(anysync::Barrier);
//!
//! #[async_trait]
//! impl BarrierSubject for Mine {
//!     async fn wait<'a>(&'a self, io: &'a DynIo) -> bool {
//!         self.0.wait(io).await
//!     }
//! }
//! ```
//!
//! An `async fn` puts a future of its own around the primitive's. Where that
//! would hide something (what a second poll does, what is allocated), write what
//! the macro makes of it, and box the primitive's own: see the subjects of this
//! crate. A wait that counts from its creation is no `async fn` but returns the
//! box, and is to be created when it is called.

use std::fmt;
use std::sync::Arc;

mod barrier;
mod broadcast;
mod cancellation;
mod channel;
mod condvar;
mod contended;
mod long;
mod mutex;
mod notify;
mod once_cell;
mod oneshot;
mod rwlock;
mod semaphore;
mod waiting;
mod watch;

pub use barrier::{ActionFailed, BarrierSubject};
pub use broadcast::{BroadcastReceiver, BroadcastSender, Missed};
pub use cancellation::{CancelGuard, CancellationSubject};
pub use channel::{
    Channel, ChannelReceiver, ChannelSender, Message, NoMessage, Permit, SendRefused,
};
pub use condvar::{Condition, CondvarAccess, CondvarGuard, CondvarSubject};
pub use contended::{Contended, Contending, Fresh, TurnsOf, turn_of};
pub use long::{LongCall, broadcast_leave};
pub use mutex::{Guard, MappedGuard, MutexSubject, boxed_guard, owned_guard};
pub use notify::{NotifySubject, NotifyWait, RawNotifyWaiter};
pub use once_cell::{Init, InitFailed, OnceCellSubject, SetRefused, Token, TryInit};
pub use oneshot::{Oneshot, OneshotReceiver, OneshotSender};
pub use rwlock::{Reading, RwLockSubject, Upgradable, UpgradableGuard, WriteGuard, Writing};
pub use semaphore::{Closed, HeldPermits, NoPermits, Permits, SemaphoreSubject, TooMany};
pub use waiting::{Kept, Probe, Reach, SendFact, Waitable, Waiting, mapped, owned_wait};
pub use watch::{WatchReceiver, WatchSender};

/// A kind of primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// Wakes one or all.
    Notify,
    /// Holds until all have arrived.
    Barrier,
    /// Initialises once.
    OnceCell,
    /// Excludes.
    Mutex,
    /// Lets so many in at once.
    Semaphore,
    /// Lets many read, or one write.
    RwLock,
    /// Waits for a change of what a mutex guards.
    Condvar,
    /// Passes messages, each to one receiver.
    Channel,
    /// Passes one message.
    Oneshot,
    /// Shows the latest value.
    Watch,
    /// Passes each message to everybody.
    Broadcast,
    /// Is cancelled, for good.
    Cancellation,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Notify,
        Self::Barrier,
        Self::OnceCell,
        Self::Mutex,
        Self::Semaphore,
        Self::Condvar,
        Self::RwLock,
        Self::Channel,
        Self::Oneshot,
        Self::Watch,
        Self::Broadcast,
        Self::Cancellation,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Notify => "Notify",
            Self::Barrier => "Barrier",
            Self::OnceCell => "OnceCell",
            Self::Mutex => "Mutex",
            Self::Semaphore => "Semaphore",
            Self::Condvar => "Condvar",
            Self::RwLock => "RwLock",
            Self::Channel => "Channel",
            Self::Oneshot => "Oneshot",
            Self::Watch => "Watch",
            Self::Broadcast => "Broadcast",
            Self::Cancellation => "Cancellation",
        })
    }
}

/// What some subjects promise and others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Promise {
    /// `notify_all` reaches every wait that was created before it.
    CountsFromCreation,
    /// A win of `enable` is not final before the wait returns: dropped, it goes
    /// to the next.
    EnabledWinIsPassedOn,
    /// A Notify has waiters that are no futures.
    RawWaiters,
    /// A wait on a Barrier may bring an action that runs before the release.
    LeaderAction,
    /// A mutex serves in the order of arrival.
    FifoMutex,
    /// A OnceCell gives the turn to initialise in the order of arrival.
    FifoOnceCell,
    /// A guard of a mutex can be made one for a part of the value.
    MappedMutexGuard,
    /// A guard of a mutex can own a share of it.
    OwnedMutexGuard,
    /// A RwLock serves in the order of arrival.
    FifoRwLock,
    /// Who writes in a RwLock can go on reading.
    Downgrade,
    /// A RwLock lets one read in a way that may become writing.
    UpgradableRead,
    /// A RwLock can limit how many read at once.
    ReaderLimit,
    /// Many permits of a semaphore can be acquired at once.
    AcquireMany,
    /// A semaphore can be closed.
    CloseSemaphore,
    /// The permits of a semaphore can be split and merged.
    SplitPermits,
    /// A full channel serves those who wait to send in the order of arrival.
    FifoSenders,
    /// A channel has many receivers, and serves those who wait in the order of
    /// arrival.
    FifoReceivers,
    /// A slot of a channel can be reserved.
    Reserve,
    /// A receiver of a channel can refuse further messages, and drain it.
    CloseChannel,
    /// `run_until_cancelled` prefers the cancellation to a future that is ready.
    CancellationFirst,
    /// A wait for a token spends from the budget, also when the token was
    /// cancelled before.
    CancellationSpends,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::CountsFromCreation => "that a wait counts for notify_all from its creation",
            Self::EnabledWinIsPassedOn => "that a drop passes on what `enable` has won",
            Self::RawWaiters => "a waiter that is no future",
            Self::LeaderAction => "an action that its leader runs before the release",
            Self::FifoMutex => "a mutex that is first in, first out",
            Self::FifoOnceCell => "a OnceCell whose turns are first in, first out",
            Self::MappedMutexGuard => "a guard for a part of what a mutex protects",
            Self::OwnedMutexGuard => "a guard that owns a share of its mutex",
            Self::FifoRwLock => "a RwLock that is first in, first out",
            Self::Downgrade => "writing that may become reading",
            Self::UpgradableRead => "reading that may become writing",
            Self::ReaderLimit => "a limit to those who read at once",
            Self::AcquireMany => "many permits at once",
            Self::CloseSemaphore => "a close of a semaphore",
            Self::SplitPermits => "permits that split and merge",
            Self::FifoSenders => "a channel whose senders are first in, first out",
            Self::FifoReceivers => "a channel of many receivers, first in, first out",
            Self::Reserve => "a slot of a channel in advance",
            Self::CloseChannel => "a close of a channel by hand",
            Self::CancellationFirst => "that a cancellation goes before a future that is ready",
            Self::CancellationSpends => "that a wait for a token spends from the budget",
        })
    }
}

/// A library of primitives.
///
/// Only [`name`](Subject::name) is required; a kind for which the constructor
/// returns `None` is one that the library does not have, and its laws are
/// skipped.
pub trait Subject: Send + Sync + 'static {
    /// Its name, in reports and on the command line.
    fn name(&self) -> &str;

    /// The version that is tested.
    fn version(&self) -> &str {
        ""
    }

    /// What it promises beyond what every subject must keep.
    fn promises(&self) -> &[Promise] {
        &[]
    }

    /// The laws that ask for more than it promises: each by its id, and why, with
    /// what its documentation says where it says something. They are SHOULDs for it.
    fn not_promised(&self) -> &[(&'static str, &'static str)] {
        &[]
    }

    /// What stands between it and the laws, other than names: a sentence or more.
    fn adapted(&self) -> &str {
        ""
    }

    /// Whether every law is a MUST for it.
    fn is_strict(&self) -> bool {
        false
    }

    /// A fresh Notify.
    fn new_notify(&self) -> Option<Arc<dyn NotifySubject>> {
        None
    }

    /// A Notify that is a `static` item of the subject's file.
    fn static_notify(&self) -> Option<&'static dyn NotifySubject> {
        None
    }

    /// Which types of its Notify are `Send`: see
    /// [`send_facts!`](crate::send_facts).
    fn notify_send_facts(&self) -> Vec<SendFact> {
        Vec::new()
    }

    /// A fresh Barrier.
    fn new_barrier(&self, parties: usize) -> Option<Arc<dyn BarrierSubject>> {
        let _ = parties;
        None
    }

    /// A Barrier that is a `static` item of the subject's file, and its number
    /// of parties.
    fn static_barrier(&self) -> Option<(&'static dyn BarrierSubject, usize)> {
        None
    }

    /// Which types of its Barrier are `Send`.
    fn barrier_send_facts(&self) -> Vec<SendFact> {
        Vec::new()
    }

    /// A fresh, empty OnceCell.
    fn new_once_cell(&self) -> Option<Arc<dyn OnceCellSubject>> {
        None
    }

    /// A OnceCell that is a `static` item of the subject's file.
    fn static_once_cell(&self) -> Option<&'static dyn OnceCellSubject> {
        None
    }

    /// Which types of its OnceCell are `Send`.
    fn once_cell_send_facts(&self) -> Vec<SendFact> {
        Vec::new()
    }

    /// A fresh Mutex around an empty list.
    fn new_mutex(&self) -> Option<Arc<dyn MutexSubject>> {
        None
    }

    /// A Mutex that is a `static` item of the subject's file.
    fn static_mutex(&self) -> Option<&'static dyn MutexSubject> {
        None
    }

    /// Which types of its Mutex are `Send`.
    fn mutex_send_facts(&self) -> Vec<SendFact> {
        Vec::new()
    }

    /// A fresh Semaphore with so many permits.
    fn new_semaphore(&self, permits: usize) -> Option<Arc<dyn SemaphoreSubject>> {
        let _ = permits;
        None
    }

    /// A fresh RwLock around an empty list.
    fn new_rwlock(&self) -> Option<Arc<dyn RwLockSubject>> {
        None
    }

    /// The same, which at most so many read at once
    /// ([`Promise::ReaderLimit`]).
    fn new_rwlock_with_limit(&self, readers: usize) -> Option<Arc<dyn RwLockSubject>> {
        let _ = readers;
        None
    }

    /// A RwLock that is a `static` item of the subject's file.
    fn static_rwlock(&self) -> Option<&'static dyn RwLockSubject> {
        None
    }

    /// Which types of its RwLock are `Send`.
    fn rwlock_send_facts(&self) -> Vec<SendFact> {
        Vec::new()
    }

    /// A Semaphore with one permit that is a `static` item of the subject's file.
    fn static_semaphore(&self) -> Option<&'static dyn SemaphoreSubject> {
        None
    }

    /// Which types of its Semaphore are `Send`.
    fn semaphore_send_facts(&self) -> Vec<SendFact> {
        Vec::new()
    }

    /// A fresh Condvar, with a mutex around an empty list.
    fn new_condvar(&self) -> Option<Arc<dyn CondvarSubject>> {
        None
    }

    /// A Condvar and a mutex that are a `static` item of the subject's file.
    fn static_condvar(&self) -> Option<&'static dyn CondvarSubject> {
        None
    }

    /// Which types of its Condvar are `Send`.
    fn condvar_send_facts(&self) -> Vec<SendFact> {
        Vec::new()
    }

    /// Both ends of a fresh channel that holds so many messages.
    fn new_channel(&self, capacity: usize) -> Option<Channel> {
        let _ = capacity;
        None
    }

    /// Which types of its Channel are `Send`.
    fn channel_send_facts(&self) -> Vec<SendFact> {
        Vec::new()
    }

    /// Both ends of a fresh oneshot.
    fn new_oneshot(&self) -> Option<Oneshot> {
        None
    }

    /// Which types of its Oneshot are `Send`.
    fn oneshot_send_facts(&self) -> Vec<SendFact> {
        Vec::new()
    }

    /// The sending end of a fresh watch, which shows 0.
    fn new_watch(&self) -> Option<Box<dyn WatchSender>> {
        None
    }

    /// Which types of its Watch are `Send`.
    fn watch_send_facts(&self) -> Vec<SendFact> {
        Vec::new()
    }

    /// A sending end of a fresh broadcast, whose ring holds so many messages: a
    /// power of two.
    fn new_broadcast(&self, capacity: usize) -> Option<Box<dyn BroadcastSender>> {
        let _ = capacity;
        None
    }

    /// Which types of its Broadcast are `Send`.
    fn broadcast_send_facts(&self) -> Vec<SendFact> {
        Vec::new()
    }

    /// A fresh token without a parent.
    fn new_cancellation(&self) -> Option<Box<dyn CancellationSubject>> {
        None
    }

    /// Which types of its Cancellation are `Send`.
    fn cancellation_send_facts(&self) -> Vec<SendFact> {
        Vec::new()
    }

    /// Its ways to wait that no trait of a kind has: the laws of every wait hold
    /// for these too.
    fn more_waitings(&self) -> Vec<Arc<dyn Waiting>> {
        Vec::new()
    }

    /// Its ways to hand something over that no trait of a kind has: the laws of
    /// several waits hold for these too.
    fn more_contendings(&self) -> Vec<Contending> {
        Vec::new()
    }

    /// Its calls that may be long, with so much to do, that no trait of a kind has.
    fn more_long_calls(&self, size: usize) -> Vec<LongCall> {
        let _ = size;
        Vec::new()
    }
}

impl dyn Subject {
    /// Whether it has a kind of primitive.
    pub fn has(&self, kind: Kind) -> bool {
        match kind {
            Kind::Notify => self.new_notify().is_some(),
            Kind::Barrier => self.new_barrier(1).is_some(),
            Kind::OnceCell => self.new_once_cell().is_some(),
            Kind::Mutex => self.new_mutex().is_some(),
            Kind::Condvar => self.new_condvar().is_some(),
            Kind::Semaphore => self.new_semaphore(1).is_some(),
            Kind::RwLock => self.new_rwlock().is_some(),
            Kind::Channel => self.new_channel(1).is_some(),
            Kind::Oneshot => self.new_oneshot().is_some(),
            Kind::Watch => self.new_watch().is_some(),
            Kind::Broadcast => self.new_broadcast(1).is_some(),
            Kind::Cancellation => self.new_cancellation().is_some(),
        }
    }

    /// A fresh Notify, for a law that is about one.
    pub fn notify(&self) -> Arc<dyn NotifySubject> {
        self.new_notify().expect("the law is about Notify")
    }

    /// A fresh Barrier, for a law that is about one.
    pub fn barrier(&self, parties: usize) -> Arc<dyn BarrierSubject> {
        self.new_barrier(parties).expect("the law is about Barrier")
    }

    /// A fresh OnceCell, for a law that is about one.
    pub fn once_cell(&self) -> Arc<dyn OnceCellSubject> {
        self.new_once_cell().expect("the law is about OnceCell")
    }

    /// A fresh Mutex, for a law that is about one.
    pub fn mutex(&self) -> Arc<dyn MutexSubject> {
        self.new_mutex().expect("the law is about Mutex")
    }

    /// A fresh Condvar, for a law that is about one.
    pub fn condvar(&self) -> Arc<dyn CondvarSubject> {
        self.new_condvar().expect("the law is about Condvar")
    }

    /// A fresh Semaphore, for a law that is about one.
    pub fn semaphore(&self, permits: usize) -> Arc<dyn SemaphoreSubject> {
        self.new_semaphore(permits)
            .expect("the law is about Semaphore")
    }

    /// A fresh RwLock, for a law that is about one.
    pub fn rwlock(&self) -> Arc<dyn RwLockSubject> {
        self.new_rwlock().expect("the law is about RwLock")
    }

    /// A fresh RwLock with a limit, for a law that is about one.
    pub fn rwlock_with_limit(&self, readers: usize) -> Arc<dyn RwLockSubject> {
        self.new_rwlock_with_limit(readers)
            .expect("the law is about a RwLock with a limit")
    }

    /// Both ends of a fresh channel, for a law that is about one.
    pub fn channel(&self, capacity: usize) -> Channel {
        self.new_channel(capacity)
            .expect("the law is about Channel")
    }

    /// Both ends of a fresh oneshot, for a law that is about one.
    pub fn oneshot(&self) -> Oneshot {
        self.new_oneshot().expect("the law is about Oneshot")
    }

    /// A fresh watch, for a law that is about one.
    pub fn watch(&self) -> Box<dyn WatchSender> {
        self.new_watch().expect("the law is about Watch")
    }

    /// A fresh broadcast, for a law that is about one.
    pub fn broadcast(&self, capacity: usize) -> Box<dyn BroadcastSender> {
        self.new_broadcast(capacity)
            .expect("the law is about Broadcast")
    }

    /// A fresh token, for a law that is about one.
    pub fn cancellation(&self) -> Box<dyn CancellationSubject> {
        self.new_cancellation()
            .expect("the law is about Cancellation")
    }

    /// Every [`Waiting`] of the kinds that it has.
    pub fn waitings(self: &Arc<Self>) -> Vec<Arc<dyn Waiting>> {
        let mut all = notify::waitings(self);
        all.extend(barrier::waitings(self));
        all.extend(once_cell::waitings(self));
        all.extend(mutex::waitings(self));
        all.extend(rwlock::waitings(self));
        all.extend(semaphore::waitings(self));
        all.extend(condvar::waitings(self));
        all.extend(channel::waitings(self));
        all.extend(oneshot::waitings(self));
        all.extend(watch::waitings(self));
        all.extend(broadcast::waitings(self));
        all.extend(cancellation::waitings(self));
        all.extend(self.more_waitings());
        all
    }

    /// Every [`Contending`] of the kinds that it has.
    pub fn contendings(self: &Arc<Self>) -> Vec<Contending> {
        let mut all = contended::contendings(self);
        all.extend(self.more_contendings());
        all
    }

    /// Every [`LongCall`] of the kinds that it has, with so much to do.
    pub fn long_calls(self: &Arc<Self>, size: usize) -> Vec<LongCall> {
        long::long_calls(self, size)
    }
}
