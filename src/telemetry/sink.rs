//! Where records go: a bounded queue and one thread that writes.
//!
//! A worker gathers lines in its own [`Recorder`] and hands them over in batches, so that a busy gateway
//! wakes the writer a few times a second and not once a request. Where the writer cannot keep up, whole
//! batches are dropped and counted; no request ever waits. What was handed over is written before
//! [`Sink::finish`] returns.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Metrics, Record};

/// Batches that may wait for the writer: with [`BATCH_BYTES`] this bounds the memory.
const QUEUE: usize = 256;

/// A worker hands a batch over when it has grown to this size,
const BATCH_BYTES: usize = 16 * 1024;

/// or is this old.
const BATCH_AGE: Duration = Duration::from_millis(100);

/// The thread that writes records.
pub struct Sink {
    batches: SyncSender<Batch>,
    thread: JoinHandle<()>,
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
        let (batches, queue) = mpsc::sync_channel(QUEUE);
        let counters = metrics.clone();
        let thread = thread::Builder::new()
            .name("records".into())
            .spawn(move || write_all(&queue, output, &counters))?;
        Ok(Self { batches, thread, metrics })
    }

    /// A way in, to be taken to a worker's thread.
    pub fn inlet(&self) -> Inlet {
        Inlet { batches: self.batches.clone(), metrics: self.metrics.clone() }
    }

    /// Waits until everything that was handed over is written. Every [`Recorder`] must be gone.
    pub fn finish(self) {
        drop(self.batches);
        // A writer that panicked has nothing left to say.
        let _ = self.thread.join();
    }
}

fn write_all(queue: &Receiver<Batch>, mut output: impl Write, metrics: &Metrics) {
    while let Ok(batch) = queue.recv() {
        // Standard output may be closed or a full disk: the gateway goes on, and the counter tells.
        if output.write_all(&batch.lines).and_then(|()| output.flush()).is_err() {
            metrics.records_dropped.increment(batch.records);
        }
    }
}

/// A way into a [`Sink`].
#[derive(Clone)]
pub struct Inlet {
    batches: SyncSender<Batch>,
    metrics: Arc<Metrics>,
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
    struct Output {
        let_in: Option<mpsc::Receiver<()>>,
        lines: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Output {
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
        let sink = Sink::start(Output { let_in: None, lines }, Arc::default()).unwrap();
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
        let sink = Sink::start(Output { let_in: Some(gate), lines }, metrics.clone()).unwrap();
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
}
