//! The waits of ours that no trait of a kind has, for the laws of every wait.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ::anysync::rwlock::UpgradeOwned;
use ::anysync::{
    OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, RwLock, broadcast, channel, watch,
};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    Contending, Kept, LongCall, Reach, SendFact, TurnsOf, Waitable, Waiting, mapped, turn_of,
};
use crate::wakers::{all_of, caught, counting, poll, poll_noop};

/// All of them.
pub(super) fn all() -> Vec<Arc<dyn Waiting>> {
    let ways = [
        Way {
            name: "Channel, full, by a receive, to reserve",
            reach: Reach::First,
            fresh: |waits| Arc::new(Full::new(waits, 1)),
            send_facts: || send_facts![channel::Reserve<'static, u64>: true],
        },
        Way {
            name: "Channel, full, by receives, to reserve many",
            reach: Reach::First,
            fresh: |waits| Arc::new(Full::new(waits, 3)),
            send_facts: || send_facts![channel::ReserveMany<'static, u64>: true],
        },
        Way {
            name: "Channel, until it is closed",
            reach: Reach::All,
            fresh: |_| Arc::new(Open(channel::bounded(1))),
            send_facts: || send_facts![channel::Closed<'static, u64>: true],
        },
        Way {
            name: "RwLock, to upgrade",
            reach: Reach::All,
            fresh: |_| Arc::new(Upgrades::default()),
            send_facts: || send_facts![UpgradeOwned<u64>: true],
        },
        Way {
            name: "Watch, for a value",
            reach: Reach::All,
            fresh: |_| Arc::new(Values(watch::Sender::new(0))),
            send_facts: || send_facts![watch::Receiver<u64>: true],
        },
        Way {
            name: "Watch, until it is deserted",
            reach: Reach::All,
            fresh: |_| Arc::new(Heard::new(watch::channel(0))),
            send_facts: || send_facts![watch::Closed<'static, u64>: true],
        },
        Way {
            name: "Broadcast, full, by a receive",
            reach: Reach::First,
            fresh: |waits| Arc::new(Ring::new(waits)),
            send_facts: || send_facts![broadcast::SendWait<'static, u64>: true],
        },
        Way {
            name: "Broadcast, until it is deserted",
            reach: Reach::All,
            fresh: |_| Arc::new(Heard::new(broadcast::channel(1))),
            send_facts: || send_facts![broadcast::Closed<'static, u64>: true],
        },
    ];
    ways.into_iter()
        .map(|way| Arc::new(way) as Arc<dyn Waiting>)
        .collect()
}

/// All that hand something over.
pub(super) fn contendings() -> Vec<Contending> {
    vec![
        Contending::with_room("Channel, to reserve many", true, |room| TurnsOf {
            primitive: channel::bounded::<u64>(2 * room + 1),
            turn: |channel, io, _, body| turn_of(channel.0.reserve_many(io, 2), body),
        }),
        Contending::with_room("Channel, to reserve by a share of it", true, |room| {
            TurnsOf {
                primitive: channel::bounded::<u64>(room),
                turn: |channel, io, _, body| turn_of(channel.0.clone().reserve_owned(io), body),
            }
        }),
        Contending::with_room("Broadcast, to send", true, |room| {
            let (sender, receiver) = broadcast::channel_with(room, broadcast::Overflow::Wait);
            TurnsOf {
                primitive: (sender, Mutex::new(receiver)),
                turn: |(sender, receiver), io, _, body| {
                    Box::pin(async move {
                        sender.send_wait(io, 1_u64).await.expect("a receiver");
                        body.await;
                        let mut receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
                        receiver.try_recv().expect("what was sent, or by another");
                    })
                },
            }
        }),
    ]
}

/// All that may be long.
pub(super) fn long_calls(size: usize) -> Vec<LongCall> {
    let (sender, receiver) = channel::unbounded();
    for number in 0..size as u64 {
        sender.try_send(number).expect("an open channel");
    }
    let mut received = Vec::new();
    vec![LongCall {
        name: "Channel: many are received at once",
        long: Box::new(move || {
            let many = receiver.recv_many(DynIo::bare(), &mut received, size);
            let polled = poll_noop(Box::pin(many).as_mut());
            assert!(polled.is_ready(), "there are messages");
        }),
        other: Box::new(move || {
            let _ = sender.len();
        }),
    }]
}

struct Way {
    name: &'static str,
    reach: Reach,
    fresh: fn(usize) -> Arc<dyn Waitable>,
    send_facts: fn() -> Vec<SendFact>,
}

impl Waiting for Way {
    fn name(&self) -> &'static str {
        self.name
    }

    fn reach(&self) -> Reach {
        self.reach
    }

    fn fresh(&self, waits: usize) -> Arc<dyn Waitable> {
        (self.fresh)(waits)
    }

    fn use_static(&self, _: &DynIo) -> Result<(), String> {
        Err("its kind is tried without this way".to_owned())
    }

    fn fits_a_static(&self) -> bool {
        false
    }

    fn send_facts(&self) -> Vec<SendFact> {
        (self.send_facts)()
    }
}

/// Panics unless a wait is pending until the signal, and then over.
fn check(primitive: &dyn Waitable, io: &DynIo) {
    let (wakes, waker) = counting();
    let mut wait = primitive.wait(io);
    assert!(
        poll(wait.as_mut(), &waker).is_pending(),
        "a later wait does not wait"
    );
    primitive.signal();
    assert!(wakes.count() >= 1, "a later signal woke nobody");
    assert!(
        poll(wait.as_mut(), &waker).is_ready(),
        "a later wait does not end"
    );
}

/// Panics unless a wait is over now and later, as it is of what stays as it is.
fn check_sticky(primitive: &dyn Waitable, io: &DynIo) {
    if poll_noop(primitive.wait(io).as_mut()).is_pending() {
        check(primitive, io);
    }
    let late = poll_noop(primitive.wait(io).as_mut());
    assert!(late.is_ready(), "a later wait does not end");
}

/// A channel without a free slot, of which each wait wants `each`.
struct Full {
    sender: channel::Sender<u64>,
    receiver: channel::Receiver<u64>,
    each: usize,
}

impl Full {
    fn new(waits: usize, each: usize) -> Self {
        let (sender, receiver) = channel::bounded(waits.max(1) * each);
        let full = Self {
            sender,
            receiver,
            each,
        };
        full.fill();
        full
    }

    fn fill(&self) {
        while self.sender.try_send(0).is_ok() {}
    }
}

impl Waitable for Full {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        // What it reserved stays reserved, and the slot is free again when it is
        // dropped: for the next. A message takes the slot for good.
        match self.each {
            1 => mapped(self.sender.reserve(io), |permit| {
                permit.expect("an open channel").send(0);
            }),
            each => mapped(self.sender.reserve_many(io, each), |permits| {
                permits
                    .expect("an open channel")
                    .for_each(|permit| permit.send(0));
            }),
        }
    }

    fn signal(&self) {
        all_of((0..self.each).map(|_| {
            || {
                let _ = self.receiver.try_recv();
            }
        }));
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        let _ = (self.sender.len(), self.sender.try_reserve().map(drop));
        let _ = poll_noop(self.wait(io).as_mut());
        let _ = poll_noop(Box::pin(self.receiver.recv(io)).as_mut());
        self.signal();
    }

    fn check_later(&self, io: &DynIo) {
        self.fill();
        check(self, io);
        assert!(self.sender.is_full(), "a slot was lost or given twice");
    }
}

/// A channel that the signal closes.
struct Open((channel::Sender<u64>, channel::Receiver<u64>));

impl Waitable for Open {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(self.0.0.closed(io))
    }

    fn signal(&self) {
        self.0.1.close();
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        let _ = (self.0.0.is_closed(), self.0.0.try_send(1));
        let _ = poll_noop(self.wait(io).as_mut());
        self.signal();
    }

    fn check_later(&self, io: &DynIo) {
        check_sticky(self, io);
    }
}

/// A lock for each wait, which another reads; the signal ends all these reads.
#[derive(Default)]
struct Upgrades(Mutex<Vec<OwnedRwLockReadGuard<u64>>>);

impl Waitable for Upgrades {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        let lock = Arc::new(RwLock::new(0));
        let guard = lock
            .clone()
            .try_upgradable_read_owned()
            .expect("a free lock");
        let read = lock.try_read_owned().expect("a lock that is only read");
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(read);
        Box::pin(Kept::new(Box::pin(
            OwnedRwLockUpgradableReadGuard::upgrade(guard, io),
        )))
    }

    fn signal(&self) {
        let reads = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        all_of(reads.into_iter().map(|read| || drop(read)));
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        let _ = poll_noop(self.wait(io).as_mut());
        self.signal();
    }

    fn check_later(&self, io: &DynIo) {
        check(self, io);
    }
}

/// Each wait waits for the next value.
struct Values(watch::Sender<u64>);

impl Waitable for Values {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        let mut receiver = self.0.subscribe();
        let before = *receiver.borrow();
        Box::pin(async move {
            let met = receiver.wait_for(io, |value| *value > before).await;
            drop(met.expect("a sender"));
        })
    }

    fn signal(&self) {
        self.0.send_modify(|value| *value += 1);
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        let _ = (*self.0.borrow(), self.0.receiver_count());
        let _ = poll_noop(self.wait(io).as_mut());
        self.signal();
    }

    fn check_later(&self, io: &DynIo) {
        check(self, io);
    }
}

/// A broadcast without room, as one receiver has read nothing.
struct Ring {
    sender: broadcast::Sender<u64>,
    /// Whoever has it receives for all that are owed, so that a waker may signal
    /// from within a signal.
    receiver: Mutex<Option<broadcast::Receiver<u64>>>,
    owed: AtomicUsize,
}

impl Ring {
    fn new(waits: usize) -> Self {
        let (sender, receiver) = broadcast::channel_with(waits.max(1), broadcast::Overflow::Wait);
        let ring = Self {
            sender,
            receiver: Mutex::new(Some(receiver)),
            owed: AtomicUsize::new(0),
        };
        ring.fill();
        ring
    }

    fn fill(&self) {
        while self.sender.send(0).is_ok() {}
    }

    fn put(&self, receiver: Option<broadcast::Receiver<u64>>) -> Option<broadcast::Receiver<u64>> {
        let mut place = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, receiver)
    }

    fn is_owed(&self) -> bool {
        self.owed.load(Ordering::SeqCst) > 0
    }
}

impl Waitable for Ring {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        mapped(self.sender.send_wait(io, 0), |sent| {
            sent.expect("a receiver");
        })
    }

    fn signal(&self) {
        self.owed.fetch_add(1, Ordering::SeqCst);
        while self.is_owed() {
            // Somebody else has it, and looks again when it is back.
            let Some(mut receiver) = self.put(None) else {
                return;
            };
            let received = caught(|| {
                while self.is_owed() {
                    self.owed.fetch_sub(1, Ordering::SeqCst);
                    let _ = receiver.try_recv();
                }
            });
            self.put(Some(receiver));
            if let Err(panic) = received {
                resume_unwind(panic);
            }
        }
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        let _ = (self.sender.len(), self.sender.receiver_count());
        let _ = poll_noop(self.wait(io).as_mut());
        self.signal();
    }

    fn check_later(&self, io: &DynIo) {
        self.fill();
        check(self, io);
    }
}

/// A sender that can tell that nobody receives any more.
trait Watchful: Send + Sync + 'static {
    type Receiver: Send + 'static;

    fn closed<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()>;

    /// Calls what returns at once.
    fn touch(&self);
}

impl Watchful for watch::Sender<u64> {
    type Receiver = watch::Receiver<u64>;

    fn closed<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(self.closed(io))
    }

    fn touch(&self) {
        let _ = (self.is_closed(), self.send(1));
    }
}

impl Watchful for broadcast::Sender<u64> {
    type Receiver = broadcast::Receiver<u64>;

    fn closed<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(self.closed(io))
    }

    fn touch(&self) {
        let _ = self.send(1);
    }
}

/// A sender with one receiver, which the signal drops.
struct Heard<S: Watchful> {
    sender: S,
    receiver: Mutex<Option<S::Receiver>>,
}

impl<S: Watchful> Heard<S> {
    fn new((sender, receiver): (S, S::Receiver)) -> Self {
        Self {
            sender,
            receiver: Mutex::new(Some(receiver)),
        }
    }
}

impl<S: Watchful> Waitable for Heard<S> {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        self.sender.closed(io)
    }

    fn signal(&self) {
        let receiver = self
            .receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(receiver);
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        self.sender.touch();
        let _ = poll_noop(self.wait(io).as_mut());
        self.signal();
    }

    fn check_later(&self, io: &DynIo) {
        check_sticky(self, io);
    }
}
