//! What an acquire or an add can fail with.

use core::error::Error;
use core::fmt;

use super::Semaphore;

/// The semaphore is [closed](Semaphore::close).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AcquireError;

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the semaphore is closed")
    }
}

impl Error for AcquireError {}

/// Why [`Semaphore::try_acquire`] and its kin got nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TryAcquireError {
    /// There are too few permits, or others are waiting for them.
    NoPermits,
    /// The semaphore is [closed](Semaphore::close).
    Closed,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPermits => "not enough permits are available",
            Self::Closed => "the semaphore is closed",
        })
    }
}

impl Error for TryAcquireError {}

/// The permits were not added, because there would have been more than
/// [`Semaphore::MAX_PERMITS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddPermitsError {
    pub(super) permits: usize,
}

impl AddPermitsError {
    /// How many permits were to be added.
    pub fn permits(&self) -> usize {
        self.permits
    }
}

impl fmt::Display for AddPermitsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "with {} more permits a semaphore would have more than {}",
            self.permits,
            Semaphore::MAX_PERMITS
        )
    }
}

impl Error for AddPermitsError {}
