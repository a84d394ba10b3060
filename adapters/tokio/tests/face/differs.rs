//! Where the two sides are not the same: what each does, side by side.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use crate::support::Task;

mod locks;
mod messages;

/// Both sides of a case, as `$sync` and `$util`.
macro_rules! sides {
    ($(
        $case:ident($sync:ident, $util:ident) -> $outcome:ty $body:block
        original: $original:expr, ours: $ours:expr;
    )*) => {$(
        #[test]
        fn $case() {
            fn original() -> $outcome {
                #[allow(unused_imports)]
                use {tokio::sync as $sync, tokio_util::sync as $util};
                $body
            }
            fn ours() -> $outcome {
                #[allow(unused_imports)]
                use {anysync_tokio::sync as $sync, anysync_tokio::sync as $util};
                $body
            }
            assert_eq!(original(), $original, "the original");
            assert_eq!(ours(), $ours, "ours");
        }
    )*};
}
use sides;

/// A waker that panics.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker panics");
    }
}

/// Enough that it does not matter by chance or in which order they are woken.
pub(super) const WAITS: usize = 64;

/// Whether `act` wakes all of `waits`, if the waker of every other one panics.
pub(super) fn wakes_all_beside_panics<F: Future>(waits: Vec<F>, act: impl FnOnce()) -> bool {
    let mut waits: Vec<_> = waits.into_iter().map(Box::pin).collect();
    let tasks: Vec<_> = waits.iter().map(|_| Task::new()).collect();
    let panics = Waker::from(Arc::new(Panics));
    for (index, wait) in waits.iter_mut().enumerate() {
        if index % 2 == 0 {
            let polled = wait.as_mut().poll(&mut Context::from_waker(&panics));
            assert!(polled.is_pending());
        } else {
            tasks[index].pending(wait.as_mut());
        }
    }
    assert!(catch_unwind(AssertUnwindSafe(act)).is_err());
    let all = tasks.iter().skip(1).step_by(2).all(Task::woken);
    // What has won may pass it on when it is dropped: to wakers that do not panic.
    let calm = Task::new();
    let polled: Vec<_> = waits
        .iter_mut()
        .map(|wait| calm.poll(wait.as_mut()))
        .collect();
    drop(polled);
    all
}
