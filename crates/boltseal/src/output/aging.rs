//! Images that should be built again, for people.

use std::fmt::Write as _;

use boltseal_api::aging::{Aged, KnownBy};

use super::{
    access::moment,
    paint::{Paint, clean, count},
};

/// Characters of a digest that tell it from others.
const SHORT: usize = 19;

/// The oldest first: how old, on what, and what is newer.
pub fn aging(all: &[Aged], paint: Paint) -> String {
    let mut sorted: Vec<&Aged> = all.iter().collect();
    sorted.sort_by(|a, b| a.built.cmp(&b.built).then_with(|| a.digest.cmp(&b.digest)));
    let mut out = String::new();
    for image in sorted {
        let names = if image.names.is_empty() { "(no tag)".to_owned() } else { image.names.join(" ") };
        let _ = writeln!(out, "{}  {}", paint.bold(&clean(&names)), paint.dim(&short(&image.digest)));
        let days = usize::try_from(image.days).unwrap_or(usize::MAX);
        let _ = writeln!(out, "  built {}, {} ago", moment(image.built), count(days, "day"));
        let pulled = image.last_pull.map_or_else(|| "never".to_owned(), moment);
        let _ = writeln!(out, "  last pull {pulled}");
        let Some(base) = &image.base else { continue };
        let how = match base.known_by {
            KnownBy::Annotation => "as it says",
            KnownBy::Layers => "by its layers",
        };
        let _ = writeln!(out, "  on {}  {}  ({how})", clean(&base.name), short(&base.digest));
        if let Some(newer) = &base.newer {
            let text =
                format!("newer: {}  {}  since {}", newer.name, short(&newer.digest), moment(newer.since));
            let _ = writeln!(out, "  {}", paint.alarm(&clean(&text)));
        }
    }
    let _ = writeln!(out, "{} should be built again", count(all.len(), "image"));
    out
}

fn short(digest: &str) -> String {
    clean(&digest.chars().take(SHORT).collect::<String>())
}
