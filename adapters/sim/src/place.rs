//! Where in the user's code a task waits: the task is polled once more, with a
//! waker that looks who clones it.
//!
//! Whatever waits has to clone the waker of the poll, since this one is new to it.
//! The frames on the stack at that moment are the futures that the task is in, and
//! each has the line of its `await`.

use std::backtrace::Backtrace;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};

use cooked_waker::{IntoWaker, Wake, WakeRef};

/// How many places of one wait are told, from the inside out.
const PLACES: usize = 3;

/// Functions that stand between the user's own: of the library and its tools.
const FOREIGN: [&str; 2] = ["anysync::", "anysync_sim::"];

/// Folders of other people's code: the standard library's, and dependencies.
const ELSEWHERE: [&str; 3] = ["/rustc/", "/rustlib/", "/registry/src/"];

/// The frame of the run itself, beyond which nothing is the task's.
const OUTERMOST: &str = "anysync_sim::world::";

/// What `poll` returns, and, if they are wanted, where the clones of its waker are
/// made: each is a list of `file:line:column`.
pub(crate) fn where_it_waits<T>(
    is_wanted: bool,
    poll: impl FnOnce(&mut Context<'_>) -> T,
) -> (T, Vec<String>) {
    if !is_wanted {
        return (poll(&mut Context::from_waker(Waker::noop())), Vec::new());
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let waker: Waker = Box::new(Spy(Arc::clone(&seen))).into_waker();
    let polled = poll(&mut Context::from_waker(&waker));
    let clones = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    let mut waits = Vec::new();
    for backtrace in clones {
        let places = places(&backtrace.to_string());
        if !places.is_empty() && !waits.contains(&places) {
            waits.push(places);
        }
    }
    (polled, waits)
}

/// The places of the user's own frames.
fn places(backtrace: &str) -> String {
    let mut places: Vec<&str> = Vec::new();
    let mut is_foreign = true;
    for line in backtrace.lines().map(str::trim) {
        if let Some(place) = line.strip_prefix("at ") {
            let place = place.strip_prefix("./").unwrap_or(place);
            let is_foreign = is_foreign || ELSEWHERE.iter().any(|folder| place.contains(folder));
            if !is_foreign && places.last() != Some(&place) && places.len() < PLACES {
                places.push(place);
            }
        } else if let Some((_, function)) = line.split_once(": ") {
            if function.contains(OUTERMOST) {
                break;
            }
            let function = function.trim_start_matches(['<', '&']);
            is_foreign = FOREIGN.iter().any(|prefix| function.starts_with(prefix));
        }
    }
    places.join(", in ")
}

struct Spy(Arc<Mutex<Vec<Backtrace>>>);

impl Clone for Spy {
    fn clone(&self) -> Self {
        let backtrace = Backtrace::force_capture();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(backtrace);
        drop(seen);
        Self(Arc::clone(&self.0))
    }
}

impl WakeRef for Spy {
    fn wake_by_ref(&self) {}
}

impl Wake for Spy {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_frames_of_the_user_are_told() {
        let backtrace = "\
   0: <anysync_sim::place::Spy as core::clone::Clone>::clone
             at ./src/place.rs:70:25
   1: anysync::notify::Notify::wait
             at /home/me/.cargo/registry/src/anysync/src/notify.rs:10:5
   2: pool::Pool::get::{{closure}}
             at ./src/pool.rs:30:17
   3: <core::pin::Pin<P> as core::future::future::Future>::poll
             at /rustc/1/library/core/src/future/future.rs:133:9
   4: program::client::{{closure}}
             at ./src/main.rs:12:34
   5: anysync_sim::world::World::run
             at ./src/world.rs:1:1
   6: program::main
             at ./src/main.rs:40:5";
        assert_eq!(places(backtrace), "src/pool.rs:30:17, in src/main.rs:12:34");
    }

    #[test]
    fn backtrace_without_names_tells_nothing() {
        assert_eq!(places("   0: <unknown>\n   1: <unknown>"), "");
    }
}
