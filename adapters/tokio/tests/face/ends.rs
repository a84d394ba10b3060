// Included for each side, see `main.rs`.

use anysync_adapter_tests::ends::{Body, Held, Places, held};
use sync::mpsc::{Receiver, Sender, channel};
use sync::{Mutex, OnceCell, RwLock, Semaphore};

pub(crate) struct Of {
    mutex: Mutex<()>,
    rwlock: RwLock<()>,
    semaphore: Semaphore,
    sender: Sender<()>,
    receiver: std::sync::Mutex<Receiver<()>>,
    cell: OnceCell<()>,
}

pub(crate) fn places() -> Of {
    let (sender, receiver) = channel(1);
    Of {
        mutex: Mutex::new(()),
        rwlock: RwLock::new(()),
        semaphore: Semaphore::new(2),
        sender,
        receiver: std::sync::Mutex::new(receiver),
        cell: OnceCell::new(),
    }
}

impl Places for Of {
    const COUNT: usize = 8;

    fn turn<'a>(&'a self, place: usize, body: Body<'a>) -> Body<'a> {
        Box::pin(async move {
            match place {
                0 => {
                    let _guard = self.mutex.lock().await;
                    body.await;
                }
                1 => {
                    let _guard = self.rwlock.write().await;
                    body.await;
                }
                2 => {
                    let _guard = self.rwlock.read().await;
                    body.await;
                }
                3 => {
                    let _permit = self.semaphore.acquire().await.unwrap();
                    body.await;
                }
                4 => {
                    let _permits = self.semaphore.acquire_many(2).await.unwrap();
                    body.await;
                }
                5 => {
                    self.sender.send(()).await.unwrap();
                    let _back = Take(&self.receiver);
                    body.await;
                }
                6 => {
                    let _permit = self.sender.reserve().await.unwrap();
                    body.await;
                }
                _ => {
                    let failing = self.cell.get_or_try_init(|| async {
                        body.await;
                        Err(())
                    });
                    let _ = failing.await;
                }
            }
        })
    }

    fn attempt(&self, place: usize) -> Option<Option<Box<dyn Held + '_>>> {
        match place {
            0 => held(self.mutex.try_lock().ok()),
            1 => held(self.rwlock.try_write().ok()),
            2 => held(self.rwlock.try_read().ok()),
            3 => held(self.semaphore.try_acquire().ok()),
            4 => held(self.semaphore.try_acquire_many(2).ok()),
            5 => held(self.sender.try_send(()).ok().map(|()| Take(&self.receiver))),
            6 => held(self.sender.try_reserve().ok()),
            _ => None,
        }
    }
}

/// Takes what was sent, also when a turn is dropped.
struct Take<'a>(&'a std::sync::Mutex<Receiver<()>>);

impl Drop for Take<'_> {
    fn drop(&mut self) {
        let _ = self.0.lock().unwrap().try_recv();
    }
}
