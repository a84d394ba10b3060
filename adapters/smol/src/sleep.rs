//! The timer: `async-io`'s, on the standard library's clock.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

/// The future of [`sleep`](anysync::Timer::sleep) and
/// [`sleep_until`](anysync::Timer::sleep_until).
///
/// It is driven by the timer's own thread, or by whoever blocks in this
/// executor's `block_on`, so it may be awaited on any executor.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited or polled"]
pub struct Sleep(smol::Timer);

impl Sleep {
    pub(crate) fn until(at: Instant) -> Self {
        Self(smol::Timer::at(at))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

/// Gives a handle its `Io` and its `Timer`: none of them has a budget, and all
/// have one clock.
macro_rules! impl_timer {
    ([$($generics:tt)*] $handle:ty) => {
        impl<$($generics)*> anysync::Io for $handle {}

        impl<$($generics)*> anysync::Timer for $handle {
            type Instant = std::time::Instant;
            type Sleep = $crate::Sleep;

            fn now(&self) -> Self::Instant {
                std::time::Instant::now()
            }

            fn deadline(&self, after: std::time::Duration) -> Self::Instant {
                anysync::io::saturating_deadline(self.now(), after)
            }

            fn sleep_until(&self, at: Self::Instant) -> Self::Sleep {
                $crate::Sleep::until(at)
            }
        }
    };
}
pub(crate) use impl_timer;
