//! A value that lives: one writer replaces it whole, many readers see either the old or the new.
//!
//! Readers that ask on every request hold a [`Reader`], which looks for a newer value by one atomic
//! load and otherwise touches nothing that is shared.

use std::sync::{Arc, RwLock};

use arc_swap::{ArcSwapAny, Cache};

/// The lock-based strategy of arc-swap: the default one has an open question of memory safety, and a
/// foreign snapshot would be a wrong decision. Behind a [`Reader`] it costs nothing.
type Cell<T> = Arc<ArcSwapAny<Arc<T>, RwLock<()>>>;

/// The value, for those who replace it and those who look now and then.
pub struct Live<T>(Cell<T>);

impl<T> Live<T> {
    /// A cell that holds `value`.
    pub fn new(value: Arc<T>) -> Self {
        Self(Arc::new(ArcSwapAny::new(value)))
    }

    /// The value of this moment.
    pub fn load(&self) -> Arc<T> {
        self.0.load_full()
    }

    /// Puts `value` in place of the one before.
    pub fn replace(&self, value: Arc<T>) {
        self.0.store(value);
    }

    /// A view for one thread that looks often.
    pub fn reader(&self) -> Reader<T> {
        Reader(Cache::new(self.0.clone()))
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// A view of a [`Live`] value for one thread that looks often.
pub struct Reader<T>(Cache<Cell<T>, Arc<T>>);

impl<T> Reader<T> {
    /// The value of this moment.
    pub fn load(&mut self) -> &Arc<T> {
        self.0.load()
    }
}
