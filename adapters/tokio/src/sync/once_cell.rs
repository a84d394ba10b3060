//! [`OnceCell`] over [`anysync::OnceCell`].

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};

use anysync::{Bare, once_cell as core};

use crate::poll_spend;

/// A value that is made once, by the first that needs it: the drop-in for
/// [`tokio::sync::OnceCell`].
///
/// ```
/// use anysync_tokio::sync::OnceCell;
///
/// static CONFIG: OnceCell<String> = OnceCell::const_new();
///
/// async fn config() -> &'static str {
///     CONFIG.get_or_init(|| async { "made once".to_owned() }).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(config().await, "made once");
/// # }
/// ```
///
/// # Fairness
///
/// If an initialiser fails, panics or is dropped, the caller that has waited for
/// longest is woken to run its own; one that comes first may, see
/// [`anysync::OnceCell`]. A value reaches all at once.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment. If it was initialising, or was woken to do so,
/// the next is woken.
///
/// # Memory ordering
///
/// Who sees the value sees it complete, and what was done before it was stored.
///
/// # Better than the original
///
/// - A caller that was woken to initialise and is not polled (an arm of a `select!` that
///   is kept, say) stops no other: with the original the turn is its own until it comes.
///   So a cell whose initialiser has failed is empty at once, and [`set`](OnceCell::set)
///   may store a value.
/// - [`new`](OnceCell::new) is `const` too, and the cell is `RefUnwindSafe` where
///   `T` is `UnwindSafe + RefUnwindSafe`.
pub struct OnceCell<T>(anysync::OnceCell<T>);

impl<T> OnceCell<T> {
    /// An empty cell.
    ///
    /// ```
    /// let cell = anysync_tokio::sync::OnceCell::<u8>::new();
    /// assert!(!cell.initialized());
    /// ```
    #[inline]
    pub const fn new() -> Self {
        Self(anysync::OnceCell::new())
    }

    /// [`new`](OnceCell::new), by the name that the original has for constants.
    ///
    /// ```
    /// use anysync_tokio::sync::OnceCell;
    ///
    /// static CELL: OnceCell<u8> = OnceCell::const_new();
    /// assert!(!CELL.initialized());
    /// ```
    #[inline]
    pub const fn const_new() -> Self {
        Self::new()
    }

    /// A cell with `value` in it, if there is one.
    ///
    /// ```
    /// use anysync_tokio::sync::OnceCell;
    ///
    /// assert_eq!(OnceCell::new_with(Some(1)).get(), Some(&1));
    /// assert_eq!(OnceCell::<u8>::new_with(None).get(), None);
    /// ```
    pub fn new_with(value: Option<T>) -> Self {
        value.map_or_else(Self::new, Self::const_new_with)
    }

    /// A cell with `value` in it.
    ///
    /// ```
    /// use anysync_tokio::sync::OnceCell;
    ///
    /// static CELL: OnceCell<u8> = OnceCell::const_new_with(1);
    /// assert_eq!(CELL.get(), Some(&1));
    /// ```
    #[inline]
    pub const fn const_new_with(value: T) -> Self {
        Self(anysync::OnceCell::with_value(value))
    }

    /// Whether the value is there.
    ///
    /// ```
    /// let cell = anysync_tokio::sync::OnceCell::new();
    /// assert!(!cell.initialized());
    /// cell.set(1).unwrap();
    /// assert!(cell.initialized());
    /// ```
    #[inline]
    pub fn initialized(&self) -> bool {
        self.0.is_initialized()
    }

    /// The value, if it is there: one atomic load.
    ///
    /// ```
    /// let cell = anysync_tokio::sync::OnceCell::new();
    /// assert_eq!(cell.get(), None);
    /// cell.set(1).unwrap();
    /// assert_eq!(cell.get(), Some(&1));
    /// ```
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// The value, if it is there; nobody else can have it now.
    ///
    /// ```
    /// let mut cell = anysync_tokio::sync::OnceCell::from(1);
    /// *cell.get_mut().unwrap() = 2;
    /// assert_eq!(cell.get(), Some(&2));
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.0.get_mut()
    }

    /// Stores `value` if the cell is empty and no initialiser runs. Never
    /// waits.
    ///
    /// ```
    /// use anysync_tokio::sync::{OnceCell, SetError};
    ///
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.set(1), Ok(()));
    /// assert_eq!(cell.set(2), Err(SetError::AlreadyInitializedError(2)));
    /// ```
    ///
    /// # Errors
    ///
    /// Gives `value` back, and says whether there is one already or an initialiser
    /// is making it.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        self.0.try_set(value).map_err(|error| match error {
            core::SetError::AlreadyInitialized(value) => SetError::AlreadyInitializedError(value),
            core::SetError::Initializing(value) => SetError::InitializingError(value),
        })
    }

    /// The value; if there is none, `f` makes it.
    ///
    /// ```
    /// use anysync_tokio::sync::OnceCell;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cell = OnceCell::new();
    /// assert_eq!(*cell.get_or_init(|| async { 1 }).await, 1);
    /// assert_eq!(*cell.get_or_init(|| async { 2 }).await, 1);
    /// # }
    /// ```
    ///
    /// # Fairness
    ///
    /// As the [cell](OnceCell#fairness).
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves the queue; dropped while its initialiser runs, it drops
    /// that, and the next in the queue is woken to run its own.
    ///
    /// # Panics
    ///
    /// When `f` or its future does; the next in the queue is woken to run its own.
    pub async fn get_or_init<F, Fut>(&self, f: F) -> &T
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        match self.get() {
            Some(value) => value,
            None => {
                let init = || async {
                    poll_fn(poll_spend).await;
                    f().await
                };
                self.0.get_or_init_async(Bare, init).await
            }
        }
    }

    /// The value; if there is none, `f` makes it, or says why not.
    ///
    /// ```
    /// use anysync_tokio::sync::OnceCell;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.get_or_try_init(|| async { Err("no") }).await, Err("no"));
    /// assert_eq!(cell.get_or_try_init(|| async { Ok::<_, ()>(1) }).await, Ok(&1));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// That of `f`; the next in the queue is woken to run its own.
    ///
    /// # Fairness, cancel safety, panics
    ///
    /// As [`get_or_init`](OnceCell::get_or_init).
    pub async fn get_or_try_init<E, F, Fut>(&self, f: F) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        match self.get() {
            Some(value) => Ok(value),
            None => {
                let init = || async {
                    poll_fn(poll_spend).await;
                    f().await
                };
                self.0.get_or_try_init_async(Bare, init).await
            }
        }
    }

    /// The value, if it is there, with the cell used up.
    ///
    /// ```
    /// assert_eq!(anysync_tokio::sync::OnceCell::from(1).into_inner(), Some(1));
    /// ```
    pub fn into_inner(self) -> Option<T> {
        self.0.into_inner()
    }

    /// Takes the value out, and leaves the cell empty.
    ///
    /// ```
    /// let mut cell = anysync_tokio::sync::OnceCell::from(1);
    /// assert_eq!(cell.take(), Some(1));
    /// assert_eq!(cell.take(), None);
    /// ```
    pub fn take(&mut self) -> Option<T> {
        self.0.take()
    }
}

/// Why [`OnceCell::set`] did not store a value, which it gives back.
#[derive(Debug, PartialEq, Eq)]
pub enum SetError<T> {
    /// The cell has a value already.
    AlreadyInitializedError(T),
    /// Somebody is making the value.
    InitializingError(T),
}

impl<T> SetError<T> {
    /// Whether the cell has a value already.
    ///
    /// ```
    /// let cell = anysync_tokio::sync::OnceCell::from(1);
    /// assert!(cell.set(2).unwrap_err().is_already_init_err());
    /// ```
    pub fn is_already_init_err(&self) -> bool {
        matches!(self, Self::AlreadyInitializedError(_))
    }

    /// Whether somebody is making the value.
    ///
    /// ```
    /// let cell = anysync_tokio::sync::OnceCell::from(1);
    /// assert!(!cell.set(2).unwrap_err().is_initializing_err());
    /// ```
    pub fn is_initializing_err(&self) -> bool {
        matches!(self, Self::InitializingError(_))
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyInitializedError(_) => "AlreadyInitializedError",
            Self::InitializingError(_) => "InitializingError",
        })
    }
}

impl<T: fmt::Debug> Error for SetError<T> {}

/// What a cell is, that may have a value: the same for both kinds.
macro_rules! cell {
    ($name:ident) => {
        impl<T> Default for $name<T> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<T: fmt::Debug> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("value", &self.get())
                    .finish()
            }
        }

        impl<T: Clone> Clone for $name<T> {
            /// A cell with a copy of the value, if it is there.
            fn clone(&self) -> Self {
                Self::new_with(self.get().cloned())
            }
        }

        impl<T: PartialEq> PartialEq for $name<T> {
            fn eq(&self, other: &Self) -> bool {
                self.get() == other.get()
            }
        }

        impl<T: Eq> Eq for $name<T> {}

        impl<T> From<T> for $name<T> {
            fn from(value: T) -> Self {
                Self::const_new_with(value)
            }
        }
    };
}
pub(super) use cell;

cell!(OnceCell);
