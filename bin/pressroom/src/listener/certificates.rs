//! The certificate a server shows, taken up anew whenever its files change.

use pressroom_base::Kind;
use pressroom_cli::{Failure, config::Tls};
use std::{
    error::Error,
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::sleep};
use tokio_rustls::rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// Between looks at the files.
const LOOK: Duration = Duration::from_secs(5);

/// The certificate in use, and the files it comes from.
#[derive(Clone)]
pub struct Certificates {
    from: Arc<Mutex<Source>>,
    current: watch::Sender<Arc<ServerConfig>>,
}

struct Source {
    files: Tls,
    /// Nothing, when they are to be read whatever they are.
    seen: Option<[Option<Stamp>; 2]>,
}

/// Tells a file from what was there before.
type Stamp = (u64, u64, i64, i64);

impl Certificates {
    /// Reads the certificate; errors as [`load`].
    pub fn open(files: &Tls) -> Result<Self, Failure> {
        // Before reading: what changes meanwhile is seen to have changed.
        let seen = Some(stamps(files));
        let current = watch::Sender::new(load(files)?);
        let files = files.clone();
        Ok(Self {
            from: Arc::new(Mutex::new(Source { files, seen })),
            current,
        })
    }

    /// What connections that come from now on are served with.
    pub fn current(&self) -> watch::Receiver<Arc<ServerConfig>> {
        self.current.subscribe()
    }

    /// Takes up new files as they come; ones that do not fit together are told once and
    /// the old certificate stays.
    pub async fn watch(self) {
        loop {
            sleep(LOOK).await;
            self.look();
        }
    }

    /// Takes the certificate from these files from now on; whether they hold one.
    pub fn read_from(&self, files: &Tls) -> bool {
        let mut from = self.from.lock().unwrap_or_else(PoisonError::into_inner);
        from.files = files.clone();
        from.seen = None;
        drop(from);
        self.look()
    }

    /// Whether what is shown is what is in the files.
    fn look(&self) -> bool {
        let mut from = self.from.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = Some(stamps(&from.files));
        if seen == from.seen {
            return true;
        }
        from.seen = seen;
        let shown = from.files.certificate.display();
        match load(&from.files) {
            Ok(loaded) => {
                self.current.send_replace(loaded);
                tracing::info!("the certificate in `{shown}` is used from now on");
                true
            }
            Err(failure) => {
                tracing::error!(
                    "the certificate in `{shown}` is not taken up, the one before stays: {}",
                    failure.to_text()
                );
                false
            }
        }
    }
}

fn stamps(files: &Tls) -> [Option<Stamp>; 2] {
    [&files.certificate, &files.key].map(|path| {
        let found = fs::metadata(path).ok()?;
        Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
    })
}

/// Errors: a file that cannot be read or holds no PEM, a key that is not the
/// certificate's.
fn load(files: &Tls) -> Result<Arc<ServerConfig>, Failure> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| refused("http.tls_certificate", &files.certificate, &error))?;
    if chain.is_empty() {
        return Err(Failure::new(
            Kind::Invalid,
            format!(
                "there is no certificate in `{}`",
                files.certificate.display()
            ),
        )
        .with_hint("`http.tls_certificate` names a PEM file, the server's own certificate first"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| refused("http.tls_key", &files.key, &error))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| {
            Failure::new(
                Kind::Invalid,
                "the certificate and the key do not belong together",
            )
            .because(&error)
            .with_hint("`http.tls_key` must be the key that the certificate was made for")
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn refused(key: &str, path: &Path, error: &(dyn Error + 'static)) -> Failure {
    Failure::new(
        Kind::Invalid,
        format!("`{}`, which `{key}` names, cannot be read", path.display()),
    )
    .because(error)
}
