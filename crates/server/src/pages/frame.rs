//! What surrounds every page.

use axum::http::{HeaderMap, Uri};
use boltseal_identity::{Action, Caller, Scope};
use boltseal_model::Timestamp;
use maud::{DOCTYPE, Markup, html};

use crate::{
    State, assets,
    parts::{badge, words},
    recorder::Glass,
    session,
};

/// Light or dark, when the visitor chose; otherwise the system decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Theme {
    /// As kept in the cookie.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads the cookie.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        [Self::Light, Self::Dark].into_iter().find(|theme| theme.word() == word)
    }
}

/// Who is looking, and at what.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    /// Nobody, on the pages that need no one.
    pub caller: Option<Caller>,
    /// The parts of the site that they may open.
    pub parts: Vec<Part>,
    /// The emergency session that is open at this moment.
    pub glass: Option<Glass>,
    /// Their choice of colours.
    pub theme: Option<Theme>,
    /// Path and query of this page, to come back to.
    pub here: String,
    /// The moment everything on the page is relative to.
    pub now: Timestamp,
}

impl Viewer {
    /// Whoever sent a request. What they may open is asked of the directory, which costs next to nothing.
    pub(crate) async fn of(state: &State, caller: Option<Caller>, headers: &HeaderMap, uri: &Uri) -> Self {
        let (caller, now) = (caller.filter(|caller| !caller.is_anonymous()), (state.now)());
        let authority = state.access.authority();
        let may =
            |caller: &Caller, action| authority.decide(caller, action, &Scope::root(), now).is_granted();
        let all = PARTS.into_iter().map(|(part, _, _, action)| (part, action)).chain(WITHIN);
        let parts = all.filter(|(_, action)| caller.as_ref().is_some_and(|who| may(who, *action)));
        let parts = parts.map(|(part, _)| part).collect();
        // A page is shown whatever the log says: that it cannot be read is told where the log is shown.
        let glass = match &caller {
            Some(_) => state.recorder.lately().await.ok().and_then(|lately| lately.open_glass(now).cloned()),
            None => None,
        };
        Self {
            caller,
            parts,
            glass,
            theme: session::read_cookie(headers, "theme").and_then(Theme::of_word),
            here: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            now,
        }
    }
}

/// The parts of the site, in the order of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Overview,
    Registry,
    Search,
    Aging,
    Credentials,
    Upstreams,
    Storage,
    Images,
    Vulnerabilities,
    News,
    Notifications,
    Feeds,
    Policy,
    Access,
    Log,
    Account,
    Elsewhere,
}

/// Those of the navigation: address, name, and the action without which there is nothing to see.
pub(crate) const PARTS: [(Part, &str, &str, Action); 8] = [
    (Part::Overview, "/", "Overview", Action::ImageRead),
    (Part::Registry, "/repositories", "Registry", Action::ImageRead),
    (Part::Images, "/images", "Images", Action::ImageRead),
    (Part::Vulnerabilities, "/vulnerabilities", "Vulnerabilities", Action::VulnerabilityRead),
    (Part::Feeds, "/feeds", "Feeds", Action::FeedRead),
    (Part::Policy, "/policy", "Policy", Action::PolicyRead),
    (Part::Access, "/access", "Access", Action::PrincipalRead),
    (Part::Log, "/log", "Audit log", Action::AuditRead),
];

/// Those that a tab of another part leads to, with the action without which there is nothing to see.
const WITHIN: [(Part, Action); 7] = [
    (Part::News, Action::VulnerabilityRead),
    (Part::Notifications, Action::RegistryRead),
    (Part::Search, Action::ImageRead),
    (Part::Aging, Action::ImageRead),
    (Part::Credentials, Action::ImageRead),
    (Part::Upstreams, Action::RegistryRead),
    (Part::Storage, Action::RegistryRead),
];

/// A whole page.
pub(crate) fn page(viewer: &Viewer, part: Part, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[viewer.theme.map(Theme::word)] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Boltseal" }
                link rel="icon" type="image/svg+xml" href=(assets::SEAL.address());
                link rel="stylesheet" href=(assets::STYLE.address());
                script src=(assets::SCRIPT.address()) defer {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                (top(viewer, part))
                @if let Some(glass) = &viewer.glass { (broken_glass(viewer, glass)) }
                main id="main" tabindex="-1" { (body) }
                footer.frame {
                    span { "Boltseal " (env!("CARGO_PKG_VERSION")) }
                    a href="/about" { "About" }
                    a href="/api/v1/openapi.json" { "API" }
                }
            }
        }
    }
}

fn top(viewer: &Viewer, part: Part) -> Markup {
    html! {
        header.top {
            div.frame {
                a.brand href="/" { (seal()) "Boltseal" }
                @if viewer.caller.is_some() {
                    nav aria-label="Main" {
                        ul {
                            @for (this, address, name, _) in PARTS.into_iter().filter(|part| viewer.parts.contains(&part.0)) {
                                li { a href=(address) aria-current=[(this == part).then_some("page")] { (name) } }
                            }
                        }
                    }
                }
                div.tools {
                    (theme_switch(viewer))
                    @if let Some(caller) = &viewer.caller {
                        a.me href="/account" title={ "Signed in as " (caller.name) } aria-current=[(part == Part::Account).then_some("page")] { (caller.name) }
                        form method="post" action="/sign-out" { button type="submit" { "Sign out" } }
                    }
                }
            }
        }
    }
}

/// For as long as an emergency session may be open, everybody sees it on every page.
fn broken_glass(viewer: &Viewer, glass: &Glass) -> Markup {
    html! {
        div.alarm role="alert" {
            div.frame {
                (badge::glyph("warn"))
                p {
                    b { "The glass was broken " (words::ago(glass.at, viewer.now)) "." }
                    " Until an hour after that, whoever did it may do everything."
                    @if !glass.reason.is_empty() { " The reason given: “" (glass.reason) "”." }
                    @if viewer.parts.contains(&Part::Log) { " " a href={ "/log/" (glass.index) } { "The record" } ", " a href="/log?who=break-glass" { "and what was done since" } "." }
                }
            }
        }
    }
}

/// Turns light to dark and back. Without the script it cannot know what the system shows, so it offers dark first.
fn theme_switch(viewer: &Viewer) -> Markup {
    let next = if viewer.theme == Some(Theme::Dark) { Theme::Light } else { Theme::Dark };
    html! {
        form id="theme" method="post" action="/theme" {
            input type="hidden" name="theme" value=(next.word());
            input type="hidden" name="back" value=(viewer.here);
            button type="submit" aria-label="Switch between light and dark" title="Switch between light and dark" {
                svg viewBox="0 0 20 20" aria-hidden="true" {
                    circle cx="10" cy="10" r="7.2" fill="none" stroke="currentColor" stroke-width="1.7" {}
                    path d="M10 2.8a7.2 7.2 0 0 1 0 14.4z" fill="currentColor" {}
                }
            }
        }
    }
}

/// The mark: a bolt through the two lugs of a container door.
fn seal() -> Markup {
    html! {
        svg viewBox="0 0 24 24" aria-hidden="true" {
            g fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" {
                path d="M12 5.5v9M8 2.500h8v3H8zM3 10h5.500M15.500 10H21M7 14.500h10v4.500l-2.500 2.500h-5L7 19z" {}
            }
        }
    }
}
