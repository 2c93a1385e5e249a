//! What is shown once: a secret, a link, codes.

use maud::{Markup, html};

use crate::Site;

/// The body of the answer to a form that made a secret.
pub(crate) fn secret(site: &Site, who: &str, address: &str, secret: &str) -> Markup {
    once(
        &html! { "A secret for " (who) },
        &html! {
            (copied(secret))
            p { "Sign in with it:" }
            (copied(&format!("docker login --username {who} --password-stdin {}", site.registry)))
        },
        address,
    )
}

/// The same for the link by which somebody new comes in.
pub(crate) fn invitation(who: &str, address: &str, link: &str) -> Markup {
    once(
        &html! { "A way in for " (who) },
        &html! {
            p { "Give them this address of this server. It works once, and soon no more; behind it they choose a password." }
            (copied(link))
        },
        address,
    )
}

fn once(title: &Markup, body: &Markup, address: &str) -> Markup {
    html! {
        div.title { h1 { (title) } }
        section.card {
            div.body {
                p.notice.v-warn { b { "This is shown once." } " Whoever loses it needs a new one." }
                (body)
                p { a.button href=(address) { "Done" } }
            }
        }
    }
}

/// Something to take along.
pub(crate) fn copied(text: &str) -> Markup {
    html! {
        div.command {
            code data-copy=(text) { (text) }
            button type="button" data-copies hidden aria-label="Copy" { "Copy" }
        }
    }
}
