//! Letting the other tasks of an executor run.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// Lets the other tasks that are ready run before this one goes on.
///
/// It wakes its own task and returns pending once, which every executor takes
/// as "put me behind the others". It needs no handle.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "std")]
/// # fn main() {
/// use anysync::{Bare, Block};
///
/// Bare.block_on(async {
///     anysync::yield_now().await;
/// });
/// # }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// The future of [`yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited or polled"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
