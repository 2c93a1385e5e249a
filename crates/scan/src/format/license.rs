//! Declared licences as SPDX expressions, where they are.
//!
//! A package declares whatever its author wrote. Formats want an expression of the SPDX licence list or nothing, so a
//! declaration counts as an expression only when each of its ids is in the list below; the rest is passed on as a
//! plain name. The list holds the ids that make up nearly all declarations in package registries (SPDX licence list
//! 3.27); a missing one costs the form, never the content.

/// In the order of their lower-case form.
const IDS: &str = "\
    0BSD AFL-2.1 AFL-3.0 AGPL-1.0-only AGPL-1.0-or-later AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 \
    Apache-2.0 Artistic-1.0 Artistic-1.0-Perl Artistic-2.0 Beerware BlueOak-1.0.0 BSD-1-Clause \
    BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause BSD-3-Clause-Clear BSD-4-Clause BSL-1.0 \
    bzip2-1.0.6 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1 \
    CDLA-Permissive-2.0 CECILL-2.1 CPL-1.0 curl EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 FSFAP FTL \
    GFDL-1.1-only GFDL-1.1-or-later GFDL-1.2-only GFDL-1.2-or-later GFDL-1.3-only GFDL-1.3-or-later \
    GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND \
    ICU IJG ImageMagick Info-ZIP IPL-1.0 ISC JSON LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only \
    LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later Libpng libtiff MIT MIT-0 MIT-CMU MPL-1.0 \
    MPL-1.1 MPL-2.0 MS-PL MS-RL MulanPSL-2.0 NCSA NTP OFL-1.1 OLDAP-2.8 OpenSSL OSL-3.0 PHP-3.0 \
    PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 QPL-1.0 Ruby Sleepycat SMLNJ SSPL-1.0 TCL Unicode-3.0 \
    Unicode-DFS-2016 Unlicense UPL-1.0 Vim W3C WTFPL X11 Xnet Zend-2.0 Zlib ZPL-2.0 ZPL-2.1";

/// Exceptions that may follow `WITH`.
const EXCEPTIONS: &str = "\
    Autoconf-exception-2.0 Autoconf-exception-3.0 Bison-exception-2.2 Classpath-exception-2.0 \
    GCC-exception-2.0 GCC-exception-3.1 LLVM-exception OpenSSL-exception u-boot-exception-2.0";

/// The declarations as one SPDX expression, or `None` when one of them is not one.
pub(super) fn expression(declared: &[String]) -> Option<String> {
    let parts = declared.iter().map(|text| normal(text)).collect::<Option<Vec<String>>>()?;
    match parts.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(several.iter().map(|part| bracketed(part)).collect::<Vec<_>>().join(" AND ")),
    }
}

fn bracketed(part: &str) -> String {
    if part.contains(' ') { format!("({part})") } else { part.to_owned() }
}

/// The expression in canonical spelling: ids as in the list, operators in capitals, single spaces.
fn normal(text: &str) -> Option<String> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut out: Vec<String> = Vec::new();
    let (mut open, mut wants_id, mut after_with) = (0_usize, true, false);
    for token in spaced.split_whitespace() {
        let operator = ["AND", "OR", "WITH"].into_iter().find(|word| token.eq_ignore_ascii_case(word));
        match (token, operator) {
            ("(", _) if wants_id && !after_with => {
                open += 1;
                out.push("(".to_owned());
            }
            (")", _) if !wants_id => {
                open = open.checked_sub(1)?;
                out.push(")".to_owned());
            }
            (_, Some(word)) if !wants_id => {
                wants_id = true;
                after_with = word == "WITH";
                out.push(word.to_owned());
            }
            (id, None) if wants_id => {
                let known = if after_with { known(EXCEPTIONS, id) } else { id_of(id) };
                out.push(known?);
                wants_id = false;
                after_with = false;
            }
            _ => return None,
        }
    }
    (open == 0 && !wants_id).then(|| out.join(" ").replace("( ", "(").replace(" )", ")"))
}

/// `GPL-2.0` and `GPL-2.0+` are the deprecated spellings of `-only` and `-or-later`.
fn id_of(id: &str) -> Option<String> {
    let plain = id.strip_suffix('+');
    known(IDS, id)
        .or_else(|| known(IDS, &format!("{}-or-later", plain?)))
        .or_else(|| known(IDS, &format!("{id}-only")))
        .or_else(|| Some(known(IDS, plain?)? + "+"))
}

fn known(list: &str, id: &str) -> Option<String> {
    list.split(' ').find(|known| known.eq_ignore_ascii_case(id)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        for (declared, expected) in [
            (&["MIT"][..], Some("MIT")),
            (&["mit OR apache-2.0"], Some("MIT OR Apache-2.0")),
            (&["(MIT OR Apache-2.0) AND BSD-3-Clause"], Some("(MIT OR Apache-2.0) AND BSD-3-Clause")),
            (&["GPL-2.0+"], Some("GPL-2.0-or-later")),
            (&["GPL-2.0 WITH Classpath-exception-2.0"], Some("GPL-2.0-only WITH Classpath-exception-2.0")),
            (&["Apache-2.0+"], Some("Apache-2.0+")),
            (&["MIT", "ISC OR Zlib"], Some("MIT AND (ISC OR Zlib)")),
            (&["MIT", "whatever"], None),
            (&["SEE LICENSE IN LICENSE"], None),
            (&["MIT OR"], None),
            (&["(MIT"], None),
            (&["MIT WITH (LLVM-exception)"], None),
            (&[], None),
        ] {
            let declared: Vec<String> = declared.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(expression(&declared).as_deref(), expected, "{declared:?}");
        }
        assert!(IDS.split(' ').is_sorted_by_key(str::to_lowercase));
    }
}
