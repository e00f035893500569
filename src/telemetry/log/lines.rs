//! Where the log's lines go: a bounded queue and one thread that writes.
//!
//! Whoever logs never waits for whoever reads: a worker that did would hold up all its requests. Where the
//! reader cannot keep up, lines are lost, and as soon as it reads again it is told how many.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait for the writer.
const QUEUE: usize = 256;

/// A way to where lines are written. Each write is one line.
#[derive(Clone)]
pub(super) struct Lines {
    queue: SyncSender<Item>,
    tally: Arc<Tally>,
}

/// What those who log leave for the writer to say.
#[derive(Default)]
struct Tally {
    lost: AtomicU64,
    json: AtomicBool,
}

enum Item {
    Line(Vec<u8>),
    /// Asks to be told when all before it is written.
    Mark(SyncSender<()>),
}

impl Lines {
    /// Starts a thread that writes to `output`.
    pub(super) fn start(output: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, items) = mpsc::sync_channel(QUEUE);
        let tally = Arc::<Tally>::default();
        let counted = tally.clone();
        thread::Builder::new()
            .name("log".into())
            .spawn(move || counted.write_all(&items, output))?;
        Ok(Self { queue, tally })
    }

    /// Whether lines are JSON, so that those of its own are too.
    pub(super) fn are_json(&self, json: bool) {
        self.tally.json.store(json, Relaxed);
    }

    /// Waits until what was logged is written, but no longer than a reader may take that reads.
    pub(super) fn flush(&self, patience: Duration) {
        let (written, wait) = mpsc::sync_channel(1);
        if self.queue.try_send(Item::Mark(written)).is_ok() {
            // Nobody reads: what is not written by now will not be.
            let _ = wait.recv_timeout(patience);
        }
    }
}

impl Tally {
    /// Nobody can be told of an output that fails: this is where it would be told.
    fn write_all(&self, items: &Receiver<Item>, mut output: impl Write) {
        while let Ok(item) = items.recv() {
            match item {
                Item::Line(line) => {
                    let _ = output.write_all(&line);
                }
                Item::Mark(written) => {
                    let _ = output.flush();
                    let _ = written.send(());
                }
            }
            let lost = self.lost.swap(0, Relaxed);
            if lost > 0 {
                let _ = writeln!(output, "{}", Lost { lines: lost, json: self.json.load(Relaxed) });
            }
        }
    }
}

/// What is said of lost lines.
struct Lost {
    lines: u64,
    json: bool,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, json } = self;
        if *json {
            let message = "the log was not read";
            write!(f, r#"{{"level":"WARN","message":"{message}","lines_lost":{lines}}}"#)
        } else {
            write!(f, "WARN the log was not read lines_lost={lines}")
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Item::Line(line.to_vec())).is_err() {
            self.tally.lost.fetch_add(1, Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes lines down as they come, when it is let.
    struct Output {
        let_in: mpsc::Receiver<()>,
        lines: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Not let any more is let for good.
            let _ = self.let_in.recv();
            self.lines.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_logs_never_waits_and_who_reads_is_told_what_was_lost() {
        let (let_in, waiting) = mpsc::channel();
        let (lines, written) = mpsc::channel();
        let log = Lines::start(Output { let_in: waiting, lines }).unwrap();
        for number in 0..3 * QUEUE {
            (&log).write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        log.flush(Duration::ZERO);
        drop(let_in);
        while log.tally.lost.load(Relaxed) > 0 {
            thread::yield_now();
        }
        log.flush(Duration::from_mins(1));
        let text: Vec<u8> = written.try_iter().flatten().collect();
        let text = String::from_utf8(text).unwrap();
        let kept = text.lines().filter(|line| line.parse::<u32>().is_ok()).count();
        assert!((QUEUE..=QUEUE + 2).contains(&kept), "{kept}");
        let told = format!("lines_lost={}\n", 3 * QUEUE - kept);
        assert!(text.contains(&told), "{told}\n{text}");
    }
}
