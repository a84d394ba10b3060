use core::task::Waker;
use std::boxed::Box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::vec::Vec;

use super::*;
use crate::test_util::{
    Event, WAKER_PANIC, allocations, counting_waker, hooked_waker, panic_message, panicking_waker,
};

#[test]
fn wakes_each_once_in_order() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut batch = WakeBatch::new();
    for round in 0..2 {
        for index in 0..BATCH {
            assert!(!batch.is_full());
            let order = order.clone();
            batch.push(Some(hooked_waker(move |event| {
                assert_eq!(event, Event::Wake, "woken by value, so not dropped");
                order.lock().unwrap().push(index);
            })));
        }
        assert!(batch.is_full());
        batch.wake_all().resume();
        assert!(!batch.is_full(), "may be filled again");
        let woken = core::mem::take(&mut *order.lock().unwrap());
        assert!(woken.into_iter().eq(0..BATCH), "round {round}");
    }
}

#[test]
fn absent_wakers_take_no_room() {
    let mut batch = WakeBatch::new();
    for _ in 0..BATCH * 2 {
        batch.push(None);
    }
    assert!(!batch.is_full());
    batch.wake_all().resume();
}

#[test]
#[should_panic(expected = "index out of bounds")]
fn full_batch_takes_no_more() {
    let mut batch = WakeBatch::new();
    for _ in 0..=BATCH {
        batch.push(Some(Waker::noop().clone()));
    }
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    let (wakes, waker) = counting_waker();
    let mut batch = WakeBatch::new();
    for index in 0..BATCH {
        let panics = index % 3 == 0;
        batch.push(Some(if panics {
            panicking_waker()
        } else {
            waker.clone()
        }));
    }
    let panicked = batch.wake_all();
    assert_eq!(wakes.count(), BATCH - BATCH.div_ceil(3));
    drop(batch);
    assert_eq!(panic_message(|| panicked.resume()), WAKER_PANIC);
    drop(waker);
    assert_eq!(Arc::strong_count(&wakes), 1, "no waker was kept");
}

#[test]
fn first_panic_is_the_one_that_goes_on() {
    let panicking = |message: &'static str| {
        hooked_waker(move |event| {
            if event == Event::Wake {
                std::panic::panic_any(message);
            }
        })
    };
    let mut panicked = Panicked::none();
    for message in ["first", "second"] {
        let mut batch = WakeBatch::new();
        batch.push(Some(panicking(message)));
        batch.push(Some(panicking("third")));
        panicked.or(batch.wake_all());
    }
    assert_eq!(panic_message(|| panicked.resume()), "first");
    Panicked::none().resume();
}

#[test]
fn dropped_batch_wakes_what_it_holds() {
    let (wakes, waker) = counting_waker();
    let mut batch = WakeBatch::new();
    batch.push(Some(waker.clone()));
    batch.push(Some(waker));
    drop(batch);
    assert_eq!(wakes.count(), 2);
}

/// Runs `code` while the thread unwinds from a panic of its own.
fn while_unwinding(code: impl FnOnce()) {
    struct Run<F: FnOnce()>(Option<F>);
    impl<F: FnOnce()> Drop for Run<F> {
        fn drop(&mut self) {
            (self.0.take().expect("once"))();
        }
    }
    let message = panic_message(|| {
        let _run = Run(Some(code));
        panic!("the first panic");
    });
    assert_eq!(message, "the first panic");
}

#[test]
fn no_second_panic_while_unwinding() {
    while_unwinding(|| wake(Some(panicking_waker())));
    while_unwinding(|| {
        discard(Some(hooked_waker(|event| {
            assert_ne!(event, Event::Drop, "panics when it is dropped");
        })));
    });
    while_unwinding(|| {
        let mut batch = WakeBatch::new();
        batch.push(Some(panicking_waker()));
        batch.wake_all().resume();
    });
    while_unwinding(|| {
        let mut batch = WakeBatch::new();
        batch.push(Some(panicking_waker()));
        drop(batch);
    });
}

#[test]
fn panic_of_one_goes_on() {
    assert_eq!(panic_message(|| wake(Some(panicking_waker()))), WAKER_PANIC);
    let waker = hooked_waker(|event| assert_ne!(event, Event::Drop));
    assert!(catch_unwind(AssertUnwindSafe(|| discard(Some(waker)))).is_err());
    wake(None);
    discard(None);
}

#[test]
fn wakes_without_allocation() {
    let (wakes, waker) = counting_waker();
    let count = allocations(|| {
        let mut batch = WakeBatch::new();
        while !batch.is_full() {
            batch.push(Some(waker.clone()));
        }
        batch.wake_all().resume();
    });
    assert_eq!((count, wakes.count()), (0, BATCH));
}

#[test]
fn panic_payload_that_panics_in_drop_is_forgotten() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let bomb = || {
        hooked_waker(|event| {
            if event == Event::Wake {
                std::panic::panic_any(Bomb);
            }
        })
    };
    let mut batch = WakeBatch::new();
    batch.push(Some(bomb()));
    batch.push(Some(bomb()));
    let panicked = batch.wake_all();
    let payload = catch_unwind(AssertUnwindSafe(|| panicked.resume())).unwrap_err();
    // The first goes on, undropped; this test has to disarm it.
    core::mem::forget(
        payload
            .downcast::<Bomb>()
            .map_err(|_| Box::new(()))
            .unwrap(),
    );
}
