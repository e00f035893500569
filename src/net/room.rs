//! How many connections the system has room for.
//!
//! A process that has no more file descriptors can accept nobody, not even to say so: clients, and
//! whoever asks whether it is ready, would wait without a word. So fewer connections are taken than
//! there are descriptors for, and those above are answered.

use std::fs;

/// What the gateway needs beside: its listeners and files, those who ask about its health, and those who
/// are turned away.
const OWN: usize = 128;

/// How many connections of clients the system has room for, each with one of its own to an upstream.
pub fn room() -> usize {
    let limits = fs::read_to_string("/proc/self/limits");
    limits.ok().and_then(|text| open_files(&text)).map_or(usize::MAX, connections)
}

fn connections(files: usize) -> usize {
    (files.saturating_sub(OWN) / 2).max(1)
}

/// The soft limit of open files, in the words of proc(5); nothing where there is none.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_half_of_the_open_files_that_may_be() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
            Max processes             95                   95                   processes\n\
            Max open files            1024                 524288               files\n";
        assert_eq!(open_files(limits), Some(1024));
        assert_eq!(open_files(&limits.replace("1024  ", "unlimited")), None);
        assert_eq!(open_files(""), None);
        assert_eq!((connections(1024), connections(130), connections(3)), (448, 1, 1));
        assert!(room() > 0);
    }
}
