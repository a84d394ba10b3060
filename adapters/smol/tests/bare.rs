//! The drop-ins as they are without the standard library, polled by hand.

#![forbid(unsafe_code)]

use std::pin::pin;

use anysync_adapter_tests::face::{Task, now};
use anysync_smol::channel;
use anysync_smol::event::{Event, Listener, listener};
use anysync_smol::lock::{Barrier, Condvar, Mutex, OnceCell, RwLock, Semaphore};

#[test]
fn locks_are_handed_over() {
    static MUTEX: Mutex<u8> = Mutex::new(1);
    let task = Task::new();
    let guard = MUTEX.try_lock().expect("nobody holds it");
    let mut wait = pin!(MUTEX.lock());
    task.pending(wait.as_mut());
    drop(guard);
    assert_eq!(*task.ready(wait), 1);

    let lock = RwLock::new(1);
    let reader = now(lock.read());
    let mut write = pin!(lock.write());
    task.pending(write.as_mut());
    drop(reader);
    *task.ready(write) = 2;
    assert_eq!(lock.try_read().map(|value| *value), Some(2));
}

#[test]
fn signals_arrive() {
    let semaphore = Semaphore::new(1);
    let permit = now(semaphore.acquire());
    let task = Task::new();
    let mut wait = pin!(semaphore.acquire());
    task.pending(wait.as_mut());
    drop(permit);
    drop(task.ready(wait));

    let barrier = Barrier::new(2);
    let mut first = pin!(barrier.wait());
    task.pending(first.as_mut());
    assert!(now(barrier.wait()).is_leader());
    assert!(!task.ready(first).is_leader());

    let cell = OnceCell::new();
    assert_eq!(*now(cell.get_or_init(async || 7)), 7);

    let (mutex, changed) = (Mutex::new(()), Condvar::new());
    let mut wait = pin!(async { drop(changed.wait(mutex.lock().await).await) });
    task.pending(wait.as_mut());
    changed.notify_one();
    task.ready(wait);
}

#[test]
fn messages_and_events_go_through() {
    let (sender, receiver) = channel::bounded(1);
    let task = Task::new();
    let mut recv = pin!(receiver.recv());
    task.pending(recv.as_mut());
    sender.try_send(5).expect("there is a slot");
    assert_eq!(task.ready(recv), Ok(5));

    static EVENT: Event = Event::new();
    assert_eq!(EVENT.notify(1), 0);
    let on_heap = EVENT.listen();
    listener!(EVENT => on_stack);
    assert!(on_heap.listens_to(&EVENT));
    EVENT.notify(2);
    now(on_heap);
    now(on_stack);
}
