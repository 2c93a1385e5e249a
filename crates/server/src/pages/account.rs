//! Oneself: password, second factor, sessions.

use boltseal_identity::{Principal, PrincipalKind, secret::Secret, totp::Totp};
use maud::{Markup, html};

use super::{access::made, frame::Viewer};
use crate::parts::{badge, qr, words};

/// Everything the page shows.
pub(crate) struct Shown<'a> {
    /// Oneself.
    pub one: &'a Principal,
    /// The groups one is in.
    pub groups: Vec<&'a Principal>,
    /// Whether this is the first time: there is nothing to prove oneself with yet.
    pub first: bool,
    /// Whether the second factor was shown in this session.
    pub showed_factor: bool,
    /// The roles one has, and where.
    pub roles: Vec<(String, String)>,
}

/// The body of `/account`.
pub(crate) fn account(viewer: &Viewer, shown: &Shown<'_>) -> Markup {
    let one = shown.one;
    html! {
        div.title {
            h1 { (one.name) }
            p.lead { @if !one.display.is_empty() { (one.display) ", " } (one.kind.word()) }
        }
        @if shown.first { p.notice.v-warn { b { "Choose a password." } " The link that brought you here works no more, and there is no other way in yet." } }
        div.columns.even {
            div.stack {
                @if one.kind == PrincipalKind::User { (password(shown)) (second_factor(shown)) }
            }
            div.stack { (given(shown)) (sessions(viewer)) }
        }
    }
}

fn password(shown: &Shown<'_>) -> Markup {
    let has = shown.one.credentials.password.is_some();
    html! {
        section.card aria-labelledby="password" {
            header { h2 id="password" { "Password" } (set(has)) }
            form.body.narrow method="post" action="/account/password" {
                input type="text" name="username" value=(shown.one.name) autocomplete="username" hidden;
                @if !shown.first {
                    label.field { @if has { "Password now" } @else { "Your secret" } input type="password" name="old" autocomplete="current-password" required; }
                }
                label.field { "New password" input type="password" name="new" autocomplete="new-password" minlength="12" maxlength="256" required; }
                label.field { "The same again" input type="password" name="again" autocomplete="new-password" required; }
                button type="submit" { @if has { "Change password" } @else { "Set password" } }
                p.quiet.small { "Twelve characters or more; a few words that do not belong together. Your other sessions end." }
            }
        }
    }
}

fn second_factor(shown: &Shown<'_>) -> Markup {
    let known = &shown.one.credentials;
    let has = known.totp.is_some();
    html! {
        section.card aria-labelledby="factor" {
            header { h2 id="factor" { "One-time password" } (set(has)) }
            @if has {
                div.body {
                    p { "Asked for at every sign-in with your password. " (words::count(known.recovery.len() as u64, "recovery code")) " left." }
                    @if !shown.showed_factor { p.quiet.small { "To change it, sign in with it first." } }
                }
                @if shown.showed_factor {
                    form.body.lined method="post" action="/account/factor" { button type="submit" { "Set it up anew" } p.quiet.small { "For another device, or fresh recovery codes." } }
                    form.body.lined method="post" action="/account/factor/remove" { button.danger type="submit" { "Remove" } }
                }
            } @else {
                form.body method="post" action="/account/factor" {
                    p { "A code from an authenticator on your phone, besides the password. Whoever learns the password alone cannot come in." }
                    button type="submit" { "Set up" }
                }
            }
        }
    }
}

fn set(has: bool) -> Markup {
    html! { @if has { span.badge.is-allow { (badge::glyph("allow")) "set" } } @else { span.badge.is-plain { (badge::glyph("plain")) "not set" } } }
}

fn given(shown: &Shown<'_>) -> Markup {
    html! {
        section.card aria-labelledby="given" {
            header { h2 id="given" { "What you were given" } }
            @if shown.roles.is_empty() { p.none { "No role yet: ask whoever gives them here." } }
            ul.lines { @for (role, place) in &shown.roles { li { b { (role) } " " span.quiet { (place) } } } }
            @if !shown.groups.is_empty() {
                div.body.lined { p.quiet.small { "In " @for (index, group) in shown.groups.iter().enumerate() { @if index > 0 { ", " } b { (group.name) } } "." } }
            }
        }
    }
}

fn sessions(viewer: &Viewer) -> Markup {
    let expires = viewer.caller.as_ref().and_then(|caller| caller.expires);
    html! {
        section.card aria-labelledby="sessions" {
            header { h2 id="sessions" { "Sessions" } }
            form.body method="post" action="/account/sign-out" {
                @if let Some(expires) = expires { p { "This one ends " (words::ago(expires, viewer.now)) ", or after half an hour of silence." } }
                button type="submit" { "Sign out everywhere" }
                p.quiet.small { "Ends this session and all others, and every token you hold." }
            }
        }
    }
}

/// The answer to setting up a second factor: what to scan, and where to type the first code.
pub(crate) fn enrolling(totp: &Totp, uri: &Secret, wrong: Option<&str>) -> Markup {
    html! {
        div.title { p.crumb { a href="/account" { "Account" } " / one-time password" } h1 { "Scan this with your authenticator" } }
        section.card {
            form.body.narrow method="post" action="/account/factor/confirm" {
                @if let Some(wrong) = wrong { p.notice.v-warn role="alert" { (wrong) } }
                @if let Some(code) = qr::qr(uri.expose(), "The key as a QR code; it stands below as text") { (code) }
                p.quiet.small { "Or type this key, for codes by time with six digits:" }
                (made::copied(&grouped(totp.text().expose())))
                label.field { "The code it shows now" input type="text" name="code" inputmode="numeric" autocomplete="one-time-code" spellcheck="false" required autofocus; }
                button.primary type="submit" { "Confirm" }
            }
        }
    }
}

/// In groups of four, as keys are read aloud.
fn grouped(key: &str) -> String {
    let signs: Vec<char> = key.chars().collect();
    signs.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// The answer to the first code: what to keep for the day the phone is lost.
pub(crate) fn recovery(codes: &[Secret]) -> Markup {
    html! {
        div.title { h1 { "Keep these recovery codes" } }
        section.card {
            div.body {
                p.notice.v-warn { b { "They are shown once." } " Each of them works once, instead of a code from your authenticator." }
                ul.codes { @for code in codes { li { code { (code.expose()) } } } }
                p { a.button href="/account" { "I have kept them" } }
            }
        }
    }
}
