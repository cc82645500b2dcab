//! The gateway's certificate while it runs.

use access::Clock;

use crate::metrics::Metrics;

/// Takes the certificate's files in again; a pair that can't be used is not taken.
pub(super) fn reload(tls: &certs::ServerTls, metrics: &Metrics, clock: &dyn Clock) {
    match tls.reload(clock.now()) {
        Ok(pair) => {
            let expires = pair.not_after();
            tracing::info!(%expires, "the certificate was read again; new connections get it");
        }
        Err(why) => {
            tracing::error!(%why, "the certificate can't be read again; the last good one stays");
        }
    }
    tell_expiry(metrics, tls);
}

/// Tells when the certificate expires.
pub(super) fn tell_expiry(metrics: &Metrics, tls: &certs::ServerTls) {
    // Whole seconds up to 2^53 are exact in a double.
    #[expect(clippy::cast_precision_loss, reason = "a date in seconds fits")]
    metrics.certificate_expires((tls.pair().not_after().as_millis() / 1000) as f64);
}
