//! Signing in elsewhere, by a code (RFC 8628).

use std::{
    thread,
    time::{Duration, Instant},
};

use boltseal_identity::{
    oidc::{Device, Polled, TokenAnswer, ask_device, verify_device},
    secret::Secret,
};
use boltseal_model::Timestamp;

use super::{Issuer, SERVICE};
use crate::{console::Console, exit::Failure, output::paint::clean, vouching::failed};

/// The longest pause after an issuer did not answer (section 3.5).
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

pub fn sign_in(issuer: &Issuer<'_>, console: &Console) -> Result<Secret, Failure> {
    let oidc = |wrong| issuer.refused(&wrong);
    let asked = ask_device(&issuer.known, &issuer.metadata).map_err(|wrong| {
        oidc(wrong).next("sign in with --oidc-flow browser, or give --identity-token FILE")
    })?;
    let answer = issuer.post(&asked).map_err(|wrong| failed(SERVICE, &wrong))?;
    let device = Device::parse(&answer).map_err(oidc)?;
    let minutes = device.life.as_secs().div_ceil(60);
    console.asks(format_args!(
        "to sign in, open {} on any device and type in the code {} (it counts for {minutes} min){}",
        clean(&device.address),
        clean(&device.user_code),
        device.whole_address.as_ref().map(|whole| format!(", or open {}", clean(whole))).unwrap_or_default()
    ));
    let answer = wait(issuer, &device)?;
    let claims = verify_device(&issuer.known, &issuer.keys()?, &answer, Timestamp::now());
    claims.map(|_| answer.id_token).map_err(oidc)
}

/// Asks until somebody signed in, or the code is over.
fn wait(issuer: &Issuer<'_>, device: &Device) -> Result<TokenAnswer, Failure> {
    let end = Instant::now() + device.life;
    let mut pause = device.pause;
    while Instant::now() + pause < end {
        thread::sleep(pause);
        let answer = match issuer.post(&device.poll(&issuer.known, &issuer.metadata)) {
            Ok(answer) => answer,
            // Whoever is asked for minutes may be away for a moment.
            Err(wrong) if wrong.passing() => {
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
            Err(wrong) => return Err(failed(SERVICE, &wrong)),
        };
        match Polled::parse(&answer).map_err(|wrong| issuer.refused(&wrong))? {
            Polled::Waiting => {}
            Polled::TooOften => pause = (pause + Polled::SLOWER).min(LONGEST_PAUSE),
            Polled::Over => break,
            Polled::Done(answer) => return Ok(answer),
        }
    }
    Err(Failure::undecided("nobody signed in before the code was over").next("run the command again"))
}
