//! A pool of SQLite connections behind a [`Semaphore`](anysync::Semaphore): a
//! caller waits in line, not longer than he likes, and leaves no trace if he
//! goes away.

#![forbid(unsafe_code)]

mod pool;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anysync::{Join, Mutex, Runtime};
use anysync_examples::{Failure, PATIENCE, Program, until};

use pool::{ConnectionPool, PoolError};

const CONNECTIONS: usize = 3;
const ACCOUNTS: u32 = 10;
const TRANSFERS: u32 = 60;
/// What a caller is given who is to be seen giving up.
const IMPATIENT: Duration = Duration::from_millis(20);

struct Demo;

impl Program for Demo {
    const ABOUT: &'static str = "A connection pool: in line for a connection, with a limit";

    async fn run<R: Runtime>(rt: R) -> Result<(), Failure> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("bank.db");
        let pool = rt
            .spawn_blocking(move || ConnectionPool::open(&path, CONNECTIONS))
            .await??;
        let pool = Arc::new(pool);

        transfer_all(&rt, &pool).await?;
        who_times_out_leaves_no_trace(&rt, &pool).await?;
        the_line_closes_up(&rt, &pool).await?;
        alone(&rt, &pool).await?;
        close(&rt, &pool).await?;

        directory.close()?;
        Ok(())
    }
}

fn main() -> ExitCode {
    anysync_examples::main::<Demo>()
}

/// Many tasks, few connections, real transactions.
async fn transfer_all<R: Runtime>(rt: &R, pool: &Arc<ConnectionPool>) -> Result<(), Failure> {
    pool.run(rt, PATIENCE, |connection| {
        connection.execute_batch(
            "CREATE TABLE accounts (id INTEGER PRIMARY KEY, money INTEGER NOT NULL)",
        )?;
        for id in 0..ACCOUNTS {
            connection.execute("INSERT INTO accounts VALUES (?1, 100)", [id])?;
        }
        Ok(())
    })
    .await?;

    let in_use = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let transfers: Vec<_> = (0..TRANSFERS)
        .map(|number| {
            let (rt, pool) = (rt.clone(), Arc::clone(pool));
            let (in_use, most) = (Arc::clone(&in_use), Arc::clone(&most));
            rt.clone().spawn(async move {
                let work = move |connection: &mut rusqlite::Connection| {
                    let now = in_use.fetch_add(1, Ordering::Relaxed) + 1;
                    most.fetch_max(now, Ordering::Relaxed);
                    let outcome = transfer(connection, number % ACCOUNTS, (number + 1) % ACCOUNTS);
                    in_use.fetch_sub(1, Ordering::Relaxed);
                    outcome
                };
                pool.run(&rt, PATIENCE, work).await
            })
        })
        .collect();
    for transfer in transfers {
        transfer.await??;
    }
    let most = most.load(Ordering::Relaxed);
    println!(
        "{TRANSFERS} transfers, never more than {CONNECTIONS} at once: {}",
        (1..=CONNECTIONS).contains(&most)
    );

    let money: u32 = pool
        .run(rt, PATIENCE, |connection| {
            connection.query_row("SELECT sum(money) FROM accounts", (), |row| row.get(0))
        })
        .await?;
    println!("money in the bank: {money}");
    Ok(())
}

fn transfer(connection: &mut rusqlite::Connection, from: u32, to: u32) -> rusqlite::Result<()> {
    let behavior = rusqlite::TransactionBehavior::Immediate;
    let transaction = connection.transaction_with_behavior(behavior)?;
    let sql = "UPDATE accounts SET money = money + ?2 WHERE id = ?1";
    transaction.execute(sql, (from, -7))?;
    transaction.execute(sql, (to, 7))?;
    transaction.commit()
}

/// All connections are out, so a caller with little time goes away empty.
async fn who_times_out_leaves_no_trace<R: Runtime>(
    rt: &R,
    pool: &Arc<ConnectionPool>,
) -> Result<(), Failure> {
    let mut leases = Vec::new();
    for _ in 0..CONNECTIONS {
        leases.push(pool.lease(rt, PATIENCE).await?);
    }
    let outcome = pool.run(rt, IMPATIENT, |_| Ok(())).await;
    println!("all are in use: {}", told(&outcome));
    println!(
        "then {} wait, {} are free",
        pool.waiting(),
        pool.available()
    );
    drop(leases);
    println!("after the return {} are free", pool.available());
    Ok(())
}

/// A caller in the middle of the line is cancelled; those before and behind him
/// keep their order.
async fn the_line_closes_up<R: Runtime>(rt: &R, pool: &Arc<ConnectionPool>) -> Result<(), Failure> {
    let mut leases = Vec::new();
    for _ in 0..CONNECTIONS {
        leases.push(pool.lease(rt, PATIENCE).await?);
    }
    let served = Arc::new(Mutex::new(Vec::new()));
    let mut callers = Vec::new();
    for name in ["first", "second", "third"] {
        let caller = wait_in_line(rt.clone(), Arc::clone(pool), name, Arc::clone(&served));
        callers.push(rt.spawn(caller));
        // The next comes when this one is in line.
        until(rt, || pool.waiting() == callers.len()).await?;
    }
    let second = callers.remove(1);
    second.abort();
    let cancelled = second.await.is_err_and(|error| error.is_cancelled());
    println!("the second of three in line is cancelled: {cancelled}");
    println!("then {} wait", pool.waiting());
    // One connection for two: the first gives it on to the next.
    drop(leases.pop());
    for caller in callers {
        caller.await??;
    }
    println!("served, in order: {}", served.lock(rt).await.join(", "));
    Ok(())
}

async fn wait_in_line<R: Runtime>(
    rt: R,
    pool: Arc<ConnectionPool>,
    name: &'static str,
    served: Arc<Mutex<Vec<&'static str>>>,
) -> Result<(), PoolError> {
    let _lease = pool.lease(&rt, PATIENCE).await?;
    served.lock(&rt).await.push(name);
    Ok(())
}

/// Somebody who needs all connections to be idle waits for that in the same
/// line, and is not overtaken by those who want one.
async fn alone<R: Runtime>(rt: &R, pool: &Arc<ConnectionPool>) -> Result<(), Failure> {
    let lease = pool.lease(rt, PATIENCE).await?;
    let vacuum = {
        let (rt, pool) = (rt.clone(), Arc::clone(pool));
        rt.clone().spawn(async move {
            let vacuum = |connection: &mut rusqlite::Connection| connection.execute_batch("VACUUM");
            pool.run_alone(&rt, PATIENCE, vacuum).await
        })
    };
    until(rt, || pool.waiting() == 1).await?;
    // Two connections are idle, but the one who came first wants all three.
    let outcome = pool.run(rt, IMPATIENT, |_| Ok(())).await;
    println!("while somebody waits for all: {}", told(&outcome));
    drop(lease);
    vacuum.await??;
    println!("vacuumed, and {} are free", pool.available());
    Ok(())
}

/// The end: those in line hear of it.
async fn close<R: Runtime>(rt: &R, pool: &Arc<ConnectionPool>) -> Result<(), Failure> {
    let lease = pool.lease(rt, PATIENCE).await?;
    let all = {
        let (rt, pool) = (rt.clone(), Arc::clone(pool));
        rt.clone()
            .spawn(async move { pool.run_alone(&rt, PATIENCE, |_| Ok(())).await })
    };
    until(rt, || pool.waiting() == 1).await?;
    let closed = pool.close()?;
    println!("closed with {closed} of {CONNECTIONS} idle");
    println!("in line: {}", told(&all.await?));
    println!("later: {}", told(&pool.run(rt, PATIENCE, |_| Ok(())).await));
    drop(lease);
    println!("closed on its return: {}", pool.close()?);
    Ok(())
}

fn told(outcome: &Result<(), PoolError>) -> String {
    match outcome {
        Ok(()) => "served".to_owned(),
        Err(error) => error.to_string(),
    }
}
