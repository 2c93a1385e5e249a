//! Signing in with a browser, which comes back to a port of this machine (RFC 8252, section 7.3).
//!
//! Anybody on this machine may knock at that port, and any page in any browser: what has not the state of this sign-in is
//! refused and forgotten, and the first that has it ends the waiting.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use boltseal_identity::{
    oidc::{
        Client as Known, Discovery, OidcError, PENDING_LIFE, Pending, TokenAnswer, TokenRequest, begin,
        finish, verify,
    },
    secret::Secret,
};
use boltseal_model::Timestamp;
use boltseal_wire::server::{Limits, serve};
use tokio::{net::TcpListener, runtime, sync::oneshot, time::timeout};

use super::{Issuer, SERVICE, here::Here, page};
use crate::{console::Console, exit::Failure, output::paint::clean, vouching::failed};

/// Where cosign comes back to as well, so that issuers who know it know us.
const PATH: &str = "/auth/callback";
/// How long people may take to sign in.
const PATIENCE: Duration = Duration::from_secs(PENDING_LIFE.unsigned_abs());
/// One browser with its connections ahead, and others who knock.
const LIMITS: Limits = Limits {
    connections: 16,
    headers: 100,
    head: 32 << 10,
    head_time: Duration::from_secs(10),
    body_pause: Duration::from_secs(5),
    write_pause: Duration::from_secs(5),
    handshake: Duration::from_secs(5),
    linger: Duration::from_secs(1),
    drain: Duration::from_secs(2),
};

type Outcome = Result<TokenRequest, OidcError>;

/// What whoever comes back is held against.
struct Waiting {
    known: Known,
    metadata: Discovery,
    pending: Pending,
    tell: Mutex<Option<oneshot::Sender<Outcome>>>,
}

pub fn sign_in(mut issuer: Issuer<'_>, here: Here, console: &Console) -> Result<Secret, Failure> {
    let broken = |wrong: std::io::Error| {
        Failure::fault(format_args!("no port of this machine for the browser to come back to: {wrong}"))
    };
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(broken)?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).map_err(broken)?;
    let port = listener.local_addr().map_err(broken)?.port();
    issuer.known.redirect = format!("http://127.0.0.1:{port}{PATH}");
    let now = Timestamp::now();
    let (address, pending) =
        begin(&issuer.known, &issuer.metadata, "/", now).map_err(|wrong| issuer.refused(&wrong))?;
    console.asks(format_args!(
        "to sign in, open this address in a browser on this machine (it counts for {} min):\n{}",
        PENDING_LIFE / 60,
        clean(&address)
    ));
    if here.open(&address) {
        console.note("your browser should open it by itself");
    }
    let (known, metadata) = (issuer.known.clone(), issuer.metadata.clone());
    let outcome = runtime.block_on(came_back(listener, known, metadata, pending.clone()));
    let request = outcome
        .ok_or_else(|| {
            Failure::undecided("nobody came back from the sign-in in time").next(
                "run the command again; where the browser is on another machine, take --oidc-flow device",
            )
        })?
        .map_err(|wrong| issuer.refused(&wrong))?;
    let answer = issuer.post(&request).map_err(|wrong| failed(SERVICE, &wrong))?;
    let answer = TokenAnswer::parse(&answer).map_err(|wrong| issuer.refused(&wrong))?;
    let claims = verify(&issuer.known, &issuer.keys()?, &pending, &answer, Timestamp::now());
    claims.map(|_| answer.id_token).map_err(|wrong| issuer.refused(&wrong))
}

/// Serves the port until somebody came back, for [`PATIENCE`] at most.
async fn came_back(
    listener: TcpListener,
    known: Known,
    metadata: Discovery,
    pending: Pending,
) -> Option<Outcome> {
    let (tell, told) = oneshot::channel();
    let waiting = Waiting { known, metadata, pending, tell: Mutex::new(Some(tell)) };
    let router = Router::new().route(PATH, get(arrive)).with_state(Arc::new(waiting));
    let mut outcome = None;
    serve(listener, router, None, LIMITS, async {
        outcome = timeout(PATIENCE, told).await.ok().and_then(Result::ok);
    })
    .await;
    outcome
}

async fn arrive(State(waiting): State<Arc<Waiting>>, RawQuery(query): RawQuery) -> Response {
    let Waiting { known, metadata, pending, tell } = &*waiting;
    let outcome = finish(known, metadata, pending, &query.unwrap_or_default(), Timestamp::now());
    let shown = match &outcome {
        Ok(_) => page::signed_in(&known.issuer),
        Err(wrong @ OidcError::Refused { .. }) => {
            page::not_signed_in(StatusCode::FORBIDDEN, &wrong.to_string())
        }
        // Somebody who knocks: whoever signs in is still expected.
        Err(wrong) => return page::not_signed_in(StatusCode::BAD_REQUEST, &wrong.to_string()),
    };
    let tell = tell.lock().unwrap_or_else(PoisonError::into_inner).take();
    match tell.map(|tell| tell.send(outcome)) {
        Some(Ok(())) => shown,
        _ => page::not_signed_in(StatusCode::CONFLICT, "this sign-in was used already"),
    }
}
