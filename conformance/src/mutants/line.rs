//! Those who wait for something home-made.

use std::collections::VecDeque;
use std::task::Waker;

/// Those who wait, in the order in which they came, each with what it wants.
pub(super) struct Line<T = ()> {
    waits: VecDeque<Place<T>>,
    last: u64,
}

struct Place<T> {
    id: u64,
    wants: T,
    waker: Waker,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            waits: VecDeque::new(),
            last: 0,
        }
    }
}

impl<T> Line<T> {
    /// How many are before a wait; one without a ticket is last.
    pub(super) fn before(&self, ticket: Option<u64>) -> usize {
        let place = self.waits.iter().position(|it| Some(it.id) == ticket);
        place.unwrap_or(self.waits.len())
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waits.len()
    }

    /// What each wants, from the front.
    pub(super) fn wants(&self) -> impl Iterator<Item = &T> {
        self.waits.iter().map(|it| &it.wants)
    }

    /// The first place of the task that has this waker.
    pub(super) fn first_of_task(&self, waker: &Waker) -> Option<usize> {
        let of_task = |it: &Place<T>| it.waker.will_wake(waker);
        self.waits.iter().position(of_task)
    }

    /// Queues a wait, or renews its waker; what is to be dropped without the
    /// lock.
    #[must_use]
    pub(super) fn stand(
        &mut self,
        ticket: &mut Option<u64>,
        wants: T,
        waker: Waker,
    ) -> Option<Waker> {
        let place = self.before(*ticket);
        if let Some(known) = self.waits.get_mut(place) {
            return Some(std::mem::replace(&mut known.waker, waker));
        }
        self.last += 1;
        let id = self.last;
        *ticket = Some(id);
        self.waits.push_back(Place { id, wants, waker });
        None
    }

    /// Takes a wait out; what is to be dropped without the lock.
    #[must_use]
    pub(super) fn leave(&mut self, ticket: &mut Option<u64>) -> Option<Waker> {
        let place = self.before(*ticket);
        *ticket = None;
        self.waits.remove(place).map(|it| it.waker)
    }

    /// Takes the first ones out; their wakers are to be woken without the lock.
    #[must_use]
    pub(super) fn take_first(&mut self, count: usize) -> Vec<Waker> {
        let count = count.min(self.waits.len());
        self.waits.drain(..count).map(|it| it.waker).collect()
    }

    /// The wakers of the first ones, to be woken without the lock.
    #[must_use]
    pub(super) fn first(&self, count: usize) -> Vec<Waker> {
        let first = self.waits.iter().take(count);
        first.map(|it| it.waker.clone()).collect()
    }

    #[must_use]
    pub(super) fn all(&self) -> Vec<Waker> {
        self.first(self.waits.len())
    }
}

pub(super) fn wake(wakers: Vec<Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}
