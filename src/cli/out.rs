//! Standard output, for data that is written piece by piece: very much of it is never held at once.

use std::fmt;
use std::io::{self, BufWriter, StdoutLock, Write};

/// Standard output. A reader that went away ends the writing, and is no failure of ours.
pub struct Out(BufWriter<StdoutLock<'static>>);

impl Out {
    /// Locks it.
    pub fn new() -> Self {
        Self(BufWriter::with_capacity(1 << 16, io::stdout().lock()))
    }
}

impl fmt::Write for Out {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        let _ = self.0.flush();
    }
}
