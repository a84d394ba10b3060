//! Several waiting sends of one task: they take turns, also with those of another
//! task, and one that is kept stops no other.

use core::future::Future;
use core::pin::Pin;
use core::task::{Poll, Waker};
use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;

use super::{Overflow, SendWait, Sender, channel_with};
use crate::io::Bare;
use crate::test_util::{Wakes, counting_waker, poll};

/// So many polls are enough for a wait to get what another keeps.
const BOUND: usize = 100_000;

/// Branches that are all polled in each turn of their task.
struct Task<'a> {
    branches: Vec<Pin<Box<dyn Future<Output = ()> + 'a>>>,
    wakes: Arc<Wakes>,
    waker: Waker,
    /// How many wake-ups have been followed by a turn.
    seen: usize,
    first: usize,
    rotates: bool,
}

impl<'a> Task<'a> {
    fn new(sender: &'a Sender<usize>, branches: &[usize], rotates: bool) -> Self {
        let (wakes, waker) = counting_waker();
        let branches = branches.iter().map(|branch| {
            let branch = *branch;
            let send = async move { while sender.send_wait(Bare, branch).await.is_ok() {} };
            Box::pin(send) as Pin<Box<dyn Future<Output = ()>>>
        });
        Self {
            branches: branches.collect(),
            wakes,
            waker,
            seen: 0,
            first: 0,
            rotates,
        }
    }

    fn turn(&mut self) {
        self.seen = self.wakes.count();
        for at in 0..self.branches.len() {
            let at = (self.first + at) % self.branches.len();
            assert!(poll(self.branches[at].as_mut(), &self.waker).is_pending());
        }
        self.first += usize::from(self.rotates);
    }

    /// Runs while it is woken; the result says whether it was.
    fn run(&mut self) -> bool {
        let was_woken = self.wakes.count() != self.seen;
        for _ in 0..BOUND {
            if self.wakes.count() == self.seen {
                return was_woken;
            }
            self.turn();
        }
        panic!("it wakes itself for ever");
    }
}

/// `any::siblings_take_turns`, `any::a_task_of_many_waits_takes_no_more_than_its_shares`
#[test]
fn branches_of_a_task_and_another_task_take_turns() {
    for rotates in [false, true] {
        for capacity in [1, 2, 3] {
            let (sender, mut receiver) = channel_with(capacity, Overflow::Wait);
            let one: &'static [usize] = &[0, 1];
            let mut tasks = [
                Task::new(&sender, one, rotates),
                Task::new(&sender, &[2], rotates),
            ];
            tasks.iter_mut().for_each(Task::turn);
            let mut sent = [0_usize; 3];
            for _ in 0..300 {
                sent[receiver.try_recv().unwrap()] += 1;
                while tasks.iter_mut().any(Task::run) {}
            }
            let (least, most) = (sent.iter().min(), sent.iter().max());
            assert!(
                most <= least.map(|least| 2 * least).as_ref(),
                "{sent:?}, capacity {capacity}, rotates: {rotates}"
            );
        }
    }
}

fn queued<'a>(sender: &'a Sender<usize>, wakers: &[Waker]) -> Vec<Pin<Box<SendWait<'a, usize>>>> {
    let waits = wakers.iter().enumerate().map(|(number, waker)| {
        let mut wait = Box::pin(sender.send_wait(Bare, number));
        assert!(poll(wait.as_mut(), waker).is_pending());
        wait
    });
    waits.collect()
}

/// `any::abandoned_win_goes_on`
#[test]
fn kept_sends_stop_no_other() {
    for count in [1, 2, 63, 64, 65, 200] {
        for own_wakers in [false, true] {
            let (sender, mut receiver) = channel_with(count, Overflow::Wait);
            (0..count).for_each(|_| assert_eq!(sender.send(0), Ok(1)));
            let task = counting_waker().1;
            let mut wakers: Vec<_> = (0..count).map(|_| task.clone()).collect();
            if own_wakers {
                wakers.fill_with(|| counting_waker().1);
            }
            let kept = queued(&sender, &wakers);
            (0..count).for_each(|_| assert_eq!(receiver.try_recv(), Ok(0)));
            // Each has a place, and none is polled.
            let mut polled = Box::pin(sender.send_wait(Bare, 1_000));
            let done = (0..BOUND).any(|_| poll(polled.as_mut(), &task).is_ready());
            assert!(done, "{count} are kept; a waker for each: {own_wakers}");
            assert_eq!(receiver.try_recv(), Ok(1_000));
            // None of them has lost its turn.
            let mut got: Vec<_> = Vec::new();
            let mut left: Vec<_> = kept.into_iter().zip(&wakers).collect();
            for _ in 0..BOUND {
                left.retain_mut(|(wait, waker)| match poll(wait.as_mut(), waker) {
                    Poll::Ready(sent) => sent.is_err(),
                    Poll::Pending => true,
                });
                while let Ok(number) = receiver.try_recv() {
                    got.push(number);
                }
            }
            assert!(left.is_empty());
            got.sort_unstable();
            assert!(got.into_iter().eq(0..count));
        }
    }
}
