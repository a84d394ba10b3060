//! The laws of `any::` and `notify::`, each in a test of its name.

use core::pin::pin;
use std::boxed::Box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::vec::Vec;

use super::*;
use crate::Block;
use crate::test_util::{
    Event, WAKER_PANIC, allocations, counting_waker, hooked_waker, panic_message, panicking_waker,
    poll, poll_noop, reentrant_waker,
};

mod model;

/// No task waits, nothing is stored: as if nothing had ever happened.
#[track_caller]
fn assert_untouched(notify: &Notify) {
    assert_eq!(notify.waiter_count(), 0);
    assert!(!notify.has_permit());
    let mut wait = pin!(notify.wait_future());
    assert!(poll_noop(wait.as_mut()).is_pending());
    notify.notify_one();
    assert!(poll_noop(wait.as_mut()).is_ready());
    assert!(!notify.has_permit());
}

fn take_permit(notify: &Notify) {
    let _ = poll_noop(pin!(notify.wait_future()));
}

#[test]
fn dropped_wait_leaves_no_trace() {
    let notify = Notify::new();
    drop(notify.wait_future());
    assert_untouched(&notify);

    let mut queued = Box::pin(notify.wait_future());
    assert!(poll_noop(queued.as_mut()).is_pending());
    drop(queued);
    assert_untouched(&notify);

    let mut woken = Box::pin(notify.wait_future());
    assert!(poll_noop(woken.as_mut()).is_pending());
    notify.notify_all();
    drop(woken);
    assert_untouched(&notify);

    let mut done = Box::pin(notify.wait_future());
    assert!(poll_noop(done.as_mut()).is_pending());
    notify.notify_one();
    assert!(poll_noop(done.as_mut()).is_ready());
    drop(done);
    assert_untouched(&notify);
}

#[test]
fn dropped_wait_in_the_middle_leaves_the_order() {
    let notify = Notify::new();
    let mut waits: Vec<_> = (0..5).map(|_| Box::pin(notify.wait_future())).collect();
    for wait in &mut waits {
        assert!(poll_noop(wait.as_mut()).is_pending());
    }
    drop(waits.remove(4));
    drop(waits.remove(2));
    drop(waits.remove(0));
    assert_eq!(notify.waiter_count(), 2);
    notify.notify_one();
    assert!(poll_noop(waits[1].as_mut()).is_pending());
    assert!(poll_noop(waits[0].as_mut()).is_ready());
    notify.notify_one();
    assert!(poll_noop(waits[1].as_mut()).is_ready());
}

#[test]
fn dropped_win_is_passed_on() {
    cancelled_one_goes_to_the_next();
    // A win by a stored permit, held back by an exhausted budget.
    let notify = Notify::new();
    notify.notify_one();
    let mut wait = Box::pin(notify.wait(Exhausted));
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert!(!notify.has_permit());
    drop(wait);
    assert!(notify.has_permit());
}

#[test]
fn cancelled_one_goes_to_the_next() {
    let notify = Notify::new();
    let (wakes, waker) = counting_waker();
    let mut first = Box::pin(notify.wait_future());
    let mut second = pin!(notify.wait_future());
    assert!(poll_noop(first.as_mut()).is_pending());
    assert!(poll(second.as_mut(), &waker).is_pending());
    notify.notify_one();
    assert_eq!(wakes.count(), 0);
    drop(first);
    assert_eq!(wakes.count(), 1);
    assert!(poll(second.as_mut(), &waker).is_ready());

    let mut alone = Box::pin(notify.wait_future());
    assert!(poll_noop(alone.as_mut()).is_pending());
    notify.notify_one();
    drop(alone);
    assert!(notify.has_permit(), "with nobody next it is stored");
}

#[test]
fn cancelled_last_goes_to_the_last() {
    let notify = Notify::new();
    let mut waits: Vec<_> = (0..3).map(|_| Box::pin(notify.wait_future())).collect();
    for wait in &mut waits {
        assert!(poll_noop(wait.as_mut()).is_pending());
    }
    notify.notify_last();
    drop(waits.pop());
    assert!(poll_noop(waits[0].as_mut()).is_pending());
    assert!(poll_noop(waits[1].as_mut()).is_ready());
}

#[test]
fn last_waker_is_the_one_woken() {
    let notify = Notify::new();
    let (first, first_waker) = counting_waker();
    let (second, second_waker) = counting_waker();
    let mut wait = pin!(notify.wait_future());
    assert!(poll(wait.as_mut(), &first_waker).is_pending());
    assert!(poll(wait.as_mut(), &second_waker).is_pending());
    assert_eq!(Arc::strong_count(&first), 2, "the old waker was let go");
    notify.notify_one();
    assert_eq!((first.count(), second.count()), (0, 1));
    assert!(poll(wait.as_mut(), &second_waker).is_ready());
}

#[test]
fn waker_may_reenter() {
    let notify = Arc::new(Notify::new());
    let entered = Arc::new(AtomicUsize::new(0));
    let again = |signals: bool| {
        let (notify, entered) = (notify.clone(), entered.clone());
        reentrant_waker(move || {
            entered.fetch_add(1, Ordering::Relaxed);
            take_permit(&notify);
            let mut wait = Box::pin(notify.wait_future());
            assert!(poll_noop(wait.as_mut()).is_pending());
            let mut waiter = Box::pin(Waiter::with_waker(Waker::noop().clone()));
            assert!(!notify.wait_with(waiter.as_mut()));
            let _ = (notify.waiter_count(), notify.has_permit());
            if signals {
                notify.notify_last();
                notify.notify_one();
                notify.notify_all();
                assert!(poll_noop(wait.as_mut()).is_ready());
            }
            drop((wait, waiter));
            take_permit(&notify);
        })
    };
    for signal in [Notify::notify_one, Notify::notify_last, Notify::notify_all] {
        for signals in [false, true] {
            // Cloned by the first poll, woken by the signal.
            let mut wait = Box::pin(notify.wait_future());
            let ready = poll(wait.as_mut(), &again(signals)).is_ready();
            assert_eq!(ready, signals, "the clone notifies the wait itself");
            signal(&notify);
            drop(wait);
            take_permit(&notify);

            // Cloned, replaced and dropped in the queue.
            let mut wait = Box::pin(notify.wait_future());
            assert!(poll_noop(wait.as_mut()).is_pending());
            let ready = poll(wait.as_mut(), &again(signals)).is_ready();
            assert_eq!(ready, signals);
            if !ready {
                assert!(poll(wait.as_mut(), &again(signals)).is_pending());
            }
            drop(wait);

            // The same on the third level.
            let mut waiter = Box::pin(Waiter::with_waker(again(signals)));
            let _ = notify.wait_with(waiter.as_mut());
            waiter.as_mut().set_waker(again(signals));
            signal(&notify);
            drop(waiter);
            take_permit(&notify);
        }
    }
    assert!(entered.load(Ordering::Relaxed) >= 15);
    assert_eq!(notify.waiter_count(), 0);
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    let notify = Notify::new();
    let (wakes, waker) = counting_waker();
    // More than one batch, with a panic first, last and between.
    let mut waits: Vec<_> = (0..100).map(|_| Box::pin(notify.wait_future())).collect();
    let mut well = 0;
    for (index, wait) in waits.iter_mut().enumerate() {
        let panics = matches!(index, 0 | 31 | 32 | 50 | 51 | 99);
        well += usize::from(!panics);
        let waker = if panics {
            panicking_waker()
        } else {
            waker.clone()
        };
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    assert_eq!(panic_message(|| notify.notify_all()), WAKER_PANIC);
    assert_eq!(wakes.count(), well);
    for wait in &mut waits {
        assert!(poll_noop(wait.as_mut()).is_ready());
    }
    assert_untouched(&notify);
}

#[test]
fn panicking_waker_has_its_win_passed_on_once() {
    let notify = Notify::new();
    let mut first = Box::pin(Waiter::new());
    let mut second = pin!(Waiter::with_waker(panicking_waker()));
    let mut third = pin!(Waiter::new());
    for waiter in [first.as_mut(), second.as_mut(), third.as_mut()] {
        assert!(!notify.wait_with(waiter));
    }
    notify.notify_one();
    assert_eq!(panic_message(|| first.as_mut().reset()), WAKER_PANIC);
    drop(first);
    assert!(second.is_notified());
    assert!(!third.is_notified());
}

#[test]
fn drop_while_unwinding_does_not_panic_again() {
    let notify = Notify::new();
    let mut second = pin!(notify.wait_future());
    let message = panic_message(|| {
        let mut first = Box::pin(notify.wait_future());
        assert!(poll_noop(first.as_mut()).is_pending());
        assert!(poll(second.as_mut(), &panicking_waker()).is_pending());
        notify.notify_one();
        // Unwinding drops `first`, whose win goes to the waker that panics.
        panic!("the first panic");
    });
    assert_eq!(message, "the first panic");
    assert!(poll_noop(second.as_mut()).is_ready());
}

#[test]
fn spurious_poll_is_harmless() {
    let notify = Notify::new();
    let (wakes, waker) = counting_waker();
    let mut first = pin!(notify.wait_future());
    let mut second = pin!(notify.wait_future());
    for _ in 0..3 {
        assert!(poll(first.as_mut(), &waker).is_pending());
        assert!(poll(second.as_mut(), &waker).is_pending());
    }
    assert_eq!(notify.waiter_count(), 2);
    notify.notify_one();
    assert_eq!(wakes.count(), 1);
    assert!(poll(second.as_mut(), &waker).is_pending());
    assert!(poll(first.as_mut(), &waker).is_ready());
}

#[test]
fn completed_future_is_fused_or_panics_clearly() {
    let notify = Notify::new();
    notify.notify_one();
    let mut wait = pin!(notify.wait_future());
    assert!(poll_noop(wait.as_mut()).is_ready());
    notify.notify_one();
    for _ in 0..2 {
        let message = panic_message(|| _ = poll_noop(wait.as_mut()));
        assert!(
            message.contains("polled after it had finished"),
            "{message}"
        );
        let message = panic_message(|| _ = wait.as_mut().enable());
        assert!(
            message.contains("enabled after it had finished"),
            "{message}"
        );
    }
    assert!(notify.has_permit());
    assert_eq!(notify.waiter_count(), 0);
}

#[test]
fn moves_between_executors() {
    let notify = Arc::new(Notify::new());
    let mut wait = Box::pin(notify.clone().wait_owned(Bare));
    assert!(poll_noop(wait.as_mut()).is_pending());
    let other = std::thread::spawn(move || Bare.block_on(wait));
    notify.notify_one();
    other.join().unwrap();
}

#[test]
fn happens_before() {
    for signal in [Notify::notify_one, Notify::notify_last, Notify::notify_all] {
        let notify = Arc::new(Notify::new());
        let written = Arc::new(AtomicUsize::new(0));
        for round in 1..=200 {
            let wait = notify.clone().wait_owned(Bare);
            let writer = {
                let (notify, written) = (notify.clone(), written.clone());
                std::thread::spawn(move || {
                    written.store(round, Ordering::Relaxed);
                    signal(&notify);
                })
            };
            Bare.block_on(wait);
            assert_eq!(written.load(Ordering::Relaxed), round);
            writer.join().unwrap();
        }
    }
}

#[test]
fn waits_without_allocation() {
    let notify = Notify::new();
    let (wakes, waker) = counting_waker();
    let count = allocations(|| {
        let mut first = pin!(notify.wait_future());
        let mut second = pin!(notify.wait_future());
        let mut third = pin!(Waiter::new());
        assert!(poll(first.as_mut(), &waker).is_pending());
        assert!(poll(second.as_mut(), &waker).is_pending());
        assert!(!notify.wait_with(third.as_mut()));
        notify.notify_one();
        assert!(poll(first.as_mut(), &waker).is_ready());
        notify.notify_all();
        assert!(poll(second.as_mut(), &waker).is_ready());
        assert!(third.is_notified());
        notify.notify_one();
        assert!(poll(pin!(notify.wait_future()), &waker).is_ready());
    });
    assert_eq!((count, wakes.count()), (0, 2));
}

#[test]
fn owned_wait_of_a_field_keeps_its_owner_alive() {
    struct Server {
        stopped: Notify,
    }

    let server = Arc::new(Server {
        stopped: Notify::new(),
    });
    let weak = Arc::downgrade(&server);
    let wait = || {
        Box::pin(Notify::wait_owned_by(
            server.clone(),
            |server| &server.stopped,
            Bare,
        ))
    };
    let (mut first, mut second) = (wait(), wait());
    assert!(poll_noop(first.as_mut()).is_pending());
    assert!(poll_noop(second.as_mut()).is_pending());
    server.stopped.notify_one();
    drop(server);
    // A win that no task has fetched goes to the next.
    drop(first);
    assert!(weak.upgrade().is_some());
    assert!(poll_noop(second.as_mut()).is_ready());
    drop(second);
    assert!(weak.upgrade().is_none());
}

#[test]
fn sizes_are_as_documented() {
    if cfg!(target_pointer_width = "64") {
        assert!(size_of::<Notify>() <= 32);
        assert!(size_of::<Wait<'static>>() <= 48);
        assert!(size_of::<OwnedWait>() <= 56);
        assert!(size_of::<Waiter<'static>>() <= 64);
    }
}

#[test]
fn cancel_is_constant_time() {
    // Measured in visits of a clock-free kind: the waits in the middle leave one
    // by one, and a queue that searched would take 10^10 steps for this.
    let notify = Notify::new();
    let mut waits: Vec<_> = (0..100_000)
        .map(|_| Box::pin(notify.wait_future()))
        .collect();
    for wait in &mut waits {
        assert!(poll_noop(wait.as_mut()).is_pending());
    }
    while waits.len() > 1 {
        let middle = waits.len() / 2;
        drop(waits.swap_remove(middle));
    }
    assert_eq!(notify.waiter_count(), 1);
}

/// An executor whose budget is used up for ever.
struct Exhausted;

impl Io for Exhausted {
    fn poll_spend(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// An executor that lets one operation through for each unit of its budget.
struct Budget(core::cell::Cell<usize>);

impl Io for Budget {
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.0.get().checked_sub(1) {
            Some(left) => {
                self.0.set(left);
                Poll::Ready(())
            }
            None => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

#[test]
fn spends_budget_after_winning() {
    let notify = Notify::new();
    let io = Budget(0.into());
    let (wakes, waker) = counting_waker();
    let mut first = pin!(notify.wait(&io));
    let mut second = pin!(notify.wait(&io));
    // Waiting costs nothing and queues in spite of the empty budget.
    assert!(poll(first.as_mut(), &waker).is_pending());
    assert!(poll(second.as_mut(), &waker).is_pending());
    assert_eq!((notify.waiter_count(), wakes.count()), (2, 0));
    notify.notify_one();
    assert_eq!(wakes.count(), 1);
    assert!(poll(first.as_mut(), &waker).is_pending(), "won, and yields");
    assert_eq!((notify.waiter_count(), wakes.count()), (1, 2));
    io.0.set(1);
    assert!(poll(first.as_mut(), &waker).is_ready());
    assert_eq!(io.0.get(), 0);
}

#[test]
fn usable_in_a_static() {
    static NOTIFY: Notify = Notify::new();
    NOTIFY.notify_one();
    Bare.block_on(NOTIFY.wait_future());
    assert!(!NOTIFY.has_permit());
}

#[test]
fn permit_is_stored() {
    let notify = Notify::new();
    assert!(!notify.has_permit());
    notify.notify_one();
    assert!(notify.has_permit());
    assert!(poll_noop(pin!(notify.wait_future())).is_ready());
    assert!(!notify.has_permit());
    assert!(poll_noop(pin!(notify.wait_future())).is_pending());
}

#[test]
fn permits_do_not_accumulate() {
    let notify = Notify::new();
    for _ in 0..5 {
        notify.notify_one();
        notify.notify_last();
    }
    assert!(poll_noop(pin!(notify.wait_future())).is_ready());
    assert!(poll_noop(pin!(notify.wait_future())).is_pending());
}

#[test]
fn one_wakes_exactly_one() {
    let notify = Notify::new();
    let (wakes, waker) = counting_waker();
    let mut waits: Vec<_> = (0..3).map(|_| Box::pin(notify.wait_future())).collect();
    for wait in &mut waits {
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    for woken in 1..=3 {
        notify.notify_one();
        assert_eq!(wakes.count(), woken);
        assert_eq!(notify.waiter_count(), 3 - woken);
    }
    assert!(!notify.has_permit());
}

#[test]
fn one_wakes_in_fifo_order() {
    let notify = Notify::new();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waits: Vec<_> = (0..50).map(|_| Box::pin(notify.wait_future())).collect();
    for (index, wait) in waits.iter_mut().enumerate() {
        let order = order.clone();
        let waker = hooked_waker(move |event| {
            if event == Event::Wake {
                order.lock().unwrap().push(index);
            }
        });
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    for _ in 0..25 {
        notify.notify_one();
    }
    notify.notify_all();
    assert!(order.lock().unwrap().iter().copied().eq(0..50));
}

#[test]
fn all_wakes_exactly_those_before() {
    let notify = Arc::new(Notify::new());
    // A newcomer queues from inside the first waker, while most of the waits
    // are still aside.
    let newcomer = Arc::new(Mutex::new(None));
    let waker = {
        let (notify, newcomer) = (notify.clone(), newcomer.clone());
        hooked_waker(move |event| {
            if event == Event::Wake {
                let mut wait = Box::pin(notify.clone().wait_owned(Bare));
                assert!(poll_noop(wait.as_mut()).is_pending());
                *newcomer.lock().unwrap() = Some(wait);
            }
        })
    };
    let mut created = pin!(notify.wait_future());
    let mut waits: Vec<_> = (0..100).map(|_| Box::pin(notify.wait_future())).collect();
    assert!(poll(waits[0].as_mut(), &waker).is_pending());
    for wait in &mut waits[1..] {
        assert!(poll_noop(wait.as_mut()).is_pending());
    }
    notify.notify_all();
    for wait in &mut waits {
        assert!(poll_noop(wait.as_mut()).is_ready());
    }
    assert!(
        poll_noop(created.as_mut()).is_ready(),
        "created before, polled after"
    );
    let mut newcomer = newcomer.lock().unwrap().take().expect("a newcomer");
    assert!(poll_noop(newcomer.as_mut()).is_pending());
    assert_eq!(notify.waiter_count(), 1);
    notify.notify_one();
    assert!(poll_noop(newcomer.as_mut()).is_ready());
}

/// While a `notify_all` wakes its first batch, the rest of its waits, which are
/// aside, can be polled, asked, renewed, cancelled and dropped: all see that the
/// call has happened.
#[test]
fn all_is_one_event_in_time() {
    type Owned = std::pin::Pin<Box<OwnedWait>>;
    let notify = Arc::new(Notify::new());
    let rest: Arc<Mutex<Vec<Owned>>> = Arc::default();
    let waiters: Arc<Mutex<Vec<std::pin::Pin<Box<Waiter<'static>>>>>> = Arc::default();
    // A waiter borrows its `Notify` for ever here.
    let leaked: &'static Notify = Box::leak(Box::new(Notify::new()));
    let (wakes, counting) = counting_waker();

    let first = {
        let (notify, rest) = (notify.clone(), rest.clone());
        hooked_waker(move |event| {
            if event != Event::Wake {
                return;
            }
            let mut rest = rest.lock().unwrap();
            let (_, waker) = counting_waker();
            assert_eq!(notify.waiter_count(), 0);
            // Polled with another waker: ready.
            assert!(poll(rest[60].as_mut(), &waker).is_ready());
            // Dropped: passes nothing on.
            drop(rest.remove(50));
            assert!(!notify.has_permit());
            // A signal now is for a wait of its own.
            notify.notify_one();
            assert!(notify.has_permit());
        })
    };
    for index in 0..70 {
        let mut wait = Box::pin(notify.clone().wait_owned(Bare));
        let waker = if index == 0 { &first } else { &counting };
        assert!(poll(wait.as_mut(), waker).is_pending());
        rest.lock().unwrap().push(wait);
    }
    notify.notify_all();
    assert_eq!(
        wakes.count(),
        67,
        "all but the first, the polled and the dropped"
    );
    assert!(notify.has_permit());

    let first = {
        let waiters = waiters.clone();
        hooked_waker(move |event| {
            if event != Event::Wake {
                return;
            }
            let mut waiters = waiters.lock().unwrap();
            assert!(waiters[40].is_ready());
            assert!(waiters[40].is_notified());
            assert!(leaked.wait_with(waiters[41].as_mut()));
            assert!(!leaked.cancel_wait(waiters[42].as_mut()), "it was notified");
            assert!(!waiters[42].is_notified(), "and is as new");
            waiters[43].as_mut().reset();
            assert!(!leaked.wait_with(waiters[43].as_mut()), "waits anew");
        })
    };
    for index in 0..50 {
        let waker = if index == 0 { &first } else { &counting };
        let mut waiter = Box::pin(Waiter::with_waker(waker.clone()));
        assert!(!leaked.wait_with(waiter.as_mut()));
        waiters.lock().unwrap().push(waiter);
    }
    leaked.notify_all();
    assert_eq!(leaked.waiter_count(), 1);
    assert!(!leaked.has_permit());
    assert!(!waiters.lock().unwrap()[43].is_notified());
    waiters.lock().unwrap().clear();
    assert_untouched(leaked);
}

#[test]
fn all_stores_no_permit() {
    let notify = Notify::new();
    notify.notify_all();
    assert!(!notify.has_permit());
    assert!(poll_noop(pin!(notify.wait_future())).is_pending());
}

#[test]
fn all_keeps_a_stored_permit() {
    let notify = Notify::new();
    let mut before = pin!(notify.wait_future());
    notify.notify_one();
    notify.notify_all();
    assert!(notify.has_permit());
    assert!(poll_noop(before.as_mut()).is_ready());
    assert!(notify.has_permit(), "it won by the call, not by the permit");
    assert!(poll_noop(pin!(notify.wait_future())).is_ready());
    assert!(!notify.has_permit());
}

#[test]
fn one_does_not_steal_from_all() {
    let notify = Notify::new();
    let mut queued = pin!(notify.wait_future());
    assert!(poll_noop(queued.as_mut()).is_pending());
    let mut created = pin!(notify.wait_future());
    notify.notify_all();
    notify.notify_one();
    assert!(notify.has_permit());
    assert!(poll_noop(queued.as_mut()).is_ready());
    assert!(poll_noop(created.as_mut()).is_ready());
    assert!(notify.has_permit());
}

#[test]
fn wait_before_check_misses_nothing() {
    let notify = Notify::new();
    let mut others: Vec<_> = (0..3).map(|_| Box::pin(notify.wait_future())).collect();
    let mut wait = pin!(notify.wait_future());
    assert!(!wait.as_mut().enable());
    assert!(!wait.as_mut().enable(), "twice is as once");
    for other in &mut others {
        assert!(poll_noop(other.as_mut()).is_pending());
    }
    // Here the condition is read, and the signal comes.
    notify.notify_one();
    assert!(wait.as_mut().enable());
    assert!(poll_noop(wait.as_mut()).is_ready());
    assert_eq!(notify.waiter_count(), 3);
}

#[test]
fn enable_takes_the_permit() {
    let notify = Notify::new();
    notify.notify_one();
    let mut wait = Box::pin(notify.wait_future());
    assert!(wait.as_mut().enable());
    assert!(!notify.has_permit());
    drop(wait);
    assert!(notify.has_permit(), "not polled, so passed on");
}

#[test]
fn last_wakes_the_last() {
    let notify = Notify::new();
    let mut waits: Vec<_> = (0..3).map(|_| Box::pin(notify.wait_future())).collect();
    for wait in &mut waits {
        assert!(poll_noop(wait.as_mut()).is_pending());
    }
    for index in [2, 1] {
        notify.notify_last();
        assert!(poll_noop(waits[index].as_mut()).is_ready());
    }
    assert!(poll_noop(waits[0].as_mut()).is_pending());
}

#[test]
fn raw_waiter_reports_state() {
    let notify = Notify::new();
    let (wakes, waker) = counting_waker();
    let mut waiter = pin!(Waiter::with_waker(waker));
    assert!(!waiter.is_ready() && !waiter.is_notified());
    assert!(!notify.cancel_wait(waiter.as_mut()), "it waits nowhere");

    assert!(!notify.wait_with(waiter.as_mut()));
    assert!(!notify.wait_with(waiter.as_mut()), "stays where it is");
    assert_eq!(notify.waiter_count(), 1);
    assert!(!waiter.is_ready() && !waiter.is_notified());

    notify.notify_one();
    assert_eq!(wakes.count(), 1);
    assert!(waiter.is_ready() && waiter.is_ready() && waiter.is_notified());
    assert!(notify.wait_with(waiter.as_mut()), "stays notified");

    // A reset waiter is as new and keeps its waker.
    waiter.as_mut().reset();
    assert!(!waiter.is_ready());
    assert!(!notify.wait_with(waiter.as_mut()));
    notify.notify_all();
    assert_eq!(wakes.count(), 2);
    assert!(waiter.is_notified());

    waiter.as_mut().reset();
    assert!(!notify.wait_with(waiter.as_mut()));
    assert!(notify.cancel_wait(waiter.as_mut()));
    assert!(!notify.cancel_wait(waiter.as_mut()));
    assert_untouched(&notify);
}

#[test]
fn raw_waiter_takes_the_permit_at_once() {
    let notify = Notify::new();
    notify.notify_one();
    let mut waiter = Box::pin(Waiter::new());
    assert!(notify.wait_with(waiter.as_mut()));
    assert!(!notify.has_permit());
    drop(waiter);
    assert!(!notify.has_permit(), "`true` has told of it");
}

#[test]
fn raw_waiter_passes_on_what_nobody_saw() {
    let notify = Notify::new();
    for look in [false, true] {
        let mut waiter = Box::pin(Waiter::new());
        assert!(!notify.wait_with(waiter.as_mut()));
        notify.notify_one();
        assert!(waiter.is_ready());
        assert_eq!(look && waiter.is_notified(), look);
        drop(waiter);
        assert_eq!(notify.has_permit(), !look);
        assert_eq!(poll_noop(pin!(notify.wait_future())).is_ready(), !look);
    }
}

#[test]
fn raw_waiter_on_another_notify_panics() {
    let (one, other) = (Notify::new(), Notify::new());
    let mut waiter = pin!(Waiter::new());
    assert!(!one.wait_with(waiter.as_mut()));
    let message = panic_message(|| _ = other.wait_with(waiter.as_mut()));
    assert!(message.contains("another `Notify`"), "{message}");
    assert!(!other.cancel_wait(waiter.as_mut()));
    assert_eq!(one.waiter_count(), 1);
    waiter.as_mut().reset();
    assert!(!other.wait_with(waiter.as_mut()));
    assert_eq!((one.waiter_count(), other.waiter_count()), (0, 1));
}

#[test]
fn raw_waiter_set_waker_loses_no_notification() {
    let notify = Notify::new();
    let (first, first_waker) = counting_waker();
    let (second, second_waker) = counting_waker();
    let mut waiter = pin!(Waiter::with_waker(first_waker.clone()));
    assert!(!notify.wait_with(waiter.as_mut()));
    waiter.as_mut().set_waker(second_waker.clone());
    notify.notify_one();
    assert_eq!((first.count(), second.count()), (0, 1));
    // Notified, and no task has looked: the new waker must not wait in vain.
    waiter.as_mut().set_waker(first_waker);
    assert_eq!((first.count(), second.count()), (1, 1));
    assert!(waiter.is_notified());
    waiter.as_mut().set_waker(second_waker);
    assert_eq!((first.count(), second.count()), (1, 1));
}

#[test]
fn raw_waiter_calls_its_callback_each_time() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let notify = Notify::new();
    let mut waiter = pin!(Waiter::with_callback(&CALLS, |calls| {
        calls.fetch_add(1, Ordering::Relaxed);
    }));
    for calls in 1..=3 {
        assert!(!notify.wait_with(waiter.as_mut()));
        notify.notify_one();
        assert_eq!(CALLS.load(Ordering::Relaxed), calls);
        assert!(waiter.is_notified());
        waiter.as_mut().reset();
    }
}

#[test]
fn raw_waiter_shows_how_far_it_is() {
    let notify = Notify::new();
    let mut waiter = pin!(Waiter::new());
    let shown = |waiter: &Waiter<'_>| std::format!("{waiter:?}");
    let status = |name: &str| std::format!("Waiter {{ status: \"{name}\", .. }}");
    assert_eq!(shown(&waiter), status("idle"));
    assert!(!notify.wait_with(waiter.as_mut()));
    assert_eq!(shown(&waiter), status("queued"));
    notify.notify_one();
    assert_eq!(shown(&waiter), status("notified"));
    assert!(waiter.is_notified());
    assert_eq!(shown(&waiter), status("finished"));
}

#[test]
fn waits_unless_it_is_over() {
    let notify = Notify::new();
    let mut waiter = pin!(Waiter::new());
    assert!(!notify.wait_unless(waiter.as_mut(), || false));
    assert_eq!(notify.waiter_count(), 1);
    notify.notify_all();
    assert!(notify.wait_unless(waiter.as_mut(), || true));
    assert_eq!(notify.waiter_count(), 0, "it has left the queue");
}

#[test]
fn leaked_wait_outlives_its_notify() {
    let (wakes, waker) = counting_waker();
    let notify = Notify::new();
    let mut leaked = Box::pin(notify.wait_future());
    assert!(poll(leaked.as_mut(), &waker).is_pending());
    core::mem::forget(leaked);
    // Nothing borrows it any more: it may move, be used, and go.
    let notify = Box::new(notify);
    let mut wait = pin!(notify.wait_future());
    assert!(poll_noop(wait.as_mut()).is_pending());
    notify.notify_last();
    assert!(poll_noop(wait.as_mut()).is_ready());
    notify.notify_one();
    assert_eq!((wakes.count(), notify.waiter_count()), (1, 0));
}

#[test]
fn owned_wait_keeps_its_notify_alive() {
    let notify = Arc::new(Notify::new());
    let mut wait = Box::pin(notify.clone().wait_owned(Bare));
    assert!(poll_noop(wait.as_mut()).is_pending());
    let weak = Arc::downgrade(&notify);
    drop(notify);
    weak.upgrade().expect("kept alive").notify_one();
    assert!(poll_noop(wait.as_mut()).is_ready());
    drop(wait);
    assert!(weak.upgrade().is_none());
}

#[test]
fn debug_tells_the_state() {
    let notify = Notify::new();
    let mut wait = pin!(notify.wait_future());
    assert_eq!(std::format!("{wait:?}"), "Wait { status: \"idle\", .. }");
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert_eq!(std::format!("{wait:?}"), "Wait { status: \"queued\", .. }");
    assert_eq!(
        std::format!("{notify:?}"),
        "Notify { has_permit: false, waiter_count: 1 }"
    );
}

#[test]
fn panicking_clone_leaves_the_wait_as_it_was() {
    let notify = Notify::new();
    let waker = hooked_waker(|event| assert_ne!(event, Event::Clone, "no clones"));
    let mut wait = pin!(notify.wait_future());
    assert!(catch_unwind(AssertUnwindSafe(|| poll(wait.as_mut(), &waker))).is_err());
    assert_eq!(notify.waiter_count(), 0);
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| poll(wait.as_mut(), &waker))).is_err());
    assert_eq!(notify.waiter_count(), 1);
    notify.notify_one();
    assert!(poll_noop(wait.as_mut()).is_ready());
}
