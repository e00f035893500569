//! Where records go: a bounded queue and one thread that writes.
//!
//! A worker gathers lines in its own [`Recorder`] and hands them over in batches, so that a busy gateway
//! wakes the writer a few times a second and not once a request. Where the writer cannot keep up, whole
//! batches are dropped and counted; no request ever waits. What was handed over is written before
//! [`Sink::finish`] returns, or its reader has had time enough.

use std::cell::RefCell;
use std::io::{ErrorKind, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::thread;
use std::time::Duration;

use super::{Metrics, Record};

/// Batches that may wait for the writer: with [`BATCH_BYTES`] this bounds the memory.
const QUEUE: usize = 256;

/// A worker hands a batch over when it has grown to this size,
const BATCH_BYTES: usize = 16 * 1024;

/// or is this old.
const BATCH_AGE: Duration = Duration::from_millis(100);

/// For what is still to be written at the end: a reader that takes nothing must not keep the gateway from
/// leaving.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// The thread that writes records.
pub struct Sink {
    batches: SyncSender<Batch>,
    /// Says that everything is written.
    written: Receiver<()>,
    metrics: Arc<Metrics>,
}

struct Batch {
    lines: Vec<u8>,
    records: u64,
}

impl Sink {
    /// Starts a thread that writes to `output`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        output: impl Write + Send + 'static,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<Self> {
        let (batches, queue) = mpsc::sync_channel::<Batch>(QUEUE);
        let (done, written) = mpsc::sync_channel(1);
        let counters = metrics.clone();
        thread::Builder::new().name("records".into()).spawn(move || {
            let mut output = Output { inner: output, torn: false };
            while let Ok(batch) = queue.recv() {
                counters.records_dropped.increment(output.write(&batch));
            }
            // Nobody may wait for it any more.
            let _ = done.send(());
        })?;
        Ok(Self { batches, written, metrics })
    }

    /// A way in, to be taken to a worker's thread.
    pub fn inlet(&self) -> Inlet {
        Inlet { batches: self.batches.clone(), metrics: self.metrics.clone() }
    }

    /// Waits until everything that was handed over is written, but no longer than a reader may take that
    /// reads. Every [`Recorder`] must be gone.
    pub fn finish(self) {
        drop(self.batches);
        if let Err(RecvTimeoutError::Timeout) = self.written.recv_timeout(LAST_WRITE) {
            tracing::warn!("the last records are lost: nobody reads them");
        }
    }
}

/// Where lines are written.
struct Output<W> {
    inner: W,
    /// Whether what was written ends in the middle of a line.
    torn: bool,
}

impl<W: Write> Output<W> {
    /// Writes a batch, and gives how many of its records were lost. Standard output may be closed or a
    /// full disk: the gateway goes on, and when there is room again, whole lines follow.
    fn write(&mut self, batch: &Batch) -> u64 {
        if self.torn && self.inner.write_all(b"\n").is_err() {
            return batch.records;
        }
        self.torn = false;
        let mut rest = batch.lines.as_slice();
        while !rest.is_empty() {
            match self.inner.write(rest) {
                Ok(0) => break,
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let written = batch.lines.len() - rest.len();
        let whole = batch.lines.get(..written).unwrap_or_default();
        self.torn = whole.last().is_some_and(|last| *last != b'\n');
        let lost = rest.split(|byte| *byte == b'\n').count() - 1;
        // What a buffer keeps for later is lost with it, and was not counted: there is none to speak of.
        let _ = self.inner.flush();
        u64::try_from(lost).unwrap_or(u64::MAX)
    }
}

/// A way into a [`Sink`].
#[derive(Clone)]
pub struct Inlet {
    batches: SyncSender<Batch>,
    metrics: Arc<Metrics>,
}

impl Inlet {
    /// Hands a line over at once, which ends in a line end. Does not wait.
    ///
    /// # Errors
    /// With the line, when too many others wait to be written.
    pub fn push(&self, line: Vec<u8>) -> Result<(), Vec<u8>> {
        let batch = Batch { lines: line, records: 1 };
        self.batches.try_send(batch).map_err(|refused| match refused {
            TrySendError::Full(batch) | TrySendError::Disconnected(batch) => batch.lines,
        })
    }
}

/// One worker's records. Must be used within a `LocalSet`, where it hands over what has grown old.
pub struct Recorder(Rc<Gathering>);

struct Gathering {
    gathered: RefCell<Batch>,
    inlet: Inlet,
}

impl Recorder {
    /// The recorder of this thread.
    pub fn new(inlet: Inlet) -> Self {
        let gathered = RefCell::new(Batch { lines: Vec::new(), records: 0 });
        Self(Rc::new(Gathering { gathered, inlet }))
    }

    /// Takes a record down.
    pub fn push(&self, record: &Record<'_>) {
        let (first, full) = {
            let batch = &mut *self.0.gathered.borrow_mut();
            record.write(&mut batch.lines);
            batch.records += 1;
            (batch.records == 1, batch.lines.len() >= BATCH_BYTES)
        };
        if full {
            self.0.hand_over();
        } else if first {
            let gathering = Rc::downgrade(&self.0);
            tokio::task::spawn_local(async move {
                tokio::time::sleep(BATCH_AGE).await;
                if let Some(gathering) = gathering.upgrade() {
                    gathering.hand_over();
                }
            });
        }
    }
}

impl Gathering {
    fn hand_over(&self) {
        let batch = {
            let gathered = &mut *self.gathered.borrow_mut();
            let room = gathered.lines.len();
            std::mem::replace(gathered, Batch { lines: Vec::with_capacity(room), records: 0 })
        };
        if batch.records == 0 {
            return;
        }
        let records = batch.records;
        if self.inlet.batches.try_send(batch).is_err() {
            self.inlet.metrics.records_dropped.increment(records);
        }
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        self.hand_over();
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::LocalSet;

    use super::*;

    /// Takes lines down as they come, when it is let.
    struct Lines {
        let_in: Option<mpsc::Receiver<()>>,
        lines: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if let Some(let_in) = self.let_in.take() {
                let _ = let_in.recv();
            }
            self.lines.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn in_a_worker(work: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        LocalSet::new().block_on(&runtime, work);
    }

    #[test]
    fn a_batch_is_written_when_it_is_old_and_the_rest_at_the_end() {
        let (lines, written) = mpsc::channel();
        let sink = Sink::start(Lines { let_in: None, lines }, Arc::default()).unwrap();
        let inlet = sink.inlet();
        in_a_worker(async {
            let recorder = Recorder::new(inlet);
            recorder.push(&Record::sample());
            let first = tokio::task::spawn_blocking(move || (written.recv().unwrap(), written));
            let (first, written) = first.await.unwrap();
            assert_eq!(String::from_utf8(first).unwrap().lines().count(), 1);
            recorder.push(&Record::sample());
            drop(recorder);
            sink.finish();
            assert_eq!(written.try_iter().count(), 1);
        });
    }

    #[test]
    fn a_reader_that_is_too_slow_loses_records_and_they_are_counted() {
        let (lines, written) = mpsc::channel();
        let (let_in, gate) = mpsc::channel();
        let metrics = Arc::<Metrics>::default();
        let sink = Sink::start(Lines { let_in: Some(gate), lines }, metrics.clone()).unwrap();
        let inlet = sink.inlet();
        let most = u64::try_from((QUEUE + 2) * BATCH_BYTES).unwrap();
        let mut pushed = 0_u64;
        in_a_worker(async {
            let recorder = Recorder::new(inlet);
            let mut bytes = 0;
            while bytes < 2 * most {
                let mut line = Vec::new();
                Record::sample().write(&mut line);
                bytes += u64::try_from(line.len()).unwrap();
                recorder.push(&Record::sample());
                pushed += 1;
            }
        });
        let_in.send(()).unwrap();
        sink.finish();
        let written: Vec<u8> = written.try_iter().flatten().collect();
        let lines = String::from_utf8(written).unwrap().lines().count();
        let dropped = pushed - u64::try_from(lines).unwrap();
        assert!(dropped > 0);
        let text = metrics.render();
        assert!(text.contains(&format!("grantgate_records_dropped_total {dropped}")), "{text}");
    }

    /// Takes this many bytes, fails once, and then takes all.
    struct Disk {
        room: usize,
        fails: bool,
        lines: Vec<u8>,
    }

    impl Write for &mut Disk {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.room == 0 && std::mem::take(&mut self.fails) {
                self.room = usize::MAX;
                return Err(ErrorKind::StorageFull.into());
            }
            let taken = bytes.len().min(self.room);
            self.room -= taken;
            self.lines.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn after_a_disk_was_full_whole_lines_follow() {
        for (room, lost) in [(0, 3), (2, 3), (4, 2), (6, 2), (12, 0)] {
            let mut disk = Disk { room, fails: true, lines: Vec::new() };
            let mut output = Output { inner: &mut disk, torn: false };
            let batch = |lines: &[u8]| Batch { lines: lines.to_vec(), records: 3 };
            assert_eq!(output.write(&batch(b"aaa\nbbb\nccc\n")), lost, "room for {room}");
            let again = output.write(&batch(b"ddd\neee\nfff\n"));
            assert_eq!(again, if lost == 0 { 3 } else { 0 }, "room for {room}");
            let text = String::from_utf8(disk.lines).unwrap();
            let whole = text.lines().filter(|line| line.len() == 3).count() as u64;
            assert_eq!(whole, 6 - lost - again, "{text}");
        }
    }
}
