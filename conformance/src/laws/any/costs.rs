//! What waiting and cancelling may cost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cx::{Cx, DynIo};
use crate::erased::BoxFuture;
use crate::subject::Waiting;
use crate::wakers::poll_noop;

#[cfg(not(feature = "count-allocations"))]
pub(super) async fn waits_without_allocation(cx: Cx, _: Arc<dyn Waiting>) {
    cx.skip("the kit was built without its feature `count-allocations`");
}

#[cfg(feature = "count-allocations")]
pub(super) async fn waits_without_allocation(cx: Cx, waiting: Arc<dyn Waiting>) {
    use std::task::Waker;

    use crate::laws::hand::Hand;
    use crate::wakers::{counting, poll};

    let io = cx.io();
    // Once for what the thread sets up when it does all this for the first time.
    for warm in [false, true] {
        let (mut queued, mut late) = (0, 0);
        let mut count = |what: &mut dyn FnMut()| {
            queued += allocation_counter::measure(what).count_total;
        };

        let primitive = waiting.fresh(2);
        let mut hands = [0; 2].map(|_| Hand::new(primitive.wait(&io)));
        for hand in &mut hands {
            count(&mut || hand.assert_pending("a wait that nobody has signalled"));
        }
        primitive.signal();
        count(&mut || hands[0].assert_ready("the first in the queue"));
        drop(hands);

        // One that comes later, and may be ready at once.
        let mut wait = primitive.wait(&io);
        late += allocation_counter::measure(|| {
            let _ = poll(wait.as_mut(), Waker::noop());
            drop(wait);
        })
        .count_total;

        // Another waker, and the end in the queue.
        let primitive = waiting.fresh(1);
        let mut wait = Some(primitive.wait(&io));
        let (_, other) = counting();
        for waker in [Waker::noop(), &other] {
            let wait = wait.as_mut().expect("it is there");
            count(&mut || assert!(poll(wait.as_mut(), waker).is_pending(), "it is ready early"));
        }
        count(&mut || wait = None);
        if warm {
            assert_eq!(
                (queued, late),
                (0, 0),
                "allocations from the first poll to the end: of waits that queue, and of one that \
                 comes later"
            );
        }
        cx.yield_turns(1).await;
    }
}

/// A cost that does not depend on the number of waiters grows by what the
/// caches lose; one that is linear in it, a hundredfold.
const FEW: usize = 1_000;
const MANY: usize = 100_000;
const GENEROUS: u32 = 20;

pub(super) async fn cancel_is_constant_time(cx: Cx, waiting: Arc<dyn Waiting>) {
    let io = cx.io();
    let mut measured = Vec::new();
    for _ in 0..3 {
        let few = cost_of_cancelling(&*waiting, &io, FEW);
        cx.yield_turns(1).await;
        let many = cost_of_cancelling(&*waiting, &io, MANY);
        cx.yield_turns(1).await;
        if many < few * GENEROUS {
            return;
        }
        measured.push(format!("{few:?} among {FEW}, {many:?} among {MANY}"));
    }
    panic!(
        "cancelling gets slower the more are waiting; the median of a batch was: {}",
        measured.join("; ")
    );
}

/// The median time that a batch of waits takes to be dropped in the middle of
/// `waits`. The median, as the system may take the processor away in between.
fn cost_of_cancelling(waiting: &dyn Waiting, io: &DynIo, waits: usize) -> Duration {
    const BATCHES: usize = 15;
    const BATCH: usize = 20;
    let primitive = waiting.fresh(waits);
    let mut queue: Vec<Option<BoxFuture<'_, ()>>> = (0..waits)
        .map(|_| {
            let mut wait = primitive.wait(io);
            assert!(poll_noop(wait.as_mut()).is_pending(), "it is ready early");
            Some(wait)
        })
        .collect();
    let middle = (waits - BATCHES * BATCH) / 2;
    let mut times: Vec<Duration> = queue[middle..middle + BATCHES * BATCH]
        .chunks_mut(BATCH)
        .map(|batch| {
            let start = Instant::now();
            batch.fill_with(|| None);
            start.elapsed()
        })
        .collect();
    times.sort();
    if let Some(queued) = primitive.queued() {
        assert_eq!(queued, waits - BATCHES * BATCH, "how many are still queued");
    }
    // From the back, which is cheap even where the middle is not.
    while queue.pop().is_some() {}
    times[BATCHES / 2]
}
