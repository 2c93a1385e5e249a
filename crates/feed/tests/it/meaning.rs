//! What single records mean: a table of input and what a sink hears.

use boltseal_feed::read_bytes;
use boltseal_model::{Advisory, Severity, Status};

use crate::Collected;

fn read(name: &str, text: &str) -> Collected {
    let mut said = Collected::default();
    read_bytes(name, text.as_bytes(), &mut said).unwrap();
    said
}

/// One line for each affected package: `id (aliases) space/package status severity ranges`, then what else narrows it.
pub fn lines(advisories: &[Advisory]) -> Vec<String> {
    let mut lines = Vec::new();
    for advisory in advisories {
        for affected in &advisory.affected {
            let ranges: Vec<String> = affected
                .ranges
                .iter()
                .map(|range| {
                    let end = range.fixed.as_ref().map(|fixed| format!(" <{fixed}"));
                    let end = end.or_else(|| range.last_affected.as_ref().map(|last| format!(" <={last}")));
                    format!("[{}{}]", range.introduced.as_deref().unwrap_or("*"), end.unwrap_or_default())
                })
                .collect();
            let severity = affected.severity.or(advisory.severity).map_or("-", Severity::word);
            let cpus = affected.architectures.join(",");
            let more = if cpus.is_empty() { cpus } else { format!(" cpu:{cpus}") };
            lines.push(format!(
                "{} ({}) {}/{} {} {severity} {}{}{more}",
                advisory.id,
                advisory.aliases.join(" "),
                affected.space,
                affected.package,
                affected.status.word(),
                ranges.join(""),
                affected.versions.join(",")
            ));
        }
    }
    lines
}

fn osv(id: &str, more: &str, affected: &str) -> String {
    format!(r#"{{"id":"{id}","modified":"2024-01-01T00:00:00Z",{more}"affected":[{affected}]}}"#)
}

fn package(ecosystem: &str, name: &str, events: &str, more: &str) -> String {
    format!(
        r#"{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{events}]}}]{more}}}"#
    )
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn osv_records() {
    let from_start = r#"{"introduced":"0"},{"fixed":"2"}"#;
    let cases: &[(&str, String, &[&str])] = &[
        (
            "plain",
            osv(
                "PYSEC-1",
                r#""aliases":["CVE-2024-1"],"related":["CVE-2024-9"],"#,
                &package("PyPI", "Django", from_start, ""),
            ),
            &["PYSEC-1 (CVE-2024-1) pypi/django affected - [* <2]"],
        ),
        (
            "withdrawn",
            osv("PYSEC-1", r#""withdrawn":"2024-02-01T00:00:00Z","#, &package("PyPI", "a", from_start, "")),
            &[],
        ),
        (
            "null lists",
            osv(
                "PYSEC-1",
                r#""aliases":null,"severity":null,"#,
                &package("PyPI", "a", from_start, r#","versions":null"#),
            ),
            &["PYSEC-1 () pypi/a affected - [* <2]"],
        ),
        (
            "last affected",
            osv("X-1", "", &package("npm", "a", r#"{"introduced":"1"},{"last_affected":"1.5"}"#, "")),
            &["X-1 () npm/a affected - [1 <=1.5]"],
        ),
        (
            "several spans",
            osv(
                "X-1",
                "",
                &package("npm", "a", r#"{"introduced":"0"},{"fixed":"1.0.0"},{"introduced":"2.0.0"}"#, ""),
            ),
            &["X-1 () npm/a affected - [* <1.0.0][2.0.0]"],
        ),
        (
            "events out of order",
            osv(
                "X-1",
                "",
                &package(
                    "npm",
                    "a",
                    r#"{"introduced":"0"},{"introduced":"2.0.0"},{"fixed":"1.0.0"},{"fixed":"2.10.0"}"#,
                    "",
                ),
            ),
            &["X-1 () npm/a affected - [* <1.0.0][2.0.0 <2.10.0]"],
        ),
        ("never introduced", osv("X-1", "", &package("npm", "a", r#"{"fixed":"1.0.0"}"#, "")), &[]),
        (
            "versions only",
            osv("X-1", "", r#"{"package":{"ecosystem":"PyPI","name":"a"},"versions":["1","1.1"]}"#),
            &["X-1 () pypi/a affected - 1,1.1"],
        ),
        (
            "versions that a range covers",
            osv(
                "X-1",
                "",
                &package("PyPI", "a", from_start, r#","versions":["1","1.5.post1","2","3","not a version"]"#),
            ),
            &["X-1 () pypi/a affected - [* <2]2,3,not a version"],
        ),
        (
            "commits only",
            osv(
                "X-1",
                "",
                r#"{"package":{"ecosystem":"PyPI","name":"a"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}"#,
            ),
            &[],
        ),
        ("foreign", osv("X-1", "", &package("Android", "a:b", from_start, "")), &[]),
        (
            "word of the database",
            osv(
                "GHSA-1",
                r#""database_specific":{"severity":"MODERATE"},"#,
                &package("PyPI", "a", from_start, ""),
            ),
            &["GHSA-1 () pypi/a affected medium [* <2]"],
        ),
        (
            "malware",
            osv("MAL-2024-1", "", &package("npm", "evil", r#"{"introduced":"0"}"#, "")),
            &["MAL-2024-1 () npm/evil affected critical [*]"],
        ),
        (
            "unmaintained",
            osv(
                "RUSTSEC-1",
                "",
                &package(
                    "crates.io",
                    "a",
                    r#"{"introduced":"0.0.0-0"}"#,
                    r#","database_specific":{"informational":"unmaintained"}"#,
                ),
            ),
            &["RUSTSEC-1 () cargo/a affected negligible [0.0.0-0]"],
        ),
        (
            "Debian, unimportant",
            osv(
                "CVE-2024-1013",
                "",
                &package(
                    "Debian:12",
                    "unixodbc",
                    r#"{"introduced":"0"}"#,
                    r#","ecosystem_specific":{"urgency":"unimportant"}"#,
                ),
            ),
            &["CVE-2024-1013 () debian:12/unixodbc affected negligible [*]"],
        ),
        (
            "Debian, end of life",
            osv(
                "CVE-2024-1",
                "",
                &package(
                    "Debian:12",
                    "a",
                    r#"{"introduced":"0"}"#,
                    r#","ecosystem_specific":{"urgency":"end-of-life"}"#,
                ),
            ),
            &["CVE-2024-1 () debian:12/a end-of-life - [*]"],
        ),
        (
            "upstream of a distribution",
            osv(
                "UBUNTU-CVE-2024-1",
                r#""upstream":["CVE-2024-1"],"severity":[{"type":"Ubuntu","score":"low"}],"#,
                &package("Ubuntu:22.04:LTS", "a", from_start, ""),
            ),
            &["UBUNTU-CVE-2024-1 (CVE-2024-1) ubuntu:22.04/a affected low [* <2]"],
        ),
        (
            "upstream elsewhere",
            osv("JLSEC-1", r#""upstream":["CVE-2024-1"],"#, &package("PyPI", "a", from_start, "")),
            &["JLSEC-1 () pypi/a affected - [* <2]"],
        ),
        (
            "a bundle",
            osv(
                "USN-1-1",
                r#""upstream":["CVE-2024-1","UBUNTU-CVE-2024-2"],"#,
                &package("Ubuntu:22.04:LTS", "a", from_start, ""),
            ),
            &[
                "CVE-2024-1 () ubuntu:22.04/a affected - [* <2]",
                "CVE-2024-2 (UBUNTU-CVE-2024-2) ubuntu:22.04/a affected - [* <2]",
            ],
        ),
    ];
    for (what, record, expected) in cases {
        assert_eq!(lines(&read("record.json", record).advisories), *expected, "{what}");
    }
}

#[test]
fn vectors_have_scores() {
    let severity = r#""severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
        {"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"},
        {"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:P/I:P/A:P"},{"type":"CVSS_V3","score":"nonsense"}],"#;
    let said = read("a.json", &osv("X-1", severity, &package("npm", "a", r#"{"introduced":"0"}"#, "")));
    let scores: Vec<f64> = said.advisories[0].cvss.iter().map(|cvss| cvss.score).collect();
    assert_eq!(scores, [9.8, 9.3, 7.5]);
}

#[test]
fn debian_tracker() {
    let release = |more: &str| {
        format!(r#"{{"a":{{"CVE-2024-1":{{"description":"x","releases":{{"bookworm":{{{more}}}}}}}}}}}"#)
    };
    let cases: &[(&str, &[&str])] = &[
        (
            r#""status":"resolved","fixed_version":"1.2-3","urgency":"not yet assigned""#,
            &["CVE-2024-1 () debian:12/a affected - [* <1.2-3]"],
        ),
        (
            r#""status":"resolved","fixed_version":"0","urgency":"unimportant""#,
            &["CVE-2024-1 () debian:12/a not-affected negligible "],
        ),
        (r#""status":"open","urgency":"medium**""#, &["CVE-2024-1 () debian:12/a affected medium [*]"]),
        (
            r#""status":"open","urgency":"unimportant""#,
            &["CVE-2024-1 () debian:12/a affected negligible [*]"],
        ),
        (
            r#""status":"open","urgency":"low","nodsa":"Minor issue","nodsa_reason":"postponed""#,
            &["CVE-2024-1 () debian:12/a will-not-fix low [*]"],
        ),
        (r#""status":"open","urgency":"end-of-life""#, &["CVE-2024-1 () debian:12/a end-of-life - [*]"]),
        (
            r#""status":"undetermined","urgency":"not yet assigned""#,
            &["CVE-2024-1 () debian:12/a under-investigation - [*]"],
        ),
        (r#""status":"resolved","urgency":"low""#, &[]),
        (r#""status":"novel","urgency":"low""#, &[]),
    ];
    for (state, expected) in cases {
        let said = read("json", &release(state));
        assert_eq!(lines(&said.advisories), *expected, "{state}");
        assert_eq!(said.rejected.len(), usize::from(expected.is_empty()), "{state}");
    }
}

#[test]
fn debian_list() {
    let list = "[29 Mar 2023] DSA-5380-1 xorg-server - security update\n\t{CVE-2023-1393 CVE-2023-1}\n\
                \t[bullseye] - xorg-server 2:1.20.11-1+deb11u6\n\tNOTE: nothing\n\
                [17 Mar 2023] DSA-5356-2 sox - regression update\n\t[bullseye] - sox 14.4.2\n\
                [11 Oct 2009] DSA-1906-1 clamav - end-of-life announcement\n\
                [01 Jan 2020] DSA-1-1 a - security update\n\t[buster] - a <not-affected>\n\t[buster] - b <end-of-life>\n\
                [01 Jan 2020] DSA-2-1 a - security update\n\t[toast] - a 1.0\n";
    let said = read("DSA.list", list);
    assert_eq!(
        lines(&said.advisories),
        [
            "CVE-2023-1393 () debian:11/xorg-server affected - [* <2:1.20.11-1+deb11u6]",
            "CVE-2023-1 () debian:11/xorg-server affected - [* <2:1.20.11-1+deb11u6]",
            "DSA-1-1 () debian:10/a not-affected - ",
            "DSA-1-1 () debian:10/b end-of-life - [*]",
        ]
    );
    let range = &said.advisories[0].affected[0].ranges[0];
    assert_eq!(range.fixed_on.unwrap().to_string(), "2023-03-29");
    assert_eq!(said.advisories[0].summary, "DSA-5380-1 xorg-server - security update");
    assert!(said.rejected.is_empty(), "{:?}", said.rejected);
}

#[test]
fn alpine_secdb() {
    let branch = r#"{"reponame":"main","distroversion":"v3.19","packages":[
        {"pkg":{"name":"xen","secfixes":{"4.8-r0":["CVE-2016-9377 XSA-196","CVE-2016-9378 XSA-196"],"0":["CVE-2020-1"]}}},
        {"pkg":{"name":"a","secfixes":{"1-r0":["CVE-2020-2 / GHSA-x2y3-aaaa-bbbb"],"2-r0":["CVE-2020-2"],"0":["CVE-2020-2"]}}},
        {"pkg":{"name":"b","secfixes":null}},{"pkg":{"secfixes":{}}}]}"#;
    let said = read("main.json", branch);
    assert_eq!(
        lines(&said.advisories),
        [
            "CVE-2016-9377 () alpine:v3.19/xen affected - [* <4.8-r0]",
            "CVE-2016-9378 () alpine:v3.19/xen affected - [* <4.8-r0]",
            "CVE-2020-1 () alpine:v3.19/xen not-affected - ",
            "CVE-2020-2 (GHSA-x2y3-aaaa-bbbb) alpine:v3.19/a affected - [* <1-r0][* <2-r0]",
        ]
    );
    assert_eq!(said.advisories[2].affected[0].status, Status::NotAffected);
    assert_eq!(said.rejected.len(), 1, "a package without a name");
}
