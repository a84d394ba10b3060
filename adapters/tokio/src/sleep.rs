//! The timer: tokio's, on tokio's clock.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::coop::{Unconstrained, unconstrained};
use tokio::time::{self, Instant};

pin_project! {
    /// The future of [`sleep`](anysync::Timer::sleep) and
    /// [`sleep_until`](anysync::Timer::sleep_until).
    ///
    /// It belongs to the runtime in which it was made, which drives it wherever
    /// it is awaited.
    ///
    /// # Panics
    ///
    /// When it is polled after that runtime has shut down.
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Sleep {
        // Polled without the budget, which is spent here, and only once: beside
        // a future that uses up the budget in each poll, tokio's own would never
        // look at the time, and a timeout never end.
        #[pin]
        timer: Unconstrained<time::Sleep>,
        state: State,
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    Waiting,
    /// The time has come.
    Due,
    /// The budget has been asked, and the next poll is ready, come what may.
    Charged,
}

impl Sleep {
    /// Call it in the runtime that is to drive it.
    #[track_caller]
    pub(crate) fn until(at: Instant) -> Self {
        // tokio's timer counts in milliseconds and rounds up, also what is past.
        let is_past = at <= Instant::now();
        Self {
            timer: unconstrained(time::sleep_until(at)),
            state: if is_past { State::Due } else { State::Waiting },
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        match this.state {
            State::Waiting => ready!(this.timer.poll(cx)),
            State::Due => {}
            State::Charged => return Poll::Ready(()),
        }
        *this.state = State::Charged;
        crate::poll_spend(cx)
    }
}

/// The instant `after` from now on the clock of the runtime that is entered.
pub(crate) fn deadline(after: Duration) -> Instant {
    anysync::io::saturating_deadline(Instant::now().into_std(), after).into()
}
