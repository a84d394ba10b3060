//! Actors: each owns its state and serves requests from a channel, one after
//! another. A request carries a oneshot sender, by which the answer comes back
//! to the one who asked.

#![forbid(unsafe_code)]

mod account;

use std::process::ExitCode;
use std::time::Duration;

use anysync::{Join, Runtime};
use anysync_examples::{Failure, Program, until};

use account::Account;

struct Demo;

impl Program for Demo {
    const ABOUT: &'static str = "Actors: requests over a channel, each answered over a oneshot";

    async fn run<R: Runtime>(rt: R) -> Result<(), Failure> {
        many_clients(&rt).await?;
        who_gives_up(&rt).await?;
        two_actors(&rt).await?;
        a_dead_actor(&rt).await
    }
}

fn main() -> ExitCode {
    anysync_examples::main::<Demo>()
}

/// Many clients ask one actor, each through a handle of his own.
async fn many_clients<R: Runtime>(rt: &R) -> Result<(), Failure> {
    const CLIENTS: u64 = 20;
    const DEPOSITS: u64 = 50;

    let (account, teller) = Account::open();
    let teller = rt.spawn(teller.run(rt.clone()));
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|amount| {
            let (rt, account) = (rt.clone(), account.clone());
            rt.clone().spawn(async move {
                let mut last = 0;
                let mut grows = true;
                for _ in 0..DEPOSITS {
                    let balance = account.deposit(&rt, amount).await?;
                    grows &= balance >= last + amount;
                    last = balance;
                }
                Ok::<_, Failure>(grows)
            })
        })
        .collect();
    let mut grows = true;
    for client in clients {
        grows &= client.await??;
    }
    println!("{CLIENTS} clients, {DEPOSITS} deposits each");
    println!("every answer was later than the one before: {grows}");
    println!("balance: {}", account.balance(rt).await?);
    match account.withdraw(rt, 1_000_000).await? {
        Ok(balance) => println!("a million withdrawn, {balance} left"),
        Err(refused) => println!("a million is refused: {refused}"),
    }

    // The last handle: the actor serves what is in its inbox, and ends.
    drop(account);
    let book = teller.await?;
    println!("the actor ends, {} requests served", book.served);
    Ok(())
}

/// A client who has no more time: what he asked for is not done.
async fn who_gives_up<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let (account, teller) = Account::open();
    // The actor is not running yet, so nobody answers.
    let withdrawal = account.withdraw(rt, 0);
    let outcome = rt.timeout(Duration::from_millis(20), withdrawal).await;
    println!("nobody answers: timed out {}", outcome.is_err());
    println!("in the inbox: {}", account.pending());

    // The next has all the time, and is served though he comes behind.
    let deposit = {
        let (rt, account) = (rt.clone(), account.clone());
        rt.clone()
            .spawn(async move { account.deposit(&rt, 7).await })
    };
    until(rt, || account.pending() == 2).await?;
    let teller = rt.spawn(teller.run(rt.clone()));
    println!("the next is served: balance {}", deposit.await??);
    drop(account);
    let book = teller.await?;
    println!("served {}, left alone {}", book.served, book.left);
    Ok(())
}

/// One actor's answer is the next one's request.
async fn two_actors<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let (savings, savings_teller) = Account::open();
    let (wallet, wallet_teller) = Account::open();
    let tellers = [savings_teller, wallet_teller].map(|teller| rt.spawn(teller.run(rt.clone())));

    savings.deposit(rt, 100).await?;
    for _ in 0..3 {
        match savings.withdraw(rt, 40).await? {
            Ok(left) => {
                let balance = wallet.deposit(rt, 40).await?;
                println!("40 moved: {left} and {balance}");
            }
            Err(refused) => println!("40 not moved: {refused}"),
        }
    }
    drop((savings, wallet));
    for teller in tellers {
        teller.await?;
    }
    Ok(())
}

/// Who asks an actor that is no more gets an error, and does not wait.
async fn a_dead_actor<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let (account, teller) = Account::open();
    let teller = rt.spawn(teller.run(rt.clone()));
    account.deposit(rt, 1).await?;
    teller.abort();
    let aborted = teller.await.is_err_and(|error| error.is_cancelled());
    println!("the actor is aborted: {aborted}");
    match account.balance(rt).await {
        Ok(balance) => println!("balance: {balance}"),
        Err(gone) => println!("asked again: {gone}"),
    }
    Ok(())
}
