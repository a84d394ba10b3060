// Included for each side, see `main.rs`.

use anysync_adapter_tests::ends::{Body, Held, Places, held};
use channel::{Receiver, Sender, bounded};
use lock::{Mutex, OnceCell, RwLock, Semaphore};

pub(crate) struct Of {
    mutex: Mutex<()>,
    rwlock: RwLock<()>,
    semaphore: Semaphore,
    full: (Sender<()>, Receiver<()>),
    token: (Sender<()>, Receiver<()>),
    cell: OnceCell<()>,
}

pub(crate) fn places() -> Of {
    let token = bounded(1);
    token.0.try_send(()).unwrap();
    Of {
        mutex: Mutex::new(()),
        rwlock: RwLock::new(()),
        semaphore: Semaphore::new(1),
        full: bounded(1),
        token,
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
                    let _guard = self.rwlock.upgradable_read().await;
                    body.await;
                }
                4 => {
                    let _permit = self.semaphore.acquire().await;
                    body.await;
                }
                5 => {
                    self.full.0.send(()).await.unwrap();
                    let _back = Take(&self.full.1);
                    body.await;
                }
                6 => {
                    self.token.1.recv().await.unwrap();
                    let _back = Put(&self.token.0);
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
            0 => held(self.mutex.try_lock()),
            1 => held(self.rwlock.try_write()),
            2 => held(self.rwlock.try_read()),
            3 => held(self.rwlock.try_upgradable_read()),
            4 => held(self.semaphore.try_acquire()),
            5 => held(self.full.0.try_send(()).ok().map(|()| Take(&self.full.1))),
            6 => held(self.token.1.try_recv().ok().map(|()| Put(&self.token.0))),
            _ => None,
        }
    }
}

/// Takes what was sent, also when a turn is dropped.
struct Take<'a>(&'a Receiver<()>);

impl Drop for Take<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_recv();
    }
}

/// Puts a token back.
struct Put<'a>(&'a Sender<()>);

impl Drop for Put<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_send(());
    }
}
