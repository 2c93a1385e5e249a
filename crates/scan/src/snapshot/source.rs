//! How much a feed is preferred where several speak about the same vulnerability of the same package.

/// Lower is better.
///
/// A distribution's tracker is kept up to date after publication (fixes that came later, `not-affected`, `no-dsa`);
/// its list of security advisories (also as OVAL, updateinfo or CVRF) is written once; OSV republishes both with a delay. So the tracker decides where
/// it knows the vulnerability at all, then the list, then OSV. Languages have OSV only, and all its records count.
pub(super) fn rank(feed: &str) -> u8 {
    let family = feed.split(':').next().unwrap_or_default();
    match family {
        "debian-tracker" | "alpine-secdb" | "ubuntu-tracker" | "csaf" => 0,
        "debian-list" | "oval" | "updateinfo" | "cvrf" => 1,
        "osv" => 2,
        _ => 3,
    }
}
