//! Issuers that lie, or that somebody stands in front of: what they say is refused, and the authority sees nothing of it.

use std::{
    sync::{Arc, Barrier, atomic::Ordering},
    thread,
};

use boltseal_model::Timestamp;
use boltseal_wire::client::{Client, Options};
use serde_json::{Value, json};

use super::{
    CI,
    asking::Asking,
    issuer::{Fault, agreed},
    people::{open, world},
};

const BROWSER: [&str; 2] = ["--oidc-flow", "browser"];
const DEVICE: [&str; 2] = ["--oidc-flow", "device"];
/// More bytes than anybody takes of any answer, with what lies in buffers between the two.
const BOUND: u64 = 16 << 20;

#[test]
fn tokens_that_are_not_for_this_sign_in() {
    let Some((world, issuer)) = world() else { return };
    let now = Timestamp::now().as_second();
    let asked_before = world.services.asked.load(Ordering::SeqCst);
    for (more, fault, words) in [
        (
            json!({ "iss": "https://other.example.com" }),
            None,
            "the claim `iss` is `https://other.example.com`",
        ),
        (json!({ "aud": "another" }), None, "the claim `aud`"),
        (json!({ "aud": ["sigstore", "another"], "azp": "another" }), None, "the claim `azp`"),
        (json!({ "iat": now - 7_200, "exp": now - 3_600 }), None, "the token expired at"),
        (json!({ "iat": now + 3_600, "exp": now + 7_200 }), None, "still to come: check the clocks"),
        (json!({ "exp": Value::Null }), None, "exp"),
        (json!({ "sub": Value::Null }), None, "sub"),
        (json!({}), Some(Fault::OtherKeys), "the issuer has no key"),
    ] {
        *issuer.more.lock().unwrap() = more.clone();
        *issuer.fault.lock().unwrap() = fault;
        // The same by either way.
        let mut asking = Asking::start(&world, &issuer, &BROWSER);
        asking.line();
        let (mut redirect, state) = issuer.visit(&asking.line());
        redirect.set_query(Some(&agreed(&state)));
        open(&redirect);
        *issuer.life.lock().unwrap() = 600;
        for asking in [asking, Asking::start(&world, &issuer, &DEVICE)] {
            let (code, said) = asking.ended();
            assert_eq!(code, Some(3), "{more} {fault:?}: {said}");
            assert!(said.contains(words), "{more} {fault:?}: {said}");
            for token in &*issuer.issued.lock().unwrap() {
                assert!(!said.contains(token.as_str()), "it prints a token");
            }
        }
    }
    assert_eq!(world.services.asked.load(Ordering::SeqCst), asked_before, "the authority was asked");
}

#[test]
fn answers_that_are_too_long_or_lead_elsewhere() {
    let Some((world, issuer)) = world() else { return };
    *issuer.life.lock().unwrap() = 600;
    let metadata = "/.well-known/openid-configuration";
    for (fault, flow, words) in [
        (Fault::Endless(metadata), DEVICE, "larger than the limit"),
        (Fault::Endless("/device"), DEVICE, "larger than the limit"),
        (Fault::Endless("/token"), DEVICE, "larger than the limit"),
        (Fault::Endless("/keys"), DEVICE, "larger than the limit"),
        (Fault::Elsewhere(metadata), BROWSER, "redirect"),
        (Fault::Elsewhere("/device"), DEVICE, "redirect"),
        (Fault::Elsewhere("/token"), DEVICE, "redirect"),
        (Fault::Elsewhere("/keys"), DEVICE, "redirect"),
        (Fault::Bare("authorization_endpoint"), BROWSER, "`authorization_endpoint` is not an https URL"),
        (Fault::Bare("token_endpoint"), BROWSER, "`token_endpoint` is not an https URL"),
        (Fault::Bare("jwks_uri"), DEVICE, "`jwks_uri` is not an https URL"),
        (Fault::Bare("device_authorization_endpoint"), DEVICE, "is not an https URL"),
    ] {
        *issuer.fault.lock().unwrap() = Some(fault);
        issuer.taken.store(0, Ordering::SeqCst);
        let (code, said) = Asking::start(&world, &issuer, &flow).ended();
        assert_eq!(code, Some(3), "{fault:?}: {said}");
        assert!(said.contains(words), "{fault:?}: {said}");
        let taken = issuer.taken.load(Ordering::SeqCst);
        assert!(taken < BOUND, "{fault:?}: {taken} bytes were taken");
    }
    assert!(!issuer.followed.load(Ordering::SeqCst), "it went elsewhere");
}

#[test]
fn one_answer_counts() {
    let Some((world, issuer)) = world() else { return };
    let mut asking = Asking::start(&world, &issuer, &BROWSER);
    asking.line();
    let (mut redirect, state) = issuer.visit(&asking.line());
    redirect.set_query(Some(&agreed(&state)));
    // Two come back at one moment, as a browser does whose page is opened twice.
    let together = Arc::new(Barrier::new(2));
    let both = [redirect.clone(), redirect.clone()].map(|address| {
        let together = Arc::clone(&together);
        thread::spawn(move || {
            let client = Client::new(&Options { redirects: 0, ..Options::default() }).unwrap();
            together.wait();
            // The port may be closed already.
            client.get(address.as_str()).ok().map(|answer| answer.status())
        })
    });
    let mut shown = both.map(|one| one.join().unwrap());
    shown.sort_unstable();
    assert!(shown[1] == Some(200) || shown[0] == Some(200), "{shown:?}");
    assert!(shown.contains(&None) || shown.contains(&Some(409)), "{shown:?}");
    let (code, said) = asking.ended();
    assert_eq!(code, Some(0), "{said}");
    // Nobody listens there any more.
    assert!(Client::new(&Options::default()).unwrap().get(redirect.as_str()).is_err());
    world.user.run(&[&["verify", &world.image], &CI[..]].concat()).ended(0).said(&["verified: 1 signature"]);
}
