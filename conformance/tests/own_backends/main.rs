//! Executors that the kit does not know, plugged in as a stranger would: one
//! that can only run a future, one that is a `Runtime`, one of a few lines that has
//! tasks and no clock, and pollster with a thread for each task.

#![forbid(unsafe_code)]

use std::future::Future;
use std::sync::Arc;
use std::thread;

use anysync::{Bare, Block, Io};
use anysync_conformance::backend::{Backend, Capability, Face, Root, of_runtime};
use anysync_tokio::TokioRuntime;

/// Blocks on one future, and that is all.
struct OneFuture;

impl Backend for OneFuture {
    fn name(&self) -> &str {
        "one-future"
    }

    fn run(&self, root: Root) {
        let face = Face::new(Bare)
            .lacks(Capability::Timer, "it has no clock")
            .lacks(Capability::Spawn, "it runs one future at a time");
        Bare.block_on(root.on(face));
    }
}

mod toy;

use toy::Toy;

struct OnToy;

impl Backend for OnToy {
    fn name(&self) -> &str {
        "toy"
    }

    fn run(&self, root: Root) {
        let toy = Arc::new(Toy::default());
        let starts = Arc::clone(&toy);
        let face = Face::new(Bare).tasks(move |task| starts.start(task));
        toy.run(root.on(face.lacks(Capability::Timer, "it has no clock")));
    }
}

struct Pollster;

impl Backend for Pollster {
    fn name(&self) -> &str {
        "pollster"
    }

    fn run(&self, root: Root) {
        let face = Face::new(Bare).block_on(OnPollster).tasks(|task| {
            thread::spawn(|| pollster::block_on(task));
        });
        pollster::block_on(root.on(face));
    }
}

struct OnPollster;

impl Io for OnPollster {}

impl Block for OnPollster {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        pollster::block_on(future)
    }
}

fn own_runtime() -> TokioRuntime {
    TokioRuntime::current_thread().expect("the system has what a runtime needs")
}

anysync_conformance::main!(
    OneFuture,
    of_runtime("own-runtime", own_runtime),
    OnToy,
    Pollster
);
