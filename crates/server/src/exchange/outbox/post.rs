//! Sending one message by POST, on a thread that may wait: signed as Standard Webhooks has it, or to an address that is
//! itself the secret.

use std::path::PathBuf;

use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_identity::secret::Secret;
use boltseal_model::Timestamp;
use boltseal_store::Delivery;
use boltseal_wire::client::{Client, Method, Options, Payload, Proxies, Request};
use zeroize::Zeroizing;

use super::{Answer, PATIENCE};

/// What stands before a secret.
const PREFIX: &str = "whsec_";
/// Bytes of a secret: Standard Webhooks, "Signature scheme".
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Bytes of a secret that is made here.
const MADE: usize = 32;

/// How somebody is reached.
#[derive(Clone, Debug)]
pub(in super::super) struct Road {
    pub(in super::super) allow_private: bool,
    /// A PEM file with the authority of its certificate.
    pub(in super::super) ca: Option<PathBuf>,
}

/// Where to, and with which secret.
pub(in super::super) struct Signed {
    pub(in super::super) url: String,
    pub(in super::super) secret: Secret,
    pub(in super::super) road: Road,
}

/// Where to: whoever knows it may write there, so nothing of it is shown but the host.
pub(in super::super) struct Plain {
    pub(in super::super) url: Secret,
    pub(in super::super) road: Road,
}

/// A secret that nobody knows yet.
pub(in super::super) fn make_secret() -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; MADE]);
    rand::fill(bytes.as_mut_slice()).ok()?;
    Some(Zeroizing::new(format!("{PREFIX}{}", STANDARD.encode(bytes.as_slice()))))
}

/// The bytes of a secret, if it is one.
pub(in super::super) fn key(secret: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = Zeroizing::new(STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?);
    BYTES.contains(&bytes.len()).then_some(bytes)
}

/// `v1,BASE64`: HMAC-SHA256 over the event's id, the moment of the attempt and the body.
fn signature(secret: &str, id: &str, second: i64, body: &str) -> Option<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key(secret)?);
    let mut context = hmac::Context::with_key(&key);
    for part in [id, ".", &second.to_string(), ".", body] {
        context.update(part.as_bytes());
    }
    Some(format!("v1,{}", STANDARD.encode(context.sign())))
}

impl Signed {
    /// Sends it, and says what came of it. Waits.
    pub(super) fn send(&self, delivery: &Delivery, now: Timestamp) -> Answer {
        let second = now.as_second();
        let signed = signature(self.secret.expose(), &delivery.id, second, &delivery.body);
        let Some(signed) = signed else {
            return Answer::Failed(None, "its secret cannot be used".to_owned());
        };
        let headers = [
            ("Content-Type", "application/cloudevents+json".to_owned()),
            ("webhook-id", delivery.id.clone()),
            ("webhook-timestamp", second.to_string()),
            ("webhook-signature", signed),
        ];
        answer(post(&self.url, &self.road, &headers, &delivery.body))
    }
}

impl Plain {
    /// Sends it, and says what came of it. Waits.
    pub(super) fn send(&self, delivery: &Delivery) -> Answer {
        let headers = [("Content-Type", "application/json".to_owned())];
        let url = self.url.expose();
        match answer(post(url, &self.road, &headers, &delivery.body)) {
            Answer::Failed(status, why) => Answer::Failed(status, discreet(&why, url)),
            other => other,
        }
    }
}

fn post(url: &str, road: &Road, headers: &[(&'static str, String)], body: &str) -> Result<u64, String> {
    let options = Options {
        connect: PATIENCE,
        head: PATIENCE,
        idle: PATIENCE,
        total: 3 * PATIENCE,
        redirects: 0,
        ca_file: road.ca.clone(),
        proxies: if road.allow_private { Proxies::from_environment() } else { Proxies::default() },
        public_only: !road.allow_private,
        ..Options::default()
    };
    let client = Client::new(&options).map_err(|wrong| wrong.to_string())?;
    let mut request = Request::new(Method::Post, url).map_err(|wrong| wrong.to_string())?;
    for (name, value) in headers {
        request = request.header(name, value.clone());
    }
    let request = request.payload(Payload::Bytes(body.as_bytes()));
    client.send(request).map(|response| u64::from(response.status())).map_err(|wrong| wrong.to_string())
}

fn answer(sent: Result<u64, String>) -> Answer {
    match sent {
        Ok(status @ 200..=299) => Answer::Arrived(status),
        Ok(410) => {
            Answer::Unwanted(Some(410), "it is not wanted there any more: give the new address".to_owned())
        }
        Ok(status) => Answer::Failed(Some(status), format!("it answered {status}{}", advice(status))),
        Err(why) => Answer::Failed(None, why),
    }
}

/// What to do about a status.
const fn advice(status: u64) -> &'static str {
    match status {
        300..=399 => ": it is elsewhere; give the address that it redirects to",
        401 | 403 => ": it does not take messages from here; look at what is allowed there",
        404 => ": nothing is at this address any more; make a new one there and give it here",
        413 => ": the message is too long for it; ask for fewer lines",
        429 => ": too many messages; ask for fewer",
        _ => "",
    }
}

/// What is wrong, without what follows the host in an address that is a secret.
fn discreet(why: &str, url: &str) -> String {
    let Some((_, rest)) = url.split_once("://") else { return why.replace(url, "…") };
    let secret = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
    let path = secret.split(['?', '#']).next().unwrap_or_default();
    let mut told = why.to_owned();
    for part in [secret, path].into_iter().filter(|part| part.len() > 1) {
        told = told.replace(part, "/…");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // The example of Standard Webhooks' own libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = "{\"test\": 2432232314}";
        let found = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(found.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%"] {
            assert!(key(wrong).is_none(), "{wrong}");
        }
        let made = make_secret().unwrap_or_default();
        assert_eq!(key(&made).map(|bytes| bytes.len()), Some(MADE));
    }

    #[test]
    fn an_address_that_is_a_secret_is_not_told() {
        let url = "https://hooks.example.com/services/T0/B0/sesame?sig=open";
        for (why, told) in [
            (
                "https://hooks.example.com/services/T0/B0/sesame: no answer",
                "https://hooks.example.com/…: no answer",
            ),
            (
                "`https://hooks.example.com/services/T0/B0/sesame?sig=open` is bad",
                "`https://hooks.example.com/…` is bad",
            ),
            ("hooks.example.com: host name not found", "hooks.example.com: host name not found"),
        ] {
            assert_eq!(discreet(why, url), told);
        }
        let answers_nobody = Plain {
            url: Secret::new("http://127.0.0.1:9/services/sesame".to_owned()),
            road: Road { allow_private: false, ca: None },
        };
        let delivery = Delivery {
            id: "msg_1".to_owned(),
            webhook: "rule:a".to_owned(),
            event: "news".to_owned(),
            body: "{}".to_owned(),
            created: Timestamp::UNIX_EPOCH,
            due: None,
            attempts: 0,
            state: boltseal_store::DeliveryState::Waiting,
            status: None,
            error: None,
            ended: None,
        };
        let Answer::Failed(None, why) = answers_nobody.send(&delivery) else {
            unreachable!("nobody is there")
        };
        assert!(why.contains("127.0.0.1") && !why.contains("sesame"), "{why}");
    }
}
