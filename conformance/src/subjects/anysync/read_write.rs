//! The lock for many who read or one who writes.

use ::anysync::{RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{
    Kept, Reading, RwLockSubject, Upgradable, UpgradableGuard, WriteGuard, Writing, mapped,
};

impl RwLockSubject for RwLock<Vec<u64>> {
    fn read<'a, 't>(&'a self, io: &'a DynIo) -> BoxFuture<'t, Reading<'a>>
    where
        'a: 't,
        Self: 't,
    {
        mapped(self.read(io), |guard| Box::new(guard) as Reading<'a>)
    }

    fn write<'a, 't>(&'a self, io: &'a DynIo) -> BoxFuture<'t, Writing<'a>>
    where
        'a: 't,
        Self: 't,
    {
        mapped(self.write(io), |guard| Box::new(guard) as Writing<'a>)
    }

    fn upgradable_read<'a>(&'a self, io: &'a DynIo) -> Option<BoxFuture<'a, Upgradable<'a>>> {
        Some(mapped(self.upgradable_read(io), |guard| {
            Box::new(guard) as Upgradable<'a>
        }))
    }

    fn hold_read<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.read(io))))
    }

    fn hold_write<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.write(io))))
    }

    fn hold_upgradable<'a>(&'a self, io: &'a DynIo) -> Option<BoxFuture<'a, ()>> {
        Some(Box::pin(Kept::new(Box::pin(self.upgradable_read(io)))))
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

    fn waiter_count(&self) -> Option<usize> {
        Some(self.waiter_count())
    }
}

impl<'a> WriteGuard<'a> for RwLockWriteGuard<'a, Vec<u64>> {
    fn downgrade(self: Box<Self>) -> Option<Reading<'a>> {
        Some(Box::new(RwLockWriteGuard::downgrade(*self)))
    }
}

impl<'a> UpgradableGuard<'a> for RwLockUpgradableReadGuard<'a, Vec<u64>> {
    fn upgrade(self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, Writing<'a>> {
        let upgrade = RwLockUpgradableReadGuard::upgrade(*self, io);
        mapped(upgrade, |guard| Box::new(guard) as Writing<'a>)
    }

    fn try_upgrade(self: Box<Self>) -> Result<Writing<'a>, Upgradable<'a>> {
        match RwLockUpgradableReadGuard::try_upgrade(*self) {
            Ok(guard) => Ok(Box::new(guard)),
            Err(guard) => Err(Box::new(guard)),
        }
    }
}
