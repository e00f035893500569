//! Where the numbers are kept: a registry of series, each of plain atomics.
//!
//! Counting never waits and never allocates. The histograms are not the registry's own, which keep every
//! sample until somebody comes for it: these count into fixed buckets on the spot, so that nothing grows
//! while nobody scrapes.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use metrics::atomics::AtomicU64;
use metrics::{GaugeFn, HistogramFn, Key};
use metrics_util::registry::{Registry, Storage};

use super::list::{ALL, Kind};

/// The series of one gateway.
pub(super) type Series = Registry<Key, Numbers>;

/// Makes the numbers of a series that begins.
pub(super) struct Numbers;

impl Storage<Key> for Numbers {
    type Counter = Arc<AtomicU64>;
    type Gauge = Arc<AtomicU64>;
    type Histogram = Arc<Buckets>;

    fn counter(&self, _: &Key) -> Arc<AtomicU64> {
        Arc::default()
    }

    fn gauge(&self, _: &Key) -> Arc<AtomicU64> {
        Arc::new(AtomicU64::new(0.0_f64.to_bits()))
    }

    fn histogram(&self, key: &Key) -> Arc<Buckets> {
        let bounds = ALL.iter().find_map(|metric| match metric.kind {
            Kind::Histogram(bounds) if metric.name == key.name() => Some(bounds),
            _ => None,
        });
        Arc::new(Buckets::new(bounds.unwrap_or_default()))
    }
}

/// Where a gauge stands.
pub(super) fn gauge_value(gauge: &AtomicU64) -> f64 {
    f64::from_bits(gauge.load(Relaxed))
}

/// How values are spread.
pub(super) struct Buckets {
    /// Upper bounds, rising.
    bounds: &'static [f64],
    /// How many values fell between a bound and the one before; the last counts those above all.
    counts: Box<[AtomicU64]>,
    /// All values together, as a gauge.
    sum: AtomicU64,
}

impl Buckets {
    pub(super) fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0.0_f64.to_bits()) }
    }

    /// How many values were up to each bound, the last of which is infinite and so has them all.
    pub(super) fn cumulated(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.zip(&self.counts).scan(0, |all, (bound, count)| {
            *all += count.load(Relaxed);
            Some((bound, *all))
        })
    }

    pub(super) fn sum(&self) -> f64 {
        gauge_value(&self.sum)
    }
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        if let Some(count) = self.counts.get(self.bounds.partition_point(|bound| *bound < value)) {
            count.fetch_add(1, Relaxed);
        }
        GaugeFn::increment(&self.sum, value);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use metrics::{Counter, Gauge, Histogram};

    use super::*;

    #[test]
    fn a_time_on_a_bound_is_within_it() {
        let buckets = Arc::new(Buckets::new(&[1e-3, 2.5e-3]));
        let histogram = Histogram::from_arc(buckets.clone());
        for micros in [0, 1000, 2500, 2501] {
            histogram.record(Duration::from_micros(micros));
        }
        let cumulated: Vec<_> = buckets.cumulated().collect();
        assert_eq!(cumulated, [(1e-3, 2), (2.5e-3, 3), (f64::INFINITY, 4)]);
        assert!((buckets.sum() - 6.001e-3).abs() < 1e-12, "{}", buckets.sum());
    }

    #[test]
    fn counting_allocates_nothing() {
        let series = Series::new(Numbers);
        let key = Key::from_static_name(super::super::list::GATE_SECONDS);
        let counter = series.get_or_create_counter(&key, |it| Counter::from_arc(it.clone()));
        let gauge = series.get_or_create_gauge(&key, |it| Gauge::from_arc(it.clone()));
        let histogram = series.get_or_create_histogram(&key, |it| Histogram::from_arc(it.clone()));
        let allocations = allocation_counter::measure(|| {
            counter.increment(2);
            gauge.increment(1.5);
            gauge.decrement(0.5);
            histogram.record(Duration::from_millis(3));
        });
        assert_eq!(allocations.count_total, 0);
        assert_eq!(series.get_counter(&key).unwrap().load(Relaxed), 2);
        assert_eq!(gauge_value(&series.get_gauge(&key).unwrap()).to_bits(), 1.0_f64.to_bits());
        assert_eq!(series.get_histogram(&key).unwrap().cumulated().last().unwrap().1, 1);
    }
}
