//! Laws of the timer.

use std::future::{Future, pending, poll_fn, ready};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use anysync::{Bare, Block, Notify, Timer};

use crate::{Executor, SignalOnDrop};

/// Neither by the executor's clock nor by the system's.
pub fn sleep_never_ends_early<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    let io = rt.io();
    rt.run(async {
        for micros in [0, 1, 400, 999, 1_000, 1_001, 3_700, 12_345] {
            let duration = Duration::from_micros(micros);
            let (start, begin) = (io.now(), Instant::now());
            io.sleep(duration).await;
            assert!(io.now() >= start + duration, "{duration:?}");
            assert!(begin.elapsed() >= duration, "{duration:?}");
        }
    });
}

/// What is past needs no wake-up.
pub fn sleep_until_the_past_is_ready_at_once<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    let io = rt.io();
    rt.run(async {
        let mut sleep = pin!(io.sleep_until(io.now()));
        let first = poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx))).await;
        assert!(first.is_ready());
    });
}

/// `Duration::MAX` means never.
pub fn sleep_for_ever_is_no_panic<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    let io = rt.io();
    rt.run(async {
        let long = io.sleep(Duration::MAX);
        assert!(io.timeout(Duration::from_millis(1), long).await.is_err());
        assert_eq!(io.timeout(Duration::MAX, async { 42 }).await, Ok(42));
    });
}

/// The future is gone when the error is returned, though the timeout is not.
pub fn timeout_cancels_the_inner_future<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    let io = rt.io();
    rt.run(async {
        let dropped = Arc::new(Notify::new());
        let signal = SignalOnDrop(dropped.clone());
        let mut timeout = pin!(io.timeout(Duration::from_millis(1), async move {
            let _signal = signal;
            pending::<()>().await;
        }));
        assert!(timeout.as_mut().await.is_err());
        assert!(dropped.has_permit());
    });
}

/// The time was over before the first poll, but so was the work.
pub fn ready_future_beats_an_elapsed_timeout<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    let io = rt.io();
    rt.run(async {
        let past = io.now();
        assert_eq!(io.timeout_at(past, ready(42)).await, Ok(42));
        assert!(io.timeout_at(past, pending::<()>()).await.is_err());
    });
}

/// A sleep that was made on this executor may be awaited on a plain thread,
/// while somebody drives this one.
pub fn sleep_ends_on_another_executor<E: Executor>(make: impl FnOnce() -> E)
where
    <E::Io as Timer>::Sleep: Send + 'static,
{
    let rt = make();
    let io = rt.io();
    rt.run(async {
        let sleep = io.sleep(Duration::from_millis(1));
        let done = Arc::new(Notify::new());
        let thread = thread::spawn({
            let done = done.clone();
            move || {
                Bare.block_on(sleep);
                done.notify_one();
            }
        });
        done.wait(io).await;
        thread.join().unwrap();
    });
}
