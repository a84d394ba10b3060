//! [`Barrier`] over [`anysync::Barrier`].

use ::core::fmt;

use anysync::Bare;
#[cfg(feature = "std")]
use anysync::Block;

use crate::translate::future;

/// Lets `n` tasks wait for each other, again and again.
///
/// ```
/// use anysync_smol::lock::Barrier;
///
/// static MEET: Barrier = Barrier::new(2);
///
/// smol::block_on(async {
///     let other = smol::spawn(async { MEET.wait().await.is_leader() });
///     let leads = MEET.wait().await.is_leader();
///     assert_ne!(leads, other.await);
/// });
/// ```
///
/// # Fairness
///
/// All of a generation are released as one.
///
/// # Cancel safety
///
/// A wait that is dropped before the release no longer counts; dropped after it,
/// it changes nothing.
///
/// # Better than the original
///
/// - In `async_lock` a wait that was dropped stays counted, so that the others
///   are released one too early.
/// - A wait allocates nothing, and the last to arrive is ready at its first
///   poll; in the original each wait also locks a `Mutex` twice.
///
/// # Differences
///
/// `Debug` shows `n` and not what is inside.
pub struct Barrier {
    inner: anysync::Barrier,
    // Core counts zero as one; `Debug` shows what was asked for.
    n: usize,
}

impl Barrier {
    /// A barrier for `n` waits; zero counts as one.
    ///
    /// ```
    /// static MEET: anysync_smol::lock::Barrier = anysync_smol::lock::Barrier::new(5);
    /// # let _ = &MEET;
    /// ```
    pub const fn new(n: usize) -> Self {
        Self {
            inner: anysync::Barrier::new(n),
            n,
        }
    }

    /// Arrives, and waits until `n` have; tells the last of them that it leads.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let barrier = anysync_smol::lock::Barrier::new(1);
    /// assert!(barrier.wait().await.is_leader());
    /// # })
    /// ```
    ///
    /// It arrives at its first poll.
    ///
    /// # Fairness
    ///
    /// All of a generation are released as one.
    ///
    /// # Cancel safety
    ///
    /// Dropped before the release it withdraws, in constant time.
    ///
    /// # Memory ordering
    ///
    /// Acquires what all of the generation released by arriving.
    pub fn wait(&self) -> BarrierWait<'_> {
        BarrierWait {
            inner: self.inner.wait(Bare),
        }
    }

    /// Arrives, and blocks the thread until `n` have. For threads, not for
    /// tasks.
    ///
    /// ```
    /// let barrier = anysync_smol::lock::Barrier::new(2);
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| barrier.wait_blocking());
    ///     barrier.wait_blocking();
    /// });
    /// ```
    #[cfg(feature = "std")]
    pub fn wait_blocking(&self) -> BarrierWaitResult {
        Bare.block_on(self.wait())
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("n", &self.n)
            .finish_non_exhaustive()
    }
}

future! {
    /// The future of [`Barrier::wait`].
    BarrierWait ['a] ['a] ()
    anysync::barrier::Wait<'a, Bare> => BarrierWaitResult,
    |is_leader| BarrierWaitResult { is_leader }, shown "BarrierWait { .. }"
}

/// What a wait on a [`Barrier`] returns.
#[derive(Clone, Debug)]
pub struct BarrierWaitResult {
    is_leader: bool,
}

impl BarrierWaitResult {
    /// Whether the wait was the last of its generation to arrive.
    ///
    /// ```
    /// # smol::block_on(async {
    /// use smol::future;
    /// use anysync_smol::lock::Barrier;
    ///
    /// let barrier = Barrier::new(2);
    /// let (first, last) = future::zip(barrier.wait(), barrier.wait()).await;
    /// assert!(!first.is_leader() && last.is_leader());
    /// # })
    /// ```
    pub fn is_leader(&self) -> bool {
        self.is_leader
    }
}
