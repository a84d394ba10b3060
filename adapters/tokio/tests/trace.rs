//! What a subscriber is told of the locks and signals: the spans, targets and fields
//! that tokio-console reads from tokio's own.

#![cfg(feature = "tracing")]
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use anysync_adapter_tests::face::Task;
use anysync_tokio::sync::{Barrier, Mutex, RwLock, Semaphore, oneshot};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// Writes down what it is told, a line for each span and event.
#[derive(Clone, Default)]
struct Log(Arc<StdMutex<Vec<String>>>);

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    /// The lines since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {field}={value}").unwrap();
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let within = span.parent().map_or("nothing", |parent| parent.name());
        let mut fields = Fields(format!("{} in {within}:", span.name()));
        attributes.record(&mut fields);
        self.add(fields.0);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let within = context
            .lookup_current()
            .map_or("nothing", |span| span.name());
        let target = event.metadata().target();
        let mut fields = Fields(format!("{target} in {within}:"));
        event.record(&mut fields);
        self.add(fields.0);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let name = context.span(&id).unwrap().name();
        self.add(format!("{name} ends"));
    }
}

/// Runs `test` with a subscriber.
fn logged(test: impl FnOnce(&Log)) {
    let log = Log::default();
    let subscriber = Registry::default().with(log.clone());
    tracing::subscriber::with_default(subscriber, || test(&log));
}

/// The result of a wait that is over.
fn now<F: Future>(future: F) -> F::Output {
    Task::new().ready(pin!(future))
}

fn queued<F: Future + ?Sized>(future: Pin<&mut F>) {
    Task::new().pending(future);
}

const UPDATE: &str = "runtime::resource::state_update in runtime.resource:";
const POLL: &str = "runtime::resource::poll_op in runtime.resource.async_op.poll:";

/// The state updates among the lines.
fn updates(log: &Log) -> Vec<String> {
    let lines = log.take().into_iter();
    let updates = lines.filter_map(|line| Some(line.strip_prefix(UPDATE)?.trim().to_owned()));
    updates.collect()
}

#[test]
fn a_mutex_shows_where_it_is_from_and_who_waits() {
    logged(|log| {
        let (mutex, line) = (Mutex::new(0), line!());
        assert!(log.take().is_empty(), "it is shown when it is used");
        let guard = now(mutex.lock());
        let file = file!();
        assert_eq!(
            log.take(),
            [
                format!(
                    "runtime.resource in nothing: concrete_type=Mutex kind=Sync loc.file={file} \
                     loc.line={line} loc.col=30"
                ),
                format!("{UPDATE} locked=false"),
                "runtime.resource.async_op in runtime.resource: source=Mutex::lock \
                 inherits_child_attrs=false"
                    .to_owned(),
                "runtime.resource.async_op.poll in runtime.resource.async_op:".to_owned(),
                format!("{POLL} op_name=poll is_ready=true"),
                "runtime.resource.async_op.poll ends".to_owned(),
                "runtime.resource.async_op ends".to_owned(),
                format!("{UPDATE} locked=true"),
            ]
        );
        {
            let mut wait = pin!(mutex.lock());
            queued(wait.as_mut());
            let lines = log.take();
            assert_eq!(lines[2], format!("{POLL} op_name=poll is_ready=false"));
            drop(guard);
            assert_eq!(updates(log), ["locked=false"]);
            drop(now(wait));
            assert_eq!(updates(log), ["locked=true", "locked=false"]);
        }
        // Given up.
        let guard = mutex.try_lock().unwrap();
        let mut wait = Box::pin(mutex.lock());
        queued(wait.as_mut());
        log.take();
        drop(wait);
        assert_eq!(
            log.take(),
            [
                "runtime.resource.async_op.poll ends",
                "runtime.resource.async_op ends"
            ]
        );
        // What a guard becomes is held as long.
        let part = anysync_tokio::sync::MutexGuard::map(guard, |value| value);
        assert!(updates(log).is_empty());
        drop(part);
        assert_eq!(updates(log), ["locked=false"]);
        drop(mutex);
        assert_eq!(log.take(), ["runtime.resource ends"]);
    });
}

#[test]
fn owned_guards_are_shown_alike() {
    logged(|log| {
        let mutex = Arc::new(Mutex::new(0));
        let guard = now(mutex.clone().lock_owned());
        assert_eq!(updates(log), ["locked=false", "locked=true"]);
        drop(guard);
        assert_eq!(updates(log), ["locked=false"]);
        drop(mutex.try_lock_owned());
        assert_eq!(updates(log), ["locked=true", "locked=false"]);
    });
}

#[test]
fn a_rwlock_counts_its_readers() {
    logged(|log| {
        let lock = Arc::new(RwLock::with_max_readers(0, 5));
        let readers = (now(lock.read()), lock.clone().try_read_owned().unwrap());
        let reading = "current_readers=1 current_readers.op=add";
        assert_eq!(
            updates(log),
            [
                "max_readers=5",
                "write_locked=false",
                "current_readers=0",
                reading,
                reading
            ]
        );
        drop(readers);
        let read = "current_readers=1 current_readers.op=sub";
        assert_eq!(updates(log), [read, read]);
        let writer = now(lock.clone().write_owned());
        let writing = "write_locked=true write_locked.op=override";
        assert_eq!(updates(log), [writing]);
        let reader = writer.downgrade();
        let written = "write_locked=false write_locked.op=override";
        assert_eq!(updates(log), [written, reading]);
        drop(reader);
        assert_eq!(updates(log), [read]);
        drop(now(lock.write()));
        assert_eq!(updates(log), [writing, written]);
    });
}

#[test]
fn a_semaphore_counts_its_permits() {
    logged(|log| {
        let semaphore = Semaphore::new(5);
        let mut permits = now(semaphore.acquire_many(4)).unwrap();
        assert_eq!(
            updates(log),
            ["permits=5 permits.op=override", "permits=4 permits.op=sub"]
        );
        let two = permits.split(2).unwrap();
        let one = permits.split(1).unwrap();
        permits.merge(two);
        one.forget();
        assert!(updates(log).is_empty());
        drop(permits);
        semaphore.add_permits(7);
        assert_eq!(semaphore.forget_permits(2), 2);
        assert_eq!(
            updates(log),
            [
                "permits=3 permits.op=add",
                "permits=7 permits.op=add",
                "permits=2 permits.op=sub"
            ]
        );
        assert_eq!(semaphore.available_permits(), 5 - 1 + 7 - 2);
    });
}

#[test]
fn a_barrier_counts_who_is_there() {
    logged(|log| {
        let barrier = Barrier::new(2);
        let mut given_up = Box::pin(barrier.wait());
        queued(given_up.as_mut());
        drop(given_up);
        let (came, went) = ("arrived=1 arrived.op=add", "arrived=1 arrived.op=sub");
        assert_eq!(updates(log), ["size=2", "arrived=0", came, went]);
        let mut first = pin!(barrier.wait());
        queued(first.as_mut());
        assert!(now(barrier.wait()).is_leader());
        assert_eq!(updates(log), [came, came, "arrived=0 arrived.op=override"]);
        assert!(!now(first).is_leader());
        assert!(updates(log).is_empty());
    });
}

#[test]
fn a_oneshot_shows_both_ends() {
    logged(|log| {
        let (sender, receiver) = oneshot::channel();
        assert_eq!(
            updates(log),
            [
                "tx_dropped=false tx_dropped.op=override",
                "rx_dropped=false rx_dropped.op=override",
                "value_sent=false value_sent.op=override",
                "value_received=false value_received.op=override"
            ]
        );
        sender.send(1).unwrap();
        assert_eq!(updates(log), ["value_sent=true value_sent.op=override"]);
        assert_eq!(now(receiver), Ok(1));
        assert_eq!(
            updates(log),
            [
                "value_received=true value_received.op=override",
                "rx_dropped=true rx_dropped.op=override"
            ]
        );
        let (sender, receiver) = oneshot::channel::<u8>();
        log.take();
        drop(sender);
        drop(receiver);
        assert_eq!(
            updates(log),
            [
                "tx_dropped=true tx_dropped.op=override",
                "rx_dropped=true rx_dropped.op=override"
            ]
        );
    });
}

/// What a subscriber does with the primitives of which it is told.
struct Meddles;

static MUTEX: Mutex<u32> = Mutex::new(0);
static SEMAPHORE: Semaphore = Semaphore::const_new(1);

impl<S: Subscriber> Layer<S> for Meddles {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        thread_local! {
            static INSIDE: Cell<bool> = const { Cell::new(false) };
        }
        if INSIDE.replace(true) {
            return;
        }
        drop(MUTEX.try_lock());
        drop(SEMAPHORE.try_acquire());
        queued(pin!(async {
            let _guards = (MUTEX.lock().await, SEMAPHORE.acquire().await);
            std::future::pending::<()>().await;
        }));
        INSIDE.set(false);
    }
}

#[test]
fn a_subscriber_may_use_what_it_is_told_of() {
    let (done, finished) = channel();
    std::thread::spawn(move || {
        let subscriber = Registry::default().with(Meddles);
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..10 {
                let guard = now(MUTEX.lock());
                let permit = now(SEMAPHORE.acquire()).unwrap();
                let mut waits = (Box::pin(MUTEX.lock()), Box::pin(SEMAPHORE.acquire()));
                queued(waits.0.as_mut());
                queued(waits.1.as_mut());
                drop((guard, permit));
                drop(waits);
                SEMAPHORE.add_permits(1);
                SEMAPHORE.forget_permits(1);
            }
        });
        done.send(()).unwrap();
    });
    // A far-off net: it is done at once, or never.
    finished
        .recv_timeout(Duration::from_secs(60))
        .expect("no event is emitted within a critical section");
    assert!(MUTEX.try_lock().is_ok());
    assert_eq!(SEMAPHORE.available_permits(), 1);
}
