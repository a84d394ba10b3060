//! What a channel allocates, and keeps.

use std::sync::Arc;

use crate::cx::Cx;
use crate::subject::Subject;

#[cfg(not(feature = "count-allocations"))]
mod counted {
    use super::*;

    const SKIPPED: &str = "the kit was built without its feature `count-allocations`";

    pub(in super::super) async fn memory_follows_its_content(cx: Cx, _: Arc<dyn Subject>) {
        cx.skip(SKIPPED);
    }

    pub(in super::super) async fn steady_rhythm_allocates_nothing(cx: Cx, _: Arc<dyn Subject>) {
        cx.skip(SKIPPED);
    }
}

#[cfg(feature = "count-allocations")]
mod counted {
    use super::*;
    use crate::subject::{ChannelReceiver, ChannelSender, Message};

    fn put(sender: &dyn ChannelSender, count: usize) {
        for number in 0..count as u64 {
            let sent = sender.try_send(Message::new(number));
            sent.expect("a channel with a free slot");
        }
    }

    fn take(receiver: &dyn ChannelReceiver, count: usize) {
        for _ in 0..count {
            receiver.try_recv().expect("a channel with a message");
        }
    }

    pub(in super::super) async fn memory_follows_its_content(_: Cx, subject: Arc<dyn Subject>) {
        const MANY: usize = 50_000;
        let mut ends = None;
        let fresh = allocation_counter::measure(|| ends = Some(subject.channel(MANY + 1)));
        let (sender, receiver) = ends.expect("it was made");
        let mut peak = 0;
        let used = allocation_counter::measure(|| {
            peak = allocation_counter::measure(|| put(&*sender, MANY)).bytes_current;
            // It is never quite empty.
            take(&*receiver, MANY - 1);
            for _ in 0..1_000 {
                put(&*sender, 1);
                take(&*receiver, 1);
            }
        });
        let kept = fresh.bytes_current + used.bytes_current;
        let peak = fresh.bytes_current + peak;
        assert!(
            kept <= peak / 20,
            "{kept} bytes are kept for one message, of {peak} for {MANY}"
        );
        take(&*receiver, 1);
    }

    pub(in super::super) async fn steady_rhythm_allocates_nothing(
        _: Cx,
        subject: Arc<dyn Subject>,
    ) {
        for burst in [1, 20, 100] {
            let (sender, receiver) = subject.channel(1_000);
            let turn = || {
                put(&*sender, burst);
                take(&*receiver, burst);
            };
            // The first ones find out how much is needed.
            (0..100).for_each(|_| turn());
            let count = allocation_counter::measure(|| (0..100).for_each(|_| turn())).count_total;
            assert_eq!(count, 0, "allocations in 100 bursts of {burst}");
        }
    }
}

pub(super) use counted::{memory_follows_its_content, steady_rhythm_allocates_nothing};
