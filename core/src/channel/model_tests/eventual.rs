//! What a channel promises that is fair in the end, after every step of random programs:
//! each message once and in order, exact counts, and no wait left asleep while what it
//! waits for is there.

use std::collections::VecDeque;
use std::format;
use std::string::String;

use super::*;
use crate::Fairness;

/// What is known of a wait without asking it.
#[derive(Clone, Copy)]
struct Seen {
    kind: Kind,
    task: Option<Task>,
}

type Statuses = [String; WAITS];

fn status(real: &Option<Real<'_>>) -> String {
    let shown = match real {
        None => return String::new(),
        Some(Real::Send(wait)) => format!("{wait:?}"),
        Some(Real::Reserve(wait)) => format!("{wait:?}"),
        Some(Real::Recv(wait)) => format!("{wait:?}"),
        Some(Real::Many(wait)) => format!("{wait:?}"),
        Some(Real::Closed(wait)) => format!("{wait:?}"),
        Some(Real::Waiter(wait)) => format!("{wait:?}"),
    };
    shown.split('"').nth(1).expect("a status").into()
}

/// The program, with the messages that ought to be in the channel.
struct Program<'a> {
    world: World<'a>,
    seen: [Option<Seen>; WAITS],
    messages: VecDeque<Message>,
    polled: Option<usize>,
}

impl<'a> Program<'a> {
    fn new(chan: &'a Arc<Chan<Message>>, io: &'a Budget, capacity: usize) -> Self {
        Self {
            world: World::new(chan, io, capacity),
            seen: [None; WAITS],
            messages: VecDeque::new(),
            polled: None,
        }
    }

    fn chan(&self) -> &'a Chan<Message> {
        self.world.chan
    }

    fn statuses(&self) -> Statuses {
        core::array::from_fn(|at| status(&self.world.waits[at]))
    }

    fn start(&mut self, at: usize, kind: Kind, task: Option<Task>) {
        if self.world.waits[at].is_none() {
            self.world.start(at, kind, task);
            let wait = self.world.model.waits[at];
            self.seen[at] = wait.map(|wait| Seen {
                kind: wait.kind,
                task: wait.task,
            });
        }
    }

    /// Whether a wait that is polled now ought to end.
    fn ought_to_end(&self, at: usize, kind: Kind) -> bool {
        let is_called = status(&self.world.waits[at]) == "called";
        let list = self.chan().lock();
        if kind == Kind::Closed || kind.sends() && list.closed {
            return list.closed;
        }
        if kind.sends() {
            let may = list.is_empty(SENDERS) || list.senders.is_open() || is_called;
            may && kind.wanted() <= self.chan().free(&list)
        } else {
            let may = list.is_empty(RECEIVERS) || list.receivers.is_open() || is_called;
            list.is_over() || may && list.unpromised() != 0
        }
    }

    /// Whether only waits that are not polled are in the way.
    fn is_kept_out_by_waits(&self, kind: Kind) -> bool {
        let list = self.chan().lock();
        if kind.receives() {
            return !list.buffer.is_empty() || list.is_over();
        }
        let permits: usize = self.world.permits.iter().map(Permits::len).sum();
        let used = list.buffer.len() + permits;
        let large = self.seen.iter().flatten();
        let large = large.filter(|seen| seen.kind.wanted() > 1);
        // A wait for several slots gathers them.
        kind.sends() && large.count() == 0 && used < self.world.model.capacity
    }

    fn poll(&mut self, at: usize, task: Task, times: usize) {
        let chan = self.chan();
        for _ in 0..times {
            let Some(seen) = &mut self.seen[at] else {
                return;
            };
            if status(&self.world.waits[at]) == "finished" {
                return;
            }
            if seen.kind.pays() {
                seen.task = Some(task);
            }
            let kind = seen.kind;
            self.polled = Some(at);
            let ought = self.ought_to_end(at, kind) && !self.world.io.0.get();
            let is_sender = kind == Kind::ReserveWith;
            let waker = &self.world.tasks[task].1;
            let real = self.world.waits[at].as_mut().expect("it is there");
            let outcome = poll_real(real, waker, chan, is_sender, &mut self.world.permits);
            assert!(!ought || outcome.is_some(), "{kind:?} waits for nothing");
            if let Some(outcome) = outcome {
                return self.note(kind, outcome);
            }
        }
        let kind = self.seen[at].expect("it is there").kind;
        let broke = self.world.io.0.get();
        assert!(
            times < 130 || broke || !self.is_kept_out_by_waits(kind),
            "{kind:?}"
        );
    }

    fn note(&mut self, kind: Kind, outcome: Outcome) {
        match (kind, outcome) {
            (Kind::Send(message), Outcome::Sent) => self.messages.push_back(message),
            (Kind::Send(message), Outcome::GaveBack(back)) => assert_eq!(message, back),
            (_, Outcome::Received(messages)) => {
                for message in messages {
                    assert_eq!(self.messages.pop_front(), Some(message));
                }
            }
            _ => {}
        }
    }

    fn end_wait(&mut self, at: usize, back: bool) {
        let Some(mut real) = self.world.waits[at].take() else {
            return;
        };
        if let (true, Real::Send(send)) = (back, &mut real) {
            let _ = there(send).take_value();
        }
        real.end();
        self.world.gone.push(real);
        self.seen[at] = None;
        self.world.model.waits[at] = None;
    }

    fn run(&mut self, op: Op) {
        let message = self.world.fresh();
        match op {
            Op::Wait(at, kind, task) => self.start(at, kind, task),
            Op::Poll(at, task) => self.poll(at, task, 1),
            Op::PollOften(at, task, times) => self.poll(at, task, times),
            Op::Drop(at, back) => self.end_wait(at, back),
            Op::SetWaker(at, task) => {
                if let (Some(Real::Waiter(waiter)), Some(seen)) =
                    (&mut self.world.waits[at], &mut self.seen[at])
                {
                    there(waiter).set_waker(self.world.tasks[task].1.clone());
                    seen.task = Some(task);
                }
            }
            Op::TrySend if !self.world.senders.is_empty() => {
                let ought = self.chan().admits(&self.chan().lock(), 1).is_ok();
                let sent = self.world.senders[0].try_send(message).is_ok();
                assert!(sent || !ought);
                self.messages.extend(sent.then_some(message));
            }
            Op::ForceSend if !self.world.senders.is_empty() => {
                match self.world.senders[0].force_send(message) {
                    Ok(Some(back)) if back == message => {}
                    Ok(replaced) => {
                        if replaced.is_some() {
                            assert_eq!(self.messages.pop_front(), replaced);
                        }
                        self.messages.push_back(message);
                    }
                    Err(_) => assert!(self.chan().is_closed()),
                }
            }
            Op::TryRecv if !self.world.receivers.is_empty() => {
                let list = self.chan().lock();
                let ought = list.unpromised() != 0 && self.chan().may_receive(&list);
                drop(list);
                match self.world.receivers[0].try_recv() {
                    Ok(message) => assert_eq!(self.messages.pop_front(), Some(message)),
                    Err(_) => assert!(!ought),
                }
            }
            Op::Broke(broke) => self.world.io.0.set(broke),
            op => self.run_with_handles(op, message),
        }
    }

    fn run_with_handles(&mut self, op: Op, message: Message) {
        let (chan, world) = (self.chan(), &mut self.world);
        let live = |is_such: fn(Kind) -> bool| self.seen.iter().flatten().any(|s| is_such(s.kind));
        match op {
            Op::TryReserve(n) if !world.senders.is_empty() => {
                let ought = chan.admits(&chan.lock(), n).is_ok();
                let reserved = chan.try_reserve(n);
                assert!(reserved.is_ok() || !ought);
                if reserved.is_ok() {
                    world.permits.push(Permits::new(chan, n));
                }
            }
            Op::SendPermit(which) => {
                let permit = world.permits.get_mut(which).and_then(Iterator::next);
                if let Some(permit) = permit {
                    permit.send(message);
                    let is_sent = !world.receivers.is_empty();
                    self.messages.extend(is_sent.then_some(message));
                }
            }
            Op::DropPermits(which) if which < world.permits.len() => {
                drop(world.permits.remove(which));
            }
            Op::CloneHandles => {
                world.senders.extend(world.senders.first().cloned());
                world.receivers.extend(world.receivers.first().cloned());
            }
            Op::DropSender => {
                let used = live(|kind| kind.sends() || kind == Kind::Closed);
                if world.senders.len() > 1 || !used && world.permits.is_empty() {
                    world.senders.pop();
                }
            }
            Op::DropReceiver if world.receivers.len() > 1 || !live(Kind::receives) => {
                world.receivers.pop();
                if world.receivers.is_empty() {
                    self.messages.clear();
                }
            }
            Op::Close => {
                chan.close();
            }
            _ => {}
        }
    }

    fn check(&self, before: &Statuses, wakes: &[usize]) {
        let statuses = self.statuses();
        self.check_counts(&statuses);
        self.check_queues(&statuses);
        // Each wait that was called, granted something or refused has been woken.
        let mut due = [0; TASKS];
        for at in 0..WAITS {
            let has_left = before[at] == "queued" && statuses[at] != "queued";
            let is_alive = !statuses[at].is_empty() && statuses[at] != "finished";
            if has_left && is_alive && self.polled != Some(at) {
                let task = self.seen[at].and_then(|seen| seen.task);
                due[task.unwrap_or(NO_TASK)] += 1;
            }
        }
        for task in 0..NO_TASK {
            let woken = self.world.tasks[task].0.count() - wakes[task];
            assert!(woken >= due[task], "task {task} is not woken");
        }
    }

    /// Of the waits with this status: how many they are on each side, and how many slots
    /// they want.
    fn count(&self, statuses: &Statuses, wanted: &str) -> [usize; 3] {
        let mut counts = [0; 3];
        for (seen, status) in self.seen.iter().zip(statuses) {
            if let (Some(seen), true) = (seen, status == wanted) {
                match seen.kind {
                    kind if kind.sends() => {
                        counts[0] += 1;
                        counts[2] += kind.wanted();
                    }
                    Kind::Closed => {}
                    _ => counts[1] += 1,
                }
            }
        }
        counts
    }

    fn check_counts(&self, statuses: &Statuses) {
        let list = self.chan().lock();
        let permits: usize = self.world.permits.iter().map(Permits::len).sum();
        let [slots, promises, granted_slots] = self.count(statuses, "granted");
        assert_eq!(list.count(SLOTS), slots);
        assert_eq!(list.count(PROMISES), promises);
        assert_eq!(list.buffer.len(), self.messages.len());
        assert_eq!(list.reserved, permits + granted_slots);
        assert_eq!(list.promised, promises);
        assert!(list.buffer.len() + list.reserved <= self.world.model.capacity);
        let [senders, receivers, _] = self.count(statuses, "queued");
        assert_eq!(list.count(SENDERS), senders);
        assert_eq!(list.count(RECEIVERS), receivers);
        let [_, called_receivers, called_slots] = self.count(statuses, "called");
        assert!(list.senders.called <= called_slots);
        assert!(list.receivers.called <= called_receivers);
    }

    /// No wait is left asleep while what the first waits for is there.
    fn check_queues(&self, statuses: &Statuses) {
        let chan = self.chan();
        let list = chan.lock();
        let [called_senders, called_receivers, _] = self.count(statuses, "called");
        if let Some(wanted) = list.first_tag(SENDERS) {
            assert!(!list.closed);
            let is_there = wanted <= chan.free(&list);
            assert!(!is_there || called_senders != 0, "all senders are asleep");
            assert!(!is_there || list.senders.is_open(), "it is handed over");
        }
        if !list.is_empty(RECEIVERS) {
            assert!(!list.is_over());
            let is_there = list.unpromised() != 0;
            assert!(
                !is_there || called_receivers != 0,
                "all receivers are asleep"
            );
            assert!(!is_there || list.receivers.is_open(), "it is handed over");
        }
        assert!(!list.closed || list.is_empty(WATCHERS));
        let can_send = list.closed || chan.admits(&list, 1).is_ok();
        let may_receive = list.unpromised() != 0 && chan.may_receive(&list);
        let can_receive = list.is_over() || may_receive;
        let is_plain = !list.closed && list.is_empty(SENDERS) && list.is_empty(RECEIVERS);
        assert_eq!(chan.can_send(), can_send);
        assert_eq!(chan.can_receive(), can_receive);
        assert_eq!(chan.can_send_plainly(), is_plain && can_send);
        assert_eq!(chan.can_receive_plainly(), is_plain && can_receive);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 600 } else { 20_000 }))]

    #[test]
    fn keeps_its_promises_if_eventual(
        capacity in 1..5_usize,
        ops in proptest::collection::vec(op(), 1..120),
    ) {
        let chan = Arc::new(Chan::new(capacity, Fairness::Eventual));
        let io = Budget::default();
        let mut program = Program::new(&chan, &io, capacity);
        for op in ops {
            let before = program.statuses();
            let wakes: Vec<_> = program.world.tasks.iter().map(|task| task.0.count()).collect();
            program.polled = None;
            program.run(op);
            program.check(&before, &wakes);
        }
        let World { tasks, waits, gone, permits, .. } = program.world;
        drop((waits, gone, permits));
        for (wakes, waker) in tasks {
            let is_noop = waker.will_wake(Waker::noop());
            drop(waker);
            assert!(is_noop || Arc::strong_count(&wakes) == 1, "a waker was leaked");
        }
    }
}
