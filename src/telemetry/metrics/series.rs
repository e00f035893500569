//! What counts: counters, gauges, histograms, and families of them told apart by labels.
//!
//! Every one is a handle to numbers that others read meanwhile; counting never waits and never allocates.
//! A series of a [`Family`] lives from its first use until [`Family::retain`] lets it go: whoever still
//! holds its handle then counts for nobody.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A number that only grows.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Counts `by` more.
    pub fn increment(&self, by: u64) {
        self.0.fetch_add(by, Relaxed);
    }

    pub(super) fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Clone, Debug)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Stands at `value` from now on.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    /// Goes up.
    pub fn increment(&self, by: f64) {
        let more = |bits| Some((f64::from_bits(bits) + by).to_bits());
        // It always has a next value.
        let _ = self.0.fetch_update(Relaxed, Relaxed, more);
    }

    /// Goes down.
    pub fn decrement(&self, by: f64) {
        self.increment(-by);
    }

    /// Where it stands.
    pub fn value(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }
}

impl Default for Gauge {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(0.0_f64.to_bits())))
    }
}

/// How times are spread.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Buckets>);

#[derive(Debug)]
struct Buckets {
    /// Upper bounds, rising.
    bounds: &'static [Duration],
    /// How many times fell between a bound and the one before; the last counts those above all.
    counts: Box<[AtomicU64]>,
    /// All times together; enough for five hundred years.
    nanoseconds: AtomicU64,
}

impl Histogram {
    pub(super) fn new(bounds: &'static [Duration]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Buckets { bounds, counts, nanoseconds: AtomicU64::new(0) }))
    }

    /// Takes a time down.
    pub fn record(&self, time: Duration) {
        let Buckets { bounds, counts, nanoseconds } = &*self.0;
        if let Some(count) = counts.get(bounds.partition_point(|bound| *bound < time)) {
            count.fetch_add(1, Relaxed);
        }
        nanoseconds.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    /// How many times were up to each bound, and the number and the sum of all.
    pub(super) fn read(&self) -> (Vec<(Duration, u64)>, u64, Duration) {
        let Buckets { bounds, counts, nanoseconds } = &*self.0;
        let mut all = 0;
        let mut up_to = |count: &AtomicU64| {
            all += count.load(Relaxed);
            all
        };
        let cumulated: Vec<u64> = counts.iter().map(&mut up_to).collect();
        let bounded = bounds.iter().copied().zip(cumulated).collect();
        (bounded, all, Duration::from_nanos(nanoseconds.load(Relaxed)))
    }
}

/// The values of a series' labels.
pub(super) type Values<const N: usize> = [Cow<'static, str>; N];

/// Series of one name, told apart by the values of `N` labels.
#[derive(Debug)]
pub(super) struct Family<const N: usize, S> {
    pub(super) labels: [&'static str; N],
    series: Mutex<BTreeMap<Values<N>, S>>,
    /// Counts how often series were let go.
    epoch: AtomicU64,
}

impl<const N: usize, S: Clone + Default> Family<N, S> {
    pub(super) fn new(labels: [&'static str; N]) -> Self {
        Self { labels, series: Mutex::default(), epoch: AtomicU64::new(0) }
    }

    /// The series of these values, which begins where there is none.
    pub(super) fn with(&self, values: Values<N>) -> S {
        self.series().entry(values).or_default().clone()
    }

    /// Lets go of all series but those that are meant to be kept.
    pub(super) fn retain(&self, keep: impl Fn(&Values<N>) -> bool) {
        let mut series = self.series();
        self.epoch.fetch_add(1, Relaxed);
        series.retain(|values, _| keep(values));
    }

    /// Changes whenever a handle may be to a series that was let go.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Relaxed)
    }

    /// Every series, in the order of its values.
    pub(super) fn read(&self) -> Vec<(Values<N>, S)> {
        self.series().iter().map(|(values, series)| (values.clone(), series.clone())).collect()
    }

    fn series(&self) -> MutexGuard<'_, BTreeMap<Values<N>, S>> {
        // The map is whole between any two statements: a panic elsewhere does not spoil it.
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_on_a_bound_is_within_it() {
        const BOUNDS: &[Duration] = &[Duration::from_millis(1), Duration::from_millis(5)];
        let histogram = Histogram::new(BOUNDS);
        for millis in [0, 1, 5, 6] {
            histogram.record(Duration::from_millis(millis));
        }
        let (bounded, all, sum) = histogram.read();
        assert_eq!(bounded, [(BOUNDS[0], 2), (BOUNDS[1], 3)]);
        assert_eq!((all, sum), (4, Duration::from_millis(12)));
    }

    #[test]
    fn counting_allocates_nothing() {
        const BOUNDS: &[Duration] = &[Duration::from_millis(1)];
        let (counter, gauge) = (Counter::default(), Gauge::default());
        let histogram = Histogram::new(BOUNDS);
        let allocations = allocation_counter::measure(|| {
            counter.increment(2);
            gauge.increment(1.5);
            gauge.decrement(0.5);
            histogram.record(Duration::from_millis(3));
        });
        assert_eq!(allocations.count_total, 0);
        assert_eq!((counter.value(), gauge.value(), histogram.read().1), (2, 1.0, 1));
    }

    #[test]
    fn a_series_that_was_let_go_begins_anew() {
        let family = Family::<1, Counter>::new(["issuer"]);
        let (left, stays) = (family.with(["left".into()]), family.with(["stays".into()]));
        left.increment(3);
        stays.increment(4);
        let epoch = family.epoch();
        family.retain(|[issuer]| issuer == "stays");
        assert_ne!(family.epoch(), epoch);
        left.increment(1);
        assert_eq!(family.with(["left".into()]).value(), 0);
        assert_eq!(family.with(["stays".into()]).value(), 4);
    }
}
