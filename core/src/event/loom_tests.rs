//! What `event::` promises, in every interleaving of two threads.

use core::pin::Pin;
use std::boxed::Box;
use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::*;
use crate::loom_util::{block_on, model, poll_noop};

type Own = Pin<Box<OwnedListener>>;

fn listening(event: &Arc<Event>) -> Own {
    let mut listener = Box::pin(event.clone().listener_owned(Bare));
    listener.as_mut().listen();
    listener
}

/// Listen, look, wait; set, notify: no task sleeps on a condition that has come
/// about. Both are relaxed: the event orders them.
#[test]
fn loom_listening_before_looking_misses_nothing() {
    for notify in [Event::notify, Event::notify_additional] {
        model(3, move || {
            let shared = Arc::new((Arc::new(Event::new()), AtomicBool::new(false)));
            let notifier = {
                let shared = shared.clone();
                thread::spawn(move || {
                    shared.1.store(true, Ordering::Relaxed);
                    notify(&shared.0, 1);
                })
            };
            let listener = listening(&shared.0);
            if !shared.1.load(Ordering::Relaxed) {
                block_on(listener);
                assert!(shared.1.load(Ordering::Relaxed));
            }
            notifier.join().unwrap();
        });
    }
}

/// A notifier that finds enough notified is seen by the one that is.
#[test]
fn loom_merged_notifications_both_happen_before() {
    model(3, || {
        let shared = Arc::new((Arc::new(Event::new()), AtomicBool::new(false)));
        let (mut first, second) = (listening(&shared.0), listening(&shared.0));
        assert_eq!(shared.0.notify(1), 1);
        let notifier = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.1.store(true, Ordering::Relaxed);
                shared.0.notify(1)
            })
        };
        assert!(poll_noop(first.as_mut()).is_ready());
        let seen = shared.1.load(Ordering::Relaxed);
        let more = notifier.join().unwrap();
        // It notified no listener: it came before the first took its notification.
        assert!(more == 1 || seen, "a change that nobody sees");
        assert_eq!(second.is_notified(), more == 1);
    });
}

/// A notification that meets the drop of the one that it had chosen reaches the
/// other.
#[test]
fn loom_dropped_one_passes_on() {
    for notify in [Event::notify, Event::notify_additional] {
        model(3, move || {
            let event = Arc::new(Event::new());
            let (first, second) = (listening(&event), listening(&event));
            let notifier = {
                let event = event.clone();
                thread::spawn(move || notify(&event, 1))
            };
            drop(first);
            block_on(second);
            assert_eq!(notifier.join().unwrap(), 1);
            assert_eq!(event.listener_count(), 0);
        });
    }
}

/// Two that are notified at once, while one of them goes and another comes.
#[test]
fn loom_all_reaches_those_before() {
    model(2, || {
        let event = Arc::new(Event::new());
        let (first, second) = (listening(&event), listening(&event));
        let notifier = {
            let event = event.clone();
            thread::spawn(move || event.notify(usize::MAX))
        };
        drop(second);
        block_on(first);
        let late = listening(&event);
        notifier.join().unwrap();
        assert!(!late.is_notified());
        drop(late);
        assert_eq!(event.word.load(Ordering::Relaxed), 0);
    });
}
