use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::thread;

use anysync::{Bare, Block};

use super::{Account, Book, Gone, INBOX, Refused};

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_request_is_answered() {
    let (account, teller) = Account::open();
    thread::scope(|scope| {
        let book = scope.spawn(|| Bare.block_on(teller.run(Bare)));
        Bare.block_on(async {
            assert_eq!(account.deposit(Bare, 100).await, Ok(100));
            assert_eq!(account.withdraw(Bare, 30).await, Ok(Ok(70)));
            let refused = Err(Refused { balance: 70 });
            assert_eq!(account.withdraw(Bare, 71).await, Ok(refused));
            assert_eq!(account.balance(Bare).await, Ok(70));
        });
        drop(account);
        let expected = Book {
            balance: 70,
            served: 4,
            left: 0,
        };
        assert_eq!(book.join().unwrap(), expected);
    });
}

#[test]
fn a_request_whose_asker_has_gone_is_not_carried_out() {
    let (account, teller) = Account::open();
    let mut teller = pin!(teller.run(Bare));
    {
        let mut deposit = pin!(account.deposit(Bare, 10));
        assert!(poll(deposit.as_mut()).is_pending());
        assert!(poll(teller.as_mut()).is_pending());
        assert_eq!(poll(deposit), Poll::Ready(Ok(10)));
    }
    for _ in 0..2 {
        let mut withdraw = pin!(account.withdraw(Bare, 5));
        assert!(poll(withdraw.as_mut()).is_pending());
    }
    assert_eq!(account.pending(), 2);
    drop(account);
    let Poll::Ready(book) = poll(teller) else {
        panic!("the teller waits for nobody");
    };
    assert_eq!((book.balance, book.left), (10, 2));
}

#[test]
fn an_actor_that_ends_answers_gone_to_all() {
    let (account, teller) = Account::open();
    let mut in_the_inbox: Vec<_> = (0..INBOX)
        .map(|_| Box::pin(account.deposit(Bare, 1)))
        .collect();
    let mut outside = pin!(account.deposit(Bare, 1));
    for asker in &mut in_the_inbox {
        assert!(poll(asker.as_mut()).is_pending());
    }
    assert!(poll(outside.as_mut()).is_pending());
    assert_eq!(account.pending(), INBOX);
    drop(teller);
    for asker in &mut in_the_inbox {
        assert_eq!(poll(asker.as_mut()), Poll::Ready(Err(Gone)));
    }
    assert_eq!(poll(outside), Poll::Ready(Err(Gone)));
    assert_eq!(Bare.block_on(account.balance(Bare)), Err(Gone));
}
