//! The capabilities of `anysync` as trait objects, so that a law is compiled
//! once and not once per backend.
//!
//! A runtime comes in one of two wrappings: [`Shared`] when its handle may go to
//! any thread, [`Confined`] when it belongs to one. The second is `Send` all the
//! same, and panics when it is used elsewhere: so a law's future is `Send` on
//! every backend, and a law need not know on which it runs.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt;
use std::future::Future;
use std::ops::Add;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anysync::io::package;
use anysync::{Block, Elapsed, Io, Join, Spawn, SpawnBlocking, SpawnLocal, Timer as AnyTimer};
use send_wrapper::SendWrapper;

/// A future that may go to any thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// A future that stays on its thread.
pub type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What a task returns, whatever it is.
pub(crate) type Value = Box<dyn Any + Send>;
/// The backend's own handle of a task.
pub(crate) type Handle = Box<dyn Join<Value> + Send>;

/// A point on a backend's clock.
#[derive(Clone)]
pub struct Moment(Arc<dyn Instant>);

impl Moment {
    fn new(instant: impl Instant) -> Self {
        Self(Arc::new(instant))
    }

    /// How long after `origin` it is; nothing if it is before.
    pub(crate) fn since(&self, origin: &Moment) -> Duration {
        self.0.since(&*origin.0)
    }

    fn get<I: Copy + 'static>(&self) -> I {
        *(self.0.as_any().downcast_ref().expect(ONE_CLOCK))
    }
}

const ONE_CLOCK: &str = "both moments come from one clock";

trait Instant: Send + Sync + 'static {
    fn later(&self, by: Duration) -> Moment;
    fn order(&self, other: &dyn Instant) -> Ordering;
    fn since(&self, origin: &dyn Instant) -> Duration;
    fn as_any(&self) -> &dyn Any;
}

impl<I> Instant for I
where
    I: Copy + Ord + Add<Duration, Output = I> + Send + Sync + 'static,
{
    fn later(&self, by: Duration) -> Moment {
        Moment::new(*self + by)
    }

    fn order(&self, other: &dyn Instant) -> Ordering {
        self.cmp(other.as_any().downcast_ref().expect(ONE_CLOCK))
    }

    // A clock's instants can be added to and compared, and no more: so the
    // distance is the least that reaches, and is found by halving.
    fn since(&self, origin: &dyn Instant) -> Duration {
        let origin: I = *origin.as_any().downcast_ref().expect(ONE_CLOCK);
        let reaches = |nanos| origin + Duration::from_nanos(nanos) >= *self;
        if reaches(0) {
            return Duration::ZERO;
        }
        let mut enough = 1_u64;
        while !reaches(enough) {
            enough = enough.checked_mul(2).expect("no check takes centuries");
        }
        let mut too_little = enough / 2;
        while enough - too_little > 1 {
            let middle = too_little + (enough - too_little) / 2;
            match reaches(middle) {
                true => enough = middle,
                false => too_little = middle,
            }
        }
        Duration::from_nanos(enough)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, by: Duration) -> Moment {
        self.0.later(by)
    }
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.order(&*other.0)
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Moment(..)")
    }
}

pub(crate) trait DynTimer: Send + Sync {
    fn now(&self) -> Moment;
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
    fn sleep_until(&self, at: &Moment) -> BoxFuture<'static, ()>;
    fn timeout<'a>(
        &self,
        limit: Duration,
        future: BoxFuture<'a, ()>,
    ) -> BoxFuture<'a, Result<(), Elapsed>>;
}

pub(crate) trait DynSpawn: Send + Sync {
    /// The name is for executors that know names.
    fn spawn(&self, name: &str, task: BoxFuture<'static, Value>) -> Handle;
}

pub(crate) trait DynSpawnLocal: Send + Sync {
    fn spawn_local(&self, task: LocalBoxFuture<'static, Value>) -> Handle;
}

pub(crate) trait DynSpawnBlocking: Send + Sync {
    fn spawn_blocking(&self, work: Box<dyn FnOnce() -> Value + Send>) -> Handle;
}

pub(crate) trait DynBlock: Send + Sync {
    fn block_on(&self, future: LocalBoxFuture<'_, ()>);
}

/// A handle that any thread may use.
pub(crate) struct Shared<T>(pub(crate) T);

/// A value that belongs to the thread on which this was made.
///
/// Used elsewhere it panics; dropped elsewhere, by a thread that has outlived
/// its check, it leaks.
pub(crate) struct Confined<T>(Option<SendWrapper<T>>);

impl<T> Confined<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(SendWrapper::new(value)))
    }

    fn wrapper(&self) -> &SendWrapper<T> {
        let wrapper = self.0.as_ref().expect("it is taken only by `drop`");
        assert!(
            wrapper.valid(),
            "a single-threaded executor was used from another thread"
        );
        wrapper
    }

    fn inner(&self) -> &T {
        self.wrapper()
    }

    fn inner_mut(&mut self) -> &mut T {
        let _ = self.wrapper();
        self.0.as_mut().expect("it was there a moment ago")
    }
}

impl<T> Drop for Confined<T> {
    fn drop(&mut self) {
        if let Some(wrapper) = self.0.take() {
            if !wrapper.valid() {
                std::mem::forget(wrapper);
            }
        }
    }
}

impl<T: Io> Io for Confined<T> {
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.inner().poll_spend(cx)
    }
}

impl<F: Future + Unpin> Future for Confined<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        Pin::new(self.inner_mut()).poll(cx)
    }
}

impl<H: Join<Value>> Join<Value> for Confined<H> {
    fn abort(&self) {
        self.inner().abort();
    }
}

/// A `future` that belongs to this thread and looks as if it did not.
fn confine<'a, F: Future + 'a>(future: F) -> BoxFuture<'a, F::Output> {
    Box::pin(Confined::new(Box::pin(future)))
}

impl<T> DynTimer for Shared<T>
where
    T: AnyTimer + Send + Sync,
    T::Instant: Send + Sync + 'static,
    T::Sleep: Send + 'static,
{
    fn now(&self) -> Moment {
        Moment::new(self.0.now())
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.0.sleep(duration))
    }

    fn sleep_until(&self, at: &Moment) -> BoxFuture<'static, ()> {
        Box::pin(self.0.sleep_until(at.get()))
    }

    fn timeout<'a>(
        &self,
        limit: Duration,
        future: BoxFuture<'a, ()>,
    ) -> BoxFuture<'a, Result<(), Elapsed>> {
        Box::pin(self.0.timeout(limit, future))
    }
}

impl<T> DynTimer for Confined<T>
where
    T: AnyTimer,
    T::Instant: Send + Sync + 'static,
    T::Sleep: 'static,
{
    fn now(&self) -> Moment {
        Moment::new(self.inner().now())
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        confine(self.inner().sleep(duration))
    }

    fn sleep_until(&self, at: &Moment) -> BoxFuture<'static, ()> {
        confine(self.inner().sleep_until(at.get()))
    }

    fn timeout<'a>(
        &self,
        limit: Duration,
        future: BoxFuture<'a, ()>,
    ) -> BoxFuture<'a, Result<(), Elapsed>> {
        confine(self.inner().timeout(limit, future))
    }
}

impl<T: Spawn> DynSpawn for Shared<T> {
    fn spawn(&self, _: &str, task: BoxFuture<'static, Value>) -> Handle {
        Box::new(self.0.spawn(task))
    }
}

impl<T: SpawnLocal + 'static> DynSpawn for Confined<T> {
    fn spawn(&self, _: &str, task: BoxFuture<'static, Value>) -> Handle {
        self.spawn_local(task)
    }
}

impl<T: SpawnLocal + 'static> DynSpawnLocal for Confined<T> {
    fn spawn_local(&self, task: LocalBoxFuture<'static, Value>) -> Handle {
        Box::new(Confined::new(self.inner().spawn_local(task)))
    }
}

/// Starts tasks that nobody hands anything back for.
pub(crate) struct Starts<F>(pub(crate) F);

impl<F: Fn(BoxFuture<'static, ()>) + Send + Sync> DynSpawn for Starts<F> {
    fn spawn(&self, _: &str, task: BoxFuture<'static, Value>) -> Handle {
        let (task, handle) = package(task);
        (self.0)(Box::pin(task));
        Box::new(handle)
    }
}

impl<F: Fn(LocalBoxFuture<'static, ()>) + 'static> DynSpawn for Confined<Starts<F>> {
    fn spawn(&self, _: &str, task: BoxFuture<'static, Value>) -> Handle {
        self.spawn_local(task)
    }
}

impl<F: Fn(LocalBoxFuture<'static, ()>) + 'static> DynSpawnLocal for Confined<Starts<F>> {
    fn spawn_local(&self, task: LocalBoxFuture<'static, Value>) -> Handle {
        let (task, handle) = package(task);
        (self.inner().0)(Box::pin(task));
        Box::new(Confined::new(handle))
    }
}

impl<T: SpawnBlocking + Send + Sync + 'static> DynSpawnBlocking for Shared<T> {
    fn spawn_blocking(&self, work: Box<dyn FnOnce() -> Value + Send>) -> Handle {
        Box::new(self.0.spawn_blocking(work))
    }
}

impl<T: SpawnBlocking + 'static> DynSpawnBlocking for Confined<T> {
    fn spawn_blocking(&self, work: Box<dyn FnOnce() -> Value + Send>) -> Handle {
        Box::new(self.inner().spawn_blocking(work))
    }
}

impl<T: Block + Send + Sync> DynBlock for Shared<T> {
    fn block_on(&self, future: LocalBoxFuture<'_, ()>) {
        self.0.block_on(future);
    }
}

/// Makes a handle on the thread that blocks.
pub(crate) struct Fresh<M>(pub(crate) M);

impl<B: Block, M: Fn() -> B + Send + Sync> DynBlock for Fresh<M> {
    fn block_on(&self, future: LocalBoxFuture<'_, ()>) {
        (self.0)().block_on(future);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_of_two_moments_is_exact() {
        let origin = std::time::Instant::now();
        for nanos in [0, 1, 2, 3, 7, 8, 999, 1_000_000_007, 86_400_000_000_001] {
            let distance = Duration::from_nanos(nanos);
            let later = Moment::new(origin + distance);
            assert_eq!(later.since(&Moment::new(origin)), distance);
            assert_eq!(Moment::new(origin).since(&later), Duration::ZERO);
        }
    }
}
