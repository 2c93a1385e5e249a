//! What vendors of RPM packages write alike, whatever the format: names with versions, releases, modules.
//!
//! Sources: the RPM file name convention, <https://rpm-packaging-guide.github.io/#preface>; module streams,
//! <https://docs.fedoraproject.org/en-US/modularity/>; CPE 2.2 URIs, NIST IR 7695.

mod gathered;
mod release;

use boltseal_ecosystem::rpm::{in_module, is_modular, variant};

pub(crate) use gathered::{Gathered, Key, Span};
pub(crate) use release::{cpe_space, release_space, tag_space};

/// What an advisory calls package `name`: of a module with its stream. `stream` is that stream, if the vendor says it;
/// a build that only its version gives away as one of a module (`evr`) is of any. A ksplice or FIPS build, which has
/// versions of its own, is named with its kind.
pub(crate) fn named(name: &str, stream: Option<&str>, evr: Option<&str>) -> String {
    match (stream, evr) {
        (Some(stream), _) => in_module(Some(stream), name),
        (None, Some(evr)) if is_modular(evr) => in_module(None, name),
        (None, evr) => {
            evr.and_then(variant).map_or_else(|| name.to_owned(), |kind| in_module(Some(kind), name))
        }
    }
}

/// A package file's name without its extension: `bind-libs-30:9.3.3-8.el5.x86_64`, also `30:bind-libs-9.3.3-8.el5.x86_64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nevra<'a> {
    pub name: &'a str,
    /// `0` where none is written.
    pub epoch: &'a str,
    pub version: &'a str,
    pub release: &'a str,
    /// Empty where none is written.
    pub architecture: &'a str,
}

/// CPUs that RPM packages are for; a release may end in anything else.
const ARCHITECTURES: [&str; 22] = [
    "aarch64",
    "aarch64_ilp32",
    "armv7hl",
    "armv7l",
    "armv6hl",
    "i386",
    "i486",
    "i586",
    "i686",
    "ia64",
    "loongarch64",
    "noarch",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv64",
    "s390",
    "s390x",
    "src",
    "nosrc",
    "x86_64",
    "x86_64_v2",
];

impl<'a> Nevra<'a> {
    /// Takes `text` apart, from the end.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let text = text.strip_suffix(".rpm").unwrap_or(text);
        let (rest, architecture) = match text.rsplit_once('.') {
            Some((rest, end)) if ARCHITECTURES.contains(&end) => (rest, end),
            _ => (text, ""),
        };
        let (rest, release) = rest.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        let (epoch, version) = version.split_once(':').unwrap_or(("", version));
        let (before, name) = name.split_once(':').filter(|(epoch, _)| number(epoch)).unwrap_or(("", name));
        let epoch = [epoch, before, "0"].into_iter().find(|epoch| !epoch.is_empty()).unwrap_or("0");
        let whole = !name.is_empty() && !version.is_empty() && !release.is_empty() && number(epoch);
        whole.then_some(Self { name, epoch, version, release, architecture })
    }

    /// `30:9.3.3-8.el5`.
    pub(crate) fn evr(&self) -> String {
        evr(self.epoch, self.version, self.release)
    }
}

/// A version as RPM orders it; the epoch 0 is not written.
pub(crate) fn evr(epoch: &str, version: &str, release: &str) -> String {
    let mut text =
        if number(epoch) && epoch.bytes().any(|b| b != b'0') { format!("{epoch}:") } else { String::new() };
    text.push_str(version);
    if !release.is_empty() {
        text.push('-');
        text.push_str(release);
    }
    text
}

fn number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `text` as vendors write versions (`0:1.2-3`) as we do (`1.2-3`).
pub(crate) fn plain_evr(text: &str) -> String {
    text.trim().trim_start_matches("0:").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_names() {
        for (text, expected) in [
            ("bind-libs-30:9.3.3-8.el5.x86_64", Some(("bind-libs", "30:9.3.3-8.el5", "x86_64"))),
            ("samba-0:4.18.6-1.el9.src", Some(("samba", "4.18.6-1.el9", "src"))),
            ("1:cups-1.4.2-50.el6.i686.rpm", Some(("cups", "1:1.4.2-50.el6", "i686"))),
            ("libopenssl0_9_8-32bit-0.9.8j-106.12.1", Some(("libopenssl0_9_8-32bit", "0.9.8j-106.12.1", ""))),
            ("samba", None),
            ("--", None),
        ] {
            let read = Nevra::of(text);
            let read = read.as_ref().map(|n| (n.name, n.evr(), n.architecture));
            assert_eq!(read, expected.map(|(n, e, a)| (n, e.to_owned(), a)), "{text}");
        }
        assert_eq!(named("npm", Some("nodejs:16"), None), "nodejs:16/npm");
        assert_eq!(named("npm", None, Some("8-1.module+el8")), "*/npm");
        assert_eq!(named("npm", None, Some("8-1.el8")), "npm");
        assert_eq!(named("glibc", None, Some("2:2.28-251.0.2.ksplice1.el8")), "ksplice/glibc");
        assert_eq!(named("glibc", None, None), "glibc");
    }
}
