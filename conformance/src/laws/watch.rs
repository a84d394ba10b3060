//! The laws of Watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anysync::yield_now;

use crate::backend::Capability::{Spawn, Threads};
use crate::cx::Cx;
use crate::law::{About, Law};
use crate::laws::hand::Hand;
use crate::log::yield_thread;
use crate::run;
use crate::subject::{Kind, Subject};

const ABOUT: About = About::Kinds(&[Kind::Watch]);

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "watch::latest_value_wins",
        ABOUT,
        "A receiver sees the latest value, never an older one after a newer one, and the last \
         in the end.",
        "Keep one value and the number of its version, and change both under one lock.",
        run!(latest_value_wins),
    )
    .because("An old configuration after a new one is worse than none.")
    .needs(&[Spawn]),
    Law::must(
        "watch::change_is_seen_once",
        ABOUT,
        "Each receiver's `changed` ends once for a change, however many changes it was.",
        "A receiver remembers the version that it has seen, and `changed` takes the latest.",
        run!(change_is_seen_once),
    )
    .because("Seen twice it is work for nothing, and a busy loop in the worst case.")
    .seen_in(&["tokio-rs/tokio#3913"]),
    Law::must(
        "watch::no_lost_change_between_check_and_wait",
        ABOUT,
        "A change between a look at the value and the wait for the next one ends that wait.",
        "Compare versions after the wait is queued, and not only before.",
        run!(no_lost_change_between_check_and_wait),
    )
    .because("The change comes between the look and the wait, and there is no other one.")
    .seen_in(&["tokio-rs/tokio#5611"])
    .needs(&[Spawn]),
    Law::must(
        "watch::closed_still_shows_last",
        ABOUT,
        "When the sender is gone, receivers are told, after they have seen the last value, which \
         stays.",
        "Look at the version before the flag; leave the value where it is.",
        run!(closed_still_shows_last),
    )
    .because("The last value is often the result.")
    .seen_in(&["tokio-rs/tokio#3913"]),
    Law::should(
        "watch::readers_do_not_stop_a_sender",
        ABOUT,
        "With threads that look at the value all the time, a sender has its turns as they have.",
        "Let a sender that waits stop new readers, or share the value so that nobody holds it.",
        run!(readers_do_not_stop_a_sender),
    )
    .because("A configuration that everybody reads is one that nobody can change.")
    .needs(&[Threads])
    .once()
    .timed(),
];

async fn readers_do_not_stop_a_sender(cx: Cx, subject: Arc<dyn Subject>) {
    const READERS: usize = 8;
    const SENDS: u64 = 500;
    /// How many turns a reader may have for each of the sender's: one would be even.
    const FAR: u64 = 2_000;
    let sender = subject.watch();
    let (reads, stop) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let readers: Vec<_> = (0..READERS)
        .map(|reader| {
            let receiver = sender.subscribe();
            let (reads, stop) = (Arc::clone(&reads), Arc::clone(&stop));
            cx.thread(format!("reader {reader}"), move || {
                while !stop.load(Ordering::Relaxed) {
                    receiver.get();
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let of = (Arc::clone(&reads), Arc::clone(&stop));
    let sends = cx.thread("the sender", move || {
        let (reads, stop) = of;
        let _stops = StopOnDrop(stop);
        while reads.load(Ordering::Relaxed) < 1_000 {
            yield_thread();
        }
        let before = reads.load(Ordering::Relaxed);
        // All of them, or as many as there is time for.
        let mut sent = 0;
        while sent < SENDS && reads.load(Ordering::Relaxed) - before < MOST_READS {
            sender.send(sent);
            sent += 1;
        }
        (
            sent,
            (reads.load(Ordering::Relaxed) - before) / READERS as u64,
        )
    });
    let (sent, each) = sends.join().await;
    for reader in readers {
        reader.join().await;
    }
    assert!(
        each <= sent * FAR,
        "{sent} values were sent, while each of {READERS} threads looked {each} times"
    );
}

/// After so many the ratio is known: on one processor the readers have several of the
/// system's time slices each, and so has the sender.
const MOST_READS: u64 = 20_000_000;

/// Stops the others, also when a thread panics.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn latest_value_wins(cx: Cx, subject: Arc<dyn Subject>) {
    const LAST: u64 = 500;
    let io = cx.io();
    let sender = subject.watch();
    let mut receiver = sender.subscribe();
    assert_eq!(receiver.get(), 0, "the value at first");
    for value in [1, 2, 3] {
        sender.send(value);
        assert_eq!(receiver.get(), value, "the value that was sent");
    }
    let changed = Hand::new(receiver.changed(&io)).assert_ready("a wait for what has changed");
    assert!(changed, "there is a sender");
    assert_eq!(receiver.get(), 3, "the latest value");
    assert_eq!(
        sender.subscribe().get(),
        3,
        "the value for one who comes later"
    );

    let receivers: Vec<_> = (0..3)
        .map(|place| {
            let (mut receiver, io) = (sender.subscribe(), cx.io());
            cx.spawn(format!("receiver {place}"), async move {
                let mut last = receiver.get_and_see();
                while receiver.changed(&io).await {
                    let value = receiver.get_and_see();
                    assert!(value >= last, "the value went from {last} back to {value}");
                    last = value;
                }
                last
            })
        })
        .collect();
    let sends = cx.spawn("the sender", async move {
        for value in 4..=LAST {
            sender.send(value);
            if value % 7 == 0 {
                yield_now().await;
            }
        }
    });
    sends.join().await;
    for receiver in receivers {
        assert_eq!(receiver.join().await, LAST, "the last value that was seen");
    }
}

async fn change_is_seen_once(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let sender = subject.watch();
    let mut receivers = [sender.subscribe(), sender.subscribe()];
    sender.send(1);
    sender.send(2);
    for receiver in &mut receivers {
        let changed = Hand::new(receiver.changed(&io)).assert_ready("a wait for what has changed");
        assert!(changed, "there is a sender");
        let mut again = Hand::new(receiver.changed(&io));
        again.assert_pending("a wait for another change than the one that was seen");
    }

    // A look at the value is none, but one that says so is.
    sender.send(3);
    let [first, second] = &mut receivers;
    assert_eq!((first.get(), second.get_and_see()), (3, 3));
    Hand::new(first.changed(&io)).assert_ready("a wait after a mere look");
    Hand::new(second.changed(&io)).assert_pending("a wait for a change that was seen");

    // The same value once more is news, and who has just come has seen it.
    sender.send(3);
    let mut third = sender.subscribe();
    Hand::new(third.changed(&io)).assert_pending("a wait of who came after the change");
    Hand::new(second.changed(&io)).assert_ready("a wait for a change to an equal value");

    // One that was woken, and dropped before it returned, has seen nothing.
    let woken = Hand::queued(third.changed(&io));
    sender.send(4);
    assert!(woken.is_woken(), "a change woke nobody");
    drop(woken);
    Hand::new(third.changed(&io)).assert_ready("a wait after one that was dropped");
}

async fn no_lost_change_between_check_and_wait(cx: Cx, subject: Arc<dyn Subject>) {
    const LAST: u64 = 300;
    let io = cx.io();
    let sender = subject.watch();
    let mut receiver = sender.subscribe();

    assert_eq!(receiver.get_and_see(), 0);
    sender.send(1);
    Hand::new(receiver.changed(&io)).assert_ready("a wait that came after the change");
    assert_eq!(receiver.get_and_see(), 1);
    let mut created = Hand::new(receiver.changed(&io));
    sender.send(2);
    created.assert_ready("a wait that was created before the change, and polled after it,");
    drop(created);
    let mut queued = Hand::queued(receiver.changed(&io));
    sender.send(3);
    assert!(queued.is_woken(), "a change woke nobody");
    queued.assert_ready("a wait that was polled before the change");
    drop(queued);
    drop(receiver);

    // The loop that programs write: it ends with the last value, whenever that
    // comes.
    let receivers: Vec<_> = (0..3)
        .map(|place| {
            let (mut receiver, io) = (sender.subscribe(), cx.io());
            cx.spawn(format!("receiver {place}"), async move {
                while receiver.get_and_see() < LAST {
                    yield_now().await;
                    assert!(receiver.changed(&io).await, "there is a sender");
                }
                receiver
            })
        })
        .collect();
    for value in 4..=LAST {
        sender.send(value);
        yield_now().await;
    }
    for receiver in receivers {
        receiver.join().await;
    }
}

async fn closed_still_shows_last(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let sender = subject.watch();
    let mut waits = sender.subscribe();
    let mut behind = sender.subscribe();
    sender.send(7);
    assert_eq!(waits.get_and_see(), 7);
    let mut wait = Hand::queued(waits.changed(&io));
    drop(sender);
    assert!(wait.is_woken(), "the sender went, and who waits sleeps on");
    let changed = wait.assert_ready("a wait without a sender");
    assert!(!changed, "a change came from nowhere");
    drop(wait);
    assert_eq!(waits.get(), 7, "the last value");
    assert_eq!(waits.get_and_see(), 7, "the last value");

    let changed = Hand::new(behind.changed(&io)).assert_ready("a wait for the last value");
    assert!(changed, "the last value was not seen yet");
    assert_eq!(behind.get(), 7, "the last value");
    let changed = Hand::new(behind.changed(&io)).assert_ready("a wait without a sender");
    assert!(!changed, "a change came from nowhere");
}
