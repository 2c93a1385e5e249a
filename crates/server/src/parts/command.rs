//! Something to type or to write down, with a button that copies it.

use boltseal_model::Digest;
use maud::{Markup, html};

/// A shell command. The button appears only where the script that makes it work has run.
pub(crate) fn shell(command: &str) -> Markup {
    html! {
        div.command {
            code data-copy=(command) { span.prompt aria-hidden="true" { "$ " } (command) }
            button type="button" data-copies hidden aria-label={ "Copy: " (command) } { "Copy" }
        }
    }
}

/// Text for a file, with a button that copies it.
pub(crate) fn plain(text: &str) -> Markup {
    html! {
        div.command {
            code data-copy=(text) { (text) }
            button type="button" data-copies hidden aria-label={ "Copy: " (text) } { "Copy" }
        }
    }
}

/// A digest in full.
pub(crate) fn digest(digest: &Digest) -> Markup {
    html! {
        div.command {
            code.digest data-copy=(digest) { (digest) }
            button type="button" data-copies hidden aria-label="Copy the digest" { "Copy" }
        }
    }
}
