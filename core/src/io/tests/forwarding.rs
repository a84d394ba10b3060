use core::cell::RefCell;
use core::future::{Ready, ready};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::boxed::Box;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::vec::Vec;

use crate::io::{TaskHandle, package, package_blocking};
use crate::test_util::poll_noop;
use crate::{Bare, Block, Io, JoinError, Notify, Runtime, Spawn, SpawnBlocking, SpawnLocal, Timer};

/// Notes which of its methods is called, and runs tasks at once.
#[derive(Clone, Default)]
struct Noting(Arc<Mutex<Vec<&'static str>>>);

impl Noting {
    fn note(&self, name: &'static str) {
        self.0.lock().unwrap().push(name);
    }

    fn noted(&self) -> Vec<&'static str> {
        core::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Io for Noting {
    fn poll_spend(&self, _: &mut Context<'_>) -> Poll<()> {
        self.note("poll_spend");
        Poll::Pending
    }
}

impl Timer for Noting {
    type Instant = std::time::Instant;
    type Sleep = Ready<()>;

    fn now(&self) -> Self::Instant {
        self.note("now");
        std::time::Instant::now()
    }

    fn deadline(&self, _: Duration) -> Self::Instant {
        self.note("deadline");
        std::time::Instant::now()
    }

    fn sleep_until(&self, _: Self::Instant) -> Ready<()> {
        self.note("sleep_until");
        ready(())
    }
}

impl Spawn for Noting {
    type Handle<T: Send + 'static> = TaskHandle<T>;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.note("spawn");
        let (task, handle) = package(future);
        Bare.block_on(task);
        handle
    }
}

impl SpawnLocal for Noting {
    type LocalHandle<T: 'static> = TaskHandle<T>;

    fn spawn_local<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.note("spawn_local");
        let (task, handle) = package(future);
        Bare.block_on(task);
        handle
    }
}

impl SpawnBlocking for Noting {
    type BlockingHandle<T: Send + 'static> = TaskHandle<T>;

    fn spawn_blocking<F, T>(&self, work: F) -> TaskHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.note("spawn_blocking");
        let (run, handle) = package_blocking(work);
        run();
        handle
    }
}

impl Block for Noting {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.note("block_on");
        Bare.block_on(future)
    }
}

fn use_everything(rt: impl SpawnLocal + SpawnBlocking + Block) -> Result<u32, JoinError> {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(rt.poll_spend(&mut cx).is_pending());
    rt.now();
    rt.block_on(rt.sleep(Duration::MAX));
    let local = rt.spawn_local(async { Rc::new(40) });
    let blocking = rt.spawn_blocking(|| 2);
    rt.block_on(async { Ok(*local.await? + blocking.await?) })
}

const EVERYTHING: [&str; 8] = [
    "poll_spend",
    "now",
    "deadline",
    "sleep_until",
    "block_on",
    "spawn_local",
    "spawn_blocking",
    "block_on",
];

#[test]
fn each_pointer_forwards_each_method() {
    let rt = Noting::default();
    assert_eq!(use_everything(&rt).unwrap(), 42);
    assert_eq!(rt.noted(), EVERYTHING);
    assert_eq!(use_everything(Box::new(rt.clone())).unwrap(), 42);
    assert_eq!(rt.noted(), EVERYTHING);
    assert_eq!(use_everything(Rc::new(rt.clone())).unwrap(), 42);
    assert_eq!(rt.noted(), EVERYTHING);
    assert_eq!(use_everything(Arc::new(&&rt)).unwrap(), 42);
    assert_eq!(rt.noted(), EVERYTHING);
}

fn spawn_on<R: Runtime>(rt: R) -> u32 {
    rt.block_on(rt.spawn(async { 42 })).unwrap()
}

#[test]
fn pointers_that_may_be_kept_are_runtimes() {
    static NOTING: std::sync::LazyLock<Noting> = std::sync::LazyLock::new(Noting::default);

    let rt: &'static Noting = &NOTING;
    assert_eq!(spawn_on(rt), 42);
    assert_eq!(rt.noted(), ["spawn", "block_on"]);
    assert_eq!(spawn_on(Arc::new(Box::new(rt.clone()))), 42);
    assert_eq!(rt.noted(), ["spawn", "block_on"]);
}

/// A wait asks the `Io` that it was given, behind any pointer, once it has won.
#[test]
fn erased_io_is_asked_for_the_budget() {
    let rt = Noting::default();
    let notify = Notify::new();
    let erased: &dyn Io = &rt;
    let mut wait = pin!(notify.wait(erased));
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert!(rt.noted().is_empty(), "nothing is spent by waiting");
    notify.notify_one();
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert_eq!(rt.noted(), ["poll_spend"]);

    let boxed: Box<dyn Io> = Box::new(Bare);
    notify.notify_one();
    assert!(poll_noop(pin!(notify.wait(boxed))).is_ready());
}

#[test]
fn bare_spends_nothing() {
    let mut cx = Context::from_waker(Waker::noop());
    let shared: RefCell<Rc<dyn Io>> = RefCell::new(Rc::new(Bare));
    assert!(shared.borrow().poll_spend(&mut cx).is_ready());
}
