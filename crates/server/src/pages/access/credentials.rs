//! How somebody proves who they are: what there is of it and how old, never a secret.

use boltseal_identity::{Credentials, Principal, PrincipalKind, credential::MAX_SECRETS};
use boltseal_model::Timestamp;
use maud::{Markup, html};

use crate::{
    pages::frame::Viewer,
    parts::{badge, place, words},
};

/// Secrets and certificates that end sooner than this are pointed out: two weeks are time to replace one.
pub(crate) const SOON_SECONDS: i64 = 14 * 86_400;
/// Lives that a new secret can be given, in days; the first is offered first.
const LIVES: [(i64, &str); 4] = [(180, "in 180 days"), (90, "in 90 days"), (365, "in a year"), (0, "never")];

/// When something ends, and whether that is soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It has.
    Over,
    /// Within [`SOON_SECONDS`].
    Soon,
    /// Later, or never.
    Later,
}

impl Ending {
    /// Of something that ends at `end`.
    pub(crate) fn of(end: Option<Timestamp>, now: Timestamp) -> Self {
        match end.map(|end| end.as_second() - now.as_second()) {
            Some(left) if left <= 0 => Self::Over,
            Some(left) if left < SOON_SECONDS => Self::Soon,
            _ => Self::Later,
        }
    }
}

/// Everything of these credentials that ends at all.
pub(crate) fn ends(credentials: &Credentials) -> impl Iterator<Item = Timestamp> {
    let secrets = credentials.secrets.iter().filter_map(boltseal_identity::secret::StoredSecret::expires);
    secrets.chain(credentials.certificates.iter().map(boltseal_identity::credential::Certificate::expires))
}

/// In a few words, for a row.
pub(super) fn glance(viewer: &Viewer, one: &Principal) -> Markup {
    let known = &one.credentials;
    let mut words = Vec::new();
    if known.password.is_some() {
        words.push(if known.totp.is_some() {
            "password and one-time password".to_owned()
        } else {
            "password".to_owned()
        });
    }
    if !known.secrets.is_empty() {
        words.push(words::count(known.secrets.len() as u64, "secret"));
    }
    if !known.certificates.is_empty() {
        words.push(words::count(known.certificates.len() as u64, "certificate"));
    }
    html! {
        @if words.is_empty() {
            span.quiet { @match one.kind { PrincipalKind::Workload => "another issuer’s tokens", PrincipalKind::Group => "—", _ => "nothing yet" } }
        } @else { (words.join(", ")) }
        @if let Some(end) = ends(known).min() { @if Ending::of(Some(end), viewer.now) != Ending::Later { div { (ending(Some(end), viewer.now)) } } }
    }
}

/// `ends in 12 days`, with a badge where that is soon.
fn ending(end: Option<Timestamp>, now: Timestamp) -> Markup {
    html! {
        @match (Ending::of(end, now), end) {
            (Ending::Over, Some(end)) => span.badge.is-deny { (badge::glyph("deny")) "ended " (words::ago(end, now)) },
            (Ending::Soon, Some(end)) => span.badge.is-warn { (badge::glyph("warn")) "ends " (words::ago(end, now)) },
            (_, Some(end)) => { "ends " (words::ago(end, now)) },
            (_, None) => "never ends",
        }
    }
}

/// The card of a principal's page; with forms where the viewer may change it.
pub(super) fn card(viewer: &Viewer, one: &Principal, may_write: bool) -> Markup {
    let known = &one.credentials;
    html! {
        section.card aria-labelledby="credentials" {
            header { h2 id="credentials" { "Ways in" } }
            @if known.is_empty() { p.none { @if one.kind == PrincipalKind::Workload { "Tokens of another issuer." } @else { "None yet: nobody can sign in with this name." } } }
            @else { (list(viewer, one, may_write)) }
            @if may_write && has_secrets(one.kind) { (new_secret(one)) }
            @if may_write { (sign_out(one)) }
        }
    }
}

const fn has_secrets(kind: PrincipalKind) -> bool {
    !matches!(kind, PrincipalKind::Group | PrincipalKind::Workload)
}

fn list(viewer: &Viewer, one: &Principal, may_write: bool) -> Markup {
    let known = &one.credentials;
    html! {
        ul.lines {
            @if known.password.is_some() { li { b { "Password" } @if known.totp.is_none() { p.quiet.small { "No second factor." } } } }
            @if known.totp.is_some() { li { b { "One-time password" } p.quiet.small { (words::count(known.recovery.len() as u64, "recovery code")) " left" } } }
            @for secret in &known.secrets {
                li {
                    div.row.spread {
                        span { b { "Secret" } " " code { "bsl_" (secret.hint()) "…" } }
                        @if may_write {
                            form method="post" action={ (place::address(one)) "/secret/remove" } {
                                input type="hidden" name="id" value=(secret.id());
                                button.slight type="submit" { "Remove" }
                            }
                        }
                    }
                    p.quiet.small { "made " (words::ago(secret.created(), viewer.now)) ", " (ending(secret.expires(), viewer.now)) }
                }
            }
            @for certificate in &known.certificates {
                li { b { "Certificate" } " " code.path.small { (hex::encode(certificate.thumbprint())) } p.quiet.small { (ending(Some(certificate.expires()), viewer.now)) } }
            }
        }
    }
}

fn new_secret(one: &Principal) -> Markup {
    let full = one.credentials.secrets.len() >= MAX_SECRETS;
    html! {
        form.body.lined.inline method="post" action={ (place::address(one)) "/secret" } {
            label.field { "New secret ends" select name="days" { @for (days, word) in LIVES { option value=(days) { (word) } } } }
            button type="submit" { "New secret" }
            p.quiet.small { @if full { "There are two already: the older one stops working at once." } @else { "The one in use goes on working, so that both can be swapped in peace." } }
        }
    }
}

fn sign_out(one: &Principal) -> Markup {
    html! {
        form.body.lined method="post" action={ (place::address(one)) "/sign-out" } {
            button type="submit" { "Sign out everywhere" }
            p.quiet.small { "Ends all sessions and tokens; secrets and passwords stay." }
        }
    }
}
