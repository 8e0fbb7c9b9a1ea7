//! Mail by SMTP, to a server that the operator names.

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
    transport::smtp::{authentication::Credentials, extension::ClientId},
};
use pressroom_base::Secret;
use std::time::Duration;

/// What a server gets for each of its answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// How the connection to a server is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// It begins in the clear and must change to TLS before anything is said.
    StartTls,
    /// TLS from the beginning.
    Tls,
    /// None: for a server on this machine.
    None,
}

/// Where mail is handed over.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others.
    pub security: Security,
    /// Who signs in there, with which password.
    pub login: Option<(String, Secret<String>)>,
    /// Who it is from: `Pressroom <press@example.com>`, or an address alone.
    pub from: String,
    /// What Pressroom calls itself there, and in the ids of messages.
    pub name: String,
}

/// One mail to one person.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Unlike every other's; the same at every attempt, so that what comes twice can be told.
    pub id: String,
    /// To whom.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// What it says, as text.
    pub plain: String,
    /// The same as HTML.
    pub html: String,
}

/// Why a mail was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is configured makes no sense.
    #[error("{0}")]
    Setting(String),
    /// It will never be taken: the server says so, or nobody can be called that.
    #[error("{0}")]
    Refused(String),
    /// It may be taken later.
    #[error("{0}")]
    Later(String),
}

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Hands mail over. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Smtp {
    transport: Transport,
    from: Mailbox,
    name: String,
}

impl Smtp {
    /// To this server; nothing is connected yet.
    pub fn new(server: &Server) -> Result<Self, Error> {
        crate::tls::install();
        let from = server
            .from
            .parse()
            .map_err(|_| Error::Setting(format!("`{}` is no sender of mail", server.from)))?;
        let builder = match server.security {
            Security::StartTls => Transport::starttls_relay(&server.host),
            Security::Tls => Transport::relay(&server.host),
            Security::None => Ok(Transport::builder_dangerous(&server.host)),
        };
        let mut builder = builder
            .map_err(|error| Error::Setting(error.to_string()))?
            .port(server.port)
            .hello_name(ClientId::Domain(server.name.clone()))
            .timeout(Some(PATIENCE));
        if let Some((user, password)) = &server.login {
            let login = Credentials::new(user.clone(), password.expose().clone());
            builder = builder.credentials(login);
        }
        Ok(Self {
            transport: builder.build(),
            from,
            name: server.name.clone(),
        })
    }

    /// Hands one mail over.
    pub async fn send(&self, mail: Mail) -> Result<(), Error> {
        let to = mail
            .to
            .parse()
            .map(|address| Mailbox::new(None, address))
            .map_err(|_| Error::Refused(format!("`{}` is no address", mail.to)))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .message_id(Some(format!("<{}@{}>", mail.id, self.name)))
            .subject(mail.subject)
            .multipart(MultiPart::alternative_plain_html(mail.plain, mail.html))
            .map_err(|error| Error::Refused(error.to_string()))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(Error::Refused(chain(&error))),
            Err(error) => Err(Error::Later(chain(&error))),
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
