//! One simulated world: its tasks, its clock, and the loop that runs them.
//!
//! A run goes in steps. Each step polls one task, to its next await point. Which
//! one, and what goes wrong on the way, are choices of the [`Chooser`]; nothing
//! else decides anything, and so the same choices give the same run.
//!
//! No code of the user's runs under the world's lock: no poll, no waker's wake,
//! no drop of a future.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crate::builder::Options;
use crate::choose::{Choice, Chooser};
use crate::place::where_it_waits;
use crate::report::{Event, FailureKind, Stuck, WhoWaits};

/// A task's number; the first is 0.
pub(crate) type TaskId = usize;
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type Place = &'static Location<'static>;

/// A sleep until then never ends, and is no timer.
pub(crate) const NEVER: Duration = Duration::MAX;

/// A delayed wake-up comes after one of this many powers of two, in µs.
const DELAYS: usize = 20;
/// But after so many steps at the latest: the clock stands still for a task that
/// yields until another has done something.
const DELAY_STEPS: u64 = 100;

pub(crate) struct World {
    state: Mutex<State>,
    /// Somebody outside did something while the run was parked.
    changed: Condvar,
}

struct State {
    chooser: Chooser,
    options: Options,
    tasks: BTreeMap<TaskId, Entry>,
    next_task: TaskId,
    /// Those that can run, in the order in which they became ready.
    ready: Vec<Ready>,
    /// Those that wait and have been polled, and nobody has woken.
    idle: BTreeSet<TaskId>,
    /// Those that may be cancelled, since they are at an await point.
    cancellable: BTreeSet<TaskId>,
    timers: BTreeMap<(Duration, u64), Alarm>,
    /// By which step a delayed wake-up comes, and its timer.
    delayed: VecDeque<(u64, (Duration, u64))>,
    next_timer: u64,
    now: Duration,
    steps: u64,
    runner: Option<ThreadId>,
    current: Option<TaskId>,
    /// The thread that woke or spawned from outside and was not allowed to.
    intruder: Option<String>,
    closed: bool,
    trace: Option<Vec<Event>>,
}

struct Entry {
    label: String,
    place: Place,
    cancellable: bool,
    status: Status,
    /// `None` while it is polled, and for the future that `block_on` holds.
    future: Option<Task>,
    waker: Waker,
    polls: u64,
    /// What its latest poll was seen to wait for.
    waits: Vec<Wait>,
}

#[derive(Clone, Copy)]
struct Ready {
    id: TaskId,
    /// It yielded: it runs again when all that were ready then have run, and that is
    /// when it is the first of all.
    yielded: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Idle,
    Ready,
    /// Woken, and ready only when a timer says so.
    Delayed,
    Running {
        woken: bool,
    },
}

enum Alarm {
    Wake(Waker),
    Ready(TaskId),
}

/// What a task waits for, as far as the simulator sees it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Sleep(Duration, Place),
    Join(TaskId),
    Labelled(String, Place),
}

/// What a step does.
enum Step {
    Poll(TaskId, Option<Task>, Waker),
    Cancel(Option<Task>),
}

impl World {
    pub(crate) fn new(chooser: Chooser, options: Options, traced: bool) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                chooser,
                options,
                tasks: BTreeMap::new(),
                next_task: 0,
                ready: Vec::new(),
                idle: BTreeSet::new(),
                cancellable: BTreeSet::new(),
                timers: BTreeMap::new(),
                delayed: VecDeque::new(),
                next_timer: 0,
                now: Duration::ZERO,
                steps: 0,
                runner: None,
                current: None,
                intruder: None,
                closed: false,
                trace: traced.then(Vec::new),
            }),
            changed: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `root`, and the tasks beside it, until it is done or nothing can go
    /// on.
    pub(crate) fn run<F: Future>(
        self: &Arc<Self>,
        root: F,
        place: Place,
    ) -> Result<F::Output, Stuck> {
        let inside = Inside::enter(self, place);
        let mut root = pin!(root);
        loop {
            let step = match self.next_step() {
                Ok(step) => step,
                Err(stuck) => return Err(self.look_at(stuck, inside.root, root)),
            };
            match step {
                Step::Poll(id, None, waker) if id == inside.root => {
                    let polled = root.as_mut().poll(&mut Context::from_waker(&waker));
                    match polled {
                        Poll::Ready(output) => {
                            self.lock().note(Event::Ended(id));
                            return Ok(output);
                        }
                        Poll::Pending => self.put_back(id, None),
                    }
                }
                Step::Poll(id, Some(mut task), waker) => {
                    match task.as_mut().poll(&mut Context::from_waker(&waker)) {
                        Poll::Ready(()) => {
                            drop(task);
                            self.remove(id, Event::Ended(id));
                        }
                        Poll::Pending => self.put_back(id, Some(task)),
                    }
                }
                Step::Poll(_, None, _) => unreachable!("only the root's future is elsewhere"),
                Step::Cancel(task) => drop(task),
            }
        }
    }

    /// Adds to the report of a deadlock where each task waits, and whether it goes on
    /// when it is polled once more: then it was not woken when it should have been.
    /// These polls belong to no schedule.
    fn look_at<F: Future>(&self, mut stuck: Stuck, root: TaskId, mut main: Pin<&mut F>) -> Stuck {
        let mut state = self.lock();
        if stuck.kind != FailureKind::Deadlock {
            return stuck;
        }
        let Some(trace) = state.trace.take() else {
            return stuck;
        };
        state.options.spurious_polls = 0;
        state.options.delayed_wakes = 0;
        state.options.exhausted_budgets = 0;
        let with_places = state.options.backtraces;
        drop(state);
        for who in &mut stuck.who {
            let (task, waits) = self.begin_look(who.id);
            let poll = |cx: &mut Context<'_>| match task {
                Some(mut task) => task.as_mut().poll(cx).is_ready(),
                None if who.id == root => main.as_mut().poll(cx).is_ready(),
                None => false,
            };
            let (polled, places) = where_it_waits(with_places, |cx| {
                catch_unwind(AssertUnwindSafe(|| poll(cx)))
            });
            who.places = places;
            let has_moved = self
                .end_look(who.id)
                .iter()
                .any(|wait| !waits.contains(wait));
            who.was_forgotten = match polled {
                Ok(is_ready) => is_ready || has_moved,
                Err(payload) => {
                    // A payload may panic in its own `Drop`.
                    std::mem::forget(payload);
                    false
                }
            };
            if who.was_forgotten {
                // Others may go on now, because this one did.
                break;
            }
        }
        self.lock().trace = Some(trace);
        stuck
    }

    /// Takes the task out, with what it is known to wait for.
    fn begin_look(&self, id: TaskId) -> (Option<Task>, Vec<Wait>) {
        let mut state = self.lock();
        state.current = Some(id);
        match state.tasks.get_mut(&id) {
            Some(entry) => (entry.future.take(), std::mem::take(&mut entry.waits)),
            None => (None, Vec::new()),
        }
    }

    fn end_look(&self, id: TaskId) -> Vec<Wait> {
        let mut state = self.lock();
        state.current = None;
        match state.tasks.get_mut(&id) {
            Some(entry) => std::mem::take(&mut entry.waits),
            None => Vec::new(),
        }
    }

    fn next_step(self: &Arc<Self>) -> Result<Step, Stuck> {
        let mut state = self.lock();
        loop {
            if let Some(thread) = state.intruder.take() {
                return Err(state.stuck(Stuck::intruder(&thread)));
            }
            let due = state.take_due();
            if !due.is_empty() {
                drop(state);
                due.into_iter().for_each(Waker::wake);
                state = self.lock();
                continue;
            }
            if !state.ready.is_empty() {
                state.steps += 1;
                if state.steps > state.options.max_steps {
                    let limit = state.options.max_steps;
                    return Err(state.stuck(Stuck::step_limit(limit)));
                }
                return Ok(state.choose());
            }
            if let Some((&(at, _), _)) = state.timers.first_key_value() {
                state.now = at;
                state.note(Event::Clock(at));
            } else if state.options.foreign_wakes {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            } else {
                return Err(state.stuck(Stuck::deadlock()));
            }
        }
    }

    /// After a poll that left the task pending.
    fn put_back(&self, id: TaskId, future: Option<Task>) {
        let mut state = self.lock();
        let state = &mut *state;
        state.current = None;
        let Some(entry) = state.tasks.get_mut(&id) else {
            return;
        };
        entry.future = future;
        let yields = entry.status == Status::Running { woken: true };
        if let Some(trace) = &mut state.trace {
            trace.push(Event::Pending { yields });
        }
        if entry.cancellable {
            state.cancellable.insert(id);
        }
        if !yields {
            entry.status = Status::Idle;
            state.idle.insert(id);
            return;
        }
        // Whoever wakes itself while it runs yields.
        entry.status = Status::Ready;
        let may_choose = !state.ready.is_empty() && state.options.unfair_yields > 0;
        let is_unfair = may_choose && state.chooser.unfair_yield() == 1;
        if is_unfair {
            state.options.unfair_yields -= 1;
        }
        state.ready.push(Ready {
            id,
            yielded: !is_unfair,
        });
    }

    fn remove(&self, id: TaskId, event: Event) {
        let mut state = self.lock();
        state.current = None;
        let entry = state.forget(id);
        state.note(event);
        drop(state);
        drop(entry);
    }

    /// Adds a task; when the world is closed, drops it.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        label: Option<&str>,
        place: Place,
        cancellable: bool,
        future: Task,
    ) -> TaskId {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            drop(future);
            return TaskId::MAX;
        }
        let is_outside = state.is_outside();
        let id = state.add(self, label, place, Some(future));
        if let Some(entry) = state.tasks.get_mut(&id) {
            entry.cancellable = cancellable;
        }
        self.tell_run(&mut state, is_outside);
        id
    }

    fn wake(&self, id: TaskId) {
        let mut state = self.lock();
        let is_outside = state.is_outside();
        state.wake(id, is_outside);
        self.tell_run(&mut state, is_outside);
    }

    fn tell_run(&self, state: &mut State, is_outside: bool) {
        if !is_outside {
            return;
        }
        if !state.options.foreign_wakes {
            let thread = thread::current();
            let name = thread.name().unwrap_or("without a name");
            state.intruder = Some(name.to_owned());
        }
        self.changed.notify_one();
    }

    /// Drops every task that is left. Returns the first panic of their drops.
    pub(crate) fn close(&self) -> thread::Result<()> {
        let mut result = Ok(());
        loop {
            let mut state = self.lock();
            state.closed = true;
            state.ready.clear();
            state.idle.clear();
            state.cancellable.clear();
            let tasks = std::mem::take(&mut state.tasks);
            let timers = std::mem::take(&mut state.timers);
            drop(state);
            if tasks.is_empty() && timers.is_empty() {
                return result;
            }
            for (_, entry) in tasks {
                let dropped = catch_unwind(AssertUnwindSafe(|| drop(entry)));
                if result.is_ok() {
                    result = dropped;
                } else if let Err(payload) = dropped {
                    // A payload may panic in its own `Drop`.
                    std::mem::forget(payload);
                }
            }
            drop(timers);
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.lock().now
    }

    /// Arms a timer for the running task's `waker`, under the number of a former
    /// poll; `None` when it is due.
    pub(crate) fn arm(&self, at: Duration, id: Option<u64>, waker: &Waker) -> Option<u64> {
        let waker = waker.clone();
        let mut state = self.lock();
        if state.now >= at {
            let outdated = id.and_then(|id| state.timers.remove(&(at, id)));
            drop(state);
            drop((outdated, waker));
            return None;
        }
        let id = id.unwrap_or_else(|| {
            state.next_timer += 1;
            state.next_timer
        });
        let outdated = match at {
            NEVER => Some(Alarm::Wake(waker)),
            _ => state.timers.insert((at, id), Alarm::Wake(waker)),
        };
        let is_outside = state.is_outside();
        self.tell_run(&mut state, is_outside);
        drop(state);
        drop(outdated);
        Some(id)
    }

    pub(crate) fn disarm(&self, at: Duration, id: u64) {
        let alarm = self.lock().timers.remove(&(at, id));
        drop(alarm);
    }

    /// The running task was seen to wait.
    pub(crate) fn waits_for(&self, wait: Wait) {
        let mut state = self.lock();
        if state.is_outside() {
            return;
        }
        let current = state.current;
        if let Some(entry) = current.and_then(|id| state.tasks.get_mut(&id)) {
            entry.waits.push(wait);
        }
    }

    /// Whether the running task is to yield between a wait that it won and its
    /// return.
    pub(crate) fn spends_in_vain(&self) -> bool {
        let mut state = self.lock();
        if state.is_outside() || state.options.exhausted_budgets == 0 {
            return false;
        }
        if state.current.is_none() {
            return false;
        }
        let exhausted = state.chooser.fault(2) == 1;
        if exhausted {
            state.options.exhausted_budgets -= 1;
            state.note(Event::Exhausted);
        }
        exhausted
    }

    /// The choices so far.
    pub(crate) fn choices(&self) -> Vec<Choice> {
        self.lock().chooser.made().to_vec()
    }

    /// What happened.
    pub(crate) fn trace(&self) -> Vec<Event> {
        self.lock().trace.take().unwrap_or_default()
    }
}

impl State {
    fn note(&mut self, event: Event) {
        if let Some(trace) = &mut self.trace {
            trace.push(event);
        }
    }

    /// Whether the caller is on another thread than the run.
    fn is_outside(&self) -> bool {
        let runner = self.runner.as_ref();
        runner.is_some_and(|runner| *runner != thread::current().id())
    }

    fn add(
        &mut self,
        world: &Arc<World>,
        label: Option<&str>,
        place: Place,
        future: Option<Task>,
    ) -> TaskId {
        let id = self.next_task;
        self.next_task += 1;
        let label = match label {
            Some(label) => format!("task {id} `{label}`"),
            None => format!("task {id}"),
        };
        self.note(Event::Spawned(id, label.clone(), place));
        let entry = Entry {
            label,
            place,
            cancellable: false,
            status: Status::Ready,
            future,
            waker: Waker::from(Arc::new(TaskWaker {
                world: Arc::downgrade(world),
                id,
            })),
            polls: 0,
            waits: Vec::new(),
        };
        self.tasks.insert(id, entry);
        self.make_ready(id);
        id
    }

    fn wake(&mut self, id: TaskId, is_outside: bool) {
        let Some(entry) = self.tasks.get_mut(&id) else {
            return;
        };
        match &mut entry.status {
            Status::Ready | Status::Delayed => {}
            Status::Running { woken } => *woken = true,
            Status::Idle => {
                let may_delay = !is_outside && self.options.delayed_wakes > 0;
                let delay = match may_delay && self.runner.is_some() {
                    true => self.chooser.fault(1 + DELAYS),
                    false => 0,
                };
                self.idle.remove(&id);
                if delay == 0 {
                    entry.status = Status::Ready;
                    self.make_ready(id);
                    self.note(Event::Woken(id));
                    return;
                }
                entry.status = Status::Delayed;
                self.options.delayed_wakes -= 1;
                let after = Duration::from_micros(1 << (delay - 1));
                self.next_timer += 1;
                let key = (self.now.saturating_add(after), self.next_timer);
                self.timers.insert(key, Alarm::Ready(id));
                self.delayed.push_back((self.steps + DELAY_STEPS, key));
                self.note(Event::Delayed(id, after));
            }
        }
    }

    /// Takes the timers whose time has come.
    fn take_due(&mut self) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(first) = self.timers.first_entry() {
            if first.key().0 > self.now {
                break;
            }
            match first.remove() {
                Alarm::Wake(waker) => due.push(waker),
                Alarm::Ready(id) => self.end_delay(id),
            }
        }
        while let Some(&(step, key)) = self.delayed.front() {
            if step > self.steps {
                break;
            }
            self.delayed.pop_front();
            if let Some(Alarm::Ready(id)) = self.timers.remove(&key) {
                self.end_delay(id);
            }
        }
        due
    }

    fn end_delay(&mut self, id: TaskId) {
        if let Some(entry) = self.tasks.get_mut(&id) {
            if entry.status == Status::Delayed {
                entry.status = Status::Ready;
                self.make_ready(id);
            }
        }
    }

    fn make_ready(&mut self, id: TaskId) {
        self.ready.push(Ready { id, yielded: false });
    }

    /// Decides what happens next, when somebody is ready.
    fn choose(&mut self) -> Step {
        if let Some(id) = self.choose_cancelled() {
            let entry = self.forget(id);
            self.note(Event::Cancelled(id));
            return Step::Cancel(entry.and_then(|mut entry| entry.future.take()));
        }
        let spurious = self.choose_spurious();
        let (id, before) = match spurious {
            Some(id) => (id, 0),
            None => {
                let may_run = |(place, ready): &(usize, &Ready)| *place == 0 || !ready.yielded;
                let ready = self.ready.iter().enumerate().filter(may_run);
                let eligible: Vec<_> = ready.map(|(_, ready)| ready.id).collect();
                let place = self.chooser.task(&eligible);
                (eligible[place], place)
            }
        };
        self.leave_lists(id);
        self.note(Event::Runs {
            task: id,
            before,
            is_spurious: spurious.is_some(),
        });
        let entry = self.tasks.get_mut(&id).expect("a task that may run exists");
        entry.status = Status::Running { woken: false };
        entry.polls += 1;
        entry.waits.clear();
        let step = Step::Poll(id, entry.future.take(), entry.waker.clone());
        self.current = Some(id);
        step
    }

    fn choose_cancelled(&mut self) -> Option<TaskId> {
        if self.options.cancellations == 0 {
            return None;
        }
        let options = 1 + self.cancellable.len();
        let chosen = self.chooser.fault(options).checked_sub(1)?;
        self.options.cancellations -= 1;
        self.cancellable.iter().nth(chosen).copied()
    }

    fn choose_spurious(&mut self) -> Option<TaskId> {
        if self.options.spurious_polls == 0 {
            return None;
        }
        let options = 1 + self.idle.len();
        let chosen = self.chooser.fault(options).checked_sub(1)?;
        self.options.spurious_polls -= 1;
        self.idle.iter().nth(chosen).copied()
    }

    fn forget(&mut self, id: TaskId) -> Option<Entry> {
        self.leave_lists(id);
        self.tasks.remove(&id)
    }

    fn leave_lists(&mut self, id: TaskId) {
        if let Some(place) = self.ready.iter().position(|ready| ready.id == id) {
            self.ready.remove(place);
        }
        self.idle.remove(&id);
        self.cancellable.remove(&id);
    }

    fn stuck(&self, (kind, message): (FailureKind, String)) -> Stuck {
        let label = |id: &TaskId| match self.tasks.get(id) {
            Some(entry) => entry.label.clone(),
            None => format!("task {id}, which is gone"),
        };
        let describe = |wait: &Wait| match wait {
            Wait::Sleep(NEVER, place) => format!("sleeps for ever (from {place})"),
            Wait::Sleep(at, place) => format!("sleeps until {at:?} (from {place})"),
            Wait::Join(id) => format!("waits for the end of {}", label(id)),
            Wait::Labelled(what, place) => format!("waits for {what} (from {place})"),
        };
        let who = self.tasks.iter().map(|(id, entry)| WhoWaits {
            id: *id,
            label: entry.label.clone(),
            place: entry.place.to_string(),
            polls: entry.polls,
            is_idle: entry.status == Status::Idle,
            waits: entry.waits.iter().map(describe).collect(),
            places: Vec::new(),
            was_forgotten: false,
        });
        Stuck {
            kind,
            message,
            now: self.now,
            who: who.collect(),
        }
    }
}

struct TaskWaker {
    world: Weak<World>,
    id: TaskId,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(world) = self.world.upgrade() {
            world.wake(self.id);
        }
    }
}

std::thread_local! {
    static IS_INSIDE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// A run in progress on this thread.
struct Inside<'a> {
    world: &'a Arc<World>,
    root: TaskId,
}

impl<'a> Inside<'a> {
    fn enter(world: &'a Arc<World>, place: Place) -> Self {
        assert!(
            !IS_INSIDE.get(),
            "`block_on` of the simulator was called inside a simulation, which runs on one \
             thread and would stand still: await the future, or spawn it"
        );
        let mut state = world.lock();
        let is_busy = state.runner.is_some();
        if is_busy {
            drop(state);
            panic!("this simulation already runs, in `block_on` of another thread");
        }
        state.runner = Some(thread::current().id());
        let root = state.add(world, Some("main"), place, None);
        IS_INSIDE.set(true);
        drop(state);
        Self { world, root }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        IS_INSIDE.set(false);
        let mut state = self.world.lock();
        state.runner = None;
        state.current = None;
        let root = state.forget(self.root);
        drop(state);
        drop(root);
    }
}
