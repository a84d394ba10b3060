// Included for each side, see `main.rs`.

use std::cell::Cell;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use static_assertions::{assert_impl_all, assert_not_impl_any};

use event::{Event, EventListener, IntoNotification, Listener, Notification, listener};

use crate::support::{Task, panic_of, within_a_minute};

static IN_A_STATIC: Event = Event::new();

assert_impl_all!(Event: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Default);
assert_impl_all!(Event<Cell<u8>>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(Event<Rc<u8>>: Send, Sync);
assert_impl_all!(EventListener: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Listener);
assert_impl_all!(EventListener<Cell<u8>>: Send, Sync, Future<Output = Cell<u8>>);
assert_not_impl_any!(EventListener<Rc<u8>>: Send, Sync);

fn is_told<T>(listener: &mut EventListener<T>) -> bool {
    Task::new().poll(Pin::new(listener)).is_ready()
}

fn tell(event: &Event, notification: impl Notification<Tag = ()>) -> usize {
    event.notify(notification)
}

#[test]
fn tells_the_first_and_counts_those_told() {
    let event = Event::default();
    let mut listeners: Vec<_> = (0..4).map(|_| event.listen()).collect();
    assert_eq!(event.total_listeners(), 4);
    assert!(!event.is_notified());
    assert_eq!(
        (event.notify(2), event.notify(1), event.notify(2)),
        (2, 0, 0)
    );
    assert!(event.is_notified());
    assert_eq!(event.notify_additional(1), 1);
    assert_eq!(event.total_listeners(), 4);
    let told: Vec<_> = listeners.iter_mut().map(is_told).collect();
    assert_eq!(told, [true, true, true, false]);
    assert_eq!(event.total_listeners(), 1);
    assert!(!event.is_notified());
}

#[test]
fn every_number_and_form_notifies() {
    let event = Event::new();
    let mut listeners: Vec<_> = (0..22).map(|_| event.listen()).collect();
    macro_rules! one_of_each {
        ($($number:ty)*) => { 0 $(+ event.notify((1 as $number).additional()))* };
    }
    let sum = one_of_each!(usize u8 u16 u32 u64 u128 isize i8 i16 i32 i64 i128);
    assert_eq!(sum, 12);
    assert_eq!(event.notify(13_u8), 1);
    assert_eq!(event.notify(14.relaxed()), 1);
    assert_eq!(event.notify_relaxed(15), 1);
    assert_eq!(event.notify_additional_relaxed(2), 2);
    assert_eq!(event.notify(1.additional().relaxed()), 1);
    assert_eq!(event.notify(1.relaxed().additional()), 1);
    assert_eq!(tell(&event, 1.additional()), 1);
    assert_eq!(tell(&event, 21.into_notification()), 1);
    assert_eq!(event.notify(usize::MAX), 1);
    assert!(listeners.iter_mut().all(is_told));
    assert_eq!(panic_of(|| event.notify(-1)), "negative notification count");
    assert!(panic_of(|| event.notify(u128::MAX)).starts_with("overflow"));
}

#[test]
fn tags_reach_their_listeners() {
    let event = Event::<String>::with_tag();
    let (one, two, three) = (event.listen(), event.listen(), event.listen());
    assert_eq!(event.notify(1.tag("one".to_owned())), 1);
    let mut tags = ["three", "two"].map(str::to_owned).to_vec();
    assert_eq!(
        event.notify(2.additional().tag_with(|| tags.pop().unwrap())),
        2
    );
    assert_eq!(
        (one.wait(), two.wait(), three.wait()),
        ("one".into(), "two".into(), "three".into())
    );
}

#[test]
fn a_dropped_listener_passes_on() {
    let event = Event::<u8>::with_tag();
    let (one, mut two, mut three) = (event.listen(), event.listen(), event.listen());
    event.notify(1.tag(1));
    drop(one);
    let task = Task::new();
    assert_eq!(task.ready(Pin::new(&mut two)), 1);
    assert!(!is_told(&mut three));

    let event = Event::new();
    let (one, mut two, mut three) = (event.listen(), event.listen(), event.listen());
    event.notify(2);
    drop(one);
    assert!(is_told(&mut two) && !is_told(&mut three));

    let (one, mut two) = (event.listen(), event.listen());
    drop(three);
    event.notify_additional(1);
    drop(one);
    assert!(is_told(&mut two));
}

#[test]
fn a_discarded_listener_passes_nothing_on() {
    let event = Event::new();
    let (one, two, mut three) = (event.listen(), event.listen(), event.listen());
    event.notify(1);
    assert!(one.discard());
    assert!(!two.discard());
    assert!(!is_told(&mut three));
}

#[test]
fn a_listener_knows_its_event() {
    let (event, other) = (Event::new(), Event::new());
    let (one, two, three) = (event.listen(), event.listen(), other.listen());
    assert!(one.listens_to(&event) && !one.listens_to(&other));
    assert!(!one.listens_to(&Event::new()));
    assert!(one.same_event(&two) && !one.same_event(&three));
    listener!(event => first);
    listener!(event => second);
    assert!(first.listens_to(&event) && first.same_event(&second));
}

#[test]
fn a_listener_outlives_its_event() {
    let event = Event::new();
    let (mut one, mut two) = (event.listen(), event.listen());
    event.notify(1);
    drop(event);
    assert!(is_told(&mut one) && !is_told(&mut two));
}

#[test]
fn waits_with_and_without_a_deadline() {
    let event = Event::new();
    let far = Duration::from_secs(60);
    assert_eq!(event.listen().wait_timeout(Duration::from_millis(1)), None);
    assert_eq!(event.listen().wait_deadline(Instant::now()), None);
    assert_eq!(event.total_listeners(), 0);
    let listeners = [
        event.listen(),
        event.listen(),
        event.listen(),
        event.listen(),
    ];
    event.notify(4);
    let [one, two, three, four] = listeners;
    one.wait();
    assert_eq!(two.wait_timeout(far), Some(()));
    assert_eq!(three.wait_deadline(Instant::now() + far), Some(()));
    assert_eq!(four.wait_timeout(Duration::MAX), Some(()));
}

#[test]
fn a_listener_on_the_stack() {
    let event = Event::new();
    {
        listener!(event => listener);
        assert_eq!(event.total_listeners(), 1);
        Task::new().pending(Pin::new(&mut listener));
        event.notify(1);
        Task::new().ready(Pin::new(&mut listener));
    }
    assert_eq!(event.total_listeners(), 0);
    {
        listener!(event => one);
        listener!(event => two);
        event.notify(1);
        assert!(one.discard() && !two.discard());
    }
    listener!(IN_A_STATIC => listener);
    IN_A_STATIC.notify(1);
    assert_eq!(listener.wait_timeout(Duration::from_secs(60)), Some(()));
}

#[test]
fn the_latest_waker_is_woken() {
    let event = Event::new();
    let (old, new) = (Task::new(), Task::new());
    let mut listener = event.listen();
    old.pending(Pin::new(&mut listener));
    new.pending(Pin::new(&mut listener));
    event.notify(1);
    assert!(new.woken() && !old.woken());
    new.ready(Pin::new(&mut listener));
    assert!(panic_of(|| new.ready(Pin::new(&mut listener))).contains("finished"));
}

#[test]
fn shows_as_text() {
    let event = Event::new();
    assert_eq!(format!("{event:?}"), "Event(<uninitialized>)");
    let listener = event.listen();
    assert_eq!(
        format!("{event:?}"),
        "Event { listeners_notified: 0, listeners_total: 1 }"
    );
    assert_eq!(format!("{listener:?}"), "EventListener { .. }");
    listener!(event => listener);
    assert_eq!(format!("{listener:?}"), "StackListener { .. }");
    assert_eq!(
        format!("{:?} {:?}", 1.additional().relaxed(), 2.tag(3))
            .matches("(")
            .count(),
        4
    );
    assert!(format!("{:?}", 2.tag_with(|| 3)).starts_with("TagWith { tag: .., inner: "));
}

#[test]
fn threads_and_tasks_hear_it() {
    within_a_minute(|| {
        let shared = Arc::new((AtomicBool::new(false), Event::new()));
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let shared = shared.clone();
                thread::spawn(move || {
                    while !shared.0.load(Ordering::Relaxed) {
                        let listener = shared.1.listen();
                        if shared.0.load(Ordering::Relaxed) {
                            break;
                        }
                        match n % 2 {
                            0 => listener.wait(),
                            _ => smol::block_on(listener),
                        }
                    }
                })
            })
            .collect();
        shared.0.store(true, Ordering::Relaxed);
        shared.1.notify(usize::MAX);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
