//! The list's invariants, in every interleaving of two or three threads. Loom
//! reports a node's cell that two threads touch at once, and a node that is
//! touched after it was freed shows as that too.

use core::pin::Pin;
use core::task::Waker;
use std::boxed::Box;

use loom::thread;

use super::*;
use crate::loom_util::model;

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
    list: WaitList<State, [Ring; 1]>,
    seat: Seat,
}

has_list!([] Toy, list: WaitList<State, [Ring; 1]>);

type Own = Entry<std::sync::Arc<Toy>>;

fn toy() -> std::sync::Arc<Toy> {
    std::sync::Arc::new(Toy {
        list: WaitList::new([Ring::new()], State::default()),
        seat: Seat::new(),
    })
}

fn queued(toy: &std::sync::Arc<Toy>) -> Pin<Box<Own>> {
    let mut entry = Box::pin(Entry::new(toy.clone(), 0));
    let (_, mut ticket) = entry.as_mut().parts();
    assert!(ticket.replace_waker(Some(Waker::noop().clone())).is_none());
    ticket.lock().push_back(0, 0);
    entry
}

/// The owner takes its node out, or finds its verdict; then it frees it.
fn leave(entry: &mut Pin<Box<Own>>) -> usize {
    let (_, mut ticket) = entry.as_mut().parts();
    if ticket.status() == QUEUED {
        let mut locked = ticket.lock();
        if locked.status() == QUEUED {
            let waker = locked.remove();
            drop(locked);
            drop(waker);
        }
    }
    ticket.status()
}

/// The owner claims its win, as a primitive does: by the seat, else by the lock,
/// else it gives up its place.
fn claim(entry: &mut Pin<Box<Own>>) -> bool {
    let (toy, mut ticket) = entry.as_mut().parts();
    if ticket.claim(&toy.seat) {
        return true;
    }
    let mut locked = ticket.lock();
    if locked.claim(&toy.seat) {
        return true;
    }
    if locked.status() == QUEUED {
        drop(locked.remove());
    }
    false
}

/// PUBLISHED: an owner that reads its verdict without the lock may free the node
/// while the other still holds the lock.
#[test]
fn loom_verdict_is_the_last_access() {
    model(3, || {
        let toy = toy();
        let mut entries = [queued(&toy), queued(&toy)];
        let popper = {
            let toy = toy.clone();
            thread::spawn(move || {
                let mut locked = toy.list.lock();
                let popped = locked.pop_front(0, VERDICT);
                locked.cloned += 1;
                drop(locked);
                popped.is_some()
            })
        };
        let first = leave(&mut entries[0]);
        let second = leave(&mut entries[1]);
        drop(entries);
        let popped = popper.join().unwrap();
        let verdicts = usize::from(first == VERDICT) + usize::from(second == VERDICT);
        assert_eq!(verdicts, usize::from(popped));
        assert!(toy.list.lock().is_empty(0));
    });
}

/// LINKED: nodes leave a ring that was moved aside, from either end and the
/// middle, while it is being settled in batches (of one, under loom).
#[test]
fn loom_nodes_leave_a_ring_aside() {
    model(2, || {
        let toy = toy();
        let mut entries = [queued(&toy), queued(&toy), queued(&toy)];
        let settler = {
            let toy = toy.clone();
            thread::spawn(move || toy.list.lock().settle_all(0, VERDICT))
        };
        for index in [1, 2, 0] {
            let status = leave(&mut entries[index]);
            assert!(matches!(status, IDLE | VERDICT));
        }
        drop(entries);
        settler.join().unwrap();
        assert!(toy.list.lock().is_empty(0));
    });
}

/// Two that settle at once, and a newcomer between them: every node is settled
/// once.
#[test]
fn loom_two_rings_aside() {
    model(2, || {
        let toy = toy();
        let mut entries = [queued(&toy), queued(&toy)];
        let settlers = [VERDICT, VERDICT + 1].map(|verdict| {
            let toy = toy.clone();
            thread::spawn(move || toy.list.lock().settle_front(0, 1, verdict))
        });
        for settler in settlers {
            settler.join().unwrap();
        }
        let mut verdicts = [leave(&mut entries[0]), leave(&mut entries[1])];
        verdicts.sort_unstable();
        assert_eq!(verdicts, [VERDICT, VERDICT + 1]);
        assert!(toy.list.lock().is_empty(0));
    });
}

/// SEATED: the owner claims while another wait takes the win away: one of the two has
/// it, and the owner may free its node at once.
#[test]
fn loom_claim_meets_a_call() {
    model(3, || {
        let toy = toy();
        let mut seated = queued(&toy);
        assert!(toy.list.lock().seat_front(0, &toy.seat).is_some());
        let taker = {
            let toy = toy.clone();
            thread::spawn(move || {
                let mut other = queued(&toy);
                let mut ticket = other.as_mut().parts().1;
                let mut locked = ticket.lock();
                let met = locked.meet_seated(&toy.seat, false, false);
                let taken = matches!(met, Met::Own | Met::Stale);
                drop(locked);
                leave(&mut other);
                taken
            })
        };
        let claimed = claim(&mut seated);
        drop(seated);
        let taken = taker.join().unwrap();
        assert!(claimed ^ taken, "claimed {claimed}, taken {taken}");
        assert!(!toy.seat.is_taken());
    });
}
