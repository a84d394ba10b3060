//! `async-lock`.

use std::sync::Arc;

use async_lock::{
    Barrier, Mutex, OnceCell, RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard, Semaphore,
    SemaphoreGuard,
};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{
    BarrierSubject, Closed, Guard, HeldPermits, Init, InitFailed, Kept, MutexSubject, NoPermits,
    OnceCellSubject, Permits, Reading, RwLockSubject, SemaphoreSubject, SetRefused, Token, TooMany,
    TryInit, Upgradable, UpgradableGuard, WriteGuard, Writing, boxed_guard, mapped,
};

impl MutexSubject for Mutex<Vec<u64>> {
    fn lock<'a, 't>(&'a self, _: &'a DynIo) -> BoxFuture<'t, Guard<'a>>
    where
        'a: 't,
        Self: 't,
    {
        boxed_guard(self.lock())
    }

    fn hold<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.lock())))
    }

    fn try_lock(&self) -> Option<Guard<'_>> {
        let guard = self.try_lock()?;
        Some(Box::new(guard))
    }

    fn lock_owned(self: Arc<Self>, _: DynIo) -> BoxFuture<'static, Guard<'static>> {
        boxed_guard(self.lock_arc())
    }
}

impl RwLockSubject for RwLock<Vec<u64>> {
    fn read<'a, 't>(&'a self, _: &'a DynIo) -> BoxFuture<'t, Reading<'a>>
    where
        'a: 't,
        Self: 't,
    {
        mapped(self.read(), |guard| Box::new(guard) as Reading<'a>)
    }

    fn write<'a, 't>(&'a self, _: &'a DynIo) -> BoxFuture<'t, Writing<'a>>
    where
        'a: 't,
        Self: 't,
    {
        mapped(self.write(), |guard| Box::new(guard) as Writing<'a>)
    }

    fn upgradable_read<'a>(&'a self, _: &'a DynIo) -> Option<BoxFuture<'a, Upgradable<'a>>> {
        Some(mapped(self.upgradable_read(), |guard| {
            Box::new(guard) as Upgradable<'a>
        }))
    }

    fn hold_read<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.read())))
    }

    fn hold_write<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.write())))
    }

    fn hold_upgradable<'a>(&'a self, _: &'a DynIo) -> Option<BoxFuture<'a, ()>> {
        Some(Box::pin(Kept::new(Box::pin(self.upgradable_read()))))
    }

    fn try_read(&self) -> Option<Reading<'_>> {
        let guard = self.try_read()?;
        Some(Box::new(guard))
    }

    fn try_write(&self) -> Option<Writing<'_>> {
        let guard = self.try_write()?;
        Some(Box::new(guard))
    }

    fn try_upgradable_read(&self) -> Option<Upgradable<'_>> {
        let guard = self.try_upgradable_read()?;
        Some(Box::new(guard))
    }
}

impl<'a> WriteGuard<'a> for RwLockWriteGuard<'a, Vec<u64>> {
    fn downgrade(self: Box<Self>) -> Reading<'a> {
        Box::new(RwLockWriteGuard::downgrade(*self))
    }
}

impl<'a> UpgradableGuard<'a> for RwLockUpgradableReadGuard<'a, Vec<u64>> {
    fn upgrade(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Writing<'a>> {
        let upgrade = RwLockUpgradableReadGuard::upgrade(*self);
        mapped(upgrade, |guard| Box::new(guard) as Writing<'a>)
    }

    fn try_upgrade(self: Box<Self>) -> Result<Writing<'a>, Upgradable<'a>> {
        match RwLockUpgradableReadGuard::try_upgrade(*self) {
            Ok(guard) => Ok(Box::new(guard)),
            Err(guard) => Err(Box::new(guard)),
        }
    }
}

impl SemaphoreSubject for Semaphore {
    fn acquire<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Result<Permits<'a>, Closed>> {
        mapped(self.acquire(), |permit| Ok(Box::new(permit) as Permits<'a>))
    }

    fn hold<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.acquire())))
    }

    fn try_acquire(&self) -> Result<Permits<'_>, NoPermits> {
        match self.try_acquire() {
            Some(permit) => Ok(Box::new(permit)),
            None => Err(NoPermits::Few),
        }
    }

    fn available(&self) -> usize {
        self.available_permits()
    }

    fn add(&self, n: usize) -> Result<(), TooMany> {
        self.add_permits(n);
        Ok(())
    }
}

impl<'a> HeldPermits<'a> for SemaphoreGuard<'a> {
    fn forget(self: Box<Self>) {
        (*self).forget();
    }
}

impl BarrierSubject for Barrier {
    fn wait<'a, 't>(&'a self, _: &'a DynIo) -> BoxFuture<'t, bool>
    where
        'a: 't,
        Self: 't,
    {
        mapped(self.wait(), |result| result.is_leader())
    }
}

impl OnceCellSubject for OnceCell<Token> {
    fn get(&self) -> Option<&Token> {
        self.get()
    }

    fn is_initialized(&self) -> bool {
        self.is_initialized()
    }

    fn get_or_init<'a, 't>(&'a self, _: &'a DynIo, init: Init<'a>) -> BoxFuture<'t, &'a Token>
    where
        'a: 't,
        Self: 't,
    {
        Box::pin(self.get_or_init(|| init))
    }

    fn get_or_try_init<'a, 't>(
        &'a self,
        _: &'a DynIo,
        init: TryInit<'a>,
    ) -> BoxFuture<'t, Result<&'a Token, InitFailed>>
    where
        'a: 't,
        Self: 't,
    {
        Box::pin(self.get_or_try_init(|| init))
    }

    fn set(&self, value: Token) -> Result<(), SetRefused> {
        // Which of the two it was it does not say.
        self.try_set(value).map_err(|value| match self.get() {
            Some(_) => SetRefused::AlreadyInitialized(value),
            None => SetRefused::Initializing(value),
        })
    }

    fn wait<'a>(&'a self, _: &'a DynIo) -> Option<BoxFuture<'a, &'a Token>> {
        Some(Box::pin(self.wait()))
    }

    fn take(&mut self) -> Option<Token> {
        self.take()
    }
}
