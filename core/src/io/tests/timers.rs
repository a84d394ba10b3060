use core::cell::Cell;
use core::future::{Ready, pending, poll_fn, ready};
use core::ops::Add;
use core::panic::Location;
use core::pin::pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::rc::Rc;
use std::string::ToString;
use std::time::Instant;

use crate::io::{Elapsed, saturating_deadline};
use crate::test_util::poll_noop;
use crate::{Io, Timer};

/// A clock of milliseconds that is set by hand.
#[derive(Clone, Default)]
struct Clock(Rc<Cell<u64>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct At(u64);

impl Add<Duration> for At {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0 + u64::try_from(duration.as_millis()).unwrap())
    }
}

struct Sleep(Clock, At);

impl Future for Sleep {
    type Output = ();

    fn poll(self: core::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0.now() >= self.1 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Io for Clock {}

impl Timer for Clock {
    type Instant = At;
    type Sleep = Sleep;

    fn now(&self) -> At {
        At(self.0.get())
    }

    fn sleep_until(&self, at: At) -> Sleep {
        Sleep(self.clone(), at)
    }
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn sleep_ends_at_its_deadline() {
    let clock = Clock::default();
    clock.0.set(10);
    assert_eq!(clock.deadline(5 * MS), At(15));
    let mut sleep = pin!(clock.sleep(5 * MS));
    assert!(poll_noop(sleep.as_mut()).is_pending());
    clock.0.set(14);
    assert!(poll_noop(sleep.as_mut()).is_pending());
    clock.0.set(15);
    assert!(poll_noop(sleep.as_mut()).is_ready());
}

#[test]
fn timeout_cancels_the_inner_future() {
    let clock = Clock::default();
    let value = Rc::new(());
    let mut timeout = pin!(clock.timeout(5 * MS, {
        let value = value.clone();
        async move {
            let _value = value;
            pending::<()>().await;
        }
    }));
    assert!(poll_noop(timeout.as_mut()).is_pending());
    assert_eq!(Rc::strong_count(&value), 2);
    clock.0.set(5);
    assert!(matches!(
        poll_noop(timeout.as_mut()),
        Poll::Ready(Err(Elapsed { .. }))
    ));
    assert_eq!(
        Rc::strong_count(&value),
        1,
        "dropped, though the timeout lives"
    );
}

#[test]
fn ready_future_beats_an_elapsed_timeout() {
    let clock = Clock::default();
    clock.0.set(10);
    let timeout = pin!(clock.timeout_at(At(5), ready(42)));
    assert_eq!(poll_noop(timeout), Poll::Ready(Ok(42)));
    let timeout = pin!(clock.timeout_at(At(5), pending::<()>()));
    assert!(matches!(poll_noop(timeout), Poll::Ready(Err(_))));
}

#[test]
fn finished_future_is_dropped_before_its_value_is_returned() {
    let clock = Clock::default();
    let value = Rc::new(());
    let mut timeout = pin!(clock.timeout(MS, {
        let value = value.clone();
        poll_fn(move |_| Poll::Ready(Rc::strong_count(&value)))
    }));
    assert_eq!(poll_noop(timeout.as_mut()), Poll::Ready(Ok(2)));
    assert_eq!(Rc::strong_count(&value), 1);
}

#[test]
#[should_panic(expected = "`Timeout` was polled after it had finished")]
fn completed_timeout_panics_clearly() {
    let mut timeout = pin!(Clock::default().timeout(MS, ready(())));
    assert!(poll_noop(timeout.as_mut()).is_ready());
    let _ = poll_noop(timeout.as_mut());
}

#[test]
fn elapsed_says_so() {
    let clock = Clock::default();
    let timeout = pin!(clock.timeout(Duration::ZERO, pending::<()>()));
    let Poll::Ready(Err(elapsed)) = poll_noop(timeout) else {
        panic!("the time is over");
    };
    assert_eq!(
        elapsed.to_string(),
        "the time limit was reached before the future was ready"
    );
}

#[test]
fn deadline_saturates() {
    let now = Instant::now();
    let hour = Duration::from_secs(3600);
    assert_eq!(saturating_deadline(now, hour), now + hour);
    assert!(saturating_deadline(now, Duration::MAX) > now + 29 * 365 * 24 * hour);
}

/// Remembers the caller that made it sleep, as an executor without a timer would blame
/// it.
#[derive(Default)]
struct Blaming(Cell<u32>);

impl Io for Blaming {}

impl Timer for Blaming {
    type Instant = At;
    type Sleep = Ready<()>;

    fn now(&self) -> At {
        At(0)
    }

    fn sleep_until(&self, _: At) -> Ready<()> {
        self.0.set(Location::caller().line());
        ready(())
    }
}

/// Also through pointers, and through the provided methods.
#[test]
fn missing_timer_blames_the_caller() {
    let timer = Blaming::default();
    let (by_ref, by_box) = (&&timer, std::boxed::Box::new(&timer));
    drop(timer.sleep_until(At(0)));
    assert_eq!(timer.0.get(), line!() - 1);
    drop(by_ref.sleep(MS));
    assert_eq!(timer.0.get(), line!() - 1);
    drop(by_ref.timeout(MS, ready(())));
    assert_eq!(timer.0.get(), line!() - 1);
    drop(by_box.timeout_at(At(0), ready(())));
    assert_eq!(timer.0.get(), line!() - 1);
}
