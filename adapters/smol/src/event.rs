//! The drop-in for [event-listener](https://docs.rs/event-listener/5.4) 5.4:
//! change `use event_listener::` to `use anysync_smol::event::`.
//!
//! An [`Event`] tells so many of those who listen; it is what primitives are made
//! of. Listen, look at the condition, and wait if it has not come about:
//!
//! ```
//! use std::sync::atomic::{AtomicBool, Ordering};
//! use anysync_smol::event::{Event, Listener, listener};
//!
//! static DONE: AtomicBool = AtomicBool::new(false);
//! static CHANGED: Event = Event::new();
//!
//! std::thread::spawn(|| {
//!     DONE.store(true, Ordering::Release);
//!     CHANGED.notify(usize::MAX);
//! });
//! while !DONE.load(Ordering::Acquire) {
//!     listener!(CHANGED => listener);
//!     if !DONE.load(Ordering::Acquire) {
//!         listener.wait();
//!     }
//! }
//! ```
//!
//! # Fairness
//!
//! Who listens first is told first.
//!
//! # Cancel safety
//!
//! A listener may be dropped at any moment. One that is notified passes that on,
//! unless it was not additional and another is notified already.
//!
//! # Better than the original
//!
//! - Wakers, and the functions that make tags, run outside the lock. In
//!   `event_listener` a waker that listens to the same event waits for ever.
//! - A notification for many is one event also if a waker panics: all are woken.
//! - [`Event::is_notified`] is true while somebody is notified and at no other
//!   time.
//!
//! # Differences
//!
//! - `relaxed` changes nothing: what a fence is for is done by the change of the
//!   event's state.
//! - Notifying with a tag that takes space allocates.
//! - Only what is named here is public: the original's `__private` is not.
//!
//! # Without the standard library
//!
//! As event-listener, without its default features: what blocks a thread is behind the
//! feature `std`, and smol's executors are behind `executor`.

use ::core::fmt;
use ::core::future::Future;
use ::core::panic::{RefUnwindSafe, UnwindSafe};
use ::core::pin::Pin;
use ::core::ptr;
use ::core::task::{Context, Poll};
use alloc::boxed::Box;
use alloc::sync::Arc;
#[cfg(feature = "std")]
use std::sync::OnceLock;
#[cfg(feature = "std")]
use std::time::{Duration, Instant};

use anysync::event as core;
#[cfg(feature = "std")]
use anysync::io::{block_on, block_on_until};

use anysync::Bare;
#[cfg(not(feature = "std"))]
use once::OnceLock;

mod notification;
#[cfg(not(feature = "std"))]
mod once;

#[doc(inline)]
pub use crate::__listener as listener;
pub use notification::{IntoNotification, Notification};

use notification::Sealed as _;

/// Tells so many of those who listen.
///
/// ```
/// use anysync_smol::event::{Event, IntoNotification, Listener};
///
/// let event = Event::new();
/// let (one, two) = (event.listen(), event.listen());
/// assert_eq!(event.notify(1), 1);
/// assert_eq!(event.notify(1), 0);
/// assert_eq!(event.notify(1.additional()), 1);
/// one.wait();
/// two.wait();
/// ```
///
/// It is one [`anysync::Event`] behind an `Arc`, which its first use makes. So
/// listeners have no lifetime.
pub struct Event<T = ()> {
    inner: OnceLock<Arc<core::Event<T>>>,
}

impl Event {
    /// An event to which nobody listens.
    ///
    /// ```
    /// static CHANGED: anysync_smol::event::Event = anysync_smol::event::Event::new();
    /// assert_eq!(CHANGED.notify(1), 0);
    /// ```
    pub const fn new() -> Self {
        Self::with_tag()
    }

    /// `notify(n.relaxed())`.
    pub fn notify_relaxed(&self, n: usize) -> usize {
        self.notify(n.relaxed())
    }

    /// `notify(n.additional())`.
    pub fn notify_additional(&self, n: usize) -> usize {
        self.notify(n.additional())
    }

    /// `notify(n.additional().relaxed())`.
    pub fn notify_additional_relaxed(&self, n: usize) -> usize {
        self.notify(n.additional().relaxed())
    }
}

impl<T> Event<T> {
    /// An event whose notifications carry a `T`.
    pub const fn with_tag() -> Self {
        Self {
            inner: OnceLock::new(),
        }
    }

    fn inner(&self) -> &Arc<core::Event<T>> {
        self.inner.get_or_init(|| Arc::new(core::Event::with_tag()))
    }

    /// Whether a listener is notified, and has not returned that.
    ///
    /// ```
    /// let event = anysync_smol::event::Event::new();
    /// let listener = event.listen();
    /// assert!(!event.is_notified());
    /// event.notify(1);
    /// assert!(event.is_notified());
    /// # drop(listener);
    /// ```
    pub fn is_notified(&self) -> bool {
        self.inner.get().is_some_and(|it| it.notified_count() > 0)
    }

    /// Listens from now on. The listener is allocated; see [`listener!`] for one
    /// that is not.
    ///
    /// # Fairness
    ///
    /// Who listens first is told first.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the listener leaves in constant time, or passes on what it was
    /// notified of.
    ///
    /// # Memory ordering
    ///
    /// What was done before a notification that came too early is visible from now
    /// on.
    pub fn listen(&self) -> EventListener<T> {
        let mut inner = Box::pin(self.inner().clone().listener_owned(Bare));
        inner.as_mut().listen();
        EventListener { inner }
    }

    /// Tells as many listeners as `notify` says; those that are notified already
    /// are among them, unless it is [additional](IntoNotification::additional).
    /// Returns how many it told.
    ///
    /// # Panics
    ///
    /// For a negative number. Passes on a panic of a waker, when all have been
    /// woken.
    pub fn notify(&self, notify: impl IntoNotification<Tag = T>) -> usize {
        // It meets who listens there, also if it is the first to come.
        notify.into_notification().tell(self.inner())
    }

    /// How many listen or are notified, at this moment.
    pub fn total_listeners(&self) -> usize {
        self.inner.get().map_or(0, |it| it.listener_count())
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> UnwindSafe for Event<T> {}
impl<T> RefUnwindSafe for Event<T> {}

impl<T> fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.inner.get() {
            None => f
                .debug_tuple("Event")
                .field(&format_args!("<uninitialized>"))
                .finish(),
            Some(inner) => f
                .debug_struct("Event")
                .field("listeners_notified", &inner.notified_count())
                .field("listeners_total", &inner.listener_count())
                .finish(),
        }
    }
}

/// What listens to an [`Event`]: a future, which can also block.
pub trait Listener<T = ()>: Future<Output = T> + sealed::Sealed {
    /// Blocks the thread until it is notified. For threads, not for tasks.
    #[cfg(feature = "std")]
    fn wait(self) -> T;

    /// Blocks the thread until it is notified, but no longer than `timeout`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use anysync_smol::event::{Event, Listener};
    ///
    /// let event = Event::new();
    /// assert_eq!(event.listen().wait_timeout(Duration::from_millis(1)), None);
    /// ```
    #[cfg(feature = "std")]
    fn wait_timeout(self, timeout: Duration) -> Option<T>;

    /// Blocks the thread until it is notified, but not after `deadline`.
    #[cfg(feature = "std")]
    fn wait_deadline(self, deadline: Instant) -> Option<T>;

    /// Stops listening, and passes nothing on; `true` if it was notified.
    fn discard(self) -> bool;

    /// Whether it listens to `event`.
    fn listens_to(&self, event: &Event<T>) -> bool;

    /// Whether both listen to the same event.
    fn same_event(&self, other: &Self) -> bool;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! listener_impl {
    ([$($lifetimes:lifetime),*] $name:ident<$($args:tt),*>) => {
        impl<$($lifetimes,)* T> Future for $name<$($args),*> {
            type Output = T;

            #[inline]
            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
                self.inner.as_mut().poll(cx)
            }
        }

        impl<$($lifetimes,)* T> sealed::Sealed for $name<$($args),*> {}

        impl<$($lifetimes,)* T> Listener<T> for $name<$($args),*> {
            #[cfg(feature = "std")]
            fn wait(self) -> T {
                block_on(self)
            }

            #[cfg(feature = "std")]
            fn wait_timeout(self, timeout: Duration) -> Option<T> {
                match Instant::now().checked_add(timeout) {
                    Some(deadline) => self.wait_deadline(deadline),
                    None => Some(self.wait()),
                }
            }

            #[cfg(feature = "std")]
            fn wait_deadline(self, deadline: Instant) -> Option<T> {
                block_on_until(self, deadline).ok()
            }

            fn discard(mut self) -> bool {
                self.inner.as_mut().discard()
            }

            fn listens_to(&self, event: &Event<T>) -> bool {
                let inner = event.inner.get();
                inner.is_some_and(|it| ptr::eq(&**it, self.inner.event()))
            }

            fn same_event(&self, other: &Self) -> bool {
                ptr::eq(self.inner.event(), other.inner.event())
            }
        }

        impl<$($lifetimes,)* T> fmt::Debug for $name<$($args),*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }

        impl<$($lifetimes,)* T> UnwindSafe for $name<$($args),*> {}
        impl<$($lifetimes,)* T> RefUnwindSafe for $name<$($args),*> {}
    };
}

/// A listener on the heap, without a lifetime; made by [`Event::listen`].
pub struct EventListener<T = ()> {
    inner: Pin<Box<core::OwnedListener<T, Bare>>>,
}

listener_impl!([] EventListener<T>);

pin_project_lite::pin_project! {
    /// Where a [`StackListener`] lies; [`listener!`] makes one.
    pub struct StackSlot<'ev, T = ()> {
        #[pin]
        inner: core::Listener<'ev, T, Bare>,
    }
}

impl<'ev, T> StackSlot<'ev, T> {
    /// A slot for a listener of `event`.
    pub fn new(event: &'ev Event<T>) -> Self {
        Self {
            inner: event.inner().listener(Bare),
        }
    }

    /// Listens from now on, and until the slot is dropped.
    pub fn listen<'stack>(self: Pin<&'stack mut Self>) -> StackListener<'ev, 'stack, T> {
        let mut inner = self.project().inner;
        inner.as_mut().listen();
        StackListener { inner }
    }
}

impl<T> fmt::Debug for StackSlot<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackSlot").finish_non_exhaustive()
    }
}

/// A listener in a slot on the stack; made by [`listener!`].
pub struct StackListener<'ev, 'stack, T = ()> {
    inner: Pin<&'stack mut core::Listener<'ev, T, Bare>>,
}

listener_impl!(['ev, 'stack] StackListener<'ev, 'stack, T>);

/// Makes a listener on the stack, without allocation: `listener!(event => name)`.
///
/// It listens until the end of the block.
///
/// ```
/// use anysync_smol::event::{Event, Listener, listener};
///
/// let event = Event::new();
/// listener!(event => listener);
/// event.notify(1);
/// listener.wait();
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __listener {
    ($event:expr => $listener:ident) => {
        let $listener = ::core::pin::pin!($crate::event::StackSlot::new(&$event));
        #[allow(unused_mut)]
        let mut $listener = $listener.listen();
    };
}
