//! The laws of an adapter: what a program may rely on, whichever executor it
//! runs on.

use std::sync::Arc;
use std::time::Duration;

use crate::backend::Capability::Timer;
use crate::cx::Cx;
use crate::law::{About, Law};
use crate::run;
use crate::subject::Subject;

pub(super) const LAWS: &[Law] = &[Law::must(
    "io::sleep_never_ends_early",
    About::Backend,
    "A sleep ends at its deadline or later, on the clock that `now` reads.",
    "Read `now` and wait on one clock; round a deadline up to the timer's tick, never down.",
    run!(sleep_never_ends_early),
)
.needs(&[Timer])];

async fn sleep_never_ends_early(cx: Cx, _: Arc<dyn Subject>) {
    let mut rng = cx.rng();
    for _ in 0..10 {
        let length = Duration::from_micros(rng.pick(0..5_000) as u64);
        let deadline = cx.now() + length;
        cx.waiting(format!("a sleep of {length:?}"), cx.sleep(length))
            .await;
        assert!(cx.now() >= deadline, "a sleep of {length:?} ended early");
    }
}
