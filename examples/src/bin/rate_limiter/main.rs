//! Two limits, both a [`Semaphore`]: how many do something at once, whose
//! permits come back, and how many do it in a period, whose permits are used up.

#![forbid(unsafe_code)]

mod limiter;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anysync::{Join, Mutex, Notify, Runtime, Semaphore};
use anysync_examples::{Failure, Program, until};

use limiter::RateLimiter;

struct Demo;

impl Program for Demo {
    const ABOUT: &'static str = "A rate limiter: so many at once, and so many in each period";

    async fn run<R: Runtime>(rt: R) -> Result<(), Failure> {
        so_many_at_once(&rt).await?;
        by_hand(&rt).await?;
        by_the_clock(&rt).await
    }
}

fn main() -> ExitCode {
    anysync_examples::main::<Demo>()
}

/// Jobs that all wait inside, so that it can be seen how many have come in.
async fn so_many_at_once<R: Runtime>(rt: &R) -> Result<(), Failure> {
    const JOBS: usize = 10;
    const AT_ONCE: usize = 4;

    let limit = Arc::new(Semaphore::new(AT_ONCE));
    let inside = Arc::new(AtomicUsize::new(0));
    let gate = Arc::new(Notify::new());
    let jobs: Vec<_> = (0..JOBS)
        .map(|_| {
            let (limit, inside, gate) =
                (Arc::clone(&limit), Arc::clone(&inside), Arc::clone(&gate));
            let rt = rt.clone();
            rt.clone().spawn(async move {
                let _permit = limit.acquire(&rt).await?;
                inside.fetch_add(1, Ordering::Relaxed);
                gate.wait(&rt).await;
                inside.fetch_sub(1, Ordering::Relaxed);
                Ok::<(), Failure>(())
            })
        })
        .collect();

    until(rt, || gate.waiter_count() + limit.waiter_count() == JOBS).await?;
    println!(
        "{JOBS} jobs: {} inside, {} in line",
        inside.load(Ordering::Relaxed),
        limit.waiter_count()
    );
    for done in 1..=JOBS {
        // Whoever goes out lets the next one in.
        gate.notify_one();
        let most = AT_ONCE.min(JOBS - done);
        until(rt, || gate.waiter_count() == most).await?;
    }
    for job in jobs {
        job.await??;
    }
    println!(
        "all done: {} inside, {} permits free",
        inside.load(Ordering::Relaxed),
        limit.available_permits()
    );
    Ok(())
}

/// A bucket that is filled by hand, to see who passes when.
async fn by_hand<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let limiter = Arc::new(RateLimiter::new(3));
    let accepted = (0..5).filter(|_| limiter.try_acquire(1)).count();
    println!("a bucket of 3, 5 requests that do not wait: {accepted} accepted");

    let passed = Arc::new(Mutex::new(Vec::new()));
    let mut requests = Vec::new();
    for (name, cost) in [("a", 2), ("b", 3), ("c", 1), ("d", 1)] {
        let line = (Arc::clone(&limiter), Arc::clone(&passed));
        requests.push(rt.spawn(request(rt.clone(), line, name, cost)));
        // The next comes when this one is in line.
        until(rt, || limiter.waiting() == requests.len()).await?;
    }
    println!("4 requests wait: a for 2 tokens, b for 3, c and d for 1");

    // A request that has its tokens writes its name down; then it is over.
    for (tokens, over) in [(2, 1), (2, 1), (1, 2), (1, 3)] {
        limiter.refill(tokens);
        until(rt, || {
            passed.try_lock().is_some_and(|passed| passed.len() == over)
        })
        .await?;
        let passed = passed.lock(rt).await.join(" ");
        println!("{tokens} more: {passed} passed, {} wait", limiter.waiting());
    }
    let last = requests.pop().ok_or("four requests")?;
    last.abort();
    let cancelled = last.await.is_err();
    for request in requests {
        request.await?;
    }
    println!("d is cancelled: {cancelled}, {} wait", limiter.waiting());
    limiter.refill(100);
    println!("100 more: {} in the bucket", limiter.available());
    Ok(())
}

/// Waits for tokens, and tells that it has them.
async fn request<R: Runtime>(
    rt: R,
    (limiter, passed): (Arc<RateLimiter>, Arc<Mutex<Vec<&'static str>>>),
    name: &'static str,
    cost: usize,
) {
    limiter.acquire(&rt, cost).await;
    passed.lock(&rt).await.push(name);
}

/// A task fills the bucket; more requests than it holds take their time.
async fn by_the_clock<R: Runtime>(rt: &R) -> Result<(), Failure> {
    const REQUESTS: usize = 40;
    const BURST: usize = 10;
    const REFILL: usize = 5;
    const PERIOD: Duration = Duration::from_millis(10);

    let limiter = Arc::new(RateLimiter::new(BURST));
    let start = rt.now();
    let filling = {
        let (rt, limiter) = (rt.clone(), Arc::clone(&limiter));
        rt.clone()
            .spawn(async move { limiter.keep_filling(&rt, REFILL, PERIOD).await })
    };
    let requests: Vec<_> = (0..REQUESTS)
        .map(|_| {
            let (rt, limiter) = (rt.clone(), Arc::clone(&limiter));
            rt.clone()
                .spawn(async move { limiter.acquire(&rt, 1).await })
        })
        .collect();
    for request in requests {
        request.await?;
    }
    filling.abort();
    // The first ones find the bucket full.
    let periods = u32::try_from((REQUESTS - BURST).div_ceil(REFILL))?;
    println!(
        "{REQUESTS} requests, {BURST} at first and then {REFILL} in {PERIOD:?}: \
         not before {:?}: {}",
        PERIOD * periods,
        rt.now() >= start + PERIOD * periods,
    );
    Ok(())
}
