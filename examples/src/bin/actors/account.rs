//! [`Account`]: an actor, and the handle by which one talks to it.

use std::error::Error;
use std::fmt;

use anysync::Io;
use anysync::channel::{self, Receiver, Sender};
use anysync::oneshot;

#[cfg(test)]
mod tests;

/// How many requests wait in the inbox; who comes then waits outside, so the
/// actor is never buried in them.
const INBOX: usize = 8;

/// What one may ask of the actor, each with the way back for the answer.
enum Request {
    Deposit {
        amount: u64,
        reply: oneshot::Sender<u64>,
    },
    Withdraw {
        amount: u64,
        reply: oneshot::Sender<Result<u64, Refused>>,
    },
    Balance {
        reply: oneshot::Sender<u64>,
    },
}

/// The handle. Clone it for everybody who is to talk to the actor; the actor
/// ends after the last is dropped.
#[derive(Clone)]
pub(crate) struct Account {
    inbox: Sender<Request>,
}

/// The actor: the one owner of its state, so there is nothing to lock.
pub(crate) struct Teller {
    inbox: Receiver<Request>,
    book: Book,
}

/// What the actor knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Book {
    pub(crate) balance: u64,
    /// Requests that were carried out.
    pub(crate) served: usize,
    /// Requests whose asker had gone away.
    pub(crate) left: usize,
}

/// The actor has ended, and with it the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// There is not as much in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) balance: u64,
}

impl Account {
    /// An account, and the actor that is to be run for it.
    pub(crate) fn open() -> (Self, Teller) {
        let (sender, receiver) = channel::bounded(INBOX);
        let teller = Teller {
            inbox: receiver,
            book: Book::default(),
        };
        (Self { inbox: sender }, teller)
    }

    /// Puts money in; returns the balance.
    pub(crate) async fn deposit(&self, io: impl Io, amount: u64) -> Result<u64, Gone> {
        self.ask(io, |reply| Request::Deposit { amount, reply })
            .await
    }

    /// Takes money out; returns the balance.
    ///
    /// Dropped before it is answered, it takes nothing out. Who goes away with
    /// the answer on its way to him has been served.
    pub(crate) async fn withdraw(
        &self,
        io: impl Io,
        amount: u64,
    ) -> Result<Result<u64, Refused>, Gone> {
        self.ask(io, |reply| Request::Withdraw { amount, reply })
            .await
    }

    pub(crate) async fn balance(&self, io: impl Io) -> Result<u64, Gone> {
        self.ask(io, |reply| Request::Balance { reply }).await
    }

    /// How many requests are in the inbox, at this moment.
    pub(crate) fn pending(&self) -> usize {
        self.inbox.len()
    }

    /// Sends a request and waits for the answer to it.
    async fn ask<T>(
        &self,
        io: impl Io,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, Gone> {
        let (reply, mut answer) = oneshot::channel();
        let sent = self.inbox.send(&io, request(reply)).await;
        sent.map_err(|_| Gone)?;
        // If the actor ends with the request in its inbox, the way back is
        // dropped there, and this ends too.
        answer.recv(&io).await.map_err(|_| Gone)
    }
}

impl Teller {
    /// Serves until the last handle is dropped, and gives the book away.
    pub(crate) async fn run(mut self, io: impl Io) -> Book {
        while let Ok(request) = self.inbox.recv(&io).await {
            let answered = self.book.carry_out(request);
            if answered {
                self.book.served += 1;
            } else {
                self.book.left += 1;
            }
        }
        self.book
    }
}

impl Book {
    /// `false` if nobody waits for the answer; then nothing has changed.
    fn carry_out(&mut self, request: Request) -> bool {
        match request {
            Request::Deposit { amount, reply } => {
                let sum = self.balance + amount;
                // `send` says for certain whether the asker was still there. To
                // look before, with `is_closed`, would save work that is in
                // vain, but would prove nothing.
                let answered = reply.send(sum).is_ok();
                if answered {
                    self.balance = sum;
                }
                answered
            }
            Request::Withdraw { amount, reply } => {
                let Some(rest) = self.balance.checked_sub(amount) else {
                    let balance = self.balance;
                    return reply.send(Err(Refused { balance })).is_ok();
                };
                let answered = reply.send(Ok(rest)).is_ok();
                if answered {
                    self.balance = rest;
                }
                answered
            }
            Request::Balance { reply } => reply.send(self.balance).is_ok(),
        }
    }
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the account is closed")
    }
}

impl Error for Gone {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is only {} in the account", self.balance)
    }
}

impl Error for Refused {}
