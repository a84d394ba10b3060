use core::cell::RefCell;
use core::pin::pin;
use core::task::Poll;
use std::boxed::Box;
use std::string::ToString;
use std::sync::Arc;
use std::vec::Vec;

use super::*;
use crate::Block;
use crate::test_util::{
    Event as Befalls, WAKER_PANIC, allocations, counting_waker, hooked_waker, panic_message,
    panicking_waker, poll, poll_noop,
};

type Own<'a, T = ()> = Pin<Box<Listener<'a, T>>>;

fn listening<T>(event: &Event<T>) -> Own<'_, T> {
    let mut listener = Box::pin(event.listener_future());
    listener.as_mut().listen();
    listener
}

fn told<T>(listeners: &[Own<'_, T>]) -> Vec<bool> {
    listeners.iter().map(|it| it.is_notified()).collect()
}

#[track_caller]
fn assert_untouched<T>(event: &Event<T>) {
    assert_eq!(event.word.load(Ordering::Acquire), 0);
    assert_eq!(event.listener_count(), 0);
}

// event::

#[test]
fn notifies_in_fifo_order() {
    let event = Event::new();
    let mut listeners: Vec<_> = (0..4).map(|_| listening(&event)).collect();
    assert_eq!(event.notify(2), 2);
    assert_eq!(told(&listeners), [true, true, false, false]);
    assert_eq!(event.notify_additional(1), 1);
    assert_eq!(told(&listeners), [true, true, true, false]);
    assert!(poll_noop(listeners[3].as_mut()).is_pending());
    for listener in &mut listeners[..3] {
        assert!(poll_noop(listener.as_mut()).is_ready());
    }
    drop(listeners);
    assert_untouched(&event);
}

#[test]
fn a_notification_that_is_passed_on_stays_of_its_kind() {
    let event = Event::new();
    let mut listeners: Vec<_> = (0..4).map(|_| listening(&event)).collect();
    assert_eq!(event.notify(1), 1);
    drop(listeners.remove(0));
    assert_eq!(told(&listeners), [true, false, false]);
    assert_eq!(event.notify_additional(1), 1);
    assert_eq!(told(&listeners), [true, true, false]);
    // It was for one that is notified, and one is, without it.
    drop(listeners.remove(0));
    assert_eq!(told(&listeners), [true, false]);
    drop(listeners.remove(0));
    assert_eq!(told(&listeners), [true], "an additional one is owed");
    drop(listeners);
    assert_untouched(&event);
}

#[test]
fn those_notified_count_unless_additional() {
    let event = Event::new();
    let mut listeners: Vec<_> = (0..5).map(|_| listening(&event)).collect();
    assert_eq!(event.notify(2), 2);
    assert_eq!(event.notify(2), 0);
    assert_eq!(event.notify(3), 1);
    assert_eq!(event.notify_additional(1), 1);
    assert!(poll_noop(listeners[0].as_mut()).is_ready());
    assert_eq!(event.notified_count(), 3);
    assert_eq!(event.notify(4), 1);
    assert_eq!(event.notify(usize::MAX), 0);
}

#[test]
fn nothing_is_kept_for_who_comes_later() {
    let event = Event::new();
    assert_eq!(event.notify(1) + event.notify_additional(1), 0);
    let mut listener = listening(&event);
    assert!(poll_noop(listener.as_mut()).is_pending());
}

#[test]
fn dropped_notified_one_passes_on() {
    // The other that is notified will do.
    let event = Event::new();
    let mut listeners: Vec<_> = (0..3).map(|_| listening(&event)).collect();
    event.notify(2);
    drop(listeners.remove(0));
    assert_eq!(told(&listeners), [true, false]);
    // Now there is no other.
    drop(listeners.remove(0));
    assert_eq!(told(&listeners), [true]);
    drop(listeners);
    assert_untouched(&event);

    // An additional one always goes on.
    let mut listeners: Vec<_> = (0..3).map(|_| listening(&event)).collect();
    event.notify(1);
    event.notify_additional(1);
    drop(listeners.remove(1));
    assert_eq!(told(&listeners), [true, true]);
}

#[test]
fn discarded_one_passes_nothing_on() {
    let event = Event::new();
    let mut listeners: Vec<_> = (0..2).map(|_| listening(&event)).collect();
    event.notify(1);
    assert!(listeners[0].as_mut().discard());
    assert!(!listeners[0].as_mut().discard());
    assert_eq!(told(&listeners), [false, false]);
    assert!(!listeners[1].as_mut().discard());
    assert_untouched(&event);
}

#[test]
fn tags_reach_their_listeners() {
    let event = Event::with_tag();
    let mut listeners: Vec<_> = (0..3).map(|_| listening(&event)).collect();
    let mut next = 0;
    let mut tag = || {
        next += 1;
        next.to_string()
    };
    assert_eq!(event.notify_with(2, false, &mut tag), 2);
    assert_eq!(event.notify_with(1, false, &mut tag), 0);
    assert_eq!(event.notify_with(9, true, &mut tag), 1);
    assert_eq!(
        poll_noop(listeners[1].as_mut()),
        Poll::Ready("2".to_string())
    );
    drop(listeners.remove(0));
    assert_eq!(
        poll_noop(listeners[1].as_mut()),
        Poll::Ready("3".to_string())
    );
    assert_eq!(next, 3);
    drop(listeners);
    assert_untouched(&event);
}

#[test]
fn passed_on_tag_is_the_same() {
    let event = Event::with_tag();
    let mut listeners: Vec<_> = (0..2).map(|_| listening(&event)).collect();
    event.notify_with(1, true, || 7);
    drop(listeners.remove(0));
    assert_eq!(poll_noop(listeners[0].as_mut()), Poll::Ready(7));
}

#[test]
fn tags_are_dropped_once() {
    let tag = Arc::new(());
    let event = Event::with_tag();
    let mut listeners: Vec<_> = (0..4).map(|_| listening(&event)).collect();
    event.notify_with(3, false, || tag.clone());
    assert_eq!(Arc::strong_count(&tag), 4);
    listeners[0].as_mut().discard();
    assert_eq!(Arc::strong_count(&tag), 3);
    drop(listeners);
    assert_eq!(Arc::strong_count(&tag), 1);
    assert_untouched(&event);
}

#[test]
fn panicking_tag_notifies_nobody() {
    let event: Event<u8> = Event::with_tag();
    let listener = listening(&event);
    let message = panic_message(|| {
        event.notify_with(1, false, || panic!("in the tag"));
    });
    assert_eq!(message, "in the tag");
    assert!(!listener.is_notified());
}

#[test]
fn listens_anew_after_its_end() {
    let event = Event::new();
    let mut listener = Box::pin(Arc::new(event).listener_owned(Bare));
    for _ in 0..3 {
        assert!(
            poll_noop(listener.as_mut()).is_pending(),
            "the first poll listens"
        );
        assert_eq!(listener.event().notify(1), 1);
        assert!(poll_noop(listener.as_mut()).is_ready());
        listener.as_mut().listen();
    }
    assert!(listener.as_mut().event().notify(1) == 1 && listener.as_mut().discard());
    let message = panic_message(|| {
        let _ = poll_noop(listener.as_mut());
    });
    assert_eq!(
        message,
        "a listener of an `Event` was polled after it had finished"
    );
}

#[test]
fn all_is_one_event_for_more_than_a_batch() {
    let event = Event::new();
    let mut listeners: Vec<_> = (0..100).map(|_| listening(&event)).collect();
    let (wakes, waker) = counting_waker();
    for listener in &mut listeners {
        assert!(poll(listener.as_mut(), &waker).is_pending());
    }
    assert_eq!(event.notify(usize::MAX), 100);
    assert_eq!(wakes.count(), 100);
    assert!(told(&listeners).iter().all(|told| *told));
}

// any::

#[test]
fn waker_may_reenter() {
    static EVENT: Event = Event::new();
    let mut listeners: Vec<_> = (0..70).map(|_| listening(&EVENT)).collect();
    let newcomers = Arc::new(std::sync::Mutex::new(Vec::new()));
    for listener in &mut listeners {
        let newcomers = newcomers.clone();
        let waker = hooked_waker(move |befalls| {
            EVENT.notified_count();
            if befalls == Befalls::Wake {
                // One that listens from in here is not reached.
                newcomers.lock().unwrap().push(listening(&EVENT));
                EVENT.notify(1);
            }
        });
        assert!(poll(listener.as_mut(), &waker).is_pending());
    }
    assert_eq!(EVENT.notify(usize::MAX), 70);
    let newcomers = core::mem::take(&mut *newcomers.lock().unwrap());
    assert_eq!(told(&newcomers), [false; 70]);
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    let event = Event::new();
    let mut listeners: Vec<_> = (0..40).map(|_| listening(&event)).collect();
    let (wakes, waker) = counting_waker();
    for (index, listener) in listeners.iter_mut().enumerate() {
        let panics = panicking_waker();
        let waker = if index % 3 == 0 { &panics } else { &waker };
        assert!(poll(listener.as_mut(), waker).is_pending());
    }
    let message = panic_message(|| {
        event.notify(40);
    });
    assert_eq!(message, WAKER_PANIC);
    assert_eq!(wakes.count(), 26);
    assert!(told(&listeners).iter().all(|told| *told));
}

#[test]
fn last_waker_is_the_one_woken() {
    let event = Event::new();
    let mut listener = pin!(event.listener_future());
    let ((old, first), (new, second)) = (counting_waker(), counting_waker());
    assert!(poll(listener.as_mut(), &first).is_pending());
    assert!(poll(listener.as_mut(), &second).is_pending());
    event.notify(1);
    assert_eq!((old.count(), new.count()), (0, 1));
}

#[test]
fn ended_in_a_ring_aside_passes_on() {
    // The first waker of a batch drops the last listener, whose verdict is on its
    // way; its notification goes to the one that listens still.
    let event: &'static Event = Box::leak(Box::new(Event::new()));
    let mut listeners: Vec<_> = (0..40).map(|_| listening(event)).collect();
    let victim = Arc::new(std::sync::Mutex::new(listeners.pop()));
    let drops = victim.clone();
    let waker = hooked_waker(move |befalls| {
        if befalls == Befalls::Wake {
            let victim = drops.lock().unwrap().take();
            assert!(victim.as_ref().is_none_or(|it| it.is_notified()));
            drop(victim);
        }
    });
    assert!(poll(listeners[0].as_mut(), &waker).is_pending());
    let late = listening(event);
    assert_eq!(event.notify_additional(40), 40);
    assert!(victim.lock().unwrap().is_none() && late.is_notified());
    drop((listeners, late));
    assert_untouched(event);
}

#[test]
fn spends_budget_after_winning() {
    struct Broke(RefCell<usize>);
    impl Io for Broke {
        fn poll_spend(&self, _: &mut Context<'_>) -> Poll<()> {
            *self.0.borrow_mut() += 1;
            Poll::Pending
        }
    }
    let event = Event::new();
    let broke = Broke(RefCell::new(0));
    let mut listener = Box::pin(event.listener(&broke));
    let next = {
        listener.as_mut().listen();
        listening(&event)
    };
    assert!(poll_noop(listener.as_mut()).is_pending());
    assert_eq!(*broke.0.borrow(), 0);
    event.notify(1);
    assert!(poll_noop(listener.as_mut()).is_pending());
    assert_eq!(*broke.0.borrow(), 1);
    drop(listener);
    assert!(next.is_notified());
}

#[test]
fn waits_without_allocation() {
    let event = Event::new();
    let round = || {
        let (mut one, mut two) = (pin!(event.listener_future()), pin!(event.listener_future()));
        assert!(poll_noop(one.as_mut()).is_pending() && poll_noop(two.as_mut()).is_pending());
        event.notify(2);
        assert!(poll_noop(one).is_ready() && poll_noop(two).is_ready());
    };
    assert_eq!(allocations(round), 0);
}

#[test]
fn idle_size_is_bounded() {
    assert!(size_of::<Event>() <= 88);
    assert!(size_of::<Listener<'_>>() <= 48);
}

#[test]
fn happens_before_across_threads() {
    let event = Event::new();
    let listener = listening(&event);
    std::thread::scope(|scope| {
        scope.spawn(|| event.notify(1));
        Bare.block_on(listener);
    });
}
