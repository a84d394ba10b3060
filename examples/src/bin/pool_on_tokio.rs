//! The neutral pool, in a program that knows tokio and nothing else.

#![forbid(unsafe_code)]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use anysync_example_pool::Pool;
use anysync_tokio::Tokio;

const USERS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let pool = Arc::new(Pool::new([0_usize, 0]));

    let users: Vec<_> = (0..USERS)
        .map(|_| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { *pool.get(Tokio).await += 1 })
        })
        .collect();
    for user in users {
        user.await?;
    }

    let (one, other) = (pool.get(Tokio).await, pool.get(Tokio).await);
    println!("{USERS} users, {} uses", *one + *other);

    let limit = Duration::from_millis(10);
    match pool.get_timeout(Tokio, limit).await {
        Ok(_) => println!("there was a third object"),
        Err(error) => println!("{error}"),
    }
    println!("waiting: {}, idle: {}", pool.waiting(), pool.idle());
    drop((one, other));
    println!("waiting: {}, idle: {}", pool.waiting(), pool.idle());
    Ok(())
}
