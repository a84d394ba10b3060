//! [`TimedOut`].

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// No object has come back in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    /// How long the caller would have waited.
    pub limit: Duration,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no object of the pool came back within {:?}", self.limit)
    }
}

impl Error for TimedOut {}
