// Included for the original and for the drop-in, with `lock` and `channel` for their
// modules.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use channel::oneshot;
use lock::{MappedMutexGuard, Mutex, MutexGuard, MutexLockFuture};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    Guard, MappedGuard, Message, MutexSubject, NoMessage, Oneshot, OneshotReceiver,
    OneshotSender, SendFact, boxed_guard, mapped,
};

pub(super) fn new_mutex() -> Arc<dyn MutexSubject> {
    Arc::new(Mutex::new(Vec::new()))
}

pub(super) fn static_mutex() -> &'static dyn MutexSubject {
    static MUTEX: Mutex<Vec<u64>> = Mutex::new(Vec::new());
    &MUTEX
}

pub(super) fn mutex_send_facts() -> Vec<SendFact> {
    send_facts![
        Mutex<Cell<u32>>: true,
        Mutex<Rc<u32>>: false,
        MutexGuard<'static, Cell<u32>>: true,
        MutexGuard<'static, Rc<u32>>: false,
        MappedMutexGuard<'static, u32, u32>: true,
        MutexLockFuture<'static, u32>: true,
        MutexLockFuture<'static, Rc<u32>>: false,
    ]
}

pub(super) fn new_oneshot() -> Oneshot {
    let (sender, receiver) = oneshot::channel();
    (Box::new(sender), Box::new(receiver))
}

pub(super) fn oneshot_send_facts() -> Vec<SendFact> {
    send_facts![
        oneshot::Sender<Cell<u32>>: true,
        oneshot::Sender<Rc<u32>>: false,
        oneshot::Receiver<Cell<u32>>: true,
        oneshot::Receiver<Rc<u32>>: false,
    ]
}

impl MutexSubject for Mutex<Vec<u64>> {
    lock_as_named!();

    fn lock_owned(self: Arc<Self>, _: DynIo) -> Option<BoxFuture<'static, Guard<'static>>> {
        Some(boxed_guard(self.lock_owned()))
    }

    fn try_lock_mapped(&self, part: fn(&mut Vec<u64>) -> &mut u64) -> Option<MappedGuard<'_>> {
        let guard = self.try_lock()?;
        Some(Box::new(MutexGuard::map(guard, part)))
    }
}

impl OneshotSender for oneshot::Sender<Message> {
    fn send(self: Box<Self>, message: Message) -> Result<(), Message> {
        (*self).send(message)
    }

    fn is_closed(&self) -> bool {
        self.is_canceled()
    }

    fn closed<'a>(&'a mut self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(self.cancellation())
    }

    fn into_closed<'a>(mut self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(async move { (*self).cancellation().await })
    }
}

impl OneshotReceiver for oneshot::Receiver<Message> {
    fn recv<'a>(&'a mut self, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        mapped(self, Result::ok)
    }

    fn into_recv<'a>(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        mapped(*self, Result::ok)
    }

    fn try_recv(&mut self) -> Result<Message, NoMessage> {
        match self.try_recv() {
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(NoMessage::Empty),
            Err(oneshot::Canceled) => Err(NoMessage::Closed),
        }
    }

    fn close(&mut self) {
        self.close();
    }
}
