//! Sending one message by mail: SMTP (RFC 5321), with TLS from the start (RFC 8314) or by STARTTLS (RFC 3207), on a
//! thread that may wait.
//!
//! The address of the server is resolved and looked at here, and what was looked at is connected to. A message has its id
//! in `Message-ID`, the same in every attempt.

use std::{io, time::SystemTime};

use boltseal_api::notifications::Tls;
use boltseal_identity::secret::Secret;
use boltseal_model::Timestamp;
use boltseal_store::Delivery;
use boltseal_wire::dial::resolve;
use lettre::{
    Message,
    message::{Mailbox, MultiPart, header},
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{Certificate, SmtpConnection, TlsParameters},
        extension::ClientId,
    },
};
use serde::{Deserialize, Serialize};

use super::{Answer, PATIENCE};

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Letter {
    pub(in super::super) subject: String,
    pub(in super::super) text: String,
    pub(in super::super) html: String,
}

/// Where to, from whom, and how.
pub(in super::super) struct Mail {
    pub(in super::super) host: String,
    pub(in super::super) port: u16,
    pub(in super::super) tls: Tls,
    /// Whom to sign in as.
    pub(in super::super) login: Option<(String, Secret)>,
    pub(in super::super) from: Mailbox,
    pub(in super::super) to: Vec<Mailbox>,
    pub(in super::super) allow_private: bool,
    /// Authorities to trust besides the system's, PEM.
    pub(in super::super) ca: Option<String>,
}

/// The port where nobody names one.
pub(in super::super) const fn usual_port(tls: Tls) -> u16 {
    match tls {
        Tls::Tls => 465,
        Tls::Starttls => 587,
        Tls::None => 25,
    }
}

impl Mail {
    /// Sends it, and says what came of it. Waits.
    pub(super) fn send(&self, delivery: &Delivery, now: Timestamp) -> Answer {
        let letter: Letter = match serde_json::from_str(&delivery.body) {
            Ok(letter) => letter,
            Err(wrong) => return Answer::Unwanted(None, format!("what is stored of it is no mail: {wrong}")),
        };
        match self.message(&letter, &delivery.id, now) {
            Err(why) => Answer::Unwanted(None, why),
            Ok(message) => self.hand_over(&message),
        }
    }

    fn message(&self, letter: &Letter, id: &str, now: Timestamp) -> Result<Message, String> {
        let domain = self.from.email.domain();
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(one_line(&letter.subject))
            .date(SystemTime::from(now))
            .message_id(Some(format!("<{id}@{domain}>")))
            // Nobody answers a machine, and no machine does (RFC 3834).
            .header(AutoSubmitted);
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        let both = MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone());
        builder.multipart(both).map_err(|wrong| wrong.to_string())
    }

    fn hand_over(&self, message: &Message) -> Answer {
        let addresses = match resolve(&self.host, self.port, !self.allow_private) {
            Ok(addresses) => addresses,
            Err(wrong) => return Answer::Failed(None, format!("{}: {wrong}", self.host)),
        };
        let handed = self.connect(&addresses).and_then(|mut connection| {
            let answered = connection.send(message.envelope(), &message.formatted());
            let _whether_it_says_goodbye = connection.quit();
            answered
        });
        match handed {
            Ok(response) => Answer::Arrived(u16::from(response.code()).into()),
            Err(wrong) => self.told(&wrong),
        }
    }

    fn connect(&self, addresses: &[std::net::SocketAddr]) -> Result<SmtpConnection, Error> {
        let me = ClientId::Domain(self.from.email.domain().to_owned());
        let tls = match self.tls {
            Tls::None => None,
            Tls::Tls | Tls::Starttls => Some(self.parameters()?),
        };
        let at_once = tls.as_ref().filter(|_| self.tls == Tls::Tls);
        let mut connection = SmtpConnection::connect(addresses, Some(PATIENCE), &me, at_once, None)?;
        if let Some(tls) = tls.as_ref().filter(|_| self.tls == Tls::Starttls) {
            connection.starttls(tls, &me)?;
        }
        if let Some((name, password)) = &self.login {
            let credentials = Credentials::new(name.clone(), password.expose().to_owned());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials)?;
        }
        Ok(connection)
    }

    fn parameters(&self) -> Result<TlsParameters, Error> {
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(pem) = &self.ca {
            builder = builder.add_root_certificate(Certificate::from_pem(pem.as_bytes())?);
        }
        builder.build_rustls()
    }

    /// What went wrong, with the next step.
    fn told(&self, wrong: &Error) -> Answer {
        if silent(wrong) {
            return Answer::Failed(
                None,
                format!("{}: it did not answer in time; look at the port and at TLS", self.host),
            );
        }
        let mut why = format!("{}: {wrong}", self.host);
        let mut cause = std::error::Error::source(wrong);
        while let Some(next) = cause {
            let text = next.to_string();
            if !why.contains(&text) {
                why.push_str(": ");
                why.push_str(&text);
            }
            cause = next.source();
        }
        let status = wrong.status().map(|code| u64::from(u16::from(code)));
        why.push_str(match status {
            Some(530 | 534 | 535 | 538) => "; check the name and the password that we sign in with",
            Some(550..=554) => "; the server does not take mail from or for these addresses",
            None if wrong.is_tls() => {
                "; give the authority of its certificate, if the system does not know it"
            }
            _ => "",
        });
        Answer::Failed(status, why)
    }
}

/// Whether a deadline passed: a read that ends so is no more than a resource that is "temporarily unavailable".
fn silent(wrong: &Error) -> bool {
    let mut cause = std::error::Error::source(wrong);
    while let Some(next) = cause {
        if let Some(of_the_line) = next.downcast_ref::<io::Error>() {
            return matches!(of_the_line.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
        }
        cause = next.source();
    }
    false
}

/// A subject has one line, whatever was found in names.
fn one_line(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect()
}

/// `Auto-Submitted: auto-generated`.
#[derive(Clone)]
struct AutoSubmitted;

impl header::Header for AutoSubmitted {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
