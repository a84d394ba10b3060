//! A wait of a drop-in allocates nothing.

#![forbid(unsafe_code)]

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use anysync_smol::channel;
use anysync_smol::event::{Event, listener};
use anysync_smol::lock::{Barrier, Mutex, OnceCell, RwLock, Semaphore};

fn poll<F: Future>(future: Pin<&mut F>) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    future.poll(&mut cx).is_ready()
}

/// Runs `wait`, and fails if this thread allocates meanwhile.
#[track_caller]
fn without_allocation(wait: impl FnOnce()) {
    let info = allocation_counter::measure(wait);
    assert_eq!(info.count_total, 0, "{info:?}");
}

#[test]
fn mutex() {
    let mutex = Mutex::new(0);
    without_allocation(|| {
        let guard = mutex.try_lock();
        let mut lock = pin!(mutex.lock());
        assert!(!poll(lock.as_mut()));
        drop(guard);
        assert!(poll(lock));
    });
}

#[test]
fn rwlock() {
    let lock = RwLock::new(0);
    without_allocation(|| {
        assert!(poll(pin!(lock.write())), "free");
        let reader = lock.try_read();
        let mut write = pin!(lock.write());
        let read = pin!(lock.read());
        assert!(!poll(write.as_mut()) && !poll(read));
        drop(reader);
        assert!(poll(write));
    });
}

#[test]
fn semaphore() {
    let semaphore = Semaphore::new(1);
    without_allocation(|| {
        let mut acquire = pin!(semaphore.acquire_many(2));
        assert!(!poll(acquire.as_mut()));
        semaphore.add_permits(1);
        assert!(poll(acquire));
    });
}

#[test]
fn barrier() {
    let barrier = Barrier::new(2);
    without_allocation(|| {
        let mut wait = pin!(barrier.wait());
        assert!(!poll(wait.as_mut()));
        assert!(poll(pin!(barrier.wait())));
        assert!(poll(wait));
    });
}

#[test]
fn once_cell() {
    let cell = OnceCell::new();
    without_allocation(|| {
        let mut wait = pin!(cell.wait());
        assert!(!poll(wait.as_mut()));
        cell.try_set(1).unwrap();
        assert!(poll(wait));
    });
}

#[test]
fn channel() {
    let (sender, receiver) = channel::bounded(1);
    // Room for messages is allocated when there is the first.
    sender.try_send(0).unwrap();
    receiver.try_recv().unwrap();
    without_allocation(|| {
        let mut recv = pin!(receiver.recv());
        assert!(!poll(recv.as_mut()));
        sender.try_send(1).unwrap();
        assert!(poll(recv));
        sender.try_send(2).unwrap();
        let mut send = pin!(sender.send(3));
        let mut closed = pin!(sender.closed());
        assert!(!poll(send.as_mut()) && !poll(closed.as_mut()));
        receiver.try_recv().unwrap();
        assert!(poll(send));
        sender.close();
        assert!(poll(closed));
    });
}

#[test]
fn event_on_the_stack() {
    let event = Event::new();
    // The first use of an event makes what its listeners share.
    event.notify(1);
    without_allocation(|| {
        listener!(event => listener);
        assert!(!poll(Pin::new(&mut listener)));
        event.notify(1);
        assert!(poll(Pin::new(&mut listener)));
    });
}
