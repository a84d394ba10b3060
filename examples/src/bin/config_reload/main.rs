//! A configuration file that is read again while the program runs. Whoever needs
//! it watches it: he sees the latest, skips what he was too slow for, and is not
//! woken for nothing.

#![forbid(unsafe_code)]

mod config;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anysync::{Mutex, Runtime, watch};
use anysync_examples::{Failure, PATIENCE, Program, until};

use config::{Config, Reloader};

const WORKERS: usize = 3;

struct Demo;

impl Program for Demo {
    const ABOUT: &'static str = "A configuration that is reloaded: everybody sees the latest";

    async fn run<R: Runtime>(rt: R) -> Result<(), Failure> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("config");
        write(&path, "hello", 1)?;
        let reloader = Reloader::open(&rt, path.clone()).await?;

        let workers = workers_follow(&rt, &reloader, &path).await?;
        a_broken_file(&rt, &reloader, &path).await?;
        who_is_slow(&rt, &reloader, &path).await?;
        who_waits_for_something(&rt, &reloader, &path).await?;
        the_end(&rt, reloader, workers).await?;

        directory.close()?;
        Ok(())
    }
}

fn main() -> ExitCode {
    anysync_examples::main::<Demo>()
}

fn write(path: &Path, greeting: &str, limit: u32) -> Result<(), Failure> {
    // The new file takes the old one's place at once, so nobody reads half of it.
    let new = path.with_extension("new");
    fs::write(&new, format!("greeting = {greeting}\nlimit = {limit}\n"))?;
    fs::rename(new, path)?;
    Ok(())
}

/// What the workers have worked by.
type Applied = Arc<Mutex<Vec<Config>>>;

/// Every worker takes over what is new.
async fn workers_follow<R: Runtime>(
    rt: &R,
    reloader: &Reloader,
    path: &Path,
) -> Result<[R::Handle<()>; WORKERS], Failure> {
    let applied: [Applied; WORKERS] = Default::default();
    let workers = applied
        .each_ref()
        .map(|applied| rt.spawn(work(rt.clone(), reloader.subscribe(), Arc::clone(applied))));
    let all_have = |count| {
        applied
            .iter()
            .all(|applied| applied.try_lock().is_some_and(|list| list.len() == count))
    };

    until(rt, || all_have(1)).await?;
    write(path, "good morning", 2)?;
    println!("the file is edited: changed {}", reloader.reload(rt).await?);
    until(rt, || all_have(2)).await?;
    println!("not edited: changed {}", reloader.reload(rt).await?);
    write(path, "good evening", 2)?;
    println!("edited again: changed {}", reloader.reload(rt).await?);
    until(rt, || all_have(3)).await?;

    for (number, applied) in applied.iter().enumerate() {
        let applied = applied.lock(rt).await;
        let applied: Vec<_> = applied.iter().map(ToString::to_string).collect();
        println!("worker {number}: {}", applied.join("; then "));
    }
    Ok(workers)
}

/// A worker: takes over the configuration, works by it until there is another,
/// and ends when there will be none.
async fn work<R: Runtime>(rt: R, mut config: watch::Receiver<Config>, applied: Applied) {
    loop {
        // Cloned, so that the value is not locked while the worker works: a
        // reload would have to wait for that.
        let now = config.borrow_and_update().clone();
        applied.lock(&rt).await.push(now);
        if config.changed(&rt).await.is_err() {
            break;
        }
    }
}

/// An error is told to who reloads, and to nobody else.
async fn a_broken_file<R: Runtime>(
    rt: &R,
    reloader: &Reloader,
    path: &Path,
) -> Result<(), Failure> {
    let config = reloader.subscribe();
    fs::write(path, "greeting = hm\nlimit = as you like\n")?;
    match reloader.reload(rt).await {
        Ok(_) => println!("a broken file is taken"),
        Err(error) => println!("a broken file: {error}"),
    }
    println!("still in force: {}", *config.borrow());
    println!("something to see: {}", config.has_changed()?);
    Ok(())
}

/// Whoever does not look for a while sees the last one, once.
async fn who_is_slow<R: Runtime>(rt: &R, reloader: &Reloader, path: &Path) -> Result<(), Failure> {
    let mut config = reloader.subscribe();
    for limit in 3..=5 {
        write(path, "in a hurry", limit)?;
        reloader.reload(rt).await?;
    }
    rt.timeout(PATIENCE, config.changed(rt)).await??;
    println!("three reloads later: {}", *config.borrow());
    println!("something more to see: {}", config.has_changed()?);
    Ok(())
}

/// Not the next one, but the first that is as one needs it.
async fn who_waits_for_something<R: Runtime>(
    rt: &R,
    reloader: &Reloader,
    path: &Path,
) -> Result<(), Failure> {
    let mut config = reloader.subscribe();
    let waiting = {
        let rt = rt.clone();
        rt.clone().spawn(async move {
            let config = config.wait_for(&rt, |config| config.limit >= 10).await?;
            Ok::<_, Failure>(config.limit)
        })
    };
    for limit in [8, 9, 10] {
        write(path, "patience", limit)?;
        reloader.reload(rt).await?;
    }
    let limit = rt.timeout(PATIENCE, waiting).await???;
    println!("waited for a limit of 10: {limit}");
    Ok(())
}

/// No more reloads: a wait ends with an error, the last value stays.
async fn the_end<R: Runtime>(
    rt: &R,
    reloader: Reloader,
    workers: [R::Handle<()>; WORKERS],
) -> Result<(), Failure> {
    let mut config = reloader.subscribe();
    drop(reloader);
    match rt.timeout(PATIENCE, config.changed(rt)).await? {
        Ok(()) => println!("at the end: changed"),
        Err(error) => println!("at the end: {error}"),
    }
    println!("the last one: {}", *config.borrow());
    for worker in workers {
        rt.timeout(PATIENCE, worker).await??;
    }
    println!("{WORKERS} workers have ended");
    Ok(())
}
