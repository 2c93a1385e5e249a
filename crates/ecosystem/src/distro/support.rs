//! Until when a release gets security fixes without a contract; data in `support.tsv`.

use boltseal_model::Date;

/// Distribution, release, code name, last day. Sources are named in the file.
const TABLE: &str = include_str!("support.tsv");

struct Row<'a> {
    id: &'a str,
    release: &'a str,
    codename: &'a str,
    until: &'a str,
}

fn rows() -> impl Iterator<Item = Row<'static>> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        Some(Row {
            id: fields.next()?,
            release: fields.next()?,
            codename: fields.next()?,
            until: fields.next()?,
        })
    })
}

/// Last day of security support of a release that needs no contract, if we know it: Debian with LTS, Ubuntu without
/// Pro, SUSE without LTSS, Red Hat without ELS. `ubuntu-pro` is Ubuntu with Pro, without its legacy support.
///
/// `version` is [`Distro::version`](boltseal_model::Distro::version): `12`, `22.04`, `3.19.1`, `9.3`.
pub fn end_of_life(id: &str, version: &str) -> Option<Date> {
    let part = |dots: usize| {
        version.match_indices('.').nth(dots).map_or(version, |(end, _)| version.get(..end).unwrap_or(version))
    };
    let (id, release) = match id {
        "alpine" => (id, part(1)),
        "sled" | "sles_sap" | "sle_hpc" => ("sles", version),
        "sl-micro" | "suse-microos" => ("sle-micro", version),
        "rhel" | "centos" | "almalinux" | "rocky" | "ol" | "amzn" | "photon" | "mariner" | "azurelinux" => {
            (id, part(0))
        }
        _ => (id, version),
    };
    rows().find(|row| row.id == id && row.release == release).and_then(|row| row.until.parse().ok())
}

/// Debian's number for a code name.
pub(crate) fn number_of(codename: &str) -> Option<&'static str> {
    rows().find(|row| row.id == "debian" && row.codename == codename).map(|row| row.release)
}

/// Debian's code name for a number.
pub(crate) fn codename_of(number: &str) -> Option<&'static str> {
    rows().find(|row| row.id == "debian" && row.release == number).map(|row| row.codename)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            assert_eq!(line.split('\t').count(), 4, "{line:?}");
        }
        for row in rows() {
            let future = matches!(row.id, "debian" | "photon" | "azurelinux") && row.until == "-";
            assert!(future || row.until.parse::<Date>().is_ok(), "{} {}", row.id, row.release);
        }
    }

    #[test]
    fn releases_end_when_their_vendors_say() {
        let day = |year, month, day| Some(jiff::civil::date(year, month, day));
        for (id, version, expected) in [
            ("debian", "12", day(2028, 6, 30)),
            ("debian", "14", None),
            ("ubuntu", "22.04", day(2027, 6, 1)),
            ("alpine", "3.19.1", day(2025, 11, 1)),
            ("alpine", "3.19", day(2025, 11, 1)),
            ("alpine", "3.1", day(2016, 11, 1)),
            ("alpine", "edge", None),
            ("ubuntu-pro", "18.04", day(2028, 4, 26)),
            ("rocky", "9.3", day(2032, 5, 31)),
            ("amzn", "2018.03", day(2023, 12, 31)),
            ("sles_sap", "15.5", day(2024, 12, 31)),
            ("nobara", "39", None),
        ] {
            assert_eq!(end_of_life(id, version), expected, "{id} {version}");
        }
        assert_eq!((number_of("bookworm"), codename_of("11")), (Some("12"), Some("bullseye")));
    }
}
