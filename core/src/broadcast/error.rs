//! How a broadcast can fail.

use core::error::Error;
use core::fmt;

/// A message was not sent; holds it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendError<T> {
    /// There is no receiver.
    Closed(T),
    /// There is no free place, and nothing may be overwritten.
    Full(T),
}

impl<T> SendError<T> {
    /// The message that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::Closed(value) | Self::Full(value) => value,
        }
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "Closed(..)",
            Self::Full(_) => "Full(..)",
        })
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "the broadcast has no receiver",
            Self::Full(_) => "the broadcast is full",
        })
    }
}

impl<T> Error for SendError<T> {}

/// There is no message for [`Receiver::recv`](super::Receiver::recv).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvError {
    /// No message is left, and there is no sender any more.
    Closed,
    /// So many messages were overwritten before this receiver read them.
    Lagged(u64),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the broadcast is closed"),
            Self::Lagged(missed) => write!(f, "the receiver missed {missed} messages"),
        }
    }
}

impl Error for RecvError {}

/// There is no message for [`Receiver::try_recv`](super::Receiver::try_recv).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// No message is there now.
    Empty,
    /// No message is left, and there is no sender any more.
    Closed,
    /// So many messages were overwritten before this receiver read them.
    Lagged(u64),
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the broadcast has no message for the receiver now"),
            Self::Closed => RecvError::Closed.fmt(f),
            Self::Lagged(missed) => RecvError::Lagged(*missed).fmt(f),
        }
    }
}

impl Error for TryRecvError {}
