//! Prometheus' text format, version 0.0.4.
//!
//! In come all series; out goes their text, metric by metric and each metric's series in order. Label
//! values are escaped, so that no name of a configuration can end its line or begin another.

use std::fmt::{self, Display};
use std::sync::atomic::Ordering::Relaxed;

use metrics::{Key, Label};
use metrics_exporter_prometheus::LabelSet;
use metrics_exporter_prometheus::formatting::{
    write_help_line, write_metric_line, write_type_line,
};

use super::list::{ALL, Kind};
use super::series::{Buckets, Series, gauge_value};

/// The media type of the text.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics, those without any series too.
pub(super) fn expose(series: &Series) -> String {
    let counters = in_order(series.get_counter_handles());
    let gauges = in_order(series.get_gauge_handles());
    let histograms = in_order(series.get_histogram_handles());
    let mut text = String::new();
    for metric in ALL {
        let name = metric.name;
        write_help_line(&mut text, name, None, None, metric.help);
        write_type_line(&mut text, name, None, None, metric.kind.as_str());
        match metric.kind {
            Kind::Counter => {
                for (labels, counter) in of(name, &counters) {
                    write_line(&mut text, name, None, &labels, None, counter.load(Relaxed));
                }
            }
            Kind::Gauge => {
                for (labels, gauge) in of(name, &gauges) {
                    write_line(&mut text, name, None, &labels, None, Number(gauge_value(gauge)));
                }
            }
            Kind::Histogram(_) => {
                for (labels, buckets) in of(name, &histograms) {
                    write_histogram(&mut text, name, &labels, buckets);
                }
            }
        }
    }
    text
}

fn in_order<V>(handles: impl IntoIterator<Item = (Key, V)>) -> Vec<(Key, V)> {
    let mut handles: Vec<_> = handles.into_iter().collect();
    handles.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    handles
}

/// The series of one metric.
fn of<'a, V>(name: &'a str, all: &'a [(Key, V)]) -> impl Iterator<Item = (LabelSet, &'a V)> {
    let series = all.iter().filter(move |(key, _)| key.name() == name);
    series.map(|(key, numbers)| (labels(key), numbers))
}

/// The labels of a series. The library takes a backslash for one that escapes what follows, and leaves it
/// out before a quote: two names could become one. A backslash that is escaped already it lets stand.
fn labels(key: &Key) -> LabelSet {
    let escape = |it: &Label| Label::new(it.key().to_owned(), it.value().replace('\\', r"\\"));
    let escaped: Vec<Label> = key.labels().map(escape).collect();
    #[expect(clippy::default_trait_access, reason = "the map's crate is none of our dependencies")]
    LabelSet::from_key_and_global(&Key::from_parts("", escaped), &Default::default())
}

fn write_histogram(text: &mut String, name: &str, labels: &LabelSet, buckets: &Buckets) {
    let mut all = 0;
    for (bound, count) in buckets.cumulated() {
        write_line(text, name, Some("bucket"), labels, Some(Number(bound)), count);
        all = count;
    }
    write_line(text, name, Some("sum"), labels, None, Number(buckets.sum()));
    write_line(text, name, Some("count"), labels, None, all);
}

fn write_line(
    text: &mut String,
    name: &str,
    suffix: Option<&'static str>,
    labels: &LabelSet,
    bound: Option<Number>,
    value: impl Display,
) {
    write_metric_line(text, name, suffix, labels, bound.map(|it| ("le", it)), value, None);
}

/// A number as the format writes it.
struct Number(f64);

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_infinite() {
            f.write_str(if self.0 > 0.0 { "+Inf" } else { "-Inf" })
        } else {
            self.0.fmt(f)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use metrics::HistogramFn;

    use super::super::list::{GATE_SECONDS, KEYS_AGE};
    use super::super::series::Numbers;
    use super::*;

    /// What is told of one metric, without its help.
    fn told(series: &Series, name: &str) -> String {
        let text = expose(series);
        let of_it = text.lines().filter(|line| line.contains(name) && !line.starts_with("# HELP"));
        of_it.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_histogram_cumulates() {
        let series = Series::new(Numbers);
        series.get_or_create_histogram(&Key::from_static_name(GATE_SECONDS), |histogram| {
            for time in [Duration::from_micros(30), Duration::from_millis(500)] {
                histogram.record(time.as_secs_f64());
            }
        });
        let name = GATE_SECONDS;
        let mut expected = vec![format!("# TYPE {name} histogram")];
        let bounds = [
            ("0.00001", 0),
            ("0.000025", 0),
            ("0.00005", 1),
            ("0.0001", 1),
            ("0.00025", 1),
            ("0.0005", 1),
            ("0.001", 1),
            ("0.0025", 1),
            ("0.01", 1),
            ("0.1", 1),
            ("1", 2),
            ("10", 2),
            ("+Inf", 2),
        ];
        expected.extend(bounds.map(|(le, all)| format!("{name}_bucket{{le=\"{le}\"}} {all}")));
        expected.extend([format!("{name}_sum 0.50003"), format!("{name}_count 2")]);
        assert_eq!(told(&series, name), expected.join("\n"));
    }

    #[test]
    fn a_label_stays_within_its_quotes_and_keeps_its_backslashes() {
        let series = Series::new(Numbers);
        for value in ["x\"} 1\ny\\", "a\"", r#"a\""#, r"a\\", r"a\", "a\\\n", r"a\n"] {
            let key = Key::from_parts(KEYS_AGE, vec![Label::new("issuer", value)]);
            series.get_or_create_gauge(&key, |gauge| metrics::GaugeFn::set(gauge, f64::INFINITY));
        }
        let lines = [r#"a\""#, r"a\\", r"a\\\n", r#"a\\\""#, r"a\\\\", r"a\\n", r#"x\"} 1\ny\\"#]
            .map(|value| format!("grantgate_keys_age_seconds{{issuer=\"{value}\"}} +Inf"));
        let expected = format!("# TYPE grantgate_keys_age_seconds gauge\n{}", lines.join("\n"));
        assert_eq!(told(&series, KEYS_AGE), expected);
    }
}
