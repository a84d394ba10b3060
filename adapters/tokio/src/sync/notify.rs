//! [`Notify`] over [`anysync::Notify`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use anysync::{Bare, notify as core};
use pin_project_lite::pin_project;

/// Wakes one waiting task, or all of them, and passes no data: the drop-in for
/// [`tokio::sync::Notify`].
///
/// [`notify_one`](Notify::notify_one) reaches the wait that has queued for longest,
/// or is stored as a permit that the next wait takes; permits do not add up.
/// [`notify_waiters`](Notify::notify_waiters) reaches every wait that has been
/// created, and leaves nothing behind.
///
/// ```
/// use std::sync::Arc;
/// use anysync_tokio::sync::Notify;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let ready = Arc::new(Notify::new());
/// let heard = tokio::spawn(ready.clone().notified_owned());
/// ready.notify_one();
/// heard.await.unwrap();
/// # }
/// ```
///
/// # Fairness
///
/// `notify_one` serves in the order in which the waits were first polled or
/// [enabled](Notified::enable).
///
/// # Cancel safety
///
/// A wait may be dropped at any moment. It loses its place; if `notify_one` had
/// chosen it, the signal goes to the next wait or becomes the permit.
///
/// # Memory ordering
///
/// What is written before a signal is visible after the wait that it ends.
///
/// # Better than the original
///
/// - `notify_waiters` is one event in time, whatever its wakers do meanwhile; one
///   of them that panics keeps nobody else from being woken.
/// - [`new`](Notify::new) is `const` too.
///
/// # Differences
///
/// The text of `Debug`.
#[derive(Default)]
pub struct Notify(anysync::Notify);

impl Notify {
    /// A signal that nobody has given yet.
    ///
    /// ```
    /// let notify = anysync_tokio::sync::Notify::new();
    /// # let _ = notify;
    /// ```
    #[inline]
    pub const fn new() -> Self {
        Self(anysync::Notify::new())
    }

    /// [`new`](Notify::new), by the name that the original has for constants.
    ///
    /// ```
    /// use anysync_tokio::sync::Notify;
    ///
    /// static READY: Notify = Notify::const_new();
    /// # let _ = &READY;
    /// ```
    #[inline]
    pub const fn const_new() -> Self {
        Self::new()
    }

    /// Waits for a signal.
    ///
    /// It counts for [`notify_waiters`](Notify::notify_waiters) from now on, and for
    /// [`notify_one`](Notify::notify_one) from its first poll or
    /// [`enable`](Notified::enable).
    ///
    /// ```
    /// use anysync_tokio::sync::Notify;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = Notify::new();
    /// notify.notify_one();
    /// notify.notified().await; // takes the permit
    /// # }
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves the queue in constant time; a signal of `notify_one` that
    /// it had won goes to the next.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the signal released.
    #[inline]
    pub fn notified(&self) -> Notified<'_> {
        Notified {
            inner: self.0.wait_future(),
            done: false,
        }
    }

    /// [`notified`](Notify::notified) with a future that owns a share of the
    /// `Notify`, and so has no lifetime.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::Notify;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = Arc::new(Notify::new());
    /// let heard = tokio::spawn(notify.clone().notified_owned());
    /// notify.notify_waiters();
    /// heard.await.unwrap();
    /// # }
    /// ```
    ///
    /// # Fairness, cancel safety, memory ordering
    ///
    /// As [`notified`](Notify::notified).
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        OwnedNotified {
            inner: anysync::Notify::wait_owned_by(self, |notify: &Self| &notify.0, Bare),
            done: false,
        }
    }

    /// Wakes the wait that has queued for longest, or stores one permit if none has.
    ///
    /// ```
    /// use anysync_tokio::sync::Notify;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = Notify::new();
    /// notify.notify_one();
    /// notify.notify_one(); // merges with the first
    /// notify.notified().await;
    /// # }
    /// ```
    #[inline]
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes the wait that has queued last, or stores one permit if none has.
    ///
    /// ```
    /// let notify = anysync_tokio::sync::Notify::new();
    /// notify.notify_last();
    /// # let _ = notify;
    /// ```
    #[inline]
    pub fn notify_last(&self) {
        self.0.notify_last();
    }

    /// Wakes every wait that exists: those that have queued, and those that have
    /// been created and not polled yet. Stores no permit and takes none away.
    ///
    /// ```
    /// use anysync_tokio::sync::Notify;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = Notify::new();
    /// let (one, other) = (notify.notified(), notify.notified());
    /// notify.notify_waiters();
    /// one.await;
    /// other.await;
    /// # }
    /// ```
    #[inline]
    pub fn notify_waiters(&self) {
        self.0.notify_all();
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The futures are alike but for what they hold the `Notify` by.
macro_rules! notified {
    ($(#[$meta:meta])* $name:ident $(<$lifetime:lifetime>)?, $inner:ty) => {
        pin_project! {
            $(#[$meta])*
            #[must_use = "futures do nothing unless you `.await` or poll them"]
            pub struct $name $(<$lifetime>)? {
                #[pin]
                inner: $inner,
                // What core's wait does not allow: to be asked after its end.
                done: bool,
            }
        }

        impl $(<$lifetime>)? $name $(<$lifetime>)? {
            /// Queues the wait now, as its first poll would, without a waker: from
            /// here on it counts for `notify_one` too.
            ///
            /// `true` if it is ready: it has taken the permit, or been woken. Then
            /// each poll is ready as well, and what it took is used up.
            ///
            /// Enable, look at the condition, then await: a signal that comes in
            /// between is not lost, however many others wait.
            ///
            /// ```
            /// use std::pin::pin;
            /// use anysync_tokio::sync::Notify;
            ///
            /// async fn wait_until(changed: &Notify, done: impl Fn() -> bool) {
            ///     loop {
            ///         let mut wait = pin!(changed.notified());
            ///         wait.as_mut().enable();
            ///         if done() {
            ///             return;
            ///         }
            ///         wait.await;
            ///     }
            /// }
            /// ```
            pub fn enable(self: Pin<&mut Self>) -> bool {
                let mut this = self.project();
                if !*this.done && this.inner.as_mut().enable() {
                    // It has won, so this poll ends it.
                    let end = this.inner.poll(&mut Context::from_waker(Waker::noop()));
                    debug_assert!(end.is_ready());
                    *this.done = true;
                }
                *this.done
            }
        }

        impl $(<$lifetime>)? Future for $name $(<$lifetime>)? {
            type Output = ();

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
                let this = self.project();
                if !*this.done {
                    ready!(this.inner.poll(cx));
                    *this.done = true;
                }
                Poll::Ready(())
            }
        }

        impl $(<$lifetime>)? fmt::Debug for $name $(<$lifetime>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("done", &self.done)
                    .finish_non_exhaustive()
            }
        }
    };
}

notified! {
    /// The future of [`Notify::notified`].
    ///
    /// Polled again after its end, it is ready again.
    Notified<'a>, core::Wait<'a>
}

notified! {
    /// The future of [`Notify::notified_owned`].
    ///
    /// Polled again after its end, it is ready again.
    OwnedNotified, core::OwnedWait<Bare, Notify>
}
