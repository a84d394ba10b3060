//! Those who wait for something home-made.

use std::collections::VecDeque;
use std::task::Waker;

/// Those who wait, in the order in which they came, each with what it wants.
pub(super) struct Line<T = ()> {
    waits: VecDeque<Place<T>>,
    last: u64,
    /// The wait that watches another, that one, and how often it has met it.
    watch: Option<(u64, u64, usize)>,
}

/// How often a wait meets another that could go on, before that is passed over.
pub(super) const LOOKS: usize = 2_000;

struct Place<T> {
    id: u64,
    /// Could go on, was not polled for long, and is passed over until it is.
    passed: bool,
    wants: T,
    waker: Waker,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            waits: VecDeque::new(),
            last: 0,
            watch: None,
        }
    }
}

impl<T> Line<T> {
    /// How many are before a wait; one without a ticket is last.
    pub(super) fn before(&self, ticket: Option<u64>) -> usize {
        let place = self.waits.iter().position(|it| Some(it.id) == ticket);
        place.unwrap_or(self.waits.len())
    }

    /// How many are before a wait, without those that are passed over.
    pub(super) fn ahead(&self, ticket: Option<u64>) -> usize {
        let before = self.waits.iter().take(self.before(ticket));
        before.filter(|it| !it.passed).count()
    }

    /// A wait that stays meets the first one of those that could go on and are not
    /// polled: whether it is to look again, and so to wake itself. That one is passed
    /// over when it has been met often enough by the same wait.
    pub(super) fn meet(&mut self, lucky: usize, ticket: Option<u64>) -> bool {
        let of_lucky = self.waits.iter().filter(|it| !it.passed).take(lucky);
        let mut others = of_lucky.filter(|it| Some(it.id) != ticket);
        let (Some(own), Some(met)) = (ticket, others.next().map(|it| it.id)) else {
            return false;
        };
        let looks = match self.watch {
            Some((by, of, looks)) if (by, of) == (own, met) => looks + 1,
            Some((by, ..)) if by != own && self.before(Some(by)) < self.len() => return false,
            _ => 1,
        };
        self.watch = (looks < LOOKS).then_some((own, met, looks));
        if looks >= LOOKS {
            let place = self.before(Some(met));
            self.waits[place].passed = true;
        }
        true
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
            known.passed = false;
            return Some(std::mem::replace(&mut known.waker, waker));
        }
        self.last += 1;
        let id = self.last;
        *ticket = Some(id);
        self.waits.push_back(Place {
            id,
            passed: false,
            wants,
            waker,
        });
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
        let first = self.waits.iter().filter(|it| !it.passed).take(count);
        first.map(|it| it.waker.clone()).collect()
    }

    #[must_use]
    pub(super) fn all(&self) -> Vec<Waker> {
        self.waits.iter().map(|it| it.waker.clone()).collect()
    }
}

pub(super) fn wake(wakers: Vec<Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}
