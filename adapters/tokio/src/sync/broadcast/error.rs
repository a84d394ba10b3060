//! How a broadcast can fail.

use std::error::Error;
use std::fmt;

use anysync::broadcast as core;

/// There is no receiver; here is the message that was not sent.
#[derive(Debug)]
pub struct SendError<T>(pub T);

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl<T: fmt::Debug> Error for SendError<T> {}

/// There is no message for [`recv`](super::Receiver::recv).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecvError {
    /// No message is left, and there is no sender any more.
    Closed,
    /// So many messages were overwritten before this receiver read them. The next
    /// receive goes on with the oldest that is left.
    Lagged(u64),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("channel closed"),
            Self::Lagged(missed) => write!(f, "channel lagged by {missed}"),
        }
    }
}

impl Error for RecvError {}

impl From<core::RecvError> for RecvError {
    fn from(error: core::RecvError) -> Self {
        match error {
            core::RecvError::Closed => Self::Closed,
            core::RecvError::Lagged(missed) => Self::Lagged(missed),
        }
    }
}

/// There is no message for [`try_recv`](super::Receiver::try_recv).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// No message is there now; one may come.
    Empty,
    /// No message is left, and there is no sender any more.
    Closed,
    /// So many messages were overwritten before this receiver read them. The next
    /// receive goes on with the oldest that is left.
    Lagged(u64),
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("channel empty"),
            Self::Closed => RecvError::Closed.fmt(f),
            Self::Lagged(missed) => RecvError::Lagged(*missed).fmt(f),
        }
    }
}

impl Error for TryRecvError {}

impl From<core::TryRecvError> for TryRecvError {
    fn from(error: core::TryRecvError) -> Self {
        match error {
            core::TryRecvError::Empty => Self::Empty,
            core::TryRecvError::Closed => Self::Closed,
            core::TryRecvError::Lagged(missed) => Self::Lagged(missed),
        }
    }
}
