//! Random programs against a sequential model: the queue of the condition, and
//! the lock with a queue of its own.

use core::pin::Pin;
use core::task::{Poll, Waker};
use std::boxed::Box;
use std::collections::VecDeque;
use std::sync::Arc;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Condvar, Wait, Waiter};
use crate::mutex::{Mutex, MutexGuard};
use crate::test_util::{Wakes, counting_waker, poll};

/// How many waits there are at a time, at most, each of a task of its own.
const SLOTS: usize = 5;

type Slot = usize;

#[derive(Clone, Copy, Debug)]
enum Op {
    /// A future that takes the guard, in an empty slot.
    Wait(Slot),
    /// A waiter that takes the guard, in a slot that has none or an old one.
    WaitWith(Slot),
    Poll(Slot),
    IsNotified(Slot),
    Reset(Slot),
    Drop(Slot),
    NotifyOne,
    NotifyAll,
    TryLock,
    Unlock,
}

fn op() -> impl Strategy<Value = Op> {
    let slot = 0..SLOTS;
    prop_oneof![
        4 => slot.clone().prop_map(Op::Wait),
        2 => slot.clone().prop_map(Op::WaitWith),
        8 => slot.clone().prop_map(Op::Poll),
        2 => slot.clone().prop_map(Op::IsNotified),
        1 => slot.clone().prop_map(Op::Reset),
        2 => slot.prop_map(Op::Drop),
        3 => Just(Op::NotifyOne),
        1 => Just(Op::NotifyAll),
        6 => Just(Op::TryLock),
        4 => Just(Op::Unlock),
    ]
}

/// Where a wait is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Absent,
    HasGuard,
    Queued,
    /// By `notify_one` (`true`) or by `notify_all`.
    Notified(bool),
    Locking(bool),
    Finished,
}

#[derive(Default)]
struct Model {
    places: [Place; SLOTS],
    queue: VecDeque<Slot>,
    held: bool,
    seated: Option<Slot>,
    lock_queue: VecDeque<Slot>,
    wakes: [usize; SLOTS],
}

impl Model {
    fn unlock(&mut self) {
        self.held = false;
        self.seated = self.lock_queue.pop_front();
        if let Some(slot) = self.seated {
            self.wakes[slot] += 1;
        }
    }

    fn notify_one(&mut self) {
        if let Some(slot) = self.queue.pop_front() {
            self.places[slot] = Place::Notified(true);
            self.wakes[slot] += 1;
        }
    }

    fn notify_all(&mut self) {
        for slot in core::mem::take(&mut self.queue) {
            self.places[slot] = Place::Notified(false);
            self.wakes[slot] += 1;
        }
    }

    fn queue(&mut self, slot: Slot) {
        self.places[slot] = Place::Queued;
        self.queue.push_back(slot);
        self.unlock();
    }

    /// Whether the future ends, with the lock held.
    fn poll(&mut self, slot: Slot) -> bool {
        let won = match self.places[slot] {
            Place::HasGuard => {
                self.queue(slot);
                return false;
            }
            Place::Notified(by_one) => {
                let free = !self.held && self.seated.is_none();
                if !free {
                    self.places[slot] = Place::Locking(by_one);
                    self.lock_queue.push_back(slot);
                }
                free
            }
            Place::Locking(_) if self.seated == Some(slot) => {
                self.seated = None;
                true
            }
            _ => false,
        };
        if won {
            self.held = true;
            self.places[slot] = Place::Finished;
        }
        won
    }

    fn leave(&mut self, slot: Slot) {
        let place = core::mem::take(&mut self.places[slot]);
        self.queue.retain(|&queued| queued != slot);
        self.lock_queue.retain(|&queued| queued != slot);
        if let Place::Notified(true) | Place::Locking(true) = place {
            self.notify_one();
        }
        if place == Place::HasGuard || self.seated == Some(slot) {
            self.unlock();
        }
    }
}

#[derive(Default)]
enum Subject<'a> {
    #[default]
    Absent,
    Future(Pin<Box<Wait<'a, u32>>>),
    Waiter(Pin<Box<Waiter<'a>>>),
}

fn run(program: &[Op]) -> Result<(), TestCaseError> {
    let (wakes, wakers): (Vec<Arc<Wakes>>, Vec<Waker>) =
        (0..SLOTS).map(|_| counting_waker()).unzip();
    let (mutex, condvar) = (Mutex::new(0_u32), Condvar::new());
    let mut guard: Option<MutexGuard<'_, u32>> = None;
    let mut subjects: [Subject<'_>; SLOTS] = Default::default();
    let mut model = Model::default();

    for &op in program {
        match op {
            Op::Wait(slot) => {
                if !matches!(subjects[slot], Subject::Absent) {
                    continue;
                }
                if let Some(guard) = guard.take() {
                    model.places[slot] = Place::HasGuard;
                    subjects[slot] = Subject::Future(Box::pin(condvar.wait_future(guard)));
                }
            }
            Op::WaitWith(slot) => {
                if matches!(subjects[slot], Subject::Absent) {
                    let waiter = Box::pin(Waiter::with_waker(wakers[slot].clone()));
                    subjects[slot] = Subject::Waiter(waiter);
                }
                let free = matches!(model.places[slot], Place::Absent | Place::Finished);
                if let (Subject::Waiter(waiter), true, true) =
                    (&mut subjects[slot], free, guard.is_some())
                {
                    model.queue(slot);
                    condvar.wait_with(guard.take().unwrap(), waiter.as_mut());
                }
            }
            Op::Poll(slot) => {
                let Subject::Future(wait) = &mut subjects[slot] else {
                    continue;
                };
                if model.places[slot] == Place::Finished {
                    continue;
                }
                let polled = poll(wait.as_mut(), &wakers[slot]);
                prop_assert_eq!(polled.is_ready(), model.poll(slot), "{:?}", op);
                if let Poll::Ready(won) = polled {
                    prop_assert!(guard.is_none(), "two guards");
                    guard = Some(won);
                }
            }
            Op::IsNotified(slot) => {
                if let Subject::Waiter(waiter) = &subjects[slot] {
                    let expected =
                        matches!(model.places[slot], Place::Notified(_) | Place::Finished);
                    prop_assert_eq!(waiter.is_ready(), expected);
                    prop_assert_eq!(waiter.is_notified(), expected);
                    if expected {
                        model.places[slot] = Place::Finished;
                    }
                }
            }
            Op::Reset(slot) => {
                if let Subject::Waiter(waiter) = &mut subjects[slot] {
                    model.leave(slot);
                    waiter.as_mut().reset();
                }
            }
            Op::Drop(slot) => {
                model.leave(slot);
                subjects[slot] = Subject::Absent;
            }
            Op::NotifyOne => {
                model.notify_one();
                condvar.notify_one();
            }
            Op::NotifyAll => {
                model.notify_all();
                condvar.notify_all();
            }
            Op::TryLock => {
                let free = !model.held && model.seated.is_none();
                let won = mutex.try_lock();
                prop_assert_eq!(won.is_some(), free);
                if won.is_some() {
                    guard = won;
                    model.held = true;
                }
            }
            Op::Unlock => {
                if let Some(guard) = guard.take() {
                    model.unlock();
                    drop(guard);
                }
            }
        }

        let locked = model.held || model.seated.is_some();
        prop_assert_eq!(mutex.is_locked(), locked, "after {:?}", op);
        prop_assert_eq!(
            mutex.waiter_count(),
            model.lock_queue.len(),
            "after {:?}",
            op
        );
        prop_assert_eq!(condvar.waiter_count(), model.queue.len(), "after {:?}", op);
        let woken: Vec<usize> = wakes.iter().map(|wakes| wakes.count()).collect();
        prop_assert_eq!(&woken[..], &model.wakes[..], "after {:?}", op);
    }

    drop(guard);
    drop(subjects);
    prop_assert!(!mutex.is_locked());
    prop_assert_eq!((mutex.waiter_count(), condvar.waiter_count()), (0, 0));
    for wakes in &wakes {
        prop_assert_eq!(Arc::strong_count(wakes), 2, "a waker was leaked");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(program in proptest::collection::vec(op(), 1..100)) {
        run(&program)?;
    }
}
