use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use anysync::{Bare, Block, Mutex, RwLock, Semaphore};
use anysync_examples::PATIENCE;
use anysync_smol::Smol;

use super::locks::Journal;
use super::serve_one;

struct Task;

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

fn task() -> Waker {
    Waker::from(Arc::new(Task))
}

fn poll<F: Future>(task: &Waker, future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(task))
}

/// Two polls say that another wait of the task is not polled any more.
fn is_ready_at_the_third_poll<F: Future>(task: &Waker, mut wait: Pin<&mut F>) -> bool {
    let early = [(); 2].map(|()| poll(task, wait.as_mut()).is_ready());
    early == [false; 2] && poll(task, wait).is_ready()
}

#[test]
fn the_loop_goes_on_and_the_report_keeps_its_place() {
    let journal = Smol
        .block_on(serve_one::<Mutex<Journal>, _>(&Smol, PATIENCE))
        .unwrap();
    let names = ["the other task", "the request", "the report"];
    assert_eq!(journal.unwrap(), names);
}

#[test]
fn a_read_write_lock_and_a_semaphore_go_on_too() {
    let task = task();

    let lock = RwLock::new(());
    let held = lock.try_write();
    let mut left_alone = pin!(lock.write(Bare));
    assert!(poll(&task, left_alone.as_mut()).is_pending());
    drop(held);
    assert!(is_ready_at_the_third_poll(&task, pin!(lock.write(Bare))));
    assert!(poll(&task, left_alone).is_ready());

    let semaphore = Semaphore::new(1);
    let held = semaphore.try_acquire();
    let mut left_alone = pin!(semaphore.acquire(Bare));
    assert!(poll(&task, left_alone.as_mut()).is_pending());
    drop(held);
    assert!(is_ready_at_the_third_poll(
        &task,
        pin!(semaphore.acquire(Bare))
    ));
    assert!(poll(&task, left_alone).is_ready());
}

/// The limit: a branch with a waker of its own looks like another task.
#[test]
fn a_branch_that_has_its_own_waker_is_another_task() {
    let (one, other) = (task(), task());
    let mutex = Mutex::new(());
    let held = mutex.try_lock();
    let mut left_alone = pin!(mutex.lock(Bare));
    assert!(poll(&one, left_alone.as_mut()).is_pending());
    drop(held);
    assert!(poll(&other, pin!(mutex.lock(Bare))).is_pending());
    assert!(poll(&one, left_alone).is_ready());
}

/// `async_lock` frees its lock instead of handing it over, so the body is mostly
/// quick enough; but not when the future has waited for more than half a
/// millisecond and been passed once, for then it has the lock reserved.
#[test]
fn async_lock_waits_for_itself_once_the_future_has_starved() {
    let task = task();
    let lock = smol::lock::Mutex::new(());
    let held = lock.try_lock();
    let mut left_alone = pin!(lock.lock());
    assert!(poll(&task, left_alone.as_mut()).is_pending());
    thread::sleep(Duration::from_millis(2));
    // Somebody is quicker, once.
    drop(held);
    let held = lock.try_lock();
    assert!(held.is_some());
    assert!(poll(&task, left_alone.as_mut()).is_pending());
    drop(held);
    assert!(poll(&task, pin!(lock.lock())).is_pending());
    assert!(poll(&task, left_alone).is_ready());
}
