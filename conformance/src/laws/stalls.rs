//! How long one call holds up those of another thread.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::cx::Gate;
use crate::log::yield_thread;
use crate::subject::LongCall;

/// How often a thing is measured. A thread may lose its processor at any moment, but not
/// at the same one each time.
pub(super) const TRIES: usize = 5;

/// Calls one long call, while another thread makes short ones: none of these is to take
/// as long as a good part of it.
///
/// The system may take the processor away from the other thread at any moment, which then
/// seems to be held up: so it is tried until it was not, twice. What holds a lock for all
/// of a call does so at each try.
pub(super) fn held_up(fresh: &dyn Fn(usize) -> LongCall) -> Option<String> {
    /// So much that a long call takes several of the system's time slices: the other
    /// thread has lost its processor for one of them at most, if nothing holds it up.
    const SIZE: usize = if cfg!(debug_assertions) {
        1 << 18
    } else {
        1 << 21
    };
    /// What is over sooner holds up no thread.
    const SHORT: Duration = Duration::from_millis(5);
    const ENOUGH: usize = 2;
    const MOST: usize = 15;
    let (mut held, mut free) = (Vec::new(), 0);
    while free < ENOUGH && held.len() + free < MOST {
        let call = fresh(SIZE);
        let name = call.name;
        let (took, longest) = beside(call);
        if took > SHORT && longest * 3 > took {
            held.push(format!("{name}: {took:?}; of another thread: {longest:?}"));
        } else {
            free += 1;
        }
    }
    (free < ENOUGH).then(|| held.join("\n"))
}

/// How long a call takes, and the longest call of another thread meanwhile.
fn beside(call: LongCall) -> (Duration, Duration) {
    let LongCall { long, other, .. } = call;
    let (calls, begun) = (AtomicUsize::new(0), AtomicBool::new(false));
    let stop = Gate::new();
    thread::scope(|scope| {
        let others = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            while !stop.is_open() {
                let start = Instant::now();
                other();
                let took = start.elapsed();
                if begun.load(Ordering::SeqCst) {
                    longest = longest.max(took);
                }
                calls.fetch_add(1, Ordering::SeqCst);
            }
            longest
        });
        let _stops = stop.open_on_drop();
        while calls.load(Ordering::SeqCst) < 100 {
            yield_thread();
        }
        let start = Instant::now();
        begun.store(true, Ordering::SeqCst);
        long();
        let took = start.elapsed();
        stop.open();
        (took, others.join().expect("it does not panic"))
    })
}
