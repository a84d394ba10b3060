//! Producers and consumers around one queue, which a [`Mutex`](anysync::Mutex)
//! guards and a [`Notify`](anysync::Notify) announces.
//!
//! The queue itself is in `queue.rs`; the form of it that loses items is in
//! `naive.rs`.

#![forbid(unsafe_code)]

mod naive;
mod queue;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anysync::Runtime;
use anysync_examples::{Failure, Program};

use naive::NaiveQueue;
use queue::WorkQueue;

const PRODUCERS: usize = 3;
const CONSUMERS: usize = 4;
const ITEMS_PER_PRODUCER: usize = 250;

struct Demo;

impl Program for Demo {
    const ABOUT: &'static str = "A work queue: producers push, consumers wait for work and pop it";

    async fn run<R: Runtime>(rt: R) -> Result<(), Failure> {
        one_by_one(&rt).await?;
        many_to_many(&rt).await?;
        how_the_naive_form_sleeps(&rt).await
    }
}

fn main() -> ExitCode {
    anysync_examples::main::<Demo>()
}

/// One task on both ends: the order, and popping without waiting.
async fn one_by_one<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let queue = WorkQueue::new();
    println!("try_pop on the empty queue: {:?}", queue.try_pop());
    for word in ["first", "second", "third"] {
        queue
            .push(rt, word)
            .await
            .map_err(|_| "the queue is open")?;
    }
    println!("try_pop: {:?}", queue.try_pop());
    println!("pop: {:?}", queue.pop(rt).await);
    // What was pushed before the end still comes out after it.
    queue.close(rt).await;
    println!("pop after close: {:?}", queue.pop(rt).await);
    println!("pop after the last: {:?}", queue.pop(rt).await);
    println!("push after close: {:?}", queue.push(rt, "late").await);
    Ok(())
}

/// A unit of work: which producer made it, and its number there.
#[derive(Clone, Copy, Debug)]
struct Item {
    producer: usize,
    number: usize,
}

async fn many_to_many<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let queue = Arc::new(WorkQueue::new());

    let consumers: Vec<_> = (0..CONSUMERS)
        .map(|_| rt.spawn(consume(rt.clone(), Arc::clone(&queue))))
        .collect();
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|producer| rt.spawn(produce(rt.clone(), Arc::clone(&queue), producer)))
        .collect();

    // Nobody pushes any more, so this is the time to close: each consumer
    // empties what is left and then finds the end.
    for producer in producers {
        producer.await?;
    }
    queue.close(rt).await;

    let mut seen = [[0_usize; ITEMS_PER_PRODUCER]; PRODUCERS];
    let mut in_order = true;
    for consumer in consumers {
        let items = consumer.await?;
        for item in &items {
            seen[item.producer][item.number] += 1;
        }
        in_order &= is_in_order(&items);
    }
    // Which consumer got which item differs from run to run; this does not.
    for (producer, numbers) in seen.iter().enumerate() {
        let delivered: usize = numbers.iter().sum();
        let once = numbers.iter().all(|times| *times == 1);
        println!("producer {producer}: {delivered} items delivered, each once: {once}");
    }
    println!("each consumer saw each producer's items in their order: {in_order}");
    Ok(())
}

async fn produce<R: Runtime>(rt: R, queue: Arc<WorkQueue<Item>>, producer: usize) {
    for number in 0..ITEMS_PER_PRODUCER {
        let item = Item { producer, number };
        queue
            .push(&rt, item)
            .await
            .expect("the queue is closed after the last producer");
    }
}

async fn consume<R: Runtime>(rt: R, queue: Arc<WorkQueue<Item>>) -> Vec<Item> {
    let mut done = Vec::new();
    while let Some(item) = queue.pop(&rt).await {
        done.push(item);
    }
    done
}

/// Whether one consumer's items are ordered as their producers made them.
fn is_in_order(items: &[Item]) -> bool {
    (0..PRODUCERS).all(|producer| {
        let of_one = items.iter().filter(|item| item.producer == producer);
        of_one.map(|item| item.number).is_sorted()
    })
}

/// Two pushes, two pops: the second pop sleeps beside a queue with an item.
async fn how_the_naive_form_sleeps<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let queue = NaiveQueue::new();
    queue.push(rt, 1).await;
    queue.push(rt, 2).await;
    println!("naive pop: {:?}", queue.pop(rt).await);
    let second = rt.timeout(Duration::from_millis(50), queue.pop(rt)).await;
    println!(
        "naive pop again: {}, with {} item in the queue",
        if second.is_err() { "asleep" } else { "served" },
        queue.len(rt).await,
    );
    Ok(())
}
