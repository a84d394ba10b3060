//! [`RwLock`] over [`anysync::RwLock`].

use ::core::fmt;
use ::core::marker::PhantomData;
use alloc::sync::Arc;

#[cfg(feature = "std")]
use anysync::Block;
use anysync::face::{Exclusive, ValueOnly};
use anysync::rwlock as core;
use anysync::{Bare, Fairness};

use crate::translate::{future, guard, guard_mut};

anysync::rwlock_newtype! {
    /// Lets many tasks read a value at once, or one write it.
    ///
    /// ```
    /// use anysync_smol::lock::RwLock;
    ///
    /// static NAMES: RwLock<Vec<String>> = RwLock::new(Vec::new());
    ///
    /// smol::block_on(async {
    ///     NAMES.write().await.push("smol".to_owned());
    ///     let (one, other) = (NAMES.read().await, NAMES.read().await);
    ///     assert_eq!(one.len() + other.len(), 2);
    /// });
    /// ```
    ///
    /// A third kind of access, the upgradable read, is for tasks that read first and
    /// then perhaps write what no other task may write meanwhile.
    ///
    /// # Fairness
    ///
    /// First come, first served, as in the original: an unlock frees the lock and wakes
    /// the first waits in the queue. A writer that waits while readers are in stops new
    /// readers. Unlike there, neither side starves: [`anysync::RwLock`] with
    /// [`Fairness::Eventual`]. A wait that is not polled stops no other.
    ///
    /// # Cancel safety
    ///
    /// A wait may be dropped at any moment: it leaves the queue, the waits that it
    /// alone held up are let in, and what it was granted goes to the next.
    ///
    /// # Better than the original
    ///
    /// - No wait starves; in `async_lock` a stream of writers starves the readers.
    /// - A wait allocates nothing; in the original even `write` on a free lock does.
    /// - A value whose size is not known can be locked by an `Arc` in each form.
    ///
    /// # Differences
    ///
    /// - A writer that waits stops new readers also while an upgradable read is held;
    ///   in the original only when that has ended. A task that holds a guard and reads
    ///   again may so wait for itself.
    /// - An [`upgrade`](RwLockUpgradableReadGuard::upgrade) stops new readers from its
    ///   first poll on; in the original from the call.
    /// - At most 2^29 - 1 read at once; then readers wait, where the original aborts
    ///   the process.
    /// - [`RwLockWriteGuard`], and the futures that return one, ask for `T: Send + Sync` to
    ///   be `Send`, and not for `T: Send` alone: another thread could downgrade the guard,
    ///   and read at the same time as this one.
    pub struct RwLock;
}

impl<T> RwLock<T> {
    /// A lock that nobody holds.
    ///
    /// ```
    /// static NAMES: anysync_smol::lock::RwLock<u8> = anysync_smol::lock::RwLock::new(0);
    /// # let _ = &NAMES;
    /// ```
    #[must_use]
    #[inline]
    pub const fn new(t: T) -> Self {
        Self(anysync::RwLock::with_fairness(t, Fairness::Eventual))
    }

    /// The value, with the lock used up.
    ///
    /// ```
    /// assert_eq!(anysync_smol::lock::RwLock::new(5).into_inner(), 5);
    /// ```
    #[must_use]
    #[inline]
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Reads if nobody writes or waits. Never waits.
    ///
    /// ```
    /// let lock = anysync_smol::lock::RwLock::new(1);
    /// let reader = lock.try_read().unwrap();
    /// assert_eq!(*reader, 1);
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_write().is_none());
    /// ```
    #[inline]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        let inner = self.0.try_read()?;
        Some(RwLockReadGuard::new(inner))
    }

    /// Waits until it may read.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let lock = anysync_smol::lock::RwLock::new(1);
    /// let reader = lock.read().await;
    /// assert_eq!(*reader, 1);
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_write().is_none());
    /// # })
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out, from its first poll on; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time, or gives back what it
    /// was granted.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the writers before it released.
    #[inline]
    pub fn read(&self) -> Read<'_, T> {
        Read {
            inner: self.0.read(Bare),
        }
    }

    /// [`read`](RwLock::read) for threads: it blocks, in one queue with the tasks.
    ///
    /// ```
    /// let lock = anysync_smol::lock::RwLock::new(1);
    /// let reader = lock.read_blocking();
    /// assert_eq!(*reader, 1);
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_write().is_none());
    /// ```
    #[inline]
    #[cfg(feature = "std")]
    pub fn read_blocking(&self) -> RwLockReadGuard<'_, T> {
        Bare.block_on(self.read())
    }

    /// [`try_read`](RwLock::try_read), with a guard that owns a share of the
    /// lock.
    ///
    /// ```
    /// let lock = std::sync::Arc::new(anysync_smol::lock::RwLock::new(1));
    /// let reader = lock.try_read().unwrap();
    /// assert_eq!(*reader, 1);
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_write().is_none());
    /// ```
    #[inline]
    pub fn try_read_arc(self: &Arc<Self>) -> Option<RwLockReadGuardArc<T>> {
        let inner = anysync::RwLock::try_read_owned_by(self.clone(), |lock: &Self| &lock.0)?;
        Some(RwLockReadGuardArc::new(inner))
    }

    /// [`read`](RwLock::read), with a guard that owns a share of the lock.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let lock = std::sync::Arc::new(anysync_smol::lock::RwLock::new(1));
    /// let reader = lock.read_arc().await;
    /// assert_eq!(*reader, 1);
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_write().is_none());
    /// # })
    /// ```
    ///
    /// # Fairness, cancel safety, memory ordering
    ///
    /// As [`read`](RwLock::read).
    #[inline]
    pub fn read_arc<'a>(self: &'a Arc<Self>) -> ReadArc<'a, T> {
        ReadArc {
            inner: anysync::RwLock::read_owned_by(self.clone(), |lock: &Self| &lock.0, Bare),
            lock: PhantomData,
        }
    }

    /// [`read_arc`](RwLock::read_arc) for threads: it blocks, in one queue with the
    /// tasks.
    #[inline]
    #[cfg(feature = "std")]
    pub fn read_arc_blocking(self: &Arc<Self>) -> RwLockReadGuardArc<T> {
        Bare.block_on(self.read_arc())
    }

    /// Reads upgradably if nobody writes, waits, or reads upgradably. Never
    /// waits.
    ///
    /// ```
    /// let lock = anysync_smol::lock::RwLock::new(1);
    /// let reader = lock.try_upgradable_read().unwrap();
    /// assert_eq!(*reader, 1);
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_upgradable_read().is_none());
    /// ```
    #[inline]
    pub fn try_upgradable_read(&self) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        let inner = self.0.try_upgradable_read()?;
        Some(RwLockUpgradableReadGuard::new(inner))
    }

    /// Waits until it may read and, later, perhaps write; see
    /// [`RwLockUpgradableReadGuard::upgrade`].
    ///
    /// ```
    /// # smol::block_on(async {
    /// let lock = anysync_smol::lock::RwLock::new(1);
    /// let reader = lock.upgradable_read().await;
    /// assert_eq!(*reader, 1);
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_upgradable_read().is_none());
    /// # })
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out, from its first poll on; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time, or gives back what it
    /// was granted.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the writers before it released.
    #[inline]
    pub fn upgradable_read(&self) -> UpgradableRead<'_, T> {
        UpgradableRead {
            inner: Exclusive::new(self.0.upgradable_read(Bare)),
            value: PhantomData,
        }
    }

    /// [`upgradable_read`](RwLock::upgradable_read) for threads: it blocks, in one queue with the tasks.
    ///
    /// ```
    /// let lock = anysync_smol::lock::RwLock::new(1);
    /// let reader = lock.upgradable_read_blocking();
    /// assert_eq!(*reader, 1);
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_upgradable_read().is_none());
    /// ```
    #[inline]
    #[cfg(feature = "std")]
    pub fn upgradable_read_blocking(&self) -> RwLockUpgradableReadGuard<'_, T> {
        Bare.block_on(self.upgradable_read())
    }

    /// [`try_upgradable_read`](RwLock::try_upgradable_read), with a guard that owns a share of the
    /// lock.
    ///
    /// ```
    /// let lock = std::sync::Arc::new(anysync_smol::lock::RwLock::new(1));
    /// let reader = lock.try_upgradable_read().unwrap();
    /// assert_eq!(*reader, 1);
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_upgradable_read().is_none());
    /// ```
    #[inline]
    pub fn try_upgradable_read_arc(self: &Arc<Self>) -> Option<RwLockUpgradableReadGuardArc<T>> {
        let inner =
            anysync::RwLock::try_upgradable_read_owned_by(self.clone(), |lock: &Self| &lock.0)?;
        Some(RwLockUpgradableReadGuardArc::new(inner))
    }

    /// [`upgradable_read`](RwLock::upgradable_read), with a guard that owns a share of the lock.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let lock = std::sync::Arc::new(anysync_smol::lock::RwLock::new(1));
    /// let reader = lock.upgradable_read_arc().await;
    /// assert_eq!(*reader, 1);
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_upgradable_read().is_none());
    /// # })
    /// ```
    ///
    /// # Fairness, cancel safety, memory ordering
    ///
    /// As [`upgradable_read`](RwLock::upgradable_read).
    #[inline]
    pub fn upgradable_read_arc<'a>(self: &'a Arc<Self>) -> UpgradableReadArc<'a, T> {
        UpgradableReadArc {
            inner: anysync::RwLock::upgradable_read_owned_by(
                self.clone(),
                |lock: &Self| &lock.0,
                Bare,
            ),
            lock: PhantomData,
        }
    }

    /// [`upgradable_read_arc`](RwLock::upgradable_read_arc) for threads: it blocks, in one queue with the
    /// tasks.
    #[inline]
    #[cfg(feature = "std")]
    pub fn upgradable_read_arc_blocking(self: &Arc<Self>) -> RwLockUpgradableReadGuardArc<T> {
        Bare.block_on(self.upgradable_read_arc())
    }

    /// Writes if nobody holds the lock or waits for it. Never waits.
    ///
    /// ```
    /// let lock = anysync_smol::lock::RwLock::new(1);
    /// let mut writer = lock.try_write().unwrap();
    /// *writer = 2;
    /// assert!(lock.try_read().is_none());
    /// ```
    #[inline]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        let inner = self.0.try_write()?;
        Some(RwLockWriteGuard::new(inner))
    }

    /// Waits until it may write.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let lock = anysync_smol::lock::RwLock::new(1);
    /// let mut writer = lock.write().await;
    /// *writer = 2;
    /// assert!(lock.try_read().is_none());
    /// # })
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out, from its first poll on; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time, or gives back what it
    /// was granted.
    ///
    /// # Memory ordering
    ///
    /// Acquires what readers and writers before it released.
    #[inline]
    pub fn write(&self) -> Write<'_, T> {
        Write {
            inner: Exclusive::new(self.0.write(Bare)),
            value: PhantomData,
        }
    }

    /// [`write`](RwLock::write) for threads: it blocks, in one queue with the tasks.
    ///
    /// ```
    /// let lock = anysync_smol::lock::RwLock::new(1);
    /// let mut writer = lock.write_blocking();
    /// *writer = 2;
    /// assert!(lock.try_read().is_none());
    /// ```
    #[inline]
    #[cfg(feature = "std")]
    pub fn write_blocking(&self) -> RwLockWriteGuard<'_, T> {
        Bare.block_on(self.write())
    }

    /// [`try_write`](RwLock::try_write), with a guard that owns a share of the
    /// lock.
    ///
    /// ```
    /// let lock = std::sync::Arc::new(anysync_smol::lock::RwLock::new(1));
    /// let mut writer = lock.try_write().unwrap();
    /// *writer = 2;
    /// assert!(lock.try_read().is_none());
    /// ```
    #[inline]
    pub fn try_write_arc(self: &Arc<Self>) -> Option<RwLockWriteGuardArc<T>> {
        let inner = anysync::RwLock::try_write_owned_by(self.clone(), |lock: &Self| &lock.0)?;
        Some(RwLockWriteGuardArc::new(inner))
    }

    /// [`write`](RwLock::write), with a guard that owns a share of the lock.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let lock = std::sync::Arc::new(anysync_smol::lock::RwLock::new(1));
    /// let mut writer = lock.write_arc().await;
    /// *writer = 2;
    /// assert!(lock.try_read().is_none());
    /// # })
    /// ```
    ///
    /// # Fairness, cancel safety, memory ordering
    ///
    /// As [`write`](RwLock::write).
    #[inline]
    pub fn write_arc<'a>(self: &'a Arc<Self>) -> WriteArc<'a, T> {
        WriteArc {
            inner: anysync::RwLock::write_owned_by(self.clone(), |lock: &Self| &lock.0, Bare),
            lock: PhantomData,
        }
    }

    /// [`write_arc`](RwLock::write_arc) for threads: it blocks, in one queue with the
    /// tasks.
    #[inline]
    #[cfg(feature = "std")]
    pub fn write_arc_blocking(self: &Arc<Self>) -> RwLockWriteGuardArc<T> {
        Bare.block_on(self.write_arc())
    }

    /// The value, which nobody else can have now.
    #[must_use]
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RwLock");
        match self.try_read() {
            None => shown.field("value", &format_args!("<locked>")),
            Some(guard) => shown.field("value", &&*guard),
        };
        shown.finish()
    }
}

impl<T> From<T> for RwLock<T> {
    #[inline]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[inline]
    fn default() -> Self {
        Self::new(T::default())
    }
}

// A shared future shows nothing, and could be shared whatever the value is; it is where
// the original's is.

future! {
    /// The future of [`RwLock::read`].
    Read ['a, T: ?Sized] ['a, T] ()
    core::Read<'a, T, Bare> => RwLockReadGuard<'a, T>,
    |inner| RwLockReadGuard::new(inner), shown "Read { .. }"
}

future! {
    /// The future of [`RwLock::read_arc`].
    ReadArc ['a, T: ?Sized] ['a, T] (lock: PhantomData<&'a Arc<RwLock<T>>>)
    core::ReadOwned<T, RwLock<T>, Bare> => RwLockReadGuardArc<T>,
    |inner| RwLockReadGuardArc::new(inner), shown "ReadArc { .. }"
}

future! {
    /// The future of [`RwLock::upgradable_read`].
    UpgradableRead ['a, T: ?Sized] ['a, T] (value: PhantomData<T>)
    Exclusive<core::UpgradableRead<'a, T, Bare>> => RwLockUpgradableReadGuard<'a, T>,
    |inner| RwLockUpgradableReadGuard::new(inner), shown "UpgradableRead { .. }"
}

future! {
    /// The future of [`RwLock::upgradable_read_arc`].
    UpgradableReadArc ['a, T: ?Sized] ['a, T] (lock: PhantomData<&'a Arc<RwLock<T>>>)
    core::UpgradableReadOwned<T, RwLock<T>, Bare> => RwLockUpgradableReadGuardArc<T>,
    |inner| RwLockUpgradableReadGuardArc::new(inner), shown "UpgradableReadArc { .. }"
}

future! {
    /// The future of [`RwLock::write`].
    Write ['a, T: ?Sized] ['a, T] (value: PhantomData<T>)
    Exclusive<core::Write<'a, T, Bare>> => RwLockWriteGuard<'a, T>,
    |inner| RwLockWriteGuard::new(inner), shown "Write { .. }"
}

future! {
    /// The future of [`RwLock::write_arc`].
    WriteArc ['a, T: ?Sized] ['a, T] (lock: PhantomData<&'a Arc<RwLock<T>>>)
    core::WriteOwned<T, RwLock<T>, Bare> => RwLockWriteGuardArc<T>,
    |inner| RwLockWriteGuardArc::new(inner), shown "WriteArc { .. }"
}

future! {
    /// The future of [`RwLockUpgradableReadGuard::upgrade`].
    Upgrade ['a, T: ?Sized] ['a, T] (value: PhantomData<T>)
    Exclusive<core::Upgrade<'a, T, Bare>> => RwLockWriteGuard<'a, T>,
    |inner| RwLockWriteGuard::new(inner), shown "Upgrade"
}

future! {
    /// The future of [`RwLockUpgradableReadGuardArc::upgrade`].
    UpgradeArc [T: ?Sized] [T] (value: PhantomData<T>)
    Exclusive<core::UpgradeOwned<T, RwLock<T>, Bare>> => RwLockWriteGuardArc<T>,
    |inner| RwLockWriteGuardArc::new(inner), shown "ArcUpgrade"
}

/// Shared access to the value of a [`RwLock`]; ends when it is dropped, also by a
/// panic that unwinds. There is no poisoning.
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    inner: core::RwLockReadGuard<'a, T>,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    #[inline]
    fn new(inner: core::RwLockReadGuard<'a, T>) -> Self {
        Self { inner }
    }
}

guard!([T: ?Sized] RwLockReadGuard<'_, T> => T);

/// A [`RwLockReadGuard`] that owns a share of the lock, and has no lifetime.
#[clippy::has_significant_drop]
pub struct RwLockReadGuardArc<T: ?Sized> {
    inner: core::HiddenReadGuard<T>,
}

impl<T: ?Sized> RwLockReadGuardArc<T> {
    #[inline]
    fn new(guard: core::OwnedRwLockReadGuard<T, RwLock<T>>) -> Self {
        let inner = core::OwnedRwLockReadGuard::hide_owner(guard);
        Self { inner }
    }
}

guard!([T: ?Sized] RwLockReadGuardArc<T> => T);

/// Shared access to the value of a [`RwLock`], which can become exclusive access
/// without anybody writing in between. There is one at a time, beside any number
/// of [`RwLockReadGuard`]s.
#[clippy::has_significant_drop]
pub struct RwLockUpgradableReadGuard<'a, T: ?Sized> {
    inner: ValueOnly<core::RwLockUpgradableReadGuard<'a, T>>,
}

impl<'a, T: ?Sized> RwLockUpgradableReadGuard<'a, T> {
    #[inline]
    fn new(guard: core::RwLockUpgradableReadGuard<'a, T>) -> Self {
        let inner = ValueOnly::new(guard);
        Self { inner }
    }
}

guard!([T: ?Sized] RwLockUpgradableReadGuard<'_, T> => T);

/// A [`RwLockUpgradableReadGuard`] that owns a share of the lock, and has no
/// lifetime.
#[clippy::has_significant_drop]
pub struct RwLockUpgradableReadGuardArc<T: ?Sized> {
    inner: ValueOnly<core::OwnedRwLockUpgradableReadGuard<T, RwLock<T>>>,
}

impl<T: ?Sized> RwLockUpgradableReadGuardArc<T> {
    #[inline]
    fn new(guard: core::OwnedRwLockUpgradableReadGuard<T, RwLock<T>>) -> Self {
        let inner = ValueOnly::new(guard);
        Self { inner }
    }
}

guard!([T: ?Sized] RwLockUpgradableReadGuardArc<T> => T);

/// Exclusive access to the value of a [`RwLock`]; ends when it is dropped, also by
/// a panic that unwinds. There is no poisoning.
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    inner: ValueOnly<core::RwLockWriteGuard<'a, T>>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    #[inline]
    fn new(guard: core::RwLockWriteGuard<'a, T>) -> Self {
        let inner = ValueOnly::new(guard);
        Self { inner }
    }
}

guard_mut!([T: ?Sized] RwLockWriteGuard<'_, T> => T);

/// A [`RwLockWriteGuard`] that owns a share of the lock, and has no lifetime.
#[clippy::has_significant_drop]
pub struct RwLockWriteGuardArc<T: ?Sized> {
    inner: ValueOnly<core::OwnedRwLockWriteGuard<T, RwLock<T>>>,
}

impl<T: ?Sized> RwLockWriteGuardArc<T> {
    #[inline]
    fn new(guard: core::OwnedRwLockWriteGuard<T, RwLock<T>>) -> Self {
        let inner = ValueOnly::new(guard);
        Self { inner }
    }
}

guard_mut!([T: ?Sized] RwLockWriteGuardArc<T> => T);

/// What a guard can become: the same for those that borrow and those that own.
macro_rules! changes {
    (
        [$($generics:tt)*] $new:literal, $prefix:literal,
        $read:ident, $upgradable:ident, $write:ident, $upgrade:ident ($($args:tt)*)
        of $core_upgradable:ident, $core_write:ident
    ) => {
        impl<$($generics)*> $upgradable<$($args)*> {
            /// Makes it a plain read guard, and lets in the next who wants to read
            /// upgradably. Nobody writes in between.
            ///
            /// ```
            /// use anysync_smol::lock::RwLock;
            #[doc = concat!("use anysync_smol::lock::", stringify!($upgradable), " as Upgradable;")]
            ///
            #[doc = concat!("let lock = ", $new, ";")]
            #[doc = concat!("let reader = Upgradable::downgrade(lock.upgradable_read", $prefix, "_blocking());")]
            /// assert!(lock.try_upgradable_read().is_some());
            /// # drop(reader);
            /// ```
            #[inline]
            pub fn downgrade(guard: Self) -> $read<$($args)*> {
                $read::new(core::$core_upgradable::downgrade(ValueOnly::into_guard(guard.inner)))
            }

            /// Makes it a write guard if nobody else reads. Never waits, and passes
            /// those who do.
            ///
            /// # Errors
            ///
            /// Gives the guard back when somebody reads.
            ///
            /// ```
            /// use anysync_smol::lock::RwLock;
            #[doc = concat!("use anysync_smol::lock::", stringify!($upgradable), " as Upgradable;")]
            ///
            #[doc = concat!("let lock = ", $new, ";")]
            #[doc = concat!("let upgradable = lock.upgradable_read", $prefix, "_blocking();")]
            /// let reader = lock.read_blocking();
            /// let upgradable = Upgradable::try_upgrade(upgradable).unwrap_err();
            /// drop(reader);
            /// assert!(Upgradable::try_upgrade(upgradable).is_ok());
            /// ```
            #[inline]
            pub fn try_upgrade(guard: Self) -> Result<$write<$($args)*>, Self> {
                match core::$core_upgradable::try_upgrade(ValueOnly::into_guard(guard.inner)) {
                    Ok(guard) => Ok($write::new(guard)),
                    Err(guard) => Err(Self::new(guard)),
                }
            }

            /// Waits until nobody else reads, and returns a write guard. From the
            /// guard that is used up here to the one that is returned nobody else
            /// writes.
            ///
            /// ```
            /// use anysync_smol::lock::RwLock;
            #[doc = concat!("use anysync_smol::lock::", stringify!($upgradable), " as Upgradable;")]
            ///
            /// smol::block_on(async {
            #[doc = concat!("    let lock = ", $new, ";")]
            #[doc = concat!("    let current = lock.upgradable_read", $prefix, "().await;")]
            ///     if *current == 1 {
            ///         *Upgradable::upgrade(current).await = 2;
            ///     }
            ///     assert_eq!(*lock.read().await, 2);
            /// });
            /// ```
            ///
            /// # Fairness
            ///
            /// Passes all who wait: from its first poll on nobody else is let in.
            ///
            /// # Cancel safety
            ///
            /// Dropped, it gives back the upgradable read as well, since the guard
            /// was used up.
            #[inline]
            pub fn upgrade(guard: Self) -> $upgrade<$($args)*> {
                let guard = ValueOnly::into_guard(guard.inner);
                $upgrade {
                    inner: Exclusive::new(core::$core_upgradable::upgrade(guard, Bare)),
                    value: PhantomData,
                }
            }

            /// [`upgrade`](Self::upgrade) for threads: it blocks.
            #[inline]
            #[cfg(feature = "std")]
            pub fn upgrade_blocking(guard: Self) -> $write<$($args)*> {
                Bare.block_on(Self::upgrade(guard))
            }
        }

        impl<$($generics)*> $write<$($args)*> {
            /// Makes it a read guard. Nobody writes in between; readers who wait
            /// before the next writer are let in.
            ///
            /// ```
            /// use anysync_smol::lock::RwLock;
            #[doc = concat!("use anysync_smol::lock::", stringify!($write), " as Writer;")]
            ///
            #[doc = concat!("let lock = ", $new, ";")]
            #[doc = concat!("let reader = Writer::downgrade(lock.write", $prefix, "_blocking());")]
            /// assert!(lock.try_read().is_some());
            /// # drop(reader);
            /// ```
            #[inline]
            pub fn downgrade(guard: Self) -> $read<$($args)*> {
                $read::new(core::$core_write::downgrade(ValueOnly::into_guard(guard.inner)))
            }

            /// Makes it an upgradable read guard. Nobody writes in between; readers
            /// who wait before the next writer are let in.
            ///
            /// ```
            /// use anysync_smol::lock::RwLock;
            #[doc = concat!("use anysync_smol::lock::", stringify!($write), " as Writer;")]
            ///
            #[doc = concat!("let lock = ", $new, ";")]
            #[doc = concat!("let reader = Writer::downgrade_to_upgradable(lock.write", $prefix, "_blocking());")]
            /// assert!(lock.try_read().is_some());
            /// # drop(reader);
            /// ```
            #[inline]
            pub fn downgrade_to_upgradable(guard: Self) -> $upgradable<$($args)*> {
                let guard = ValueOnly::into_guard(guard.inner);
                $upgradable::new(core::$core_write::downgrade_to_upgradable(guard))
            }
        }
    };
}

changes! {
    ['a, T: ?Sized] "RwLock::new(1)", "",
    RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard, Upgrade ('a, T)
    of RwLockUpgradableReadGuard, RwLockWriteGuard
}

changes! {
    [T: ?Sized] "std::sync::Arc::new(RwLock::new(1))", "_arc",
    RwLockReadGuardArc, RwLockUpgradableReadGuardArc, RwLockWriteGuardArc, UpgradeArc (T)
    of OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard
}
