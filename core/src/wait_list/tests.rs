use core::pin::Pin;
use core::task::Waker;
use std::boxed::Box;
use std::collections::VecDeque;
use std::sync::Arc;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::test_util::{
    Event, WAKER_PANIC, counting_waker, hooked_waker, panic_message, panicking_waker,
};
use crate::wake_batch::BATCH;

struct State {
    cloned: usize,
    watch: Watch,
}

impl Default for State {
    fn default() -> Self {
        Self {
            cloned: 0,
            watch: Watch::new(),
        }
    }
}

impl AsMut<Watch> for State {
    fn as_mut(&mut self) -> &mut Watch {
        &mut self.watch
    }
}

struct Toy {
    list: WaitList<State, [Ring; 2]>,
    seat: Seat,
}

has_list!([] Toy, list: WaitList<State, [Ring; 2]>);

type Own = Pin<Box<Entry<Arc<Toy>>>>;

fn toy() -> Arc<Toy> {
    Arc::new(Toy {
        list: WaitList::new([Ring::new(), Ring::new()], State::default()),
        seat: Seat::new(),
    })
}

fn idle(toy: &Arc<Toy>) -> Own {
    Box::pin(Entry::new(toy.clone(), 0))
}

fn push(entry: &mut Own, ring: usize, tag: usize, waker: &Waker) {
    let mut ticket = entry.as_mut().parts().1;
    drop(ticket.replace_waker(Some(waker.clone())));
    ticket.lock().push_back(ring, tag);
}

fn queued(toy: &Arc<Toy>, tag: usize) -> Own {
    let mut entry = idle(toy);
    push(&mut entry, 0, tag, Waker::noop());
    entry
}

/// Takes the entry out if it is queued; its status.
fn leave(entry: &mut Own) -> usize {
    let mut ticket = entry.as_mut().parts().1;
    if ticket.status() == QUEUED {
        drop(ticket.lock().remove());
    }
    ticket.status()
}

#[test]
fn verdict_keeps_the_tag() {
    let toy = toy();
    for tag in [0, 1, 77, TAG_MAX] {
        let mut entry = queued(&toy, tag);
        assert_eq!((entry.status(), entry.tag()), (QUEUED, tag));
        assert!(toy.list.lock().pop_front(0, VERDICT + 3).is_some());
        assert_eq!((entry.status(), entry.tag()), (VERDICT + 3, tag));
        let mut ticket = entry.as_mut().parts().1;
        ticket.set(IDLE, 0);
        assert_eq!((ticket.status(), ticket.tag()), (IDLE, 0));
    }
}

#[test]
fn ends_of_a_ring() {
    let toy = toy();
    assert!(toy.list.lock().is_empty(0));
    assert!(toy.list.lock().pop_front(0, VERDICT).is_none());
    assert!(toy.list.lock().pop_back(0, VERDICT).is_none());
    let entries: Vec<_> = (0..4).map(|tag| queued(&toy, tag)).collect();
    let status = || [0, 1, 2, 3].map(|index| entries[index].status());
    toy.list.lock().pop_back(0, 3).expect("a node");
    assert_eq!(status(), [QUEUED, QUEUED, QUEUED, 3]);
    toy.list.lock().pop_front(0, 4).expect("a node");
    assert_eq!(status(), [4, QUEUED, QUEUED, 3]);
    toy.list.lock().pop_back(0, 5).expect("a node");
    toy.list.lock().pop_back(0, 6).expect("a node");
    assert_eq!(status(), [4, 6, 5, 3]);
    assert!(toy.list.lock().is_empty(0));
}

#[test]
fn rings_are_apart() {
    let toy = toy();
    let mut first = idle(&toy);
    let mut second = idle(&toy);
    push(&mut first, 0, 0, Waker::noop());
    push(&mut second, 1, 0, Waker::noop());
    toy.list.lock().settle_all(1, VERDICT);
    assert_eq!((first.status(), second.status()), (QUEUED, VERDICT));
    assert!(!toy.list.lock().is_empty(0));
    assert!(toy.list.lock().is_empty(1));
    leave(&mut first);
    assert!(toy.list.lock().is_empty(0));
}

#[test]
fn settle_front_settles_so_many() {
    for (count, ring) in [(0, 5), (1, 5), (3, 5), (5, 5), (9, 5), (2, 0), (70, 80)] {
        let toy = toy();
        let mut entries: Vec<_> = (0..ring).map(|tag| queued(&toy, tag)).collect();
        toy.list.lock().settle_front(0, count, VERDICT);
        for (index, entry) in entries.iter_mut().enumerate() {
            let expected = if index < count { VERDICT } else { IDLE };
            assert_eq!(leave(entry), expected, "{index} of {count} of {ring}");
        }
    }
}

#[test]
fn wakers_are_woken_and_dropped_outside_the_lock() {
    let toy = toy();
    let spy = {
        let toy = toy.clone();
        hooked_waker(move |_| {
            // Hangs, or panics, if the lock is held.
            toy.list.lock().cloned += 1;
        })
    };
    let mut entries: Vec<_> = (0..2 * BATCH + 1).map(|_| idle(&toy)).collect();
    for entry in &mut entries {
        push(entry, 0, 0, &spy);
    }
    let cloned = toy.list.lock().cloned;
    toy.list.lock().settle_all(0, VERDICT);
    assert_eq!(toy.list.lock().cloned - cloned, entries.len());
}

#[test]
fn nodes_leave_and_join_while_others_are_settled() {
    let toy = toy();
    let entries: Arc<std::sync::Mutex<Vec<Own>>> = Arc::default();
    let waker = {
        let entries = entries.clone();
        hooked_waker(move |event| {
            if event != Event::Wake {
                return;
            }
            let mut entries = entries.lock().unwrap();
            // Of those that are still aside: the first, the last, the middle.
            for index in [BATCH, 3 * BATCH - 1, 2 * BATCH] {
                assert_eq!(leave(&mut entries[index]), IDLE);
            }
            push(&mut entries[2 * BATCH], 0, 7, Waker::noop());
        })
    };
    for index in 0..3 * BATCH {
        let mut entry = idle(&toy);
        let waker = if index == 0 { &waker } else { Waker::noop() };
        push(&mut entry, 0, 0, waker);
        entries.lock().unwrap().push(entry);
    }
    toy.list.lock().settle_all(0, VERDICT);
    for (index, entry) in entries.lock().unwrap().iter_mut().enumerate() {
        let expected = match index {
            i if i == BATCH || i == 3 * BATCH - 1 => IDLE,
            i if i == 2 * BATCH => QUEUED,
            _ => VERDICT,
        };
        assert_eq!(entry.status(), expected, "{index}");
        leave(entry);
    }
    assert!(toy.list.lock().is_empty(0));
}

#[test]
fn panicking_wakers_leave_nobody_aside() {
    let toy = toy();
    let (wakes, waker) = counting_waker();
    let mut entries: Vec<_> = (0..3 * BATCH).map(|_| idle(&toy)).collect();
    for (index, entry) in entries.iter_mut().enumerate() {
        let panicking = panicking_waker();
        push(
            entry,
            0,
            0,
            if index % 2 == 0 { &panicking } else { &waker },
        );
    }
    let message = panic_message(|| toy.list.lock().settle_all(0, VERDICT));
    assert_eq!(message, WAKER_PANIC);
    assert_eq!(wakes.count(), 3 * BATCH / 2);
    assert!(entries.iter().all(|entry| entry.status() == VERDICT));
}

#[test]
fn claim_takes_the_win_once() {
    let toy = toy();
    let (wakes, waker) = counting_waker();
    for under_lock in [false, true] {
        let mut entry = idle(&toy);
        push(&mut entry, 0, 5, &waker);
        let won = toy.list.lock().seat_front(0, &toy.seat).expect("a node");
        won.expect("its waker").wake();
        assert_eq!((entry.status(), entry.tag()), (SEATED, 5));
        assert!(toy.seat.is_taken());
        let mut ticket = entry.as_mut().parts().1;
        for claimed in [true, false] {
            let won = if under_lock {
                ticket.lock().claim(&toy.seat)
            } else {
                ticket.claim(&toy.seat)
            };
            assert_eq!(won, claimed);
        }
        assert_eq!((ticket.status(), ticket.tag()), (IDLE, 5));
        assert!(!toy.seat.is_taken());
    }
    drop(waker);
    assert_eq!((wakes.count(), Arc::strong_count(&wakes)), (2, 1));
}

#[test]
fn ghost_is_neither_woken_nor_dropped() {
    let toy = toy();
    let (wakes, waker) = counting_waker();
    let (others, other_waker) = counting_waker();
    let mut seated = idle(&toy);
    let mut other = idle(&toy);
    let mut same = idle(&toy);
    push(&mut seated, 0, 0, &waker);
    drop(toy.list.lock().seat_front(0, &toy.seat));
    // Another task's wait does not get it so soon.
    push(&mut other, 0, 0, &other_waker);
    let meet = |entry: &mut Own| {
        let mut ticket = entry.as_mut().parts().1;
        ticket.lock().meet_seated(&toy.seat, false, false)
    };
    assert_eq!(meet(&mut other), Met::Nothing);
    assert_eq!((seated.status(), other.status()), (SEATED, QUEUED));
    // A wait of the same task does at its third poll; the first is in no queue.
    push(&mut same, 0, 0, &waker);
    let met = [meet(&mut same), meet(&mut same), meet(&mut same)];
    assert_eq!(met, [Met::Again(false), Met::Again(false), Met::Own]);
    assert_eq!((seated.status(), same.status()), (CALLED, QUEUED));
    assert!(!toy.seat.is_taken());
    assert_eq!(wakes.count(), 0);
    leave(&mut other);
    leave(&mut same);
    drop((seated, other, same, waker, other_waker));
    assert_eq!(
        (Arc::strong_count(&wakes), Arc::strong_count(&others)),
        (1, 1)
    );
}

#[test]
fn misuse_panics_before_it_harms() {
    let toy = toy();
    let mut entry = queued(&toy, 0);
    let message = panic_message(|| entry.as_mut().parts().1.set(IDLE, 0));
    assert_eq!(message, "the waiter is queued");
    let message = panic_message(|| entry.as_mut().parts().1.lock().push_back(0, 0));
    assert_eq!(message, "the waiter is not idle");
    let message = panic_message(|| drop(toy.list.lock().pop_front(0, QUEUED)));
    assert_eq!(message, "not a verdict");
    leave(&mut entry);
    let message = panic_message(|| drop(entry.as_mut().parts().1.lock().remove()));
    assert_eq!(message, "the waiter is not queued");
}

/// PINNED: the process ends before a queued node dangles. The test runs itself
/// once more to see that.
#[test]
fn dropped_while_queued_aborts() {
    const MARK: &str = "ANYSYNC_TEST_ABORT";
    if std::env::var_os(MARK).is_some() {
        drop(queued(&toy(), 0));
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "wait_list::tests::dropped_while_queued_aborts"])
        .args(["--nocapture", "--test-threads", "1"])
        .env(MARK, "1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = std::string::String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("a waiter was dropped while it was queued"),
        "{said}"
    );
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Push(usize),
    Remove(usize),
    Front,
    Back,
    All,
    First(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..ENTRIES).prop_map(Step::Push),
        4 => (0..ENTRIES).prop_map(Step::Remove),
        1 => Just(Step::Front),
        1 => Just(Step::Back),
        1 => Just(Step::All),
        1 => (0..ENTRIES).prop_map(Step::First),
    ]
}

const ENTRIES: usize = 6;

proptest! {
    /// The ring is a queue: its order is a `VecDeque`'s after any program.
    #[test]
    fn agrees_with_a_deque(program in proptest::collection::vec(step(), 0..80)) {
        let toy = toy();
        let mut entries: Vec<_> = (0..ENTRIES).map(|_| idle(&toy)).collect();
        let mut model = VecDeque::new();
        let mut settled = Vec::new();
        for step in program {
            settled.clear();
            match step {
                Step::Push(who) if !model.contains(&who) => {
                    entries[who].as_mut().parts().1.set(IDLE, 0);
                    push(&mut entries[who], 0, who, Waker::noop());
                    model.push_back(who);
                }
                Step::Push(_) => {}
                Step::Remove(who) => {
                    leave(&mut entries[who]);
                    model.retain(|&queued| queued != who);
                }
                Step::Front => {
                    let popped = toy.list.lock().pop_front(0, VERDICT).is_some();
                    settled.extend(model.pop_front());
                    prop_assert_eq!(popped, settled.len() == 1);
                }
                Step::Back => {
                    let popped = toy.list.lock().pop_back(0, VERDICT).is_some();
                    settled.extend(model.pop_back());
                    prop_assert_eq!(popped, settled.len() == 1);
                }
                Step::All => {
                    toy.list.lock().settle_all(0, VERDICT);
                    settled.extend(model.drain(..));
                }
                Step::First(count) => {
                    toy.list.lock().settle_front(0, count, VERDICT);
                    settled.extend(model.drain(..count.min(model.len())));
                }
            }
            for (who, entry) in entries.iter().enumerate() {
                prop_assert_eq!(entry.status() == QUEUED, model.contains(&who));
                if settled.contains(&who) {
                    prop_assert_eq!(entry.status(), VERDICT);
                }
            }
            let locked = toy.list.lock();
            prop_assert_eq!(locked.is_empty(0), model.is_empty());
            drop(locked);
        }
        entries.iter_mut().for_each(|entry| _ = leave(entry));
        prop_assert!(toy.list.lock().is_empty(0));
    }
}
