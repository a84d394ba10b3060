// Included for each side, see `main.rs`: what passes messages, on each kind of
// runtime and on none.

use std::rc::Rc;
use std::thread;
use std::time::Duration;

use anysync_tokio::anysync::{Bare, Block};
use tokio::task::{LocalSet, block_in_place, spawn_blocking, spawn_local};

use sync::{broadcast, mpsc, oneshot, watch};
use util::CancellationToken;

use crate::support::{many_threads, panic_of, runtime};

/// Asks squares of a server until it is stopped; the sum of what it published.
async fn ask(spawn: impl Fn(Server)) -> u64 {
    let (requests, server, mut total, stop) = Server::new();
    spawn(server);
    for number in 1..=100 {
        let (answer, answered) = oneshot::channel();
        requests.send((number, answer)).await.unwrap();
        assert_eq!(answered.await.unwrap(), number * number);
    }
    assert!(*total.wait_for(|total| *total == 338_350).await.unwrap() > 0);
    stop.cancel();
    requests.closed().await;
    while total.changed().await.is_ok() {}
    *total.borrow()
}

struct Server {
    requests: mpsc::Receiver<(u64, oneshot::Sender<u64>)>,
    total: watch::Sender<u64>,
    stop: CancellationToken,
}

type Requests = mpsc::Sender<(u64, oneshot::Sender<u64>)>;

impl Server {
    fn new() -> (Requests, Self, watch::Receiver<u64>, CancellationToken) {
        let (sender, requests) = mpsc::channel(4);
        let (total, totals) = watch::channel(0);
        let stop = CancellationToken::new();
        let server = Self {
            requests,
            total,
            stop: stop.child_token(),
        };
        (sender, server, totals, stop)
    }

    async fn run(mut self) {
        let serve = async {
            while let Some((number, answer)) = self.requests.recv().await {
                self.total.send_modify(|total| *total += number * number);
                answer.send(number * number).unwrap();
            }
        };
        assert_eq!(self.stop.run_until_cancelled(serve).await, None);
    }
}

#[test]
fn on_one_thread() {
    let total = runtime().block_on(ask(|server| drop(tokio::spawn(server.run()))));
    assert_eq!(total, 338_350);
}

#[test]
fn on_many_threads() {
    let total = many_threads().block_on(async {
        let asking = tokio::spawn(ask(|server| drop(tokio::spawn(server.run()))));
        asking.await.unwrap()
    });
    assert_eq!(total, 338_350);
}

#[test]
fn in_a_local_set() {
    let total = LocalSet::new().block_on(
        &runtime(),
        ask(|server| drop(spawn_local(server.run()))),
    );
    assert_eq!(total, 338_350);
}

#[test]
fn without_a_runtime() {
    let total = Bare.block_on(ask(|server| {
        thread::spawn(|| Bare.block_on(server.run()));
    }));
    assert_eq!(total, 338_350);
}

#[test]
fn between_two_runtimes() {
    let total = many_threads().block_on(ask(|server| {
        thread::spawn(|| runtime().block_on(server.run()));
    }));
    assert_eq!(total, 338_350);
}

#[test]
fn values_of_one_thread_pass_in_a_local_set() {
    LocalSet::new().block_on(&runtime(), async {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let (done, is_done) = oneshot::channel();
        spawn_local(async move {
            let value: Rc<u8> = receiver.recv().await.unwrap();
            done.send(value).unwrap();
        });
        let value = Rc::new(1);
        sender.send(value.clone()).unwrap();
        assert!(Rc::ptr_eq(&is_done.await.unwrap(), &value));
    });
}

#[test]
fn blocking_forms_work_where_a_thread_may_block() {
    many_threads().block_on(async {
        let (sender, mut receiver) = mpsc::channel(1);
        let (broadcaster, mut listener) = broadcast::channel(4);
        let (answer, answered) = oneshot::channel();
        let task = tokio::spawn(async move {
            block_in_place(|| {
                sender.blocking_send(1).unwrap();
                sender.blocking_send(2).unwrap();
                assert_eq!(listener.blocking_recv(), Ok(3));
                assert_eq!(answered.blocking_recv(), Ok(4));
            });
        });
        let received = spawn_blocking(move || (receiver.blocking_recv(), receiver.blocking_recv()));
        assert_eq!(received.await.unwrap(), (Some(1), Some(2)));
        broadcaster.send(3).unwrap();
        answer.send(4).unwrap();
        task.await.unwrap();
    });
}

#[test]
fn blocking_forms_panic_in_a_local_set_too() {
    let text = LocalSet::new().block_on(&runtime(), async {
        let (_sender, mut receiver) = mpsc::channel::<u8>(1);
        panic_of(|| receiver.blocking_recv())
    });
    assert!(text.starts_with("Cannot block the current thread from within a runtime"));
}

#[test]
fn a_receive_in_a_select_loses_nothing() {
    runtime().block_on(async {
        tokio::time::pause();
        let (sender, mut receiver) = mpsc::channel(1);
        let sends = tokio::spawn(async move {
            for number in 0..100 {
                tokio::time::sleep(Duration::from_millis(number % 7)).await;
                sender.send(number).await.unwrap();
            }
        });
        let mut received = Vec::new();
        loop {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(3)) => {}
                message = receiver.recv() => match message {
                    Some(number) => received.push(number),
                    None => break,
                },
            }
        }
        assert_eq!(received, Vec::from_iter(0..100));
        sends.await.unwrap();
    });
}
