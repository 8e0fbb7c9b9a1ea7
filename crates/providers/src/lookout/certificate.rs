//! The certificate that a server shows, and what a browser would say of it.

use crate::tls;
use pressroom_base::Timestamp;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const TIMEOUT: Duration = Duration::from_secs(10);
/// The last second of the year 9999, after which nothing can be valid.
const NEVER: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(253_402_300_799));

/// What a server showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificate {
    /// When the first certificate of its chain ceases to be good.
    pub expires_at: Option<Timestamp>,
    /// How many certificates it showed.
    pub chain: usize,
    /// Why a browser would refuse it; `None` when it would not.
    pub trouble: Option<String>,
}

/// Looks at certificates. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// `None` where there is nothing to trust.
    verifier: Option<Arc<WebPkiServerVerifier>>,
}

impl Certificates {
    /// Trusts what this machine trusts.
    pub fn of_machine() -> Self {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "a certificate of this machine cannot be read");
        }
        Self::trusting(found.certs)
    }

    /// Trusts these.
    pub fn trusting(roots: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        tls::install();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots);
        let verifier = WebPkiServerVerifier::builder(Arc::new(store)).build();
        Self {
            verifier: verifier
                .inspect_err(|error| tracing::warn!(%error, "no certificate can be judged"))
                .ok(),
        }
    }

    /// Shakes hands with the server at `addr` as somebody who wants `name`. An error says
    /// in a sentence why there was no certificate to look at.
    pub async fn look(&self, addr: SocketAddr, name: &str) -> Result<Certificate, String> {
        let Some(verifier) = self.verifier.clone() else {
            return Err(
                "this machine has no certificates to trust, install `ca-certificates`".into(),
            );
        };
        let name = ServerName::try_from(name.trim_matches(['[', ']']).to_owned())
            .map_err(|_| format!("`{name}` is no name of a server"))?;
        let witness = Arc::new(Witness {
            verifier,
            seen: Mutex::default(),
        });
        let config = ClientConfig::builder()
            .dangerous()
            // Nothing is sent over this connection: it is made to see what is shown.
            .with_custom_certificate_verifier(witness.clone())
            .with_no_client_auth();
        let shaken = tokio::time::timeout(TIMEOUT, async {
            let stream = TcpStream::connect(addr).await?;
            TlsConnector::from(Arc::new(config))
                .connect(name, stream)
                .await
        });
        let failed = match shaken.await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no handshake within {} s", TIMEOUT.as_secs())),
        };
        let seen = witness
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match (seen, failed) {
            (Some(seen), None) => Ok(seen),
            // A server that proves nothing with what it shows is not that server.
            (Some(seen), Some(why)) => Ok(Certificate {
                trouble: seen.trouble.or(Some(why)),
                ..seen
            }),
            (None, why) => Err(why.unwrap_or_else(|| "no certificate was shown".into())),
        }
    }
}

/// Accepts every certificate and remembers what it was.
#[derive(Debug)]
struct Witness {
    verifier: Arc<WebPkiServerVerifier>,
    seen: Mutex<Option<Certificate>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verdict = |cert, rest: &[CertificateDer<'_>], at| {
            self.verifier
                .verify_server_cert(cert, rest, server_name, ocsp_response, at)
        };
        // How long a certificate is good is the first thing that is looked at, whoever
        // issued it: at the end of days each says when that was.
        let end = |cert| match verdict(cert, &[], NEVER) {
            Err(TlsError::InvalidCertificate(CertificateError::ExpiredContext {
                not_after,
                ..
            })) => i64::try_from(not_after.as_secs()).ok(),
            _ => None,
        };
        let all = std::iter::once(end_entity).chain(intermediates);
        let seen = Certificate {
            expires_at: all
                .filter_map(end)
                .min()
                .map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1000))),
            chain: 1 + intermediates.len(),
            trouble: verdict(end_entity, intermediates, now)
                .err()
                .map(|error| said(&error)),
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// A refusal in plain words.
fn said(error: &TlsError) -> String {
    let TlsError::InvalidCertificate(refused) = error else {
        return error.to_string();
    };
    match refused {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate has expired".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another name".into()
        }
        CertificateError::UnknownIssuer => {
            "the certificate's issuer is not trusted, or a certificate of the chain is missing"
                .into()
        }
        CertificateError::Revoked => "the certificate was revoked".into(),
        other => format!("the certificate is refused: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
    use rustls::{ServerConfig, pki_types::PrivateKeyDer};
    use time::{Duration as Days, OffsetDateTime};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    /// An authority of our own.
    fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    /// A server with a certificate of that authority, good for so many days from now.
    async fn server(of: &CertifiedIssuer<'static, KeyPair>, days: i64, name: &str) -> SocketAddr {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = OffsetDateTime::now_utc() + Days::days(days.min(0) - 10);
        params.not_after = OffsetDateTime::now_utc() + Days::days(days);
        let cert = params.signed_by(&key, of).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        tls::install();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _refused = acceptor.accept(stream).await;
            }
        });
        addr
    }

    #[tokio::test]
    async fn a_certificate_is_judged_as_a_browser_would() {
        let own = authority("ours");
        let ours = Certificates::trusting([own.der().clone()]);
        let good = server(&own, 10, "shop.example").await;
        let seen = ours.look(good, "shop.example").await.unwrap();
        assert_eq!((seen.chain, seen.trouble), (1, None));
        let left = seen.expires_at.unwrap().millis() - Timestamp::now().millis();
        assert!((9..=10).contains(&(left / 86_400_000)), "{left}");

        let of_another = ours.look(good, "blog.example").await.unwrap();
        assert_eq!(
            of_another.trouble.as_deref(),
            Some("the certificate is for another name")
        );
        let strangers = Certificates::trusting(Vec::new());
        assert!(
            strangers.look(good, "shop.example").await.is_err(),
            "nothing can be judged"
        );
        let others = Certificates::trusting([authority("others").der().clone()]);
        let unknown = others.look(good, "shop.example").await.unwrap();
        assert!(
            unknown.trouble.unwrap().contains("issuer"),
            "it is told apart"
        );
        assert!(
            unknown.expires_at.is_some(),
            "also of one that nobody trusts"
        );

        let old = server(&own, -1, "shop.example").await;
        let expired = ours.look(old, "shop.example").await.unwrap();
        assert_eq!(
            expired.trouble.as_deref(),
            Some("the certificate has expired")
        );
        assert!(expired.expires_at.unwrap() < Timestamp::now());

        let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = plain.local_addr().unwrap();
        drop(plain);
        assert!(
            ours.look(addr, "shop.example").await.is_err(),
            "nobody is there"
        );
    }
}
