use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use anysync::{Bare, Block};

use super::Shutdown;

#[test]
fn early_and_late_waits_hear_it() {
    let mut cx = Context::from_waker(Waker::noop());
    let shutdown = Shutdown::new();
    let mut early = pin!(shutdown.wait(Bare));
    assert_eq!(early.as_mut().poll(&mut cx), Poll::Pending);
    assert!(!shutdown.is_triggered());
    shutdown.trigger();
    assert!(shutdown.is_triggered());
    assert_eq!(early.poll(&mut cx), Poll::Ready(()));
    assert_eq!(pin!(shutdown.wait(Bare)).poll(&mut cx), Poll::Ready(()));
}

#[test]
fn no_signal_falls_between_the_look_and_the_wait() {
    for _ in 0..1_000 {
        let shutdown = Shutdown::new();
        // A lost signal leaves a thread parked here, and the test with it.
        thread::scope(|scope| {
            scope.spawn(|| Bare.block_on(shutdown.wait(Bare)));
            shutdown.trigger();
        });
    }
}
