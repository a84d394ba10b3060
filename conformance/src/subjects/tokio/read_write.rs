//! The lock for many who read or one who writes.

use ::tokio::sync::{RwLock, RwLockWriteGuard};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{Kept, Reading, RwLockSubject, WriteGuard, Writing, mapped};

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

    fn hold_read<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.read())))
    }

    fn hold_write<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.write())))
    }

    fn try_read(&self) -> Option<Reading<'_>> {
        let guard = self.try_read().ok()?;
        Some(Box::new(guard))
    }

    fn try_write(&self) -> Option<Writing<'_>> {
        let guard = self.try_write().ok()?;
        Some(Box::new(guard))
    }
}

impl<'a> WriteGuard<'a> for RwLockWriteGuard<'a, Vec<u64>> {
    fn downgrade(self: Box<Self>) -> Reading<'a> {
        Box::new(RwLockWriteGuard::downgrade(*self))
    }
}
