//! How long one call holds up those of another thread.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::subject::LongCall;

/// How often a thing is measured. A thread may lose its processor at any moment, but not
/// at the same one each time.
pub(super) const TRIES: usize = 5;

/// Calls one long call, while another thread makes short ones: it is to get on
/// meanwhile, at most of the tries.
pub(super) fn held_up(fresh: &dyn Fn(usize) -> LongCall) -> Option<String> {
    const SIZE: usize = 1 << 18;
    /// As many calls as may come before the long one has begun.
    const FEW: usize = 20;
    /// What is over sooner holds up nobody.
    const SHORT: Duration = Duration::from_millis(1);
    let mut told = Vec::new();
    for _ in 0..TRIES {
        let call = fresh(SIZE);
        let name = call.name;
        let (took, others) = beside(call);
        if took > SHORT && others < FEW {
            told.push(format!(
                "{name}: {others} calls of another thread in {took:?}"
            ));
        }
    }
    (told.len() > TRIES / 2).then(|| told.join("; "))
}

/// How long a call takes, and how many calls another thread makes meanwhile.
fn beside(call: LongCall) -> (Duration, usize) {
    let LongCall { long, other, .. } = call;
    let (calls, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                other();
                calls.fetch_add(1, Ordering::SeqCst);
            }
        });
        while calls.load(Ordering::SeqCst) < 100 {
            thread::yield_now();
        }
        let (start, before) = (Instant::now(), calls.load(Ordering::SeqCst));
        long();
        let (took, after) = (start.elapsed(), calls.load(Ordering::SeqCst));
        stop.store(true, Ordering::SeqCst);
        (took, after - before)
    })
}
