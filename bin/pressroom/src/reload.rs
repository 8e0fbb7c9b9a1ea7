//! What a running server takes up from its configuration when it is told to.

use crate::{forwarded::Proxies, listener::Certificates, logging::Filter};
use pressroom_cli::{
    Failure,
    config::{Config, Sources},
};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What can be exchanged while requests are answered. Everything else is told to wait for
/// the next start.
const AT_ONCE: [&str; 4] = [
    "log.filter",
    "http.trusted_proxies",
    "http.tls_certificate",
    "http.tls_key",
];

/// `SIGHUP`, heard from now on.
pub fn signals() -> Result<Signal, Failure> {
    signal(SignalKind::hangup()).map_err(|error| Failure::local("signals cannot be heard", &error))
}

/// Reads the configuration again whenever `SIGHUP` comes.
pub struct Reload {
    /// Where it is read from.
    pub sources: Sources,
    /// What is logged.
    pub filter: Filter,
}

/// The parts of a server that follow the configuration.
pub struct Parts {
    /// Who is believed.
    pub proxies: Proxies,
    /// What is shown, if anything.
    pub certificates: Option<Certificates>,
}

impl Reload {
    /// Listens until the process ends. A configuration that is wrong is told, and what
    /// held goes on holding.
    pub async fn listen(self, mut asked: Signal, started: Config, parts: Parts) {
        while asked.recv().await.is_some() {
            match self.sources.load() {
                Ok(read) => self.take_up(&started, &read, &parts),
                Err(error) => tracing::error!(
                    "the configuration is not taken up, the one before stays: {}",
                    Failure::from(error).to_text()
                ),
            }
        }
    }

    fn take_up(&self, started: &Config, read: &Config, parts: &Parts) {
        if let Err(failure) = self.filter.set(&read.log.filter) {
            tracing::error!(
                "the configuration is not taken up, the one before stays: {}",
                failure.to_text()
            );
            return;
        }
        parts.proxies.replace(read.http.trusted_proxies.clone());
        let mut later: Vec<_> = read
            .differences(started)
            .filter(|key| !AT_ONCE.contains(key))
            .collect();
        match (&parts.certificates, &read.http.tls) {
            // What is wrong with the files is told where they are read.
            (Some(certificates), Some(files)) if !certificates.read_from(files) => return,
            (Some(_), Some(_)) | (None, None) => {}
            // A listener is one or the other for life.
            _ => later.push("http.tls_certificate"),
        }
        if later.is_empty() {
            tracing::info!("the configuration was read again and holds");
        } else {
            tracing::warn!(
                "the configuration was read again; what waits for the next start: {}",
                later.join(", ")
            );
        }
    }
}
