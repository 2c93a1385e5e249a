//! Sending one event: signed as Standard Webhooks has it, on a thread that may wait.

use std::{path::PathBuf, time::Duration};

use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_identity::secret::Secret;
use boltseal_model::Timestamp;
use boltseal_store::{Attempt, Delivery};
use boltseal_wire::client::{Client, Method, Options, Payload, Proxies, Request};
use zeroize::Zeroizing;

/// For a connection, and for any single read or write.
const PATIENCE: Duration = Duration::from_secs(10);
/// What stands before a secret.
const PREFIX: &str = "whsec_";
/// Bytes of a secret: Standard Webhooks, "Signature scheme".
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Bytes of a secret that is made here.
const MADE: usize = 32;
/// Seconds between attempts: the last counts for all further ones.
const PAUSES: [i64; 9] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800];
/// Seconds after which an event is given up.
const LIFE: i64 = 86_400;
/// Characters of a reason that is kept.
const MAX_ERROR: usize = 300;

/// Where to, and with which secret.
pub(super) struct Target {
    pub(super) url: String,
    pub(super) secret: Secret,
    pub(super) allow_private: bool,
    /// A PEM file with the authority of its certificate.
    pub(super) ca: Option<PathBuf>,
}

/// A secret that nobody knows yet.
pub(super) fn make_secret() -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; MADE]);
    rand::fill(bytes.as_mut_slice()).ok()?;
    Some(Zeroizing::new(format!("{PREFIX}{}", STANDARD.encode(bytes.as_slice()))))
}

/// The bytes of a secret, if it is one.
pub(super) fn key(secret: &str) -> Option<Zeroizing<Vec<u8>>> {
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

/// Sends it, and says what came of it. Waits.
pub(super) fn attempt(target: &Target, delivery: &Delivery, now: Timestamp) -> Attempt {
    let failed = |status: Option<u64>, why: String| {
        let gone = status == Some(410);
        let again = if gone { None } else { again(delivery, now) };
        Attempt::Failed { status, error: why.chars().take(MAX_ERROR).collect(), again }
    };
    match post(target, delivery, now) {
        Ok(status) if (200..300).contains(&status) => Attempt::Delivered { status },
        Ok(410) => failed(Some(410), "it is not wanted there any more".to_owned()),
        Ok(status) => failed(Some(status), format!("it answered {status}")),
        Err(why) => failed(None, why),
    }
}

fn post(target: &Target, delivery: &Delivery, now: Timestamp) -> Result<u64, String> {
    let second = now.as_second();
    let signed = signature(target.secret.expose(), &delivery.id, second, &delivery.body)
        .ok_or_else(|| "its secret cannot be used".to_owned())?;
    let options = Options {
        connect: PATIENCE,
        head: PATIENCE,
        idle: PATIENCE,
        total: 3 * PATIENCE,
        redirects: 0,
        ca_file: target.ca.clone(),
        proxies: if target.allow_private { Proxies::from_environment() } else { Proxies::default() },
        public_only: !target.allow_private,
        ..Options::default()
    };
    let client = Client::new(&options).map_err(|wrong| wrong.to_string())?;
    let request = Request::new(Method::Post, &target.url).map_err(|wrong| wrong.to_string())?;
    let request = request
        .header("Content-Type", "application/cloudevents+json")
        .header("webhook-id", delivery.id.as_str())
        .header("webhook-timestamp", second.to_string())
        .header("webhook-signature", signed)
        .payload(Payload::Bytes(delivery.body.as_bytes()));
    client.send(request).map(|response| u64::from(response.status())).map_err(|wrong| wrong.to_string())
}

/// When a delivery that has just failed is tried again; nothing once its time is over.
fn again(delivery: &Delivery, now: Timestamp) -> Option<Timestamp> {
    let tried = usize::try_from(delivery.attempts).unwrap_or(usize::MAX);
    let pause = PAUSES.get(tried).or(PAUSES.last()).copied().unwrap_or(LIFE);
    let next = now.as_second().saturating_add(pause);
    let end = delivery.created.as_second().saturating_add(LIFE);
    (next <= end).then(|| Timestamp::from_second(next).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use boltseal_store::DeliveryState;

    use super::*;

    fn delivery(attempts: u64) -> Delivery {
        Delivery {
            id: "msg_1".to_owned(),
            webhook: "ci".to_owned(),
            event: "push".to_owned(),
            body: "{}".to_owned(),
            created: Timestamp::UNIX_EPOCH,
            due: None,
            attempts,
            state: DeliveryState::Waiting,
            status: None,
            error: None,
            ended: None,
        }
    }

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
    fn how_long_it_is_tried() {
        let at = |second| Timestamp::from_second(second).unwrap_or_default();
        for (attempts, now, expected) in [
            (0, 0, Some(5)),
            (1, 10, Some(40)),
            (8, 40_000, Some(68_800)),
            (99, 50_000, Some(78_800)),
            (99, 57_600, Some(86_400)),
            (99, 57_601, None),
            (0, 90_000, None),
        ] {
            assert_eq!(again(&delivery(attempts), at(now)), expected.map(at), "{attempts} at {now}");
        }
    }
}
