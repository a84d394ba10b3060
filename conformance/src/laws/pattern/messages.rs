//! The programs of channels, oneshots, cancellation and semaphores.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anysync::yield_now;

use crate::backend::Capability::Spawn;
use crate::cx::{Cx, DynIo, Gate};
use crate::law::{About, Law};
use crate::run;
use crate::subject::{
    CancellationSubject, ChannelReceiver, ChannelSender, Kind, Message, OneshotSender, Subject,
};

pub(in crate::laws) const LAWS: &[Law] = &[
    Law::must(
        "pattern::request_reply_over_channel_and_oneshot",
        About::Kinds(&[Kind::Channel, Kind::Oneshot]),
        "Each request to an actor gets its own reply, or is told that there will be none; a \
         client that has given up its request disturbs nobody.",
        "Drop a message that nobody will receive with what it carries, and let the end of a \
         oneshot's sender end its receiver's wait.",
        run!(request_reply_over_channel_and_oneshot),
    )
    .because("The actor: its clients give up, and it dies with requests in its mailbox.")
    .seen_in(&["rust-lang/futures-rs#909"])
    .needs(&[Spawn]),
    Law::must(
        "pattern::graceful_drain_loses_nothing",
        About::Kinds(&[Kind::Channel, Kind::Cancellation]),
        "After a shutdown all requests that were accepted have been handled, and no other.",
        "A send that was dropped has not sent; a channel that is closed keeps what is in it.",
        run!(graceful_drain_loses_nothing),
    )
    .because("Each accepted request is somebody who waits for an answer.")
    .seen_in(&["tokio-rs/tokio#8074"])
    .needs(&[Spawn]),
    Law::must(
        "pattern::rate_limiter_bounds_concurrency",
        About::Kinds(&[Kind::Semaphore]),
        "Of the jobs behind a limiter as many run as it has permits, and no more; one that is \
         given up, running or waiting, makes room for another.",
        "Give a permit back when it is dropped, whoever drops it, and to the next in the queue.",
        run!(rate_limiter_bounds_concurrency),
    )
    .because("The limit protects what is behind it, when clients give up most.")
    .seen_in(&["redisson/redisson#7206"])
    .needs(&[Spawn]),
];

/// Ends the actor.
const STOP: u64 = u64::MAX;

/// Answers each request with its double; told to stop, it goes when it may.
async fn actor(
    receiver: Box<dyn ChannelReceiver>,
    io: DynIo,
    given_up: Arc<AtomicUsize>,
    may_go: Gate,
) {
    while let Some(request) = receiver.recv(&io).await {
        let number = request.number();
        if number == STOP {
            return may_go.passed().await;
        }
        let reply = request.into_cargo::<Box<dyn OneshotSender>>();
        let reply = reply.expect("each request comes once, with its way back");
        if number % 3 == 0 {
            yield_now().await;
        }
        match reply.send(Message::new(2 * number)) {
            Ok(()) => {}
            Err(answer) => {
                assert_eq!(answer.number(), 2 * number, "what is given back");
                given_up.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

/// The answer, unless the actor has gone.
async fn call(
    sender: &dyn ChannelSender,
    subject: &dyn Subject,
    io: &DynIo,
    number: u64,
) -> Option<u64> {
    let (reply, receiver) = subject.oneshot();
    let request = Message::with_cargo(number, reply);
    sender.send(io, request).await.ok()?;
    let answer = receiver.into_recv(io).await?;
    Some(answer.number())
}

async fn request_reply_over_channel_and_oneshot(cx: Cx, subject: Arc<dyn Subject>) {
    const CLIENTS: u64 = 4;
    const EACH: u64 = 25;
    let given_up = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = subject.channel(4);
    let io = cx.io();

    // One gives up before the actor is there: it is served all the same, and
    // nobody has the answer.
    let (reply, impatient) = subject.oneshot();
    let request = Message::with_cargo(1, reply);
    assert!(sender.try_send(request).is_ok(), "there is a slot");
    drop(impatient);

    let may_go = Gate::new();
    let actor = actor(receiver, io.clone(), Arc::clone(&given_up), may_go.clone());
    let actor = cx.spawn("the actor", actor);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (sender, subject, io) = (sender.another(), Arc::clone(&subject), cx.io());
            cx.spawn(format!("client {client}"), async move {
                for number in client * EACH..(client + 1) * EACH {
                    let answer = call(&*sender, &*subject, &io, number).await;
                    assert_eq!(answer, Some(2 * number), "the answer to {number}");
                }
            })
        })
        .collect();
    for client in clients {
        client.join().await;
    }
    let given_up = given_up.load(Ordering::SeqCst);
    assert_eq!(given_up, 1, "answers that nobody wanted");

    // The actor goes: whose request is in the channel, who waits to send one, and
    // who comes later, gets to know.
    let stop = sender.try_send(Message::new(STOP));
    assert!(stop.is_ok(), "there is a slot");
    let mut late = Vec::new();
    for client in 0..6 {
        let (sender, subject, io) = (sender.another(), Arc::clone(&subject), cx.io());
        let call = async move { call(&*sender, &*subject, &io, client).await };
        late.push(cx.spawn_queued(format!("late client {client}"), call).await);
    }
    may_go.open();
    actor.join().await;
    for client in late {
        let answer = client.join().await;
        assert_eq!(answer, None, "an answer of an actor that has gone");
    }
    let answer = call(&*sender, &*subject, &io, 7).await;
    assert_eq!(answer, None, "an answer of an actor that has gone");
}

/// Numbers of requests.
#[derive(Clone, Default)]
struct Requests(Arc<Mutex<Vec<u64>>>);

impl Requests {
    fn add(&self, number: u64) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(number);
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn sorted(&self) -> Vec<u64> {
        let mut numbers = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        numbers.sort_unstable();
        numbers
    }
}

/// Accepts requests until the shutdown.
async fn listener(
    sender: Box<dyn ChannelSender>,
    shutdown: Arc<dyn CancellationSubject>,
    io: DynIo,
    accepted: Requests,
    mut next: u64,
) {
    loop {
        let send = async {
            let sent = sender.send(&io, Message::new(next)).await;
            u64::from(sent.is_ok())
        };
        match shutdown.run_until_cancelled(&io, Box::pin(send)).await {
            Some(sent) => assert_eq!(sent, 1, "the workers are there"),
            None => return,
        }
        accepted.add(next);
        next += 1;
    }
}

async fn graceful_drain_loses_nothing(cx: Cx, subject: Arc<dyn Subject>) {
    const CAPACITY: usize = 4;
    const BUSY: usize = 5;
    let shutdown: Arc<dyn CancellationSubject> = Arc::from(subject.cancellation());
    let (sender, receiver) = subject.channel(CAPACITY);
    let mut receivers = vec![receiver];
    receivers.extend(receivers[0].another());
    let workers = receivers.len();
    let (accepted, handled) = (Requests::default(), Requests::default());
    // Each handles a few, and is then busy until the shutdown.
    let shut_down = Gate::new();
    let workers_done: Vec<_> = receivers
        .into_iter()
        .enumerate()
        .map(|(place, receiver)| {
            let (handled, io, shut_down) = (handled.clone(), cx.io(), shut_down.clone());
            cx.spawn(format!("worker {place}"), async move {
                let mut own = 0;
                while let Some(request) = receiver.recv(&io).await {
                    own += 1;
                    if own == BUSY {
                        shut_down.passed().await;
                    }
                    yield_now().await;
                    handled.add(request.number());
                }
            })
        })
        .collect();
    let listeners: Vec<_> = (0..3)
        .map(|place| {
            let listener = listener(
                sender.another(),
                Arc::clone(&shutdown),
                cx.io(),
                accepted.clone(),
                1_000 * place,
            );
            cx.spawn(format!("listener {place}"), listener)
        })
        .collect();
    drop(sender);

    // All workers are busy, the channel is full, and listeners wait.
    let expected = workers * BUSY + CAPACITY;
    cx.until("the channel is full", || accepted.count() == expected)
        .await;
    cx.yield_turns(3).await;
    shutdown.cancel();
    for listener in listeners {
        listener.join().await;
    }
    shut_down.open();
    for worker in workers_done {
        worker.join().await;
    }
    assert_eq!(
        handled.sorted(),
        accepted.sorted(),
        "the requests that were handled, and those that were accepted"
    );
}

/// Counts while it is there.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn start(running: &Arc<AtomicUsize>) -> Self {
        running.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(running))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn rate_limiter_bounds_concurrency(cx: Cx, subject: Arc<dyn Subject>) {
    const LIMIT: usize = 3;
    const JOBS: usize = 9;
    let limiter = subject.semaphore(LIMIT);
    let running = Arc::new(AtomicUsize::new(0));
    let may_end = Gate::new();
    let job = || {
        let (limiter, io, may_end) = (Arc::clone(&limiter), cx.io(), may_end.clone());
        let running = Arc::clone(&running);
        async move {
            let permit = limiter.acquire(&io).await;
            let _permit = permit.expect("nobody closes it");
            // Goes before the permit, so that it counts no job that has none.
            let _running = Running::start(&running);
            let now = running.load(Ordering::SeqCst);
            assert!(now <= LIMIT, "{now} jobs run, and {LIMIT} may");
            may_end.passed().await;
            yield_now().await;
            let now = running.load(Ordering::SeqCst);
            assert!(now <= LIMIT, "{now} jobs run, and {LIMIT} may");
        }
    };
    let mut jobs = Vec::new();
    for number in 0..JOBS {
        jobs.push(cx.spawn_queued(format!("job {number}"), job()).await);
    }
    let count = || running.load(Ordering::SeqCst);
    assert_eq!(count(), LIMIT, "the jobs that run when all have come");
    assert!(limiter.try_acquire().is_err(), "a permit too many");

    // One gives up in the queue, and one while it runs.
    let queued = jobs.remove(LIMIT);
    queued.abort();
    assert!(queued.await.is_err(), "a job that waits has not ended");
    assert_eq!(count(), LIMIT, "the jobs that run after one left the queue");
    let first = jobs.remove(0);
    first.abort();
    assert!(first.await.is_err(), "a job that runs has not ended");
    cx.until("another runs in its place", || count() == LIMIT)
        .await;

    may_end.open();
    for job in jobs {
        job.join().await;
    }
    assert_eq!(count(), 0, "the jobs that run in the end");
    let permits: Vec<_> = std::iter::from_fn(|| limiter.try_acquire().ok())
        .take(LIMIT + 1)
        .collect();
    assert_eq!(permits.len(), LIMIT, "the permits in the end");
}
