//! A pool of database connections that is opened when it is first needed, once,
//! however many need it at that moment.

#![forbid(unsafe_code)]

mod pool;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use anysync::{OnceCell, Runtime};
use anysync_examples::{Failure, Program};

use pool::DbPool;

const CALLERS: u32 = 100;
const CONNECTIONS: usize = 4;

/// The pool of the whole program. A cell needs no executor and no memory of its
/// own to be made, so it may be a `static`; what it lends is then `'static` too
/// and goes into tasks and threads without an `Arc`.
static POOL: OnceCell<DbPool> = OnceCell::new();
/// How often the pool has been opened.
static OPENED: AtomicUsize = AtomicUsize::new(0);

struct Demo;

impl Program for Demo {
    const ABOUT: &'static str = "A database pool: opened once under 100 concurrent callers";

    async fn run<R: Runtime>(rt: R) -> Result<(), Failure> {
        let directory = tempfile::tempdir()?;

        // An attempt that fails leaves the cell empty: the next caller tries
        // again, with what it was given itself.
        let missing = directory.path().join("missing").join("visits.db");
        let outcome = if pool(&rt, missing).await.is_err() {
            "fails"
        } else {
            "succeeds"
        };
        println!("in a directory that does not exist, opening {outcome}");
        println!("the cell is initialized: {}", POOL.is_initialized());

        serve_callers(&rt, &directory.path().join("visits.db")).await?;
        report(&rt).await?;

        let path = directory.path().to_owned();
        directory.close()?;
        println!("temporary directory removed: {}", !path.exists());
        Ok(())
    }
}

fn main() -> ExitCode {
    anysync_examples::main::<Demo>()
}

/// The pool; the first caller opens it, the others who come meanwhile wait for
/// him, and later ones get it by a single load.
///
/// Opening files blocks, so it is done on a thread that may block: the executor
/// goes on with other tasks. If the caller is cancelled, another takes his
/// place and opens it anew.
async fn pool<R: Runtime>(rt: &R, path: PathBuf) -> Result<&'static DbPool, Failure> {
    let open = || async move {
        let pool = rt
            .spawn_blocking(move || DbPool::open(&path, CONNECTIONS))
            .await??;
        OPENED.fetch_add(1, Ordering::Relaxed);
        Ok(pool)
    };
    POOL.get_or_try_init_async(rt, open).await
}

async fn serve_callers<R: Runtime>(rt: &R, path: &Path) -> Result<(), Failure> {
    let callers: Vec<_> = (1..=CALLERS)
        .map(|id| rt.spawn(visit(rt.clone(), path.to_owned(), id)))
        .collect();
    let mut pools = BTreeSet::new();
    for caller in callers {
        pools.insert(ptr::from_ref(caller.await??).addr());
    }
    println!("{CALLERS} callers used {} pool", pools.len());
    println!(
        "the pool was opened {} time",
        OPENED.load(Ordering::Relaxed)
    );
    Ok(())
}

/// One request: puts its visit down, in the pool that it finds or opens.
async fn visit<R: Runtime>(rt: R, path: PathBuf, id: u32) -> Result<&'static DbPool, Failure> {
    let pool = pool(&rt, path).await?;
    let sql = "INSERT INTO visits (visitor, minutes) VALUES (?1, ?2)";
    pool.run(&rt, move |connection| {
        connection.execute(sql, (format!("visitor {id}"), id))
    })
    .await?;
    Ok(pool)
}

async fn report<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let pool = POOL.get().ok_or("the pool has been opened")?;
    let sql = "SELECT count(*), sum(minutes), count(DISTINCT visitor) FROM visits";
    let (visits, minutes, visitors): (u32, u32, u32) = pool
        .run(rt, move |connection| {
            connection.query_row(sql, (), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        })
        .await?;
    println!("visits: {visits}, minutes: {minutes}, visitors: {visitors}");
    let check: String = pool
        .run(rt, |connection| {
            connection.query_row("PRAGMA integrity_check", (), |row| row.get(0))
        })
        .await?;
    println!("integrity check: {check}");
    // On some systems a file that is open cannot be removed.
    println!("connections closed: {} of {CONNECTIONS}", pool.close()?);
    Ok(())
}
