//! The neutral pool, in a program that knows smol and nothing else.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::Duration;

use anysync_example_pool::Pool;
use anysync_smol::Smol;

const USERS: usize = 20;

fn main() {
    smol::block_on(run());
}

async fn run() {
    let pool = Arc::new(Pool::new([0_usize, 0]));

    let users: Vec<_> = (0..USERS)
        .map(|_| {
            let pool = Arc::clone(&pool);
            smol::spawn(async move { *pool.get(Smol).await += 1 })
        })
        .collect();
    for user in users {
        user.await;
    }

    let (one, other) = (pool.get(Smol).await, pool.get(Smol).await);
    println!("{USERS} users, {} uses", *one + *other);

    let limit = Duration::from_millis(10);
    match pool.get_timeout(Smol, limit).await {
        Ok(_) => println!("there was a third object"),
        Err(error) => println!("{error}"),
    }
    println!("waiting: {}, idle: {}", pool.waiting(), pool.idle());
    drop((one, other));
    println!("waiting: {}, idle: {}", pool.waiting(), pool.idle());
}
