//! Prometheus' text format, version 0.0.4.
//!
//! In come a metric's name, help and numbers; out go its lines. Label values are escaped, so that no name
//! of a configuration can end its line or begin another.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

use super::series::{Counter, Family, Gauge, Histogram};

/// The media type of the text.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What can be written as a metric.
pub(super) trait Expose {
    /// The metric's type.
    const KIND: &'static str;

    /// Writes its samples.
    fn expose(&self, name: &str, text: &mut String) -> fmt::Result;
}

/// Writes a metric: its help, its type and its samples.
pub(super) fn expose<M: Expose>(metric: &M, name: &str, help: &str, text: &mut String) {
    let kind = M::KIND;
    // Writing to a String cannot fail.
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    let _ = metric.expose(name, text);
}

impl Expose for Counter {
    const KIND: &'static str = "counter";

    fn expose(&self, name: &str, text: &mut String) -> fmt::Result {
        writeln!(text, "{name} {}", self.value())
    }
}

impl Expose for Gauge {
    const KIND: &'static str = "gauge";

    fn expose(&self, name: &str, text: &mut String) -> fmt::Result {
        writeln!(text, "{name} {}", Number(self.value()))
    }
}

impl Expose for Histogram {
    const KIND: &'static str = "histogram";

    fn expose(&self, name: &str, text: &mut String) -> fmt::Result {
        let (bounded, all, sum) = self.read();
        for (bound, count) in bounded {
            writeln!(text, "{name}_bucket{{le=\"{}\"}} {count}", bound.as_secs_f64())?;
        }
        writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {all}")?;
        writeln!(text, "{name}_sum {}", sum.as_secs_f64())?;
        writeln!(text, "{name}_count {all}")
    }
}

impl<const N: usize> Expose for Family<N, Counter> {
    const KIND: &'static str = Counter::KIND;

    fn expose(&self, name: &str, text: &mut String) -> fmt::Result {
        for (values, counter) in self.read() {
            let labels = Labels { names: &self.labels, values: &values };
            writeln!(text, "{name}{labels} {}", counter.value())?;
        }
        Ok(())
    }
}

impl<const N: usize> Expose for Family<N, Gauge> {
    const KIND: &'static str = Gauge::KIND;

    fn expose(&self, name: &str, text: &mut String) -> fmt::Result {
        for (values, gauge) in self.read() {
            let labels = Labels { names: &self.labels, values: &values };
            writeln!(text, "{name}{labels} {}", Number(gauge.value()))?;
        }
        Ok(())
    }
}

/// `{name="value",…}`.
struct Labels<'a> {
    names: &'a [&'static str],
    values: &'a [Cow<'static, str>],
}

impl Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = '{';
        for (name, value) in self.names.iter().zip(self.values) {
            write!(f, "{before}{name}=\"")?;
            for char in value.chars() {
                match char {
                    '\\' => f.write_str("\\\\")?,
                    '"' => f.write_str("\\\"")?,
                    '\n' => f.write_str("\\n")?,
                    other => f.write_char(other)?,
                }
            }
            f.write_char('"')?;
            before = ',';
        }
        f.write_char('}')
    }
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

    use super::*;

    fn text(metric: &impl Expose) -> String {
        let mut text = String::new();
        expose(metric, "m", "What it is.", &mut text);
        text
    }

    #[test]
    fn a_histogram_cumulates() {
        const BOUNDS: &[Duration] = &[Duration::from_micros(50), Duration::from_secs(2)];
        let histogram = Histogram::new(BOUNDS);
        histogram.record(Duration::from_micros(30));
        histogram.record(Duration::from_millis(500));
        let expected = "# HELP m What it is.\n# TYPE m histogram\n\
            m_bucket{le=\"0.00005\"} 1\nm_bucket{le=\"2\"} 2\nm_bucket{le=\"+Inf\"} 2\n\
            m_sum 0.50003\nm_count 2\n";
        assert_eq!(text(&histogram), expected);
    }

    #[test]
    fn a_label_stays_within_its_quotes() {
        let family = Family::<2, Gauge>::new(["a", "b"]);
        family.with(["x\"} 1\ny\\".into(), "".into()]).set(f64::INFINITY);
        let expected =
            "# HELP m What it is.\n# TYPE m gauge\nm{a=\"x\\\"} 1\\ny\\\\\",b=\"\"} +Inf\n";
        assert_eq!(text(&family), expected);
    }
}
