//! A panic of a user's `Drop` leaks nothing that was about to be returned.

#![forbid(unsafe_code)]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use anysync_tokio::sync::{CancellationToken, broadcast};

/// Its original panics when it is dropped.
struct Original(Arc<()>, bool);

impl Clone for Original {
    fn clone(&self) -> Self {
        Self(self.0.clone(), false)
    }
}

impl Drop for Original {
    fn drop(&mut self) {
        assert!(!self.1, "the original is dropped");
    }
}

#[test]
fn received_clone_is_not_leaked() {
    let value = Arc::new(());
    let (sender, mut receiver) = broadcast::channel(1);
    assert!(sender.send(Original(value.clone(), true)).is_ok());
    let received = catch_unwind(AssertUnwindSafe(|| receiver.try_recv()));
    assert!(received.is_err());
    assert_eq!(Arc::strong_count(&value), 1);
}

/// Is ready at once, and panics when it is dropped.
struct Brittle(Option<Arc<()>>);

impl Future for Brittle {
    type Output = Arc<()>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Arc<()>> {
        Poll::Ready(self.0.take().expect("it is polled once"))
    }
}

impl Drop for Brittle {
    fn drop(&mut self) {
        panic!("the future is dropped");
    }
}

#[test]
fn output_of_a_future_is_not_leaked() {
    let value = Arc::new(());
    let token = CancellationToken::new();
    let future = Brittle(Some(value.clone()));
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let run = pin!(token.run_until_cancelled(future));
        run.poll(&mut Context::from_waker(Waker::noop()))
    }));
    assert!(ran.is_err());
    assert_eq!(Arc::strong_count(&value), 1);
}
