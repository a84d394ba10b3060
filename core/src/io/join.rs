//! [`Join`]: the handle of a task, and how a task can fail.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::any::Any;
use core::error::Error;
use core::fmt;
use core::future::Future;

use crate::primitive::Lock;

/// The handle of a task: a future of its output.
///
/// Dropping a handle detaches the task; it never cancels it.
pub trait Join<T>: Future<Output = Result<T, JoinError>> + Unpin {
    /// Stops the task: its future is dropped at its next turn, and the handle
    /// ends with a [`JoinError`] for which
    /// [`is_cancelled`](JoinError::is_cancelled) is true. A task that has
    /// finished keeps its output.
    fn abort(&self);
}

/// Why a task has no output.
pub struct JoinError(Reason);

enum Reason {
    Cancelled,
    // The payload is `Send` but not `Sync`; the lock makes the error `Sync`, as
    // `Box<dyn Error + Send + Sync>` wants it.
    Panicked(Lock<Option<Box<dyn Any + Send>>>),
}

impl JoinError {
    /// The task was aborted, or its executor was shut down.
    pub fn cancelled() -> Self {
        Self(Reason::Cancelled)
    }

    /// The task panicked with `payload`.
    pub fn panicked(payload: Box<dyn Any + Send>) -> Self {
        Self(Reason::Panicked(Lock::new(Some(payload))))
    }

    /// Whether the task was aborted or its executor shut down.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0, Reason::Cancelled)
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.0, Reason::Panicked(_))
    }

    /// What the task panicked with, to pass on by `resume_unwind`.
    ///
    /// # Errors
    ///
    /// Gives the error back when the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        match self.0 {
            Reason::Panicked(payload) => {
                let taken = payload.lock().take();
                Ok(taken.expect("the payload is taken only here, by value"))
            }
            Reason::Cancelled => Err(self),
        }
    }

    /// The text of the panic, if the task panicked with one. A copy, since it
    /// will be shown by foreign code, which does not run under the lock.
    fn message(&self) -> Option<Cow<'static, str>> {
        let Reason::Panicked(payload) = &self.0 else {
            return None;
        };
        let payload = payload.lock();
        let any = payload.as_deref()?;
        if let Some(text) = any.downcast_ref::<&'static str>() {
            return Some(Cow::Borrowed(text));
        }
        any.downcast_ref::<String>().cloned().map(Cow::Owned)
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_cancelled() {
            return f.write_str("the task was cancelled");
        }
        match self.message() {
            Some(text) => write!(f, "the task panicked: {text}"),
            None => f.write_str("the task panicked"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_cancelled() {
            return f.write_str("JoinError::Cancelled");
        }
        f.debug_tuple("JoinError::Panicked")
            .field(&self.message())
            .finish()
    }
}

impl Error for JoinError {}
