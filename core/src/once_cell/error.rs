//! [`SetError`].

use core::fmt;

/// Why [`OnceCell::try_set`](crate::OnceCell::try_set) did not store a value, which it gives back.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetError<T> {
    /// The cell has a value already.
    AlreadyInitialized(T),
    /// A caller is initialising the cell.
    Initializing(T),
}

impl<T> SetError<T> {
    /// The value that was not stored.
    pub fn into_inner(self) -> T {
        match self {
            Self::AlreadyInitialized(value) | Self::Initializing(value) => value,
        }
    }
}

impl<T> fmt::Debug for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyInitialized(_) => "AlreadyInitialized(..)",
            Self::Initializing(_) => "Initializing(..)",
        })
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyInitialized(_) => "the cell is initialised already",
            Self::Initializing(_) => "the cell is being initialised",
        })
    }
}

impl<T> core::error::Error for SetError<T> {}
