//! Where something was written, so that whoever asks why is shown the line.

/// A line of a file of the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file, by its place among all that were read.
    pub file: u32,
    /// The line, from 1; 0 where it is written nowhere.
    pub line: u32,
}
