//! The door: a one-time link, or a name and a secret.

use maud::{Markup, html};

use crate::parts::link;

/// What the door says, if it has something to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The name or the secret is wrong; it does not say which.
    Wrong,
    /// A second factor is missing.
    CodeNeeded,
    /// The second factor is wrong.
    CodeWrong,
    /// The link was used before, or is too old.
    LinkSpent,
    /// Another issuer did not say who it is, or somebody who may not come in.
    Elsewhere,
    /// Too many failures: seconds to wait.
    Wait(i64),
}

impl Refusal {
    fn sentence(&self) -> String {
        match self {
            Self::Wrong => {
                "That name and secret do not belong together. Check both and try again.".to_owned()
            }
            Self::CodeNeeded => "Enter the one-time password as well, from your authenticator.".to_owned(),
            Self::CodeWrong => {
                "That one-time password is wrong or was used before. Wait for the next one.".to_owned()
            }
            Self::LinkSpent => {
                "This link has been used before or is older than a quarter of an hour. Start Boltseal with \
                                --sign-in-link for a new one, or use the name and secret."
                    .to_owned()
            }
            Self::Elsewhere => {
                "The sign-in through the other issuer did not succeed. Try again, or use a name and \
                                secret; the audit log says why."
                    .to_owned()
            }
            Self::Wait(seconds) => {
                format!("Too many attempts by this name from your network. Try again in {seconds} seconds.")
            }
        }
    }
}

/// Name and secret; where people may sign in through another issuer, a button that says so.
pub(crate) fn form(back: &str, refusal: Option<&Refusal>, elsewhere: Option<&str>) -> Markup {
    door(&html! {
        h1 { "Sign in" }
        @if let Some(refusal) = refusal { (notice(refusal)) }
        form method="post" action="/sign-in" {
            input type="hidden" name="back" value=(back);
            label.field { "Name" input type="text" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus; }
            label.field { "Secret" input type="password" name="secret" autocomplete="current-password" required; }
            label.field { "One-time password" span.quiet.small { " if you have set one up" } input type="text" name="one-time" autocomplete="one-time-code" inputmode="numeric" spellcheck="false"; }
            button.primary type="submit" { "Sign in" }
        }
        @if let Some(elsewhere) = elsewhere {
            p { a.button href=(link::query("/sign-in/oidc", &[("back", back)])) { (elsewhere) } }
        }
        p.quiet.small {
            "Boltseal printed a name, a secret and a one-time link when it first started. There is no default password."
        }
    })
}

/// A one-time link. It is spent by a button and not by opening it, so that nothing that looks ahead at links, a mail
/// scanner or a browser's preview, spends it first.
pub(crate) fn link(code: &str) -> Markup {
    door(&html! {
        h1 { "Welcome" }
        p { "This one-time link signs you in to this installation." }
        form method="post" action="/sign-in" {
            input type="hidden" name="code" value=(code);
            button.primary type="submit" autofocus { "Sign in" }
        }
    })
}

fn door(body: &Markup) -> Markup {
    html! { div.door { div.card { div.body { (body) } } } }
}

fn notice(refusal: &Refusal) -> Markup {
    html! { p.notice.s-critical role="alert" { (refusal.sentence()) } }
}
