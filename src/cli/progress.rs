//! How far a long command is: one line on standard error where that is a terminal, else nothing.

use std::io::{self, IsTerminal, Write};

/// The line. It is gone when this is dropped.
pub struct Progress {
    is_shown: bool,
}

impl Progress {
    /// A line that says nothing yet.
    pub fn new() -> Self {
        Self { is_shown: io::stderr().is_terminal() }
    }

    /// Says what is done.
    pub fn say(&self, text: &str) {
        if self.is_shown {
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K{text}…");
        }
    }

    /// Makes room for other lines.
    pub fn end(&self) {
        if self.is_shown {
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
        }
    }

    /// Says how far it is; of little, nothing.
    pub fn count(&self, what: &str, done: usize, total: usize) {
        const WORTH_IT: usize = 50_000;
        if self.is_shown && total > WORTH_IT {
            self.say(&format!("{what} {} %", done * 100 / total));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
