//! The kind RwLock.

use std::future::pending;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{
    Contending, Kept, Promise, Reach, SendFact, Subject, TurnsOf, Waitable, Waiting, turn_of,
};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::wakers::{counting, poll, poll_noop};

/// Lets many read or one write: a lock around a list of numbers, which is empty
/// at first.
#[async_trait]
pub trait RwLockSubject: Send + Sync + 'static {
    /// A wait to read, whose guard is boxed: see [`mapped`](super::mapped).
    async fn read<'a>(&'a self, io: &'a DynIo) -> Reading<'a>;

    /// A wait to write, whose guard is boxed.
    async fn write<'a>(&'a self, io: &'a DynIo) -> Writing<'a>;

    /// A wait to read in a way that may become writing, if there is one
    /// ([`Promise::UpgradableRead`]).
    fn upgradable_read<'a>(&'a self, io: &'a DynIo) -> Option<BoxFuture<'a, Upgradable<'a>>> {
        let _ = io;
        None
    }

    /// [`read`](Self::read) with the guard kept inside the future until that is
    /// dropped, as with [`MutexSubject::hold`](super::MutexSubject::hold).
    fn hold_read<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(self.read(io)))
    }

    /// The same with [`write`](Self::write).
    fn hold_write<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(self.write(io)))
    }

    /// The same with [`upgradable_read`](Self::upgradable_read).
    fn hold_upgradable<'a>(&'a self, io: &'a DynIo) -> Option<BoxFuture<'a, ()>> {
        Some(Box::pin(Kept::new(self.upgradable_read(io)?)))
    }

    /// Reads, if that can be done at once.
    fn try_read(&self) -> Option<Reading<'_>>;

    /// Writes, if that can be done at once.
    fn try_write(&self) -> Option<Writing<'_>>;

    /// Reads in a way that may become writing, if that can be done at once.
    fn try_upgradable_read(&self) -> Option<Upgradable<'_>> {
        None
    }

    /// How many are queued, if it can tell.
    fn waiter_count(&self) -> Option<usize> {
        None
    }
}

/// What proves that one reads.
pub type Reading<'a> = Box<dyn Deref<Target = Vec<u64>> + Send + 'a>;

/// What proves that one writes.
pub type Writing<'a> = Box<dyn WriteGuard<'a> + 'a>;

/// What proves that one reads, and may write later.
pub type Upgradable<'a> = Box<dyn UpgradableGuard<'a> + 'a>;

/// A guard of who writes.
pub trait WriteGuard<'a>: DerefMut<Target = Vec<u64>> + Send {
    /// Goes on reading, if it can ([`Promise::Downgrade`]).
    fn downgrade(self: Box<Self>) -> Option<Reading<'a>> {
        None
    }
}

/// A guard of who reads, and may write later.
pub trait UpgradableGuard<'a>: Deref<Target = Vec<u64>> + Send {
    /// Waits to write.
    fn upgrade(self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, Writing<'a>>;

    /// Goes on writing if nobody else reads; the guard is given back if somebody
    /// does.
    fn try_upgrade(self: Box<Self>) -> Result<Writing<'a>, Upgradable<'a>>;
}

pub(super) fn waitings(subject: &Arc<dyn Subject>) -> Vec<Arc<dyn Waiting>> {
    if subject.new_rwlock().is_none() {
        return Vec::new();
    }
    let mut ways = vec![Way::Read, Way::Write];
    if subject.promises().contains(&Promise::UpgradableRead) {
        ways.push(Way::Upgradable);
    }
    let waiting = |way| {
        let subject = Arc::clone(subject);
        Arc::new(RwLockWaiting { subject, way }) as Arc<dyn Waiting>
    };
    ways.into_iter().map(waiting).collect()
}

pub(super) fn contendings(subject: &Arc<dyn Subject>) -> Vec<Contending> {
    if subject.new_rwlock().is_none() {
        return Vec::new();
    }
    let promises = |promise| subject.promises().contains(&promise);
    let ordered = promises(Promise::FifoRwLock);
    let single = |name, turn| {
        let subject = Arc::clone(subject);
        let fresh = move || TurnsOf {
            primitive: subject.rwlock(),
            turn,
        };
        Contending::single(name, ordered, fresh)
    };
    let mut all = vec![
        single("RwLock to write", |lock, io, _, body| {
            turn_of(lock.write(io), body)
        }),
        single(
            "RwLock to read and to write",
            |lock, io, branch, body| match branch % 2 {
                0 => turn_of(lock.write(io), body),
                _ => turn_of(lock.read(io), body),
            },
        ),
    ];
    if promises(Promise::UpgradableRead) {
        all.push(single("RwLock to upgradably read", |lock, io, _, body| {
            turn_of(lock.upgradable_read(io).expect("it is promised"), body)
        }));
    }
    if promises(Promise::ReaderLimit) {
        let subject = Arc::clone(subject);
        let fresh = move |room| TurnsOf {
            primitive: subject.rwlock_with_limit(room),
            turn: |lock, io, _, body| turn_of(lock.read(io), body),
        };
        all.push(Contending::with_room(
            "RwLock to read, by so many",
            ordered,
            fresh,
        ));
    }
    all
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Read,
    Write,
    Upgradable,
}

struct RwLockWaiting {
    subject: Arc<dyn Subject>,
    way: Way,
}

impl Waiting for RwLockWaiting {
    fn name(&self) -> &'static str {
        match self.way {
            Way::Read => "RwLock to read by an unlock",
            Way::Write => "RwLock to write by an unlock",
            Way::Upgradable => "RwLock to upgradably read by an unlock",
        }
    }

    fn reach(&self) -> Reach {
        match self.way {
            Way::Read => Reach::All,
            Way::Write | Way::Upgradable => Reach::FirstThenNext,
        }
    }

    fn is_ordered(&self) -> bool {
        self.subject.promises().contains(&Promise::FifoRwLock)
    }

    fn fresh(&self, _waits: usize) -> Arc<dyn Waitable> {
        let lock = self.subject.rwlock();
        let holder = hold(&lock);
        Arc::new(RwLockWaitable {
            lock,
            way: self.way,
            holder: Mutex::new(Some(holder)),
        })
    }

    fn use_static(&self, io: &DynIo) -> Result<(), String> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let Some(lock) = self.subject.static_rwlock() else {
            return Err("the subject has no RwLock in a `static`".to_owned());
        };
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        works(lock, self.way, io);
        Ok(())
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.subject.rwlock_send_facts()
    }
}

/// Writes to a lock that nobody holds, until the result is dropped.
fn hold(lock: &Arc<dyn RwLockSubject>) -> BoxFuture<'static, ()> {
    let lock = Arc::clone(lock);
    let mut holder: BoxFuture<'static, ()> = Box::pin(async move {
        let _guard = lock.try_write().expect("nobody holds the lock");
        pending().await
    });
    let _ = poll_noop(holder.as_mut());
    holder
}

struct RwLockWaitable {
    lock: Arc<dyn RwLockSubject>,
    way: Way,
    /// Who writes until the signal.
    holder: Mutex<Option<BoxFuture<'static, ()>>>,
}

/// A wait of this way that keeps its guard.
fn kept<'a>(lock: &'a dyn RwLockSubject, way: Way, io: &'a DynIo) -> BoxFuture<'a, ()> {
    match way {
        Way::Read => lock.hold_read(io),
        Way::Write => lock.hold_write(io),
        Way::Upgradable => lock.hold_upgradable(io).expect("it is promised"),
    }
}

impl Waitable for RwLockWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        kept(&*self.lock, self.way, io)
    }

    fn signal(&self) {
        let holder = self
            .holder
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Its guard goes with it.
        drop(holder);
    }

    fn queued(&self) -> Option<usize> {
        self.lock.waiter_count()
    }

    fn touch(&self, io: &DynIo) {
        let _ = self.lock.waiter_count();
        drop(self.lock.try_read());
        drop(self.lock.try_write().and_then(|guard| guard.downgrade()));
        if let Some(guard) = self.lock.try_upgradable_read() {
            drop(guard.try_upgrade());
        }
        let _ = poll_noop(kept(&*self.lock, self.way, io).as_mut());
    }

    fn check_later(&self, io: &DynIo) {
        self.signal();
        works(&*self.lock, self.way, io);
    }
}

/// Uses a lock that nobody holds or waits for.
fn works(lock: &dyn RwLockSubject, way: Way, io: &DynIo) {
    if let Some(count) = lock.waiter_count() {
        assert_eq!(count, 0, "nobody waits any more");
    }
    let guard = lock.try_write().expect("nobody holds the lock");
    assert!(lock.try_write().is_none(), "two write");
    assert!(lock.try_read().is_none(), "one reads while another writes");
    let (wakes, waker) = counting();
    let mut wait = kept(lock, way, io);
    assert!(
        poll(wait.as_mut(), &waker).is_pending(),
        "a later wait gets in while another writes"
    );
    drop(guard);
    assert!(wakes.count() >= 1, "a later unlock woke nobody");
    assert!(
        poll(wait.as_mut(), &waker).is_ready(),
        "a later unlock did not let the next in"
    );
    assert!(lock.try_write().is_none(), "what was won is held by nobody");
    assert_eq!(
        lock.try_read().is_some(),
        way != Way::Write,
        "others may read beside who does, and not beside who writes"
    );
    drop(wait);
    assert!(lock.try_write().is_some(), "it stays held");
}
