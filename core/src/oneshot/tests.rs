//! The laws of `any::` and `oneshot::`, each in a test of its name, over both
//! homes.

use core::cell::Cell;
use core::pin::pin;
use std::boxed::Box;
use std::format;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::vec::Vec;

use super::*;
use crate::Block;
use crate::test_util::{
    Brittle, DROP_PANIC, Event, WAKER_PANIC, allocations, counting_waker, hooked_waker,
    panic_message, panicking_waker, poll, poll_noop, reentrant_waker,
};

/// As [`channel`], from a slot that lives for ever.
fn lent<T: 'static>() -> (SlotSender<'static, T>, SlotReceiver<'static, T>) {
    Box::leak(Box::new(Slot::new())).split()
}

/// A test that runs with each way to make the two ends.
macro_rules! law {
    ($(#[$meta:meta])* fn $name:ident($make:ident) $body:block) => {
        $(#[$meta])*
        #[test]
        fn $name() {
            {
                use super::channel as $make;
                $body
            }
            {
                use lent as $make;
                $body
            }
        }
    };
}

/// A value that counts its drops.
struct Counted(Rc<Cell<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

law! {
    fn delivers_once(ends) {
        // Sent first.
        let (sender, mut receiver) = ends();
        assert!(receiver.is_empty());
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        sender.send(7).unwrap();
        assert!(!receiver.is_empty() && !receiver.is_terminated());
        assert_eq!(receiver.try_recv(), Ok(7));
        assert!(receiver.is_empty() && receiver.is_terminated());
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(Bare.block_on(receiver.recv(Bare)), Err(RecvError));

        // Waited first.
        let (sender, mut receiver) = ends();
        let (wakes, waker) = counting_waker();
        assert!(poll(pin!(&mut receiver), &waker).is_pending());
        sender.send(8).unwrap();
        assert_eq!(wakes.count(), 1);
        assert_eq!(poll(pin!(&mut receiver), &waker), Poll::Ready(Ok(8)));
        assert!(receiver.is_terminated());
    }
}

law! {
    fn dropped_sender_is_an_error(ends) {
        let (sender, mut receiver) = ends::<u8>();
        drop(sender);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        assert!(receiver.is_terminated());

        let (sender, mut receiver) = ends::<u8>();
        let (wakes, waker) = counting_waker();
        assert!(poll(pin!(&mut receiver), &waker).is_pending());
        drop(sender);
        assert_eq!(wakes.count(), 1);
        assert!(receiver.is_empty());
        assert_eq!(poll(pin!(&mut receiver), &waker), Poll::Ready(Err(RecvError)));
    }
}

law! {
    fn send_to_dropped_receiver_gives_back(ends) {
        let (sender, receiver) = ends();
        drop(receiver);
        assert_eq!(sender.send(Box::new(7)), Err(SendError(Box::new(7))));

        // So does one that has waited, and one that was closed.
        for close in [false, true] {
            let (sender, mut receiver) = ends();
            let (wakes, waker) = counting_waker();
            assert!(poll(pin!(&mut receiver), &waker).is_pending());
            if close {
                receiver.close();
                assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
            } else {
                drop(receiver);
            }
            assert_eq!(Arc::strong_count(&wakes), 2, "the waker was let go");
            assert_eq!(sender.send(Box::new(7)).unwrap_err().into_inner(), Box::new(7));
            assert_eq!(wakes.count(), 0);
        }
    }
}

law! {
    fn closing_keeps_the_waker_of_another_task(ends) {
        for sends in [false, true] {
            let (sender, mut receiver) = ends();
            let (wakes, waker) = counting_waker();
            assert!(poll(pin!(&mut receiver), &waker).is_pending());
            receiver.close();
            receiver.close();
            assert_eq!(wakes.count(), 0);
            if sends {
                assert_eq!(sender.send(7), Err(SendError(7)));
            } else {
                drop(sender);
            }
            assert_eq!(wakes.count(), 1);
            assert_eq!(Arc::strong_count(&wakes), 2, "the waker was let go");
            assert_eq!(poll(pin!(&mut receiver), &waker), Poll::Ready(Err(RecvError)));
        }
        // What is dropped has nothing to wait for.
        let (sender, mut receiver) = ends::<u8>();
        let (wakes, waker) = counting_waker();
        assert!(poll(pin!(&mut receiver), &waker).is_pending());
        receiver.close();
        drop(receiver);
        assert_eq!(Arc::strong_count(&wakes), 2, "the waker was let go");
        drop(sender);
        assert_eq!(wakes.count(), 0);
    }
}

law! {
    fn value_is_dropped_once(ends) {
        let drops = Rc::new(Cell::new(0));
        // Received; dropped in the channel; given back.
        let (sender, mut receiver) = ends::<Counted>();
        sender.send(Counted(drops.clone())).unwrap();
        let value = receiver.try_recv().unwrap();
        drop(receiver);
        assert_eq!(drops.replace(0), 0);
        drop(value);
        assert_eq!(drops.replace(0), 1);

        let (sender, receiver) = ends::<Counted>();
        sender.send(Counted(drops.clone())).unwrap();
        assert_eq!(drops.replace(0), 0);
        drop(receiver);
        assert_eq!(drops.replace(0), 1);

        let (sender, receiver) = ends::<Counted>();
        drop(receiver);
        let given_back = sender.send(Counted(drops.clone()));
        assert_eq!(drops.replace(0), 0);
        drop(given_back);
        assert_eq!(drops.replace(0), 1);

        // A wait that was given up leaves it.
        let (sender, mut receiver) = ends::<Counted>();
        let mut recv = Box::pin(receiver.recv(Exhausted));
        assert!(poll_noop(recv.as_mut()).is_pending());
        sender.send(Counted(drops.clone())).unwrap();
        assert!(poll_noop(recv.as_mut()).is_pending(), "no budget");
        drop(recv);
        assert_eq!(drops.get(), 0);
        drop(receiver);
        assert_eq!(drops.get(), 1);
    }
}

law! {
    fn sender_sees_closing(ends) {
        for close in [false, true] {
            let (mut sender, receiver) = ends::<u8>();
            let mut receiver = Some(receiver);
            let (wakes, waker) = counting_waker();
            assert!(!sender.is_closed());
            let mut closed = Box::pin(sender.closed(Bare));
            assert!(poll(closed.as_mut(), &waker).is_pending());
            if close {
                receiver.as_mut().unwrap().close();
            } else {
                receiver = None;
            }
            assert_eq!(wakes.count(), 1);
            assert!(poll(closed.as_mut(), &waker).is_ready());
            drop(closed);
            assert!(sender.is_closed() && sender.closed_with(&waker));
            Bare.block_on(sender.closed_future());
            assert_eq!(sender.send(1), Err(SendError(1)));
            drop(receiver);
            assert_eq!(Arc::strong_count(&wakes), 2);
        }
    }
}

law! {
    fn sent_before_close_is_received(ends) {
        let (sender, mut receiver) = ends();
        sender.send(7).unwrap();
        receiver.close();
        assert!(!receiver.is_empty());
        assert_eq!(receiver.try_recv(), Ok(7));
        receiver.close();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));

        let (sender, mut receiver) = ends::<u8>();
        receiver.close();
        receiver.close();
        assert_eq!(Bare.block_on(&mut receiver), Err(RecvError));
        assert!(receiver.is_terminated() && sender.is_closed());
    }
}

law! {
    fn dropped_wait_leaves_no_trace(ends) {
        let (mut sender, mut receiver) = ends();
        let (wakes, waker) = counting_waker();
        drop(receiver.recv(Bare));
        drop(sender.closed(Bare));
        let mut recv = Box::pin(receiver.recv(Bare));
        let mut closed = Box::pin(sender.closed(Bare));
        assert!(poll(recv.as_mut(), &waker).is_pending());
        assert!(poll(closed.as_mut(), &waker).is_pending());
        assert_eq!(Arc::strong_count(&wakes), 4);
        drop((recv, closed));
        assert_eq!(Arc::strong_count(&wakes), 2);
        sender.send(7).unwrap();
        assert_eq!(wakes.count(), 0);
        assert_eq!(receiver.try_recv(), Ok(7));
    }
}

law! {
    fn dropped_win_is_passed_on(ends) {
        let (sender, mut receiver) = ends();
        let mut recv = Box::pin(receiver.recv(Bare));
        assert!(poll_noop(recv.as_mut()).is_pending());
        sender.send(7).unwrap();
        drop(recv);
        // The next receive has it.
        assert_eq!(Bare.block_on(receiver), Ok(7));
    }
}

law! {
    fn last_waker_is_the_one_woken(ends) {
        let (mut sender, mut receiver) = ends::<u8>();
        let wakers: Vec<_> = (0..3).map(|_| counting_waker()).collect();
        for (_, waker) in &wakers {
            assert!(!sender.closed_with(waker));
            assert_eq!(receiver.recv_with(waker), Err(TryRecvError::Empty));
        }
        assert_eq!(Arc::strong_count(&wakers[0].0), 2, "the old wakers were let go");
        receiver.close();
        assert_eq!(wakers.each(), [0, 0, 1]);

        let (sender, mut receiver) = ends();
        for (_, waker) in &wakers {
            assert!(poll(pin!(&mut receiver), waker).is_pending());
        }
        sender.send(7).unwrap();
        assert_eq!(wakers.each(), [0, 0, 2]);
    }
}

trait Each {
    fn each(&self) -> [usize; 3];
}

impl Each for Vec<(Arc<crate::test_util::Wakes>, Waker)> {
    fn each(&self) -> [usize; 3] {
        [0, 1, 2].map(|index| self[index].0.count())
    }
}

law! {
    /// A waker uses the other end while it is cloned, woken and dropped.
    fn waker_may_reenter(ends) {
        for event in [Event::Clone, Event::Wake, Event::Drop] {
            // The receiver's waker sends, or drops the sender.
            for sends in [false, true] {
                let (sender, mut receiver) = ends();
                let sender = Arc::new(Mutex::new(Some(sender)));
                let waker = {
                    let sender = sender.clone();
                    hooked_waker(move |now| {
                        if now != event {
                            return;
                        }
                        // Not locked any more when it is used.
                        let taken = sender.lock().unwrap().take();
                        if let Some(mut sender) = taken {
                            let _ = (sender.is_closed(), sender.closed_with(Waker::noop()));
                            if sends {
                                sender.send(7).unwrap();
                            }
                        }
                    })
                };
                let expected = if sends { Ok(7) } else { Err(RecvError) };
                let mut outcome = poll(pin!(&mut receiver), &waker);
                if outcome.is_pending() {
                    // Replaced: dropped.
                    outcome = poll_noop(pin!(&mut receiver));
                }
                if outcome.is_pending() && event == Event::Wake {
                    assert!(poll(pin!(&mut receiver), &waker).is_pending());
                    // Woken.
                    waker.wake_by_ref();
                    outcome = poll_noop(pin!(&mut receiver));
                } else if outcome.is_pending() {
                    outcome = poll_noop(pin!(&mut receiver));
                }
                assert_eq!(outcome, Poll::Ready(expected), "{event:?}");
            }
            // The sender's waker closes, receives or drops.
            for action in 0..3 {
                let (mut sender, receiver) = ends::<u8>();
                let receiver = Arc::new(Mutex::new(Some(receiver)));
                let waker = {
                    let receiver = receiver.clone();
                    hooked_waker(move |now| {
                        if now != event {
                            return;
                        }
                        if let Ok(mut slot) = receiver.try_lock() {
                            match slot.as_mut() {
                                Some(receiver) if action == 0 => receiver.close(),
                                Some(receiver) if action == 1 => {
                                    _ = receiver.recv_with(Waker::noop());
                                    receiver.close();
                                }
                                _ => *slot = None,
                            }
                        }
                    })
                };
                if !sender.closed_with(&waker) {
                    let _ = sender.closed_with(Waker::noop());
                    let _ = sender.closed_with(&waker);
                    waker.wake_by_ref();
                }
                drop(waker);
                assert!(sender.is_closed(), "{event:?}");
            }
        }
    }
}

law! {
    /// Woken from inside the other end's call, a waker finds the outcome there,
    /// and may drop or poll its own end.
    fn woken_waker_finds_the_outcome(ends) {
        let (sender, receiver) = ends();
        let receiver = Arc::new(Mutex::new(receiver));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let waker = {
            let (receiver, seen) = (receiver.clone(), seen.clone());
            reentrant_waker(move || {
                if let Ok(mut receiver) = receiver.try_lock() {
                    seen.lock().unwrap().push(receiver.try_recv());
                }
            })
        };
        assert!(poll(pin!(&mut *receiver.lock().unwrap()), &waker).is_pending());
        sender.send(7).unwrap();
        assert_eq!(*seen.lock().unwrap(), [Ok(7)]);
    }
}

law! {
    fn panicking_waker_loses_no_wakeup(ends) {
        let (mut sender, mut receiver) = ends();
        let (wakes, waker) = counting_waker();
        assert!(!sender.closed_with(&waker));
        assert!(poll(pin!(&mut receiver), &panicking_waker()).is_pending());
        assert_eq!(panic_message(|| _ = sender.send(7)), WAKER_PANIC);
        assert_eq!((wakes.count(), Arc::strong_count(&wakes)), (0, 2));
        assert_eq!(receiver.try_recv(), Ok(7), "it was sent all the same");

        let (mut sender, mut receiver) = ends::<u8>();
        assert!(!sender.closed_with(&panicking_waker()));
        assert!(poll(pin!(&mut receiver), &waker).is_pending());
        assert_eq!(panic_message(|| receiver.close()), WAKER_PANIC);
        assert!(sender.is_closed());
        assert_eq!((wakes.count(), Arc::strong_count(&wakes)), (0, 3));
        drop(sender);
        assert_eq!((wakes.count(), Arc::strong_count(&wakes)), (1, 2));

        // One panics as it is woken, and the other as it is dropped thereupon.
        let (mut sender, mut receiver) = ends::<u8>();
        let panics_when_dropped = hooked_waker(|event| {
            assert!(event != Event::Drop, "dropped");
        });
        assert!(!sender.closed_with(&panicking_waker()));
        assert!(poll(pin!(&mut receiver), &panics_when_dropped).is_pending());
        core::mem::forget(panics_when_dropped);
        assert_eq!(panic_message(|| drop(receiver)), WAKER_PANIC);
        assert!(sender.is_closed());

        // Closed, what another task has left there panics as the sender wakes it.
        let (sender, mut receiver) = ends();
        assert!(poll(pin!(&mut receiver), &panicking_waker()).is_pending());
        receiver.close();
        assert_eq!(panic_message(|| _ = sender.send(7)), WAKER_PANIC);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));

        // Dropped while unwinding, it does not panic again.
        let (sender, mut receiver) = ends::<u8>();
        assert!(poll(pin!(&mut receiver), &panicking_waker()).is_pending());
        let message = panic_message(|| {
            let _sender = sender;
            panic!("the first panic");
        });
        assert_eq!(message, "the first panic");
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    }
}

law! {
    fn dropping_an_unreceived_value_that_panics_drops_it_once(ends) {
        let drops = Arc::new(AtomicUsize::new(0));
        let (sender, receiver) = ends();
        let value = Brittle { drops: Arc::clone(&drops), panics: true };
        sender.send(value).ok().unwrap();
        assert_eq!(panic_message(|| drop(receiver)), DROP_PANIC);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    }
}

law! {
    fn panicking_clone_leaves_the_wait_as_it_was(ends) {
        let (sender, mut receiver) = ends();
        let (wakes, waker) = counting_waker();
        let picky = hooked_waker(|event| assert_ne!(event, Event::Clone, "no clones"));
        assert!(catch_unwind(AssertUnwindSafe(|| poll(pin!(&mut receiver), &picky))).is_err());
        assert!(poll(pin!(&mut receiver), &waker).is_pending());
        assert!(catch_unwind(AssertUnwindSafe(|| poll(pin!(&mut receiver), &picky))).is_err());
        sender.send(7).unwrap();
        assert_eq!(wakes.count(), 1);
        assert_eq!(receiver.try_recv(), Ok(7));
    }
}

law! {
    fn spurious_poll_is_harmless(ends) {
        let (mut sender, mut receiver) = ends();
        let (wakes, waker) = counting_waker();
        for _ in 0..3 {
            assert!(poll(pin!(&mut receiver), &waker).is_pending());
            assert!(!sender.closed_with(&waker));
            // Kept, not cloned anew.
            assert_eq!(Arc::strong_count(&wakes), 4);
        }
        sender.send(7).unwrap();
        assert_eq!((wakes.count(), Arc::strong_count(&wakes)), (1, 2));
        assert_eq!(Bare.block_on(receiver), Ok(7));
    }
}

law! {
    fn completed_future_is_fused_or_panics_clearly(ends) {
        let (mut sender, mut receiver) = ends::<u8>();
        receiver.close();
        let mut closed = pin!(sender.closed_future());
        assert!(poll_noop(closed.as_mut()).is_ready());
        let message = panic_message(|| _ = poll_noop(closed.as_mut()));
        assert!(message.contains("polled after it had finished"), "{message}");

        let (sender, mut receiver) = ends();
        sender.send(7).unwrap();
        let mut recv = Box::pin(receiver.recv(Bare));
        assert_eq!(poll_noop(recv.as_mut()), Poll::Ready(Ok(7)));
        let message = panic_message(|| _ = poll_noop(recv.as_mut()));
        assert!(message.contains("polled after it had finished"), "{message}");
        drop(recv);
        for _ in 0..2 {
            let message = panic_message(|| _ = poll_noop(pin!(&mut receiver)));
            assert!(message.contains("polled after it had finished"), "{message}");
        }
    }
}

law! {
    fn moves_between_executors(ends) {
        let (sender, mut receiver) = ends();
        assert!(poll_noop(pin!(&mut receiver)).is_pending());
        let other = std::thread::spawn(move || receiver.blocking_recv());
        sender.send(7).unwrap();
        assert_eq!(other.join().unwrap(), Ok(7));
    }
}

law! {
    fn happens_before(ends) {
        static WRITTEN: AtomicUsize = AtomicUsize::new(0);
        for round in 1..=200 {
            // By the value, by the drop of the sender, by the closing.
            let (sender, receiver) = ends();
            let writer = std::thread::spawn(move || {
                WRITTEN.store(round, Ordering::Relaxed);
                if round % 2 == 0 {
                    sender.send(round).unwrap();
                }
            });
            assert_eq!(receiver.blocking_recv().is_ok(), round % 2 == 0);
            assert_eq!(WRITTEN.load(Ordering::Relaxed), round);
            writer.join().unwrap();

            let (mut sender, receiver) = ends::<usize>();
            let writer = std::thread::spawn(move || {
                WRITTEN.store(0, Ordering::Relaxed);
                drop(receiver);
            });
            Bare.block_on(sender.closed_future());
            assert_eq!(WRITTEN.load(Ordering::Relaxed), 0);
            writer.join().unwrap();
        }
    }
}

#[test]
fn waits_without_allocation() {
    fn program<H: Home>((mut sender, mut receiver): (Sender<u64, H>, Receiver<u64, H>)) {
        assert!(poll_noop(pin!(receiver.recv(Bare))).is_pending());
        assert!(poll_noop(pin!(sender.closed(Bare))).is_pending());
        assert!(poll_noop(pin!(&mut receiver)).is_pending());
        sender.send(7).unwrap();
        assert_eq!(poll_noop(pin!(receiver)), Poll::Ready(Ok(7)));
    }
    assert_eq!(allocations(|| program(channel())), 1);
    let count = allocations(|| {
        let mut slot = Slot::new();
        program(slot.split());
        program(slot.lend().unwrap());
    });
    assert_eq!(count, 0);
}

#[test]
fn sizes_are_as_documented() {
    if cfg!(target_pointer_width = "64") {
        assert_eq!(size_of::<Sender<[u8; 100]>>(), 8);
        assert_eq!(size_of::<Receiver<[u8; 100]>>(), 8);
        assert_eq!(size_of::<SlotReceiver<'static, [u8; 100]>>(), 8);
        assert_eq!(size_of::<Slot<()>>(), 40);
        assert_eq!(size_of::<Slot<u64>>(), 48);
        assert_eq!(size_of::<Recv<'static, u64>>(), 8);
        assert_eq!(size_of::<Closed<'static, u64>>(), 8);
    }
}

/// An executor whose budget is used up for ever.
struct Exhausted;

impl Io for Exhausted {
    fn poll_spend(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// An executor that lets one operation through for each unit of its budget.
struct Budget(Cell<usize>);

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

law! {
    fn spends_budget_after_winning(ends) {
        let io = Budget(Cell::new(0));
        let (wakes, waker) = counting_waker();
        let (sender, mut receiver) = ends();
        let mut recv = pin!(receiver.recv(&io));
        assert!(poll(recv.as_mut(), &waker).is_pending());
        assert_eq!(wakes.count(), 0, "waiting costs nothing");
        sender.send(7).unwrap();
        assert!(poll(recv.as_mut(), &waker).is_pending(), "won, and yields");
        assert_eq!(wakes.count(), 2);
        io.0.set(1);
        assert_eq!(poll(recv.as_mut(), &waker), Poll::Ready(Ok(7)));
        assert_eq!(io.0.get(), 0);

        let (mut sender, receiver) = ends::<u8>();
        drop(receiver);
        let mut closed = pin!(sender.closed(&io));
        assert!(poll(closed.as_mut(), &waker).is_pending());
        io.0.set(1);
        assert!(poll(closed.as_mut(), &waker).is_ready());
    }
}

law! {
    fn callbacks_are_called(ends) {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let call = |calls: &AtomicUsize| _ = calls.fetch_add(1, Ordering::Relaxed);
        CALLS.store(0, Ordering::Relaxed);
        let (sender, mut receiver) = ends();
        assert_eq!(receiver.recv_with_callback(&CALLS, call), Err(TryRecvError::Empty));
        sender.send(7).unwrap();
        assert_eq!(CALLS.load(Ordering::Relaxed), 1);
        assert_eq!(receiver.recv_with_callback(&CALLS, call), Ok(7));

        let (mut sender, receiver) = ends::<u8>();
        assert!(!sender.closed_with_callback(&CALLS, call));
        drop(receiver);
        assert_eq!(CALLS.load(Ordering::Relaxed), 2);
        assert!(sender.closed_with_callback(&CALLS, call));
    }
}

#[test]
fn usable_in_a_static() {
    static SLOT: Slot<u32> = Slot::new();
    for round in 0..3 {
        let (sender, receiver) = SLOT.lend().expect("it is free");
        assert!(SLOT.lend().is_none());
        let other = std::thread::spawn(move || sender.send(round));
        assert_eq!(receiver.blocking_recv(), Ok(round));
        other.join().unwrap().unwrap();
    }
}

#[test]
fn slot_is_free_when_both_are_gone() {
    let slot = Slot::<u8>::new();
    type Way = fn(SlotSender<'_, u8>, SlotReceiver<'_, u8>, &dyn Fn());
    let ways: [Way; 6] = [
        |sender, receiver, taken| {
            drop(sender);
            taken();
            drop(receiver);
        },
        |sender, receiver, taken| {
            drop(receiver);
            taken();
            drop(sender);
        },
        |sender, receiver, taken| {
            sender.send(1).unwrap();
            taken();
            drop(receiver);
        },
        |sender, receiver, taken| {
            drop(receiver);
            taken();
            sender.send(1).unwrap_err();
        },
        |sender, mut receiver, taken| {
            assert!(poll_noop(pin!(&mut receiver)).is_pending());
            taken();
            sender.send(1).unwrap();
            taken();
            receiver.try_recv().unwrap();
        },
        |mut sender, mut receiver, taken| {
            assert!(!sender.closed_with(Waker::noop()));
            receiver.close();
            drop(sender);
            taken();
            receiver.try_recv().unwrap_err();
        },
    ];
    for way in ways {
        let (sender, receiver) = slot.lend().expect("it is free");
        way(sender, receiver, &|| assert!(slot.lend().is_none()));
    }
    assert!(slot.lend().is_some());
}

#[test]
fn slot_drops_what_leaked_ends_left() {
    let drops = Rc::new(Cell::new(0));
    let (wakes, waker) = counting_waker();
    let mut slot = Slot::new();
    for again in [true, false] {
        let (sender, mut receiver) = slot.split();
        assert!(poll(pin!(&mut receiver), &waker).is_pending());
        core::mem::forget(receiver);
        assert!(sender.send(Counted(drops.clone())).is_ok());
        assert!(slot.lend().is_none());
        assert_eq!(drops.get(), 0);
        // Next time by `split`, then by the drop.
        if again {
            drop(slot.split());
            assert_eq!(drops.replace(0), 1);
        }
    }
    let (mut sender, mut receiver) = slot.split();
    assert_eq!(drops.replace(0), 1);
    assert!(!sender.closed_with(&waker));
    assert!(receiver.recv_with(&waker).is_err());
    core::mem::forget((sender, receiver));
    assert_eq!(Arc::strong_count(&wakes), 4);
    drop(slot);
    assert_eq!(Arc::strong_count(&wakes), 2);

    let mut slot = Slot::new();
    let (sender, receiver) = slot.split();
    assert!(sender.send(Counted(drops.clone())).is_ok());
    core::mem::forget(receiver);
    drop(slot);
    assert_eq!(drops.get(), 1);
}

#[test]
fn ends_know_each_other() {
    let (sender, receiver) = channel::<u8>();
    let (other, mut other_receiver) = channel::<u8>();
    assert!(sender.is_connected_to(&receiver) && !sender.is_connected_to(&other_receiver));
    drop(other);
    assert!(other_receiver.try_recv().is_err());
    assert!(!sender.is_connected_to(&other_receiver), "it has left");
}

#[test]
fn errors_and_ends_tell() {
    assert_eq!(
        format!("{}", SendError(())),
        "the receiver takes no value any more"
    );
    assert_eq!(format!("{:?}", SendError(())), "SendError { .. }");
    assert_eq!(format!("{RecvError}"), "no value will come any more");
    assert_eq!(
        format!("{}", TryRecvError::Empty),
        "no value has been sent yet"
    );
    assert_eq!(TryRecvError::from(RecvError), TryRecvError::Closed);
    assert!(TryRecvError::Closed.is_closed() && TryRecvError::Empty.is_empty());
    let (sender, receiver) = channel::<Plain>();
    assert_eq!(format!("{sender:?}"), "Sender { is_closed: false, .. }");
    assert_eq!(
        format!("{receiver:?}"),
        "Receiver { is_empty: true, is_terminated: false, .. }"
    );
}

/// Nothing is asked of the value.
struct Plain;
