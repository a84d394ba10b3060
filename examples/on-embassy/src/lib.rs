//! [`embassy-executor`](embassy_executor), on `std`, as a backend of the conformance
//! kit: what it takes to plug in an executor that was made for other machines.
//!
//! Three things are peculiar to it:
//!
//! - It runs for ever on most platforms; that of `std` has `run_until`, with a
//!   flag. Where there is none, a backend runs the executor on a thread of its own,
//!   and waits for the root's end on a channel.
//! - It lives for ever, as do the places of its tasks. So what a check used is
//!   leaked: some kilobytes each, and what unfinished tasks hold.
//! - It has a fixed number of tasks, in `static`s. Laws start any number, so each has
//!   a leaked place of its own.
//!
//! Its timer takes any waker only with one of the features `generic-queue-…`.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anysync::io::saturating_deadline;
use anysync::{Bare, Io, Timer};
use anysync_conformance::backend::{Backend, Capability, Face, Root};
use embassy_executor::raw::TaskStorage;
use embassy_executor::{Executor, Spawner};

// It defines the critical section.
use critical_section as _;

/// The executor with one thread that embassy has for `std`.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnEmbassy;

impl Backend for OnEmbassy {
    fn name(&self) -> &str {
        "embassy"
    }

    fn run(&self, root: Root) {
        let executor = Box::leak(Box::new(Executor::new()));
        let is_over = Rc::new(Cell::new(false));
        let ends = Rc::clone(&is_over);
        let init = |spawner| {
            let face = Face::new(Bare)
                .local_timer(EmbassyTimer)
                .local_tasks(move |task| start(spawner, task))
                .lacks(Capability::SpawnBlocking, "it has one thread")
                .lacks(
                    Capability::Block,
                    "it runs what lives for ever, and in a place of its own",
                )
                .lacks(Capability::Budget, "its tasks run until they wait");
            let root = root.on(face);
            let main = async move {
                root.await;
                ends.set(true);
            };
            start(spawner, Box::pin(main));
        };
        executor.run_until(init, || is_over.get());
    }
}

fn start(spawner: Spawner, task: Pin<Box<dyn Future<Output = ()>>>) {
    let place = Box::leak(Box::new(TaskStorage::new()));
    spawner.spawn(place.spawn(|| task).expect("a place of its own is free"));
}

/// embassy's clock, behind the instants of `std`.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbassyTimer;

impl Io for EmbassyTimer {}

impl Timer for EmbassyTimer {
    type Instant = Instant;
    type Sleep = embassy_time::Timer;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn deadline(&self, after: Duration) -> Instant {
        saturating_deadline(self.now(), after)
    }

    fn sleep_until(&self, at: Instant) -> embassy_time::Timer {
        let left = at.saturating_duration_since(self.now());
        // Its ticks are microseconds, and both ends are cut to one: never early.
        let ticks = match left.is_zero() {
            true => 0,
            false => u64::try_from(left.as_micros()).unwrap_or(u64::MAX) + 2,
        };
        embassy_time::Timer::after_micros(ticks)
    }
}
