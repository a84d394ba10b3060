//! [`SetOnce`] over [`anysync::OnceCell`], which nobody initialises but by setting.

use std::error::Error;
use std::fmt;

use anysync::once_cell::SetError;
use anysync::{Bare, Block};

use super::once_cell::cell;

/// A value that is set once, and that others wait for: the drop-in for
/// [`tokio::sync::SetOnce`].
///
/// ```
/// use anysync_tokio::sync::SetOnce;
///
/// static ADDRESS: SetOnce<String> = SetOnce::const_new();
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let reader = tokio::spawn(async { ADDRESS.wait().await.len() });
/// ADDRESS.set("localhost".to_owned()).unwrap();
/// assert_eq!(reader.await.unwrap(), 9);
/// # }
/// ```
///
/// # Fairness
///
/// The value reaches all that wait at once.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment.
///
/// # Memory ordering
///
/// Who sees the value sees it complete, and what was done before it was set.
///
/// # Better than the original
///
/// [`new`](SetOnce::new) is `const` too, and the cell is `RefUnwindSafe` where `T` is
/// `UnwindSafe + RefUnwindSafe`.
pub struct SetOnce<T>(anysync::OnceCell<T>);

impl<T> SetOnce<T> {
    /// An empty cell.
    ///
    /// ```
    /// let cell = anysync_tokio::sync::SetOnce::<u8>::new();
    /// assert!(!cell.initialized());
    /// ```
    #[inline]
    pub const fn new() -> Self {
        Self(anysync::OnceCell::new())
    }

    /// [`new`](SetOnce::new), by the name that the original has for constants.
    ///
    /// ```
    /// use anysync_tokio::sync::SetOnce;
    ///
    /// static CELL: SetOnce<u8> = SetOnce::const_new();
    /// assert!(!CELL.initialized());
    /// ```
    #[inline]
    pub const fn const_new() -> Self {
        Self::new()
    }

    /// A cell with `value` in it, if there is one.
    ///
    /// ```
    /// use anysync_tokio::sync::SetOnce;
    ///
    /// assert_eq!(SetOnce::new_with(Some(1)).get(), Some(&1));
    /// ```
    pub fn new_with(value: Option<T>) -> Self {
        value.map_or_else(Self::new, Self::const_new_with)
    }

    /// A cell with `value` in it.
    ///
    /// ```
    /// use anysync_tokio::sync::SetOnce;
    ///
    /// static CELL: SetOnce<u8> = SetOnce::const_new_with(1);
    /// assert_eq!(CELL.get(), Some(&1));
    /// ```
    #[inline]
    pub const fn const_new_with(value: T) -> Self {
        Self(anysync::OnceCell::with_value(value))
    }

    /// Whether the value is there.
    ///
    /// ```
    /// let cell = anysync_tokio::sync::SetOnce::from(1);
    /// assert!(cell.initialized());
    /// ```
    #[inline]
    pub fn initialized(&self) -> bool {
        self.0.is_initialized()
    }

    /// The value, if it is there: one atomic load.
    ///
    /// ```
    /// let cell = anysync_tokio::sync::SetOnce::new();
    /// assert_eq!(cell.get(), None);
    /// cell.set(1).unwrap();
    /// assert_eq!(cell.get(), Some(&1));
    /// ```
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// Stores `value`, if there is none yet, and wakes all that wait.
    ///
    /// ```
    /// use anysync_tokio::sync::{SetOnce, SetOnceError};
    ///
    /// let cell = SetOnce::new();
    /// assert_eq!(cell.set(1), Ok(()));
    /// assert_eq!(cell.set(2), Err(SetOnceError(2)));
    /// ```
    ///
    /// # Errors
    ///
    /// Gives `value` back if there is one already, which [`get`](SetOnce::get)
    /// returns then.
    pub fn set(&self, value: T) -> Result<(), SetOnceError<T>> {
        match self.0.try_set(value) {
            Ok(()) => Ok(()),
            Err(SetError::AlreadyInitialized(value)) => Err(SetOnceError(value)),
            Err(SetError::Initializing(value)) => {
                // Another thread is moving its value in, which takes no longer than
                // an inner lock is held.
                Bare.block_on(self.0.wait_future());
                Err(SetOnceError(value))
            }
        }
    }

    /// The value, if it is there, with the cell used up.
    ///
    /// ```
    /// assert_eq!(anysync_tokio::sync::SetOnce::from(1).into_inner(), Some(1));
    /// ```
    pub fn into_inner(self) -> Option<T> {
        self.0.into_inner()
    }

    /// Waits until the value is there.
    ///
    /// ```
    /// use anysync_tokio::sync::SetOnce;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cell = SetOnce::new();
    /// let (value, ()) = tokio::join!(cell.wait(), async { cell.set(1).unwrap() });
    /// assert_eq!(*value, 1);
    /// # }
    /// ```
    ///
    /// # Fairness
    ///
    /// The value reaches all at once.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves its queue in constant time.
    ///
    /// # Memory ordering
    ///
    /// Acquires what was done before the value was set.
    pub async fn wait(&self) -> &T {
        match self.get() {
            Some(value) => value,
            None => self.0.wait_future().await,
        }
    }
}

/// [`SetOnce::set`] found a value there already, and gives its own back.
#[derive(Debug, PartialEq, Eq)]
pub struct SetOnceError<T>(pub T);

impl<T> fmt::Display for SetOnceError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetOnceError")
    }
}

impl<T: fmt::Debug> Error for SetOnceError<T> {}

cell!(SetOnce);
