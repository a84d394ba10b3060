//! What a wait runs when its turn comes: a closure or an async block, which
//! may fail or not.
//!
//! [`OnceCell::get_or_init`](crate::OnceCell::get_or_init) and
//! [`Barrier::wait_then`](crate::Barrier::wait_then) take one of four forms,
//! and their futures are named after it:
//!
//! | | cannot fail | may fail |
//! |-|-|-|
//! | a closure | [`Call`] | [`TryCall`] |
//! | an async closure | [`CallAsync`] | [`TryCallAsync`] |
//!
//! [`Action`] joins the four. It is sealed: these are all there are.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

/// One of the four forms of an action; see the [module](self).
pub trait Action: sealed::Sealed {
    /// What the action makes.
    type Value;
    /// How it can fail.
    type Error;
    /// What a wait returns that runs this action and promises a `V`: `V`
    /// itself, or `Result<V, Error>`.
    type Outcome<V>;

    /// Starts the action, or goes on with it. Not called again after `Ready` or
    /// a panic.
    #[doc(hidden)]
    fn poll_run(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Value, Self::Error>>;

    /// Ends what has been started and not finished: drops the async block.
    #[doc(hidden)]
    fn cancel(self: Pin<&mut Self>);

    /// The result in the form that the wait returns.
    #[doc(hidden)]
    fn outcome<V>(result: Result<V, Self::Error>) -> Self::Outcome<V>;
}

mod sealed {
    pub trait Sealed {}
}

/// A closure: `FnOnce() -> T`.
#[derive(Debug)]
pub struct Call<F>(Option<F>);

/// A closure that may fail: `FnOnce() -> Result<T, E>`.
#[derive(Debug)]
pub struct TryCall<F>(Option<F>);

pin_project! {
    /// An async closure: `FnOnce() -> Fut`, where `Fut: Future<Output = T>`.
    #[derive(Debug)]
    pub struct CallAsync<F, Fut> {
        #[pin]
        stage: Stage<F, Fut>,
    }
}

pin_project! {
    /// An async closure that may fail: `FnOnce() -> Fut`, where
    /// `Fut: Future<Output = Result<T, E>>`.
    #[derive(Debug)]
    pub struct TryCallAsync<F, Fut> {
        #[pin]
        stage: Stage<F, Fut>,
    }
}

pin_project! {
    #[project = StageOf]
    #[derive(Debug)]
    enum Stage<F, Fut> {
        Idle { start: Option<F> },
        Running { #[pin] future: Fut },
        Over,
    }
}

impl<F> Call<F> {
    pub(crate) fn new(call: F) -> Self {
        Self(Some(call))
    }
}

impl<F> TryCall<F> {
    pub(crate) fn new(call: F) -> Self {
        Self(Some(call))
    }
}

impl<F, Fut> CallAsync<F, Fut> {
    pub(crate) fn new(start: F) -> Self {
        Self {
            stage: Stage::Idle { start: Some(start) },
        }
    }
}

impl<F, Fut> TryCallAsync<F, Fut> {
    pub(crate) fn new(start: F) -> Self {
        Self {
            stage: Stage::Idle { start: Some(start) },
        }
    }
}

impl<F: FnOnce() -> Fut, Fut: Future> Stage<F, Fut> {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Fut::Output> {
        loop {
            match self.as_mut().project() {
                StageOf::Idle { start } => {
                    let future = take(start)();
                    self.set(Stage::Running { future });
                }
                StageOf::Running { future } => {
                    let output = core::task::ready!(future.poll(cx));
                    self.set(Stage::Over);
                    return Poll::Ready(output);
                }
                StageOf::Over => unreachable!("an action runs once"),
            }
        }
    }
}

/// Takes a closure out to be called: it is pinned nowhere, and is called once.
#[inline]
fn take<F>(slot: &mut Option<F>) -> F {
    slot.take().expect("an action runs once")
}

// A closure is moved out before it is called and is never pinned.
impl<F> Unpin for Call<F> {}
impl<F> Unpin for TryCall<F> {}

impl<F> sealed::Sealed for Call<F> {}
impl<F> sealed::Sealed for TryCall<F> {}
impl<F, Fut> sealed::Sealed for CallAsync<F, Fut> {}
impl<F, Fut> sealed::Sealed for TryCallAsync<F, Fut> {}

impl<T, F: FnOnce() -> T> Action for Call<F> {
    type Value = T;
    type Error = Infallible;
    type Outcome<V> = V;

    #[inline]
    fn poll_run(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<T, Infallible>> {
        Poll::Ready(Ok(take(&mut self.get_mut().0)()))
    }

    fn cancel(self: Pin<&mut Self>) {}

    #[inline]
    fn outcome<V>(result: Result<V, Infallible>) -> V {
        match result {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }
}

impl<T, E, F: FnOnce() -> Result<T, E>> Action for TryCall<F> {
    type Value = T;
    type Error = E;
    type Outcome<V> = Result<V, E>;

    #[inline]
    fn poll_run(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<T, E>> {
        Poll::Ready(take(&mut self.get_mut().0)())
    }

    fn cancel(self: Pin<&mut Self>) {}

    #[inline]
    fn outcome<V>(result: Result<V, E>) -> Result<V, E> {
        result
    }
}

impl<T, F: FnOnce() -> Fut, Fut: Future<Output = T>> Action for CallAsync<F, Fut> {
    type Value = T;
    type Error = Infallible;
    type Outcome<V> = V;

    #[inline]
    fn poll_run(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, Infallible>> {
        self.project().stage.poll(cx).map(Ok)
    }

    fn cancel(self: Pin<&mut Self>) {
        self.project().stage.set(Stage::Over);
    }

    #[inline]
    fn outcome<V>(result: Result<V, Infallible>) -> V {
        match result {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }
}

impl<T, E, F, Fut> Action for TryCallAsync<F, Fut>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    type Value = T;
    type Error = E;
    type Outcome<V> = Result<V, E>;

    #[inline]
    fn poll_run(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        self.project().stage.poll(cx)
    }

    fn cancel(self: Pin<&mut Self>) {
        self.project().stage.set(Stage::Over);
    }

    #[inline]
    fn outcome<V>(result: Result<V, E>) -> Result<V, E> {
        result
    }
}
