//! How a command ends. The numbers never change their meaning.

use std::process::{ExitCode, Termination};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or the answer is yes.
    Yes,
    /// 1: the answer is no: the configuration has errors, an expectation was not met.
    No,
    /// 2: there is no answer: usage, unreadable input, could not start.
    Failed,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        match self {
            Self::Yes => ExitCode::SUCCESS,
            Self::No => ExitCode::from(1),
            Self::Failed => ExitCode::from(2),
        }
    }
}
