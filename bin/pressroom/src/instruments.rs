//! Metrics: described from the catalogue, kept in memory, read at `/metrics`.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use pressroom_base::catalog::metric;
use pressroom_cli::Failure;

/// From a page out of memory to an update that waits for a site.
const SECONDS: &[f64] = &[
    0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0,
];

/// Makes this process keep its metrics.
pub fn install() -> Result<PrometheusHandle, Failure> {
    let failed = |error| Failure::local("metrics cannot be kept", &error);
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
        .map_err(failed)?
        .install_recorder()
        .map_err(failed)?;
    for (name, description) in metric::ALL {
        if name.ends_with("_seconds") {
            metrics::describe_histogram!(*name, metrics::Unit::Seconds, *description);
        } else if name.ends_with("_total") {
            metrics::describe_counter!(*name, *description);
            // Zero is an answer; a metric that is not there yet is a question.
            if *name == metric::LEASES_LOST {
                metrics::counter!(*name).absolute(0);
            }
        } else {
            metrics::describe_gauge!(*name, *description);
        }
    }
    Ok(handle)
}
