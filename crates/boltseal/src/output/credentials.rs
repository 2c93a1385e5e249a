//! Credentials that lie in images, for people.

use std::fmt::Write as _;

use boltseal_api::credentials::{Credential, Located};

use super::{
    access::moment,
    paint::{Paint, clean, count},
};

/// Characters of a digest that tell it from others.
const SHORT: usize = 19;

/// The newest first.
pub fn credentials(all: &[Credential], paint: Paint) -> String {
    let mut out = String::new();
    for one in all {
        head(one, paint, &mut out);
        let more = usize::try_from(one.images).unwrap_or(usize::MAX);
        let text = match one.images {
            0 => format!("in no image any more, last seen {}", moment(one.last_seen)),
            _ => format!("in {}: {}", count(more, "image"), clean(&one.repositories.join(" "))),
        };
        let _ = writeln!(out, "  {text}");
        let _ = writeln!(out, "  first seen {}", moment(one.first_seen));
    }
    let _ = writeln!(out, "{}", count(all.len(), "credential"));
    out
}

/// One, and its places.
pub fn located(found: &Located, paint: Paint) -> String {
    let mut out = String::new();
    head(&found.credential, paint, &mut out);
    let _ = writeln!(out, "  first seen {}", moment(found.credential.first_seen));
    for place in &found.places {
        let tag = place.tags.first().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest: String = place.digest.chars().take(SHORT).collect();
        let hidden = if place.hidden { ", deleted by a later layer but still in the image" } else { "" };
        let package =
            place.package.as_ref().map(|name| format!(", of the package {name}")).unwrap_or_default();
        let text = format!("{}{tag}  {digest}  {}{hidden}{package}", place.repository, place.place);
        let _ = writeln!(out, "  {}", clean(&text));
    }
    if found.more {
        out.push_str("  and more places\n");
    }
    if found.places.is_empty() {
        let _ = writeln!(out, "  in no image any more, last seen {}", moment(found.credential.last_seen));
    }
    out
}

fn head(one: &Credential, paint: Paint, out: &mut String) {
    let sure = if matches!(one.confidence.as_str(), "high" | "verified") {
        paint.alarm(&one.confidence)
    } else {
        clean(&one.confidence)
    };
    let published = if one.published { ", of published packages" } else { "" };
    let title = paint.bold(&clean(&one.title));
    let _ = writeln!(out, "{title}  {}  ({sure}{published})", paint.dim(&clean(&one.fingerprint)));
}
