//! [`OnceCell`] over [`anysync::OnceCell`].

use ::core::fmt;
use ::core::future::Future;

use anysync::Bare;
#[cfg(feature = "std")]
use anysync::Block;
use anysync::once_cell::SetError;

/// A value that is made once, by the first that needs it.
///
/// ```
/// use anysync_smol::lock::OnceCell;
///
/// static CONFIG: OnceCell<String> = OnceCell::new();
///
/// async fn config() -> &'static str {
///     CONFIG.get_or_init(|| async { "made once".to_owned() }).await
/// }
///
/// smol::block_on(async { assert_eq!(config().await, "made once") });
/// ```
///
/// # Fairness
///
/// If an initialiser fails, panics or is dropped, the caller that has waited for
/// longest is woken to run its own; one that comes first may. A caller that was woken
/// and came too late keeps its place, and soon the others give it time to come, see
/// [`anysync::OnceCell`]. A value reaches all at once.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment. If it was initialising, or was woken to do so,
/// the next is woken.
///
/// # Better than the original
///
/// - A wait allocates nothing.
/// - Callers whose initialisers fail again and again take turns.
///
/// # Differences
///
/// - [`get_unchecked`](OnceCell::get_unchecked) is safe, and panics in an empty
///   cell; `unsafe` around it is not needed.
/// - `OnceCell<T>` is `RefUnwindSafe` where `T` is `UnwindSafe + RefUnwindSafe`.
pub struct OnceCell<T>(anysync::OnceCell<T>);

impl<T> OnceCell<T> {
    /// An empty cell.
    ///
    /// ```
    /// static CELL: anysync_smol::lock::OnceCell<u8> = anysync_smol::lock::OnceCell::new();
    /// assert!(!CELL.is_initialized());
    /// ```
    pub const fn new() -> Self {
        Self(anysync::OnceCell::new())
    }

    /// Whether the value is there.
    pub fn is_initialized(&self) -> bool {
        self.0.is_initialized()
    }

    /// The value, if it is there: one atomic load.
    ///
    /// ```
    /// let cell = anysync_smol::lock::OnceCell::new();
    /// assert_eq!(cell.get(), None);
    /// cell.set_blocking(1).unwrap();
    /// assert_eq!(cell.get(), Some(&1));
    /// ```
    pub fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// The value, if it is there; nobody else can have it now.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.0.get_mut()
    }

    /// Takes the value out, and leaves the cell empty.
    ///
    /// ```
    /// let mut cell = anysync_smol::lock::OnceCell::from(1);
    /// assert_eq!(cell.take(), Some(1));
    /// assert_eq!(cell.take(), None);
    /// ```
    pub fn take(&mut self) -> Option<T> {
        self.0.take()
    }

    /// The value, if it is there, with the cell used up.
    pub fn into_inner(self) -> Option<T> {
        self.0.into_inner()
    }

    /// Waits until somebody else has stored a value.
    ///
    /// ```
    /// # smol::block_on(async {
    /// use smol::future;
    /// use anysync_smol::lock::OnceCell;
    ///
    /// let cell = OnceCell::new();
    /// let (value, set) = future::zip(cell.wait(), cell.set(1)).await;
    /// assert_eq!((value, set), (&1, Ok(&1)));
    /// # })
    /// ```
    ///
    /// # Fairness
    ///
    /// The value reaches all at once.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves its queue in constant time.
    pub async fn wait(&self) -> &T {
        self.0.wait(Bare).await
    }

    /// Blocks the thread until somebody else has stored a value. For threads, not
    /// for tasks.
    #[cfg(feature = "std")]
    pub fn wait_blocking(&self) -> &T {
        Bare.block_on(self.wait())
    }

    /// The value; if there is none, `closure` makes it, or says why not.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let cell = anysync_smol::lock::OnceCell::new();
    /// assert_eq!(cell.get_or_try_init(|| async { Err("no") }).await, Err("no"));
    /// assert_eq!(cell.get_or_try_init(|| async { Ok::<_, ()>(1) }).await, Ok(&1));
    /// # })
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
    /// When `closure` does; the next in the queue is woken to run its own.
    pub async fn get_or_try_init<E, Fut: Future<Output = Result<T, E>>>(
        &self,
        closure: impl FnOnce() -> Fut,
    ) -> Result<&T, E> {
        match self.get() {
            Some(value) => Ok(value),
            None => self.0.get_or_try_init_async(Bare, closure).await,
        }
    }

    /// [`get_or_try_init`](OnceCell::get_or_try_init) for threads: it blocks, and
    /// `closure` is not async.
    #[cfg(feature = "std")]
    pub fn get_or_try_init_blocking<E>(
        &self,
        closure: impl FnOnce() -> Result<T, E>,
    ) -> Result<&T, E> {
        Bare.block_on(self.0.get_or_try_init(Bare, closure))
    }

    /// The value; if there is none, `closure` makes it.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let cell = anysync_smol::lock::OnceCell::new();
    /// assert_eq!(cell.get_or_init(|| async { 1 }).await, &1);
    /// assert_eq!(cell.get_or_init(|| async { 2 }).await, &1);
    /// # })
    /// ```
    ///
    /// # Fairness, cancel safety, panics
    ///
    /// As [`get_or_try_init`](OnceCell::get_or_try_init).
    pub async fn get_or_init<Fut: Future<Output = T>>(&self, closure: impl FnOnce() -> Fut) -> &T {
        match self.get() {
            Some(value) => value,
            None => self.0.get_or_init_async(Bare, closure).await,
        }
    }

    /// [`get_or_init`](OnceCell::get_or_init) for threads: it blocks, and
    /// `closure` is not async.
    #[cfg(feature = "std")]
    pub fn get_or_init_blocking(&self, closure: impl FnOnce() -> T + Unpin) -> &T {
        Bare.block_on(self.0.get_or_init(Bare, closure))
    }

    /// Stores `value` if the cell is empty; waits for an initialiser that runs.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let cell = anysync_smol::lock::OnceCell::new();
    /// assert_eq!(cell.set(1).await, Ok(&1));
    /// assert_eq!(cell.set(2).await, Err(2));
    /// # })
    /// ```
    ///
    /// # Errors
    ///
    /// Gives `value` back if there is one already.
    ///
    /// # Fairness
    ///
    /// In one queue with the initialisers.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it stores nothing, and `value` is dropped.
    pub async fn set(&self, value: T) -> Result<&T, T> {
        let mut value = Some(value);
        let store = || value.take().expect("an initialiser is called once");
        let stored = self.0.get_or_init(Bare, store).await;
        value.map_or(Ok(stored), Err)
    }

    /// Stores `value` if the cell is empty and no initialiser runs. Never
    /// waits.
    ///
    /// ```
    /// let cell = anysync_smol::lock::OnceCell::new();
    /// assert_eq!(cell.try_set(1), Ok(()));
    /// assert_eq!(cell.try_set(2), Err(2));
    /// ```
    ///
    /// # Errors
    ///
    /// Gives `value` back otherwise.
    pub fn try_set(&self, value: T) -> Result<(), T> {
        self.0.try_set(value).map_err(SetError::into_inner)
    }

    /// [`set`](OnceCell::set) for threads: it blocks.
    ///
    /// # Errors
    ///
    /// Gives `value` back if there is one already.
    #[cfg(feature = "std")]
    pub fn set_blocking(&self, value: T) -> Result<&T, T> {
        Bare.block_on(self.set(value))
    }

    /// The value, which the caller knows to be there.
    ///
    /// `unsafe` in the original. Here the check, one atomic load, stays.
    ///
    /// ```
    /// let cell = anysync_smol::lock::OnceCell::from(1);
    /// assert_eq!(cell.get_unchecked(), &1);
    /// ```
    ///
    /// # Panics
    ///
    /// If it is not there.
    #[track_caller]
    pub fn get_unchecked(&self) -> &T {
        self.get()
            .expect("`OnceCell::get_unchecked` of a cell that has no value")
    }
}

impl<T> From<T> for OnceCell<T> {
    fn from(value: T) -> Self {
        Self(anysync::OnceCell::with_value(value))
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_tuple("OnceCell");
        match self.get() {
            Some(value) => shown.field(value),
            None if self.0.is_initializing() => shown.field(&format_args!("<initializing>")),
            None => shown.field(&format_args!("<uninitialized>")),
        };
        shown.finish()
    }
}
