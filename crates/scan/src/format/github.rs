//! Workflow commands of GitHub Actions: lines of a log that become annotations.
//!
//! ```text
//! ::error file=var/lib/dpkg/status,line=1,title=CVE-2026-0001 in libssl3 3.0.11::critical; fixed in 3.0.13: …
//! ```
//!
//! Values escape `%`, carriage return and line feed; properties also `:` and `,`. Nothing that an image says can begin a
//! command of its own, because every line here begins with ours.

use std::io::{self, Write};

use boltseal_model::Report;

use super::{
    Format,
    notice::{Level, notices},
};

/// `github`
pub(super) const FORMAT: Format = Format {
    name: "github",
    media_type: "text/plain; charset=utf-8",
    extension: "txt",
    about: "Annotations for the log of GitHub Actions",
    write,
};

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for notice in notices(report) {
        let word = match notice.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        write!(out, "::{word} ")?;
        if let Some((path, line)) = &notice.place {
            write!(out, "file={},line={line},", property(path))?;
        }
        writeln!(out, "title={}::{}", property(&notice.title), data(&notice.message))?;
    }
    Ok(())
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(data("100%: a,b\r\nc"), "100%25: a,b%0D%0Ac");
        assert_eq!(property("100%: a,b\n::error::"), "100%25%3A a%2Cb%0A%3A%3Aerror%3A%3A");
    }
}
