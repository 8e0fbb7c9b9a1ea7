//! The listener with a certificate.

use crate::installation::{Installation, Server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustix::process::Signal;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// A certificate and its key, PEM.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        // Called like its authority it would pass for one that signed itself.
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// Asks for a path as `name`; the answer, or why there is none.
    fn ask(&self, server: &Server, name: &str) -> Result<String, std::io::Error> {
        let mut trusted = RootCertStore::empty();
        trusted.add(self.0.der().clone()).expect("a certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(trusted)
            .with_no_client_auth();
        let name = name.to_owned().try_into().expect("a name");
        let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
        let socket = TcpStream::connect(server.address)?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut stream = StreamOwned::new(connection, socket);
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n")?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

struct Files<'a>(&'a Installation);

impl Files<'_> {
    fn write(&self, (certificate, key): &(String, String)) {
        fs::create_dir_all(self.0.data()).expect("ours");
        fs::write(self.0.data().join("tls.pem"), certificate).expect("ours");
        fs::write(self.0.data().join("tls.key"), key).expect("ours");
    }

    fn serve(&self) -> Command {
        let mut command = self
            .0
            .command(&["serve", "--role", "web", "--listen", "127.0.0.1:0"]);
        command
            .env(
                "PRESSROOM_HTTP__TLS_CERTIFICATE",
                self.0.data().join("tls.pem"),
            )
            .env("PRESSROOM_HTTP__TLS_KEY", self.0.data().join("tls.key"));
        command
    }
}

#[test]
fn a_certificate_is_shown_and_its_successor_taken_up_without_a_restart() {
    let place = Installation::settled();
    let (files, authority) = (Files(&place), Authority::new());
    files.write(&authority.issue("one.example"));
    let mut server = Server::start(files.serve());
    assert!(server.log.contains("listens on https://"), "{}", server.log);

    // Who connects and says nothing keeps nobody out.
    let silent: Vec<_> = (0..20)
        .map(|_| TcpStream::connect(server.address).expect("it listens"))
        .collect();
    let answer = authority.ask(&server, "one.example").expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    authority
        .ask(&server, "two.example")
        .expect_err("another's name");
    drop(silent);
    // Who can speak HTTP/2 does.
    let root = place.data().join("authority.pem");
    fs::write(&root, authority.0.pem()).expect("ours");
    let port = server.address.port();
    let asked = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20", "--http2"])
        .args(["--write-out", "%{http_version}", "--cacert"])
        .arg(&root)
        .args(["--resolve", &format!("one.example:{port}:127.0.0.1")])
        .arg(format!("https://one.example:{port}/healthz"))
        .output()
        .expect("curl");
    assert_eq!(String::from_utf8_lossy(&asked.stdout), "ok\n2", "{asked:?}");
    // Plain HTTP gets no page.
    let mut plain = TcpStream::connect(server.address).expect("it listens");
    plain
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n")
        .expect("sent");
    let mut bytes = Vec::new();
    let _ = plain.read_to_end(&mut bytes);
    assert!(!String::from_utf8_lossy(&bytes).contains("ok\n"));

    // By itself, within seconds.
    files.write(&authority.issue("two.example"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while authority.ask(&server, "two.example").is_err() {
        assert!(Instant::now() < deadline, "it goes on with the old one");
        thread::sleep(Duration::from_millis(200));
    }

    // Files that do not belong together change nothing.
    let (certificate, _) = authority.issue("three.example");
    let (_, key) = authority.issue("three.example");
    files.write(&(certificate.clone(), key));
    server.signal(Signal::HUP);
    server.says("do not belong together");
    assert!(authority.ask(&server, "two.example").is_ok());

    // Nor do files that are not there, and the server does not say that all is well.
    fs::remove_file(place.data().join("tls.pem")).expect("ours");
    server.signal(Signal::HUP);
    server.says("which `http.tls_certificate` names, cannot be read");
    assert!(
        !server.log.contains("read again and holds"),
        "{}",
        server.log
    );
    assert!(authority.ask(&server, "two.example").is_ok());

    // At once, when told.
    files.write(&authority.issue("four.example"));
    server.signal(Signal::HUP);
    server.says("read again and holds");
    assert!(authority.ask(&server, "four.example").is_ok());
    server.signal(Signal::TERM);
    let (ended, log) = server.ended();
    assert_eq!(ended.code(), Some(0), "{log}");
}

#[test]
fn what_is_no_certificate_is_told_before_anything_is_served() {
    let place = Installation::settled();
    let files = Files(&place);
    let ended = Installation::end(files.serve(), "");
    let error = ended.failed(2);
    assert!(
        error.contains("`http.tls_certificate` names, cannot be read"),
        "{error}"
    );

    files.write(&("nothing\n".to_owned(), "nothing\n".to_owned()));
    let error = Installation::end(files.serve(), "").failed(2);
    assert!(error.contains("there is no certificate in"), "{error}");

    let mut half = files.serve();
    half.env("PRESSROOM_HTTP__TLS_KEY", "");
    let error = Installation::end(half, "").failed(2);
    assert!(
        error.contains("`http.tls_certificate` needs `http.tls_key` as well"),
        "{error}"
    );
}
