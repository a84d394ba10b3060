//! What primitives that hand something over have in common: a lock, a permit, a
//! message, a slot or a turn that one wait has, and the next gets.

use std::future::Future;
use std::sync::Arc;

use super::Subject;
use crate::cx::DynIo;
use crate::erased::BoxFuture;

/// A primitive whose waits take turns.
pub trait Contended: Send + Sync + 'static {
    /// Waits for a turn, runs `body` in it, and lets the next one have a turn.
    ///
    /// `branch` is for primitives whose waits are of several kinds, as a RwLock's: it
    /// decides which this is.
    fn turn<'a>(
        &'a self,
        io: &'a DynIo,
        branch: usize,
        body: BoxFuture<'a, ()>,
    ) -> BoxFuture<'a, ()>;
}

/// One way in which the waits of a subject take turns.
#[derive(Clone)]
pub struct Contending {
    /// The kind and what is handed over, for messages: `Mutex`.
    pub name: &'static str,
    /// Whether it promises that turns go in the order of the first polls.
    pub is_ordered: bool,
    /// Whether every wait gets a turn in the end, though others ask again and again: with
    /// an order, or without.
    pub starves_nobody: bool,
    /// Whether several may have a turn at the same time: as many as it is made for.
    pub has_room: bool,
    /// A fresh primitive with so many turns at the same time, if it has room.
    pub fresh: Fresh,
}

/// Makes a primitive for so many turns at the same time.
pub type Fresh = Arc<dyn Fn(usize) -> Arc<dyn Contended> + Send + Sync>;

impl Contending {
    /// One of which a single wait at a time has a turn.
    pub fn single<C: Contended>(
        name: &'static str,
        is_ordered: bool,
        fresh: impl Fn() -> C + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            is_ordered,
            starves_nobody: is_ordered,
            has_room: false,
            fresh: Arc::new(move |_| Arc::new(fresh())),
        }
    }

    /// One with room for several.
    pub fn with_room<C: Contended>(
        name: &'static str,
        is_ordered: bool,
        fresh: impl Fn(usize) -> C + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            is_ordered,
            starves_nobody: is_ordered,
            has_room: true,
            fresh: Arc::new(move |room| Arc::new(fresh(room))),
        }
    }
}

/// A primitive whose turns are what a function makes of it.
pub struct TurnsOf<P> {
    /// The primitive.
    pub primitive: P,
    /// Waits for a turn, runs the body in it, and lets the next one have a turn.
    pub turn: for<'a> fn(&'a P, &'a DynIo, usize, BoxFuture<'a, ()>) -> BoxFuture<'a, ()>,
}

impl<P: Send + Sync + 'static> Contended for TurnsOf<P> {
    fn turn<'a>(
        &'a self,
        io: &'a DynIo,
        branch: usize,
        body: BoxFuture<'a, ()>,
    ) -> BoxFuture<'a, ()> {
        (self.turn)(&self.primitive, io, branch, body)
    }
}

/// A turn out of a wait for what stands for it until it is dropped.
pub fn turn_of<'a, W>(wait: W, body: BoxFuture<'a, ()>) -> BoxFuture<'a, ()>
where
    W: Future + Send + 'a,
    W::Output: Send,
{
    Box::pin(async move {
        let _turn = wait.await;
        body.await;
    })
}

/// Every way that the kinds of a subject have.
pub(super) fn contendings(subject: &Arc<dyn Subject>) -> Vec<Contending> {
    let mut all = super::mutex::contendings(subject);
    all.extend(super::rwlock::contendings(subject));
    all.extend(super::semaphore::contendings(subject));
    all.extend(super::condvar::contendings(subject));
    all.extend(super::channel::contendings(subject));
    all.extend(super::once_cell::contendings(subject));
    all
}
