//! Handles of tasks: tokio's own, which do what anysync asks for.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use anysync::{Join, JoinError};
use tokio::task::JoinHandle;

/// Waits for the output of a task; dropping it detaches the task.
///
/// It is tokio's [`JoinHandle`] with anysync's error, and converts from and
/// into it.
#[derive(Debug)]
#[must_use = "a handle does nothing unless it is awaited; drop it to detach the task"]
pub struct TokioJoin<T>(JoinHandle<T>);

impl<T> Future for TokioJoin<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_err(|error| {
            error
                .try_into_panic()
                .map_or_else(|_| JoinError::cancelled(), JoinError::panicked)
        })
    }
}

impl<T> Join<T> for TokioJoin<T> {
    fn abort(&self) {
        self.0.abort();
    }
}

impl<T> From<JoinHandle<T>> for TokioJoin<T> {
    fn from(handle: JoinHandle<T>) -> Self {
        Self(handle)
    }
}

impl<T> From<TokioJoin<T>> for JoinHandle<T> {
    fn from(handle: TokioJoin<T>) -> Self {
        handle.0
    }
}
