// Included for each side, see `main.rs`.

use std::sync::Arc;

use anysync_adapter_tests::ends::{Body, Held, Places, held};
use lock::Mutex;

pub(crate) struct Of {
    mutex: Mutex<()>,
    owned: Arc<Mutex<()>>,
}

pub(crate) fn places() -> Of {
    Of {
        mutex: Mutex::new(()),
        owned: Arc::new(Mutex::new(())),
    }
}

impl Places for Of {
    const COUNT: usize = 2;

    fn turn<'a>(&'a self, place: usize, body: Body<'a>) -> Body<'a> {
        Box::pin(async move {
            if place == 0 {
                let _guard = self.mutex.lock().await;
                body.await;
            } else {
                let _guard = self.owned.clone().lock_owned().await;
                body.await;
            }
        })
    }

    fn attempt(&self, place: usize) -> Option<Option<Box<dyn Held + '_>>> {
        match place {
            0 => held(self.mutex.try_lock()),
            _ => held(self.owned.try_lock_owned()),
        }
    }
}
