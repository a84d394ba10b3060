use core::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::test_util::allocations;

#[test]
fn callback_is_called_with_its_context() {
    static CALLS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
    fn call(calls: &'static AtomicUsize) {
        calls.fetch_add(1, Ordering::Relaxed);
    }

    let first = waker_of(&CALLS[0], call);
    let second = waker_of(&CALLS[1], |calls: &AtomicUsize| {
        calls.fetch_add(10, Ordering::Relaxed);
    });
    first.wake_by_ref();
    let copy = first.clone();
    copy.wake();
    second.wake();
    drop(first);
    let calls = CALLS.each_ref().map(|calls| calls.load(Ordering::Relaxed));
    assert_eq!(calls, [2, 10], "cloning and dropping call nothing");
}

#[test]
fn callback_is_called_on_the_thread_that_wakes() {
    static BY: std::sync::Mutex<Option<thread::ThreadId>> = std::sync::Mutex::new(None);
    let waker = waker_of(&BY, |by: &'static std::sync::Mutex<_>| {
        *by.lock().unwrap() = Some(thread::current().id());
    });
    let other = thread::spawn(move || {
        waker.wake();
        thread::current().id()
    });
    assert_eq!(Some(other.join().unwrap()), *BY.lock().unwrap());
}

#[test]
fn context_without_size_is_a_context() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    waker_of(&(), |&()| {
        CALLS.fetch_add(1, Ordering::Relaxed);
    })
    .wake();
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
}

#[test]
fn callback_allocates_nothing() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let count = allocations(|| {
        let waker = waker_of(&CALLS, |calls: &AtomicUsize| {
            calls.fetch_add(1, Ordering::Relaxed);
        });
        let copy = waker.clone();
        copy.wake();
        drop(waker);
    });
    assert_eq!((count, CALLS.load(Ordering::Relaxed)), (0, 1));
}

#[test]
fn panicking_callback_passes_its_panic_on() {
    static NONE: () = ();
    let waker = waker_of(&NONE, |&()| panic!("from the callback"));
    let message = crate::test_util::panic_message(|| waker.wake());
    assert_eq!(message, "from the callback");
}
