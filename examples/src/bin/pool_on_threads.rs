//! The neutral pool, in a program of plain threads.

#![forbid(unsafe_code)]

use std::thread;
use std::time::Duration;

use anysync::{Bare, Block};
use anysync_example_pool::Pool;
use anysync_futures::Futures;

const USERS: usize = 20;

fn main() {
    let pool = Pool::new([0_usize, 0]);

    thread::scope(|scope| {
        for _ in 0..USERS {
            scope.spawn(|| *pool.get_blocking() += 1);
        }
    });

    let (one, other) = (pool.get_blocking(), pool.get_blocking());
    println!("{USERS} users, {} uses", *one + *other);

    // A thread has no executor, but it may use the clock of one that keeps the
    // time by itself. It is parked meanwhile.
    let limit = Duration::from_millis(10);
    match Bare.block_on(pool.get_timeout(Futures, limit)) {
        Ok(_) => println!("there was a third object"),
        Err(error) => println!("{error}"),
    }
    println!("waiting: {}, idle: {}", pool.waiting(), pool.idle());
    drop((one, other));
    println!("waiting: {}, idle: {}", pool.waiting(), pool.idle());
}
