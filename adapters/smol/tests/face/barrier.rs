// Included for each side, see `main.rs`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::thread;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use lock::futures::BarrierWait;
use lock::{Barrier, BarrierWaitResult};

use crate::support::{Task, now, within_a_minute};

static IN_A_STATIC: Barrier = Barrier::new(1);

assert_impl_all!(Barrier: Send, Sync, Unpin);
assert_impl_all!(BarrierWaitResult: Send, Sync, Unpin, Clone);
assert_impl_all!(BarrierWait<'static>: Send, Sync, Future<Output = BarrierWaitResult>);
assert_not_impl_any!(BarrierWait<'static>: Unpin);

#[test]
fn one_never_waits() {
    assert!(now(IN_A_STATIC.wait()).is_leader());
    assert!(IN_A_STATIC.wait_blocking().is_leader());
    assert!(now(Barrier::new(0).wait()).is_leader());
}

#[test]
fn the_last_leads_over_generations() {
    let barrier = Barrier::new(3);
    for _ in 0..3 {
        let (one, two) = (Task::new(), Task::new());
        let (mut first, mut second) = (pin!(barrier.wait()), pin!(barrier.wait()));
        one.pending(first.as_mut());
        two.pending(second.as_mut());
        assert!(now(barrier.wait()).is_leader());
        assert!(one.woken() && two.woken());
        assert!(!one.ready(first).is_leader());
        assert!(!two.ready(second).is_leader());
    }
}

#[test]
fn shows_as_text() {
    let barrier = Barrier::new(5);
    assert!(format!("{barrier:?}").starts_with("Barrier { n: 5, "));
    assert_eq!(format!("{:?}", barrier.wait()), "BarrierWait { .. }");
    let result = now(Barrier::new(1).wait());
    assert_eq!(
        format!("{result:?}"),
        "BarrierWaitResult { is_leader: true }"
    );
}

#[test]
fn threads_meet() {
    within_a_minute(|| {
        let barrier = Arc::new(Barrier::new(4));
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let barrier = barrier.clone();
                thread::spawn(move || {
                    (0..50)
                        .filter(|_| match n % 2 {
                            0 => barrier.wait_blocking().is_leader(),
                            _ => smol::block_on(barrier.wait()).is_leader(),
                        })
                        .count()
                })
            })
            .collect();
        let leads: usize = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum();
        assert_eq!(leads, 50);
    });
}
